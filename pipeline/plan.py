"""The whole program on one screen: the steps that build a show, with the files and settings of each.

    recordings ─ ingest ─ master ┬ encode, m4a, light, soundbites ──────────┬ tag ┐
                                 └ transcribe ─ draft ─ (a person) ─ align ─┤     ├ release ┬ page
                                                        captions, chapters ─┤     │         ├ feed
                                              guide-draft ─ (a person) ─ guide ───┘         └ index

The guides of the published episodes also make a guide of the series, which the index links to.
The audio report is not a step but a view: `pipeline/commands/review.py` writes it from the files that exist.

Paths are relative to the show's folder. A step gets the *values* it uses, never a TOML file: a new title rewrites the tags and the
feed, and cannot run Whisper again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from pipeline.audio.clips import soundbites
from pipeline.audio.encode import encode, encode_light, encode_m4a
from pipeline.audio.ingest import ingest
from pipeline.feed.chapters import chapters
from pipeline.feed.feed import feed
from pipeline.guide.clips import guide_clips
from pipeline.guide.draft import draft_guide
from pipeline.guide.render import render_guide
from pipeline.guide.series import series_guide
from pipeline.model import Episode, Show, ShowInfo
from pipeline.release import SERIES_RELEASE, in_series, release_cover, release_episode, release_series
from pipeline.site.around import index_page, people_page, theme_pages, transcripts_page
from pipeline.site.card import card
from pipeline.site.pages import episode_page
from pipeline.site.places import Frame, Neighbours, built, episode_keys, fonts_of, page_keys, show_keys, themes, title
from pipeline.site.shared import found_pages, style_files
from pipeline.speech.doubts import doubts
from pipeline.speech.transcribe import transcribe
from pipeline.speech.translate import translate
from pipeline.steps import Step
from pipeline.tags import tag_m4a, tag_mp3, tag_opus
from pipeline.text import slugify, speaks
from pipeline.transcript.align import align
from pipeline.transcript.captions import captions
from pipeline.transcript.draft import draft

Files = dict[str, str]  # by the keyword of a step's function
Reads = dict[str, str | tuple[str, ...]]
Settings = dict[str, Any]  # Any: the keyword arguments of a step's function, checked by the function's own types

NEAR = 6  # episodes before and after that a guide is compared with, whatever the length of the series
SEASON = 30  # episodes in the guide of a series, the newest, so that it stays printable
CAPTIONS = ("vtt", "srt", "json", "html", "txt")
_SERIES = {"series_pdf": "series.facilitator.pdf", "series_html": "series.facilitator.html"}  # no slug is `series`
GUIDES = (
    *("facilitator.pdf", "facilitator.docx", "facilitator.html"),
    *("handout.pdf", "handout.docx", "handout.html", "large-print.pdf", "harvest.csv"),
)


def plan(show: Show, at: datetime) -> tuple[Step, ...]:
    """Every step of a show at the time `at`: episodes with a later date are built, but neither in the feed nor on the pages."""
    steps = [
        step
        for i, episode in enumerate(show.episodes)
        for step in (*_audio(show, episode), *_text(show, episode), *_guide(show, episode, show.episodes[max(0, i - NEAR) : i + NEAR + 1]))
    ]
    return (*steps, *(step for episode in show.episodes for step in _release(show, episode)), *_public(show, due(show, at)))


def due(show: Show, at: datetime) -> tuple[Episode, ...]:
    """The episodes with a publication date up to `at`, in the show's order."""
    return tuple(episode for episode in show.episodes if episode.info.published <= at)


def work(slug: str, name: str) -> str:
    """The path of an intermediate file; deleting it costs a rebuild and nothing else."""
    return f".causerie/{slug}/{name}"


def made(show: Show, episode: Episode) -> Files:
    """Every published file of an episode except its pages, by its role in the release."""
    slug = episode.slug
    return {
        "audio": f"episodes/{slug}/{slug}.mp3",
        **({"m4a": f"episodes/{slug}/{slug}.m4a"} if show.audio.m4a_kbps else {}),
        "light": f"episodes/{slug}/{slug}.opus",
        **{f"transcript_{form}": f"transcripts/{slug}.{form}" for form in CAPTIONS},
        **{f"transcript_{code}_vtt": path for code, path in translations(show, episode).items()},
        "chapters": f"feeds/{slug}.chapters.json",
        **{f"guide_{_word(form)}": f"guides/{slug}.{form}" for form in GUIDES},
        "guide_clips_zip": f"guides/{slug}.clips.zip",
        **({"cover": episode.cover} if episode.cover else {}),
        "card": f"site/{slug}/card.png",
        **{f"chapter_image_{i:02d}": path for i, path in enumerate(dict.fromkeys(_pictures(episode)), 1)},
    }


def _word(form: str) -> str:
    """The keyword of a format of the guide: `large_print_pdf`."""
    return form.replace(".", "_").replace("-", "_")


def translations(show: Show, episode: Episode) -> dict[str, str]:
    """Machine-translated captions by language code, except the episode's own language."""
    return {code: f"transcripts/{episode.slug}.{code}.vtt" for code in show.speech.translate if not speaks(episode.info.language, code)}


def _audio(show: Show, episode: Episode) -> tuple[Step, ...]:
    """From the recordings to loudness-normalised, tagged files."""
    slug, mix, target = episode.slug, episode.mix, show.audio
    heard = _sound(slug)
    asked: Settings = {"target_lufs": target.loudness_lufs, "ceiling_dbtp": target.ceiling_dbtp}
    encoded = {"report": work(slug, "encoded.json")}
    marks = {"chapters": f"feeds/{slug}.chapters.json"}
    cover, about = episode.cover or show.cover, _about(show, episode)
    return (
        Step(
            f"{slug}/ingest",
            ingest,
            reads={"files": mix.files},
            writes={**heard, "activity": work(slug, "activity.json"), "sound": work(slug, "sound.json")},
            settings={"mix": mix, "sample_rate_hz": target.sample_rate_hz, "channels": target.channels},
        ),
        Step(
            f"{slug}/encode",
            encode,
            {**heard},
            {"audio": work(slug, "audio.mp3"), **encoded, "curve": work(slug, "published.npz")},
            {**asked, "kbps": target.mp3_kbps},
        ),
        Step(f"{slug}/light", encode_light, {**heard}, {"audio": work(slug, "light.opus")}, {**asked, "kbps": target.light_kbps}),
        Step(
            f"{slug}/tag",
            tag_mp3,
            {"audio": work(slug, "audio.mp3"), "cover": cover, **marks, **_reading_pictures(episode)},
            {"tagged": made(show, episode)["audio"]},
            about,
        ),
        *_on_request(show, episode, heard, asked, encoded),
        Step(f"{slug}/tag-light", tag_opus, {"audio": work(slug, "light.opus"), **marks}, {"tagged": made(show, episode)["light"]}, about),
    )


def _pictures(episode: Episode) -> tuple[str, ...]:
    """The images of the chapters that have one."""
    return tuple(chapter.image for chapter in episode.chapters if chapter.image)


def _reading_pictures(episode: Episode) -> dict[str, tuple[str, ...]]:
    return {"images": _pictures(episode)} if _pictures(episode) else {}


def _sound(slug: str) -> Files:
    """The master and its levels, the input of every step that encodes audio."""
    return {"master": work(slug, "master.flac"), "levels": work(slug, "levels.npz")}


def _on_request(show: Show, episode: Episode, heard: Files, asked: Settings, encoded: Files) -> tuple[Step, ...]:
    """The optional audio files: AAC and soundbites."""
    slug, kbps = episode.slug, show.audio.m4a_kbps
    steps: list[Step] = []
    if kbps:
        raw, about = {"audio": work(slug, "audio.m4a")}, _about(show, episode)
        reads: Reads = {**raw, "chapters": f"feeds/{slug}.chapters.json", "cover": episode.cover or show.cover}
        steps.append(Step(f"{slug}/m4a", encode_m4a, {**heard}, raw, {**asked, "kbps": kbps}))
        steps.append(Step(f"{slug}/tag-m4a", tag_m4a, reads, {"tagged": made(show, episode)["m4a"]}, about))
    if bites := episode.soundbites:
        clips = {f"clip_{i:02d}": f"episodes/{slug}/{slug}.clip-{i:02d}.mp3" for i, _ in enumerate(bites, 1)}
        told = {"bites": bites, "kbps": show.audio.mp3_kbps, "show": show.info.title, "episode": episode.info.title}
        steps.append(Step(f"{slug}/soundbites", soundbites, {**heard, **encoded}, clips, told))
    return tuple(steps)


def _text(show: Show, episode: Episode) -> tuple[Step, ...]:
    """From the master to the transcript that a person corrects, and the files made from it."""
    slug, speech, forms = episode.slug, show.speech, made(show, episode)
    words, text, timed = f"transcripts/{slug}.words.json", f"transcripts/{slug}.md", work(slug, "timed.json")
    doubted = {"doubts": f"transcripts/{slug}.doubts.json"}
    language = episode.info.language[:2] or (show.info.language[:2] if speech.language == "auto" else speech.language)
    diarised = episode.diarised
    keys = [*(recording.voice for recording in episode.mix.recordings), *(key for each in diarised for _, key in each.speakers)]
    voices = {key: show.people[key].name for key in keys if key}
    heard = {*voices.values(), *(credit.person.name for credit in episode.info.credits)}
    names = tuple(dict.fromkeys((*sorted(heard), *(term.say for term in show.glossary.terms))))
    return (
        _listening(show, episode, "transcribe", transcribe, {"words": words}, "chunks", {"names": names}),
        *(
            _listening(show, episode, "translate", translate, {"vtt": path}, f"chunks-{code}")
            for code, path in translations(show, episode).items()
        ),
        Step(f"{slug}/doubts", doubts, {"words": words, "levels": work(slug, "levels.npz")}, doubted, {"glossary": show.glossary}),
        Step(
            f"{slug}/draft",
            draft,
            {
                "words": words,
                "activity": work(slug, "activity.json"),
                **doubted,
                **({"turns": tuple(each.file for each in diarised)} if diarised else {}),
            },
            {"text": text},
            {"names": voices, "language": language, "glossary": show.glossary, **({"diarised": diarised} if diarised else {})},
            drafts=True,
        ),
        Step(f"{slug}/align", align, {"text": text, "words": words}, {"timed": timed}, {"people": tuple(show.people)}),
        Step(f"{slug}/captions", captions, {"timed": timed}, {form: forms[f"transcript_{form}"] for form in CAPTIONS}),
        Step(
            f"{slug}/chapters",
            chapters,
            {"timed": timed, **_reading_pictures(episode)},
            {"chapters": forms["chapters"]},
            {"by_hand": episode.chapters, **({"website": show.info.website, "slug": slug} if _pictures(episode) else {})},
            {} if _pictures(episode) else {"slug": slug},  # names the episode in errors; with images it is part of their URLs
        ),
    )


def _listening(
    show: Show, episode: Episode, kind: str, run: Callable[..., None], writes: Files, chunks: str, hints: Settings | None = None
) -> Step:
    """A step that runs Whisper; `chunks` is the folder, next to the master, where it caches the result of each window."""
    speech = show.speech
    is_file = PurePosixPath(speech.model).suffix in (".pt", ".bin")  # a checkpoint; anything else is a name the engine knows
    reads: Reads = {"master": work(episode.slug, "master.flac"), **({"checkpoint": speech.model} if is_file else {})}
    language = episode.info.language[:2] or speech.language
    settings = {"model": speech.model, "language": language, "engine": speech.engine, "chunks": chunks}
    return Step(f"{episode.slug}/{kind}", run, reads, writes, settings, hints or {}, lane="model")


def _guide(show: Show, episode: Episode, near: tuple[Episode, ...]) -> tuple[Step, ...]:
    """From the corrected transcript to the discussion guide; `neighbours` are the episodes whose words the draft is compared with."""
    slug, forms = episode.slug, made(show, episode)
    text, timed = f"guides/{slug}.md", work(slug, "timed.json")
    about = _about(show, episode)
    helped = {"model": show.guide_model, "asked": "guide-asked"} if show.guide_model.endpoint else {}
    others = tuple(f"transcripts/{each.slug}.md" for each in near if each.slug != slug and each.info.language == episode.info.language)
    return (
        Step(f"{slug}/guide-draft", draft_guide, {"timed": timed}, {"text": text}, {**about, **helped}, {"others": others}, drafts=True),
        Step(
            f"{slug}/guide",
            render_guide,
            {"text": text, "timed": timed, "chapters": forms["chapters"]},
            {_word(form): forms[f"guide_{_word(form)}"] for form in GUIDES},
            {**about, "guide": show.guide},
        ),
        Step(
            f"{slug}/guide-clips",
            guide_clips,
            {**_sound(slug), "report": work(slug, "encoded.json"), "text": text, "timed": timed},
            {"clips": forms["guide_clips_zip"]},
            {"slug": slug, "kbps": show.audio.mp3_kbps, "show": show.info.title, "episode": episode.info.title},
        ),
    )


def _about(show: Show, episode: Episode) -> Settings:
    """The settings of tags and guides, without the values they never print, whose change must not make them stale."""
    return {"show": _printed(show.info.spoken_in(episode.info)), "episode": episode.info}


def _printed(info: ShowInfo) -> ShowInfo:
    """The show's metadata without what tags and guides never print."""
    return replace(info, email="", categories=(), cover_alt="", description="")


def _release(show: Show, episode: Episode) -> tuple[Step, ...]:
    """The release file of an episode (keys, sizes, digests, types of its files) and the image of its social card."""
    slug, files, language = episode.slug, made(show, episode), episode.info.language or show.info.language
    said = {"show": show.info.title, "episode": title(episode.info), "number": episode.info.number, "language": language}
    return (
        Step(f"{slug}/card", card, {"cover": episode.cover or show.cover}, {"card": files["card"]}, {**said, "colours": show.site.light}),
        Step(f"{slug}/release", release_episode, files, {"release": work(slug, "release.json")}, {"slug": slug, "sources": files}),
    )


def _series(show: Show, episodes: tuple[Episode, ...]) -> tuple[Step, ...]:
    """The guide of the series, in the show's language; none for fewer than two episodes."""
    if len(episodes) < 2:
        return ()
    files = {f"guide_{name}": f"guides/{_SERIES[name]}" for name in _SERIES}
    reads: Reads = {
        "texts": tuple(f"guides/{episode.slug}.md" for episode in episodes),
        "timed": tuple(work(episode.slug, "timed.json") for episode in episodes),
        "chapters": tuple(made(show, episode)["chapters"] for episode in episodes),
    }
    about = {"show": _printed(show.info), "episodes": tuple(episode.info for episode in episodes), "guide": show.guide}
    return (
        Step("show/series-guide", series_guide, reads, {name: files[f"guide_{name}"] for name in _SERIES}, about),
        Step("show/series-release", release_series, files, {"release": SERIES_RELEASE}, {"sources": files}),
    )


def _public(show: Show, episodes: tuple[Episode, ...]) -> tuple[Step, ...]:
    """The steps of the show: cover, series guide, pages and feed, for the episodes whose date has come."""
    infos = tuple(episode.info for episode in episodes)
    cover = work("show", "release.json")
    releases = tuple(work(episode.slug, "release.json") for episode in episodes)
    marks = tuple(made(show, episode)["chapters"] for episode in episodes)
    images = tuple(image.file for image in show.feed.images)
    return (
        Step(
            "show/cover",
            release_cover,
            {"cover": show.cover, **({"images": images} if images else {})},
            {"release": cover},
            {"source": show.cover, **({"sources": images} if images else {})},
        ),
        *(series := _series(show, in_series(show, episodes)[-SEASON:])),
        *_pages(show, episodes, releases, cover, {"guides": SERIES_RELEASE} if series else {}, marks),
        Step(
            "show/feed",
            feed,
            {"releases": releases, "cover": cover, "chapters": marks},
            {"feed": "feeds/feed.xml", **{f"feed_{other.name}": f"feeds/{other.name}.xml" for other in show.feed.others}},
            {
                "show": show.info,
                "episodes": infos,
                "options": show.feed,
                "items": tuple(episode.feed for episode in episodes),
                "soundbites": tuple(episode.soundbites for episode in episodes),
            },
        ),
    )


def _pages(
    show: Show, episodes: tuple[Episode, ...], releases: tuple[str, ...], cover_release: str, guides: Reads, marks: tuple[str, ...]
) -> Iterator[Step]:
    """The pages and the files they share; `pipeline/site/context.py` decides their paths."""
    infos, site, places = tuple(episode.info for episode in episodes), show.site, show_keys(show, episodes)
    own: Reads = {"templates": site.templates} if site.templates else {}
    cover: Reads = {"cover": cover_release, **own}
    timed = tuple(work(episode.slug, "timed.json") for episode in episodes)
    frame, all_themes = Frame.of(show, episodes), themes(episodes)
    common: Settings = {"frame": frame, "episodes": infos}
    with_themes: Settings = {**common, "themes": all_themes}
    colours: Settings = {"light": site.light, "dark": site.dark}
    names = {theme.slug: theme.name for theme in all_themes}
    for i, episode in enumerate(episodes):
        reads: Reads = {"timed": timed[i], "chapters": marks[i], "release": releases[i], **cover}
        own_themes = tuple((names[slug], slug) for slug in sorted(set(map(slugify, episode.tags))))
        settings: Settings = {"episode": episode.info, "neighbours": Neighbours.of(infos, i), "themes": own_themes}
        settings["frame"] = frame.around(show, episode.info)
        yield Step(f"{episode.slug}/page", episode_page, reads, built(episode_keys(episode.slug)), settings)
    fonts = fonts_of(show)
    keys = tuple(page_keys(show, episodes))
    of_the_show: tuple[tuple[str, Callable[..., None], Reads, Settings], ...] = (
        ("index", index_page, {"releases": releases, "cover": cover_release, **guides, **own}, with_themes),
        ("people", people_page, cover, common),
        ("themes", theme_pages, cover, with_themes),
        ("transcripts", transcripts_page, {"timed": timed, "chapters": marks, **cover}, common),
        ("style", style_files, {**own, "fonts": tuple(fonts.values())}, {**colours, "names": tuple(fonts)}),
        ("found", found_pages, cover, {"frame": frame, "keys": keys, **colours}),
    )
    for kind, run, reads, settings in of_the_show:
        if places[kind]:
            yield Step(f"show/{kind}", run, reads, built(places[kind]), settings)
