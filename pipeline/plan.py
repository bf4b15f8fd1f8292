"""The whole program in one place: the steps that build a show, with the files and settings of each.

    recordings ─ ingest ─ master ┬ encode, light, m4a ─ tag, tag-light, tag-m4a ────────┐
                                 ├ soundbites, translate ───────────────────────────────┤
                                 └ transcribe ─ doubts ─ draft ─ (a person) ─ align ─┐  ├ release ┬ page
                                      captions, chapters (which tag needs) ──────────┤──┤         ├ index
                       guide-draft ─ (a person) ─ guide, guide-clips ─ guide-screen ─┘──┘         └ feed

An episode with cuts has a step more, `edit`, between the master and what is encoded from it, and `edited-text`, which writes what is
published of its text: captions, pages and guides then read that. Whisper, draft, alignment and chapters never notice.

The guides of the published episodes also make a guide of the series, which the index links to.
The audio report is not a step but a view: `pipeline/commands/review.py` writes it from the files that exist.

Paths are relative to the show's folder. A step gets the *values* it uses, never a TOML file: a new title rewrites the tags and the
feed, and cannot run Whisper again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from pipeline.audio import cut_soundbites, edit_master, encode_m4a, encode_mp3, encode_opus, ingest_recordings, tag_m4a, tag_mp3, tag_opus
from pipeline.engine import Step
from pipeline.feed import write_feed
from pipeline.guide import draft_guide, render_guide, render_series_guide, write_guide_clips, write_screen_guide
from pipeline.model import (
    Episode,
    Show,
    ShowInfo,
    build_paths,
    collect_themes,
    display_title,
    episode_keys,
    font_files,
    language_matches,
    show_keys,
    sitemap_keys,
    slugify,
)
from pipeline.publish import SERIES_RELEASE, release_cover, release_episode, release_series, series_episodes
from pipeline.site import (
    Neighbours,
    PageContext,
    draw_card,
    write_discovery_files,
    write_episode_page,
    write_index_page,
    write_people_page,
    write_style_files,
    write_theme_pages,
    write_transcripts_page,
)
from pipeline.speech import mark_doubts, transcribe_master, translate_master
from pipeline.transcript import (
    align_words,
    draft_transcript,
    write_captions,
    write_chapters,
    write_published_transcript,
    write_published_translation,
)

Files = dict[str, str]  # by the keyword of a step's function
Reads = dict[str, str | tuple[str, ...]]
Settings = dict[str, Any]  # Any: the keyword arguments of a step's function, checked by the function's own types

NEIGHBOURS = 6  # episodes before and after that a guide is compared with, whatever the length of the series
SERIES_GUIDE_EPISODES = 30  # episodes in the guide of a series, the newest, so that it stays printable
INGEST_REVISION = 2  # 2: channels in opposite phase are turned, silent ones left out
WHISPER_REVISION = 2  # 2: heard by a beam, without a prompt, where somebody speaks
DOUBTS_REVISION = 2  # 2: words, and not only phrases
ALIGN_REVISION = 2  # 2: times only where words agree, the others marked; who has checked the text
LABELS_REVISION = 2  # of what has labels around the words of the show, 2: in Spanish and German, and from right to left
GUIDE_REVISION = 3  # 2: labels in Spanish and German; 3: a first page to hold the meeting, twelve points
CHAPTERS_REVISION = 2  # 2: long sections divided by topic, no title twice
CAPTION_FORMATS = ("vtt", "srt", "json", "html", "txt")
_SERIES_GUIDES = {"series_pdf": "series.facilitator.pdf", "series_html": "series.facilitator.html"}  # no slug is `series`
GUIDE_FORMATS = (
    *("facilitator.pdf", "facilitator.docx", "facilitator.html"),
    *("handout.pdf", "handout.docx", "handout.html", "large-print.pdf", "harvest.csv"),
)


def plan_steps(show: Show, at: datetime) -> tuple[Step, ...]:
    """Every step of a show at the time `at`: episodes with a later date are built, but neither in the feed nor on the pages."""
    steps = [
        step
        for i, episode in enumerate(show.episodes)
        for step in (
            *_audio_steps(show, episode),
            *_text_steps(show, episode),
            *_edit_steps(show, episode),
            *_guide_steps(show, episode, show.episodes[max(0, i - NEIGHBOURS) : i + NEIGHBOURS + 1]),
        )
    ]
    return (
        *steps,
        *(step for episode in show.episodes for step in _release_steps(show, episode)),
        *_public_steps(show, due_episodes(show, at)),
    )


def due_episodes(show: Show, at: datetime) -> tuple[Episode, ...]:
    """The episodes with a publication date up to `at`, in the show's order."""
    return tuple(episode for episode in show.episodes if episode.info.published <= at)


def work_path(slug: str, name: str) -> str:
    """The path of an intermediate file; deleting it costs a rebuild and nothing else."""
    return f".causerie/{slug}/{name}"


def published_files(show: Show, episode: Episode) -> Files:
    """Every published file of an episode except its pages, by its role in the release."""
    slug = episode.slug
    return {
        "audio": f"episodes/{slug}/{slug}.mp3",
        **({"m4a": f"episodes/{slug}/{slug}.m4a"} if show.audio.m4a_kbps else {}),
        "light": f"episodes/{slug}/{slug}.opus",
        **{f"transcript_{form}": f"transcripts/{slug}.{form}" for form in CAPTION_FORMATS},
        **{f"transcript_{code}_vtt": _published_path(episode, path) for code, path in translation_paths(show, episode).items()},
        "chapters": f"feeds/{slug}.chapters.json",
        **{f"guide_{_output_key(form)}": f"guides/{slug}.{form}" for form in GUIDE_FORMATS},
        "guide_clips_zip": f"guides/{slug}.clips.zip",
        **({"cover": episode.cover} if episode.cover else {}),
        "card": f"site/{slug}/card.png",
        **{f"chapter_image_{i:02d}": path for i, path in enumerate(dict.fromkeys(_chapter_images(episode)), 1)},
    }


def _output_key(form: str) -> str:
    """The keyword of a format of the guide: `large_print_pdf`."""
    return form.replace(".", "_").replace("-", "_")


def translation_paths(show: Show, episode: Episode) -> dict[str, str]:
    """Machine-translated captions by language code, except the episode's own language."""
    return {
        code: f"transcripts/{episode.slug}.{code}.vtt"
        for code in show.speech.translate
        if not language_matches(episode.info.language, code)
    }


def published_transcript(episode: Episode) -> str:
    """The timed text that listeners get: that of the master, unless something was cut from it."""
    return work_path(episode.slug, "published.json" if episode.cuts else "timed.json")


def _published_path(episode: Episode, path: str) -> str:
    """The path of a translation in published time."""
    return work_path(episode.slug, f"published{path[path.index('.') :]}") if episode.cuts else path


def _edits(episode: Episode) -> Files:
    """What was cut from the master, where something was."""
    return {"edits": work_path(episode.slug, "edits.json")} if episode.cuts else {}


def _edit_steps(show: Show, episode: Episode) -> Iterator[Step]:
    """What is published of the master, and of its text: nothing but the master and the text themselves without cuts."""
    slug = episode.slug
    if not episode.cuts:
        return
    sound, edited = _master_files(replace(episode, cuts=())), _master_files(episode)
    yield Step(
        f"{slug}/edit",
        edit_master,
        {**sound, "activity": work_path(slug, "activity.json"), "words": f"transcripts/{slug}.words.json"},
        {"edited": edited["master"], "edited_levels": edited["levels"], **_edits(episode)},
        {"cuts": episode.cuts},
        {"slug": slug},
    )
    timed = {"timed": work_path(slug, "timed.json"), **_edits(episode)}
    yield Step(f"{slug}/edited-text", write_published_transcript, timed, {"published": published_transcript(episode)})
    for code, path in translation_paths(show, episode).items():
        written = {"published": _published_path(episode, path)}
        yield Step(f"{slug}/edited-{code}", write_published_translation, {"vtt": path, **_edits(episode)}, written)


def _audio_steps(show: Show, episode: Episode) -> tuple[Step, ...]:
    """From the recordings to loudness-normalised, tagged files."""
    slug, mix, target = episode.slug, episode.mix, show.audio
    master = _master_files(episode)
    loudness: Settings = {"target_lufs": target.loudness_lufs, "ceiling_dbtp": target.ceiling_dbtp}
    encoded = {"report": work_path(slug, "encoded.json")}
    chapters = {"chapters": f"feeds/{slug}.chapters.json"}
    cover, info = episode.cover or show.cover, _episode_settings(show, episode)
    return (
        Step(
            f"{slug}/ingest",
            ingest_recordings,
            reads={"files": mix.files},
            writes={
                **_master_files(replace(episode, cuts=())),
                "activity": work_path(slug, "activity.json"),
                "sound": work_path(slug, "sound.json"),
            },
            settings={"mix": mix, "sample_rate_hz": target.sample_rate_hz, "channels": target.channels},
            revision=INGEST_REVISION,
        ),
        Step(
            f"{slug}/encode",
            encode_mp3,
            {**master},
            {"audio": work_path(slug, "audio.mp3"), **encoded, "curve": work_path(slug, "published.npz")},
            {**loudness, "kbps": target.mp3_kbps},
        ),
        Step(
            f"{slug}/light",
            encode_opus,
            {**master},
            {"audio": work_path(slug, "light.opus")},
            {**loudness, "kbps": target.light_kbps},
            is_optional=True,
        ),
        Step(
            f"{slug}/tag",
            tag_mp3,
            {"audio": work_path(slug, "audio.mp3"), "cover": cover, **chapters, **_chapter_image_reads(episode)},
            {"tagged": published_files(show, episode)["audio"]},
            info,
        ),
        *_optional_audio_steps(show, episode, master, loudness, encoded),
        Step(
            f"{slug}/tag-light",
            tag_opus,
            {"audio": work_path(slug, "light.opus"), **chapters},
            {"tagged": published_files(show, episode)["light"]},
            info,
            is_optional=True,
        ),
    )


def _chapter_images(episode: Episode) -> tuple[str, ...]:
    """The images of the chapters that have one."""
    return tuple(chapter.image for chapter in episode.chapters if chapter.image)


def _chapter_image_reads(episode: Episode) -> dict[str, tuple[str, ...]]:
    return {"images": _chapter_images(episode)} if _chapter_images(episode) else {}


def _master_files(episode: Episode) -> Files:
    """The master without what was cut, and its levels: the input of every step that encodes audio."""
    names = ("edited.flac", "edited.npz") if episode.cuts else ("master.flac", "levels.npz")
    return dict(zip(("master", "levels"), (work_path(episode.slug, name) for name in names), strict=True))


def _optional_audio_steps(show: Show, episode: Episode, master: Files, loudness: Settings, encoded: Files) -> tuple[Step, ...]:
    """The optional audio files: AAC and soundbites."""
    slug, kbps = episode.slug, show.audio.m4a_kbps
    steps: list[Step] = []
    if kbps:
        raw, info = {"audio": work_path(slug, "audio.m4a")}, _episode_settings(show, episode)
        reads: Reads = {**raw, "chapters": f"feeds/{slug}.chapters.json", "cover": episode.cover or show.cover}
        steps.append(Step(f"{slug}/m4a", encode_m4a, {**master}, raw, {**loudness, "kbps": kbps}, is_optional=True))
        steps.append(Step(f"{slug}/tag-m4a", tag_m4a, reads, {"tagged": published_files(show, episode)["m4a"]}, info, is_optional=True))
    if bites := episode.soundbites:
        clips = {f"clip_{i:02d}": f"episodes/{slug}/{slug}.clip-{i:02d}.mp3" for i, _ in enumerate(bites, 1)}
        settings = {"bites": bites, "kbps": show.audio.mp3_kbps, "show": show.info.title, "episode": episode.info.title}
        reads = {**master, **encoded, **_edits(episode)}
        steps.append(Step(f"{slug}/soundbites", cut_soundbites, reads, clips, settings, is_optional=True))
    return tuple(steps)


def _text_steps(show: Show, episode: Episode) -> tuple[Step, ...]:
    """From the master to the transcript that a person corrects, and the files made from it."""
    slug, speech, paths = episode.slug, show.speech, published_files(show, episode)
    words, text, timed = f"transcripts/{slug}.words.json", f"transcripts/{slug}.md", work_path(slug, "timed.json")
    doubts_file = {"doubts": f"transcripts/{slug}.doubts.json"}
    language = episode.info.language[:2] or (show.info.language[:2] if speech.language == "auto" else speech.language)
    diarised = episode.diarised
    keys = [*(recording.voice for recording in episode.mix.recordings), *(key for each in diarised for _, key in each.speakers)]
    people = {key: person.name for key, person in show.people.items()}
    voices = {key: people[key] for key in keys if key}
    return (
        _whisper_step(show, episode, "transcribe", transcribe_master, {"words": words}, "chunks"),
        *(
            _whisper_step(show, episode, "translate", translate_master, {"vtt": path}, f"chunks-{code}")
            for code, path in translation_paths(show, episode).items()
        ),
        Step(
            f"{slug}/doubts",
            mark_doubts,
            {"words": words, "levels": work_path(slug, "levels.npz")},
            doubts_file,
            {"glossary": show.glossary},
            revision=DOUBTS_REVISION,
        ),
        Step(
            f"{slug}/draft",
            draft_transcript,
            {
                "words": words,
                "activity": work_path(slug, "activity.json"),
                **doubts_file,
                **({"turns": tuple(each.file for each in diarised)} if diarised else {}),
            },
            {"text": text},
            {"names": voices, "language": language, "glossary": show.glossary, **({"diarised": diarised} if diarised else {})},
            is_draft=True,
        ),
        Step(f"{slug}/align", align_words, {"text": text, "words": words}, {"timed": timed}, {"people": people}, revision=ALIGN_REVISION),
        Step(
            f"{slug}/captions",
            write_captions,
            {"timed": published_transcript(episode)},
            {form: paths[f"transcript_{form}"] for form in CAPTION_FORMATS},
            revision=LABELS_REVISION,
        ),
        Step(
            f"{slug}/chapters",
            write_chapters,
            {"timed": timed, **_chapter_image_reads(episode), **_edits(episode)},
            {"chapters": paths["chapters"]},
            {"by_hand": episode.chapters, **({"website": show.info.website, "slug": slug} if _chapter_images(episode) else {})},
            {} if _chapter_images(episode) else {"slug": slug},  # names the episode in errors; with images it is part of their URLs
            revision=CHAPTERS_REVISION,
        ),
    )


def _whisper_step(show: Show, episode: Episode, kind: str, run: Callable[..., None], writes: Files, chunks: str) -> Step:
    """A step that runs Whisper; `chunks` is the folder, next to the master, where it caches the result of each window."""
    speech = show.speech
    checkpoint = speech.checkpoint
    reads: Reads = {"master": work_path(episode.slug, "master.flac"), **({"checkpoint": checkpoint} if checkpoint else {})}
    language = episode.info.language[:2] or speech.language
    settings = {"model": speech.model, "language": language, "engine": speech.engine, "chunks": chunks}
    return Step(
        f"{episode.slug}/{kind}",
        run,
        reads,
        writes,
        settings,
        {"device": speech.device},  # another one changes words no more than another computer does, where `auto` chooses
        pool="model",
        explains=("checkpoint",),
        revision=WHISPER_REVISION,
    )


def _guide_steps(show: Show, episode: Episode, neighbours: tuple[Episode, ...]) -> tuple[Step, ...]:
    """From the corrected transcript to the discussion guide; `neighbours` are the episodes whose words the draft is compared with."""
    slug, forms = episode.slug, published_files(show, episode)
    text, timed, shown = f"guides/{slug}.md", work_path(slug, "timed.json"), published_transcript(episode)
    cuts, uncut = ({"cuts": episode.cuts}, {"uncut": timed}) if episode.cuts else ({}, {})
    inputs: Reads = {"text": text, "timed": shown, "chapters": forms["chapters"], **uncut}
    info = _episode_settings(show, episode)
    llm = {"model": show.guide_model, "asked": "guide-asked"} if show.guide_model.endpoint else {}
    others = tuple(
        f"transcripts/{each.slug}.md" for each in neighbours if each.slug != slug and each.info.language == episode.info.language
    )
    return (
        Step(
            f"{slug}/guide-draft", draft_guide, {"timed": timed}, {"text": text}, {**info, **llm}, {"others": others, **cuts}, is_draft=True
        ),
        Step(
            f"{slug}/guide",
            render_guide,
            {**inputs, **_font_reads(show)},
            {_output_key(form): forms[f"guide_{_output_key(form)}"] for form in GUIDE_FORMATS if form != "facilitator.html"},
            {**info, "guide": show.guide},
            revision=GUIDE_REVISION,
        ),
        Step(
            f"{slug}/guide-clips",
            write_guide_clips,
            {**_master_files(episode), "report": work_path(slug, "encoded.json"), "text": text, "timed": shown, **uncut},
            {"clips": forms["guide_clips_zip"]},
            {"slug": slug, "kbps": show.audio.mp3_kbps, "show": show.info.title, "episode": episode.info.title},
            is_optional=True,
        ),
        Step(
            f"{slug}/guide-screen",
            write_screen_guide,
            {**inputs, "clips": forms["guide_clips_zip"]},
            {"facilitator_html": forms["guide_facilitator_html"]},
            {**info, "guide": show.guide},
        ),
    )


def _font_reads(show: Show) -> dict[str, tuple[str, ...]]:
    """The font files of PDFs and cards, when the show has any."""
    return {"fonts": show.guide.fonts} if show.guide.fonts else {}


def _episode_settings(show: Show, episode: Episode) -> Settings:
    """The settings of tags and guides, without the values they never print, whose change must not make them stale."""
    return {"show": _printed_info(show.info.in_language_of(episode.info)), "episode": episode.info}


def _printed_info(info: ShowInfo) -> ShowInfo:
    """The show's metadata without what tags and guides never print."""
    return replace(info, email="", categories=(), cover_alt="", description="")


def _release_steps(show: Show, episode: Episode) -> tuple[Step, ...]:
    """The release file of an episode (keys, sizes, digests, types of its files) and the image of its social card."""
    slug, files, language = episode.slug, published_files(show, episode), episode.info.language or show.info.language
    settings = {"show": show.info.title, "episode": display_title(episode.info), "number": episode.info.number, "language": language}
    return (
        Step(
            f"{slug}/card",
            draw_card,
            {"cover": episode.cover or show.cover, **_font_reads(show)},
            {"card": files["card"]},
            {**settings, "colours": show.site.light},
            revision=LABELS_REVISION,
        ),
        Step(f"{slug}/release", release_episode, files, {"release": work_path(slug, "release.json")}, {"slug": slug, "sources": files}),
    )


def _series_steps(show: Show, episodes: tuple[Episode, ...]) -> tuple[Step, ...]:
    """The guide of the series, in the show's language; none for fewer than two episodes."""
    if len(episodes) < 2:
        return ()
    files = {f"guide_{name}": f"guides/{_SERIES_GUIDES[name]}" for name in _SERIES_GUIDES}
    reads: Reads = {
        "texts": tuple(f"guides/{episode.slug}.md" for episode in episodes),
        "timed": tuple(map(published_transcript, episodes)),
        "chapters": tuple(published_files(show, episode)["chapters"] for episode in episodes),
        **_font_reads(show),
    }
    settings = {"show": _printed_info(show.info), "episodes": tuple(episode.info for episode in episodes), "guide": show.guide}
    return (
        Step("show/series-guide", render_series_guide, reads, {name: files[f"guide_{name}"] for name in _SERIES_GUIDES}, settings),
        Step("show/series-release", release_series, files, {"release": SERIES_RELEASE}, {"sources": files}),
    )


def _public_steps(show: Show, episodes: tuple[Episode, ...]) -> tuple[Step, ...]:
    """The steps of the show: cover, series guide, pages and feed, for the episodes whose date has come."""
    infos = tuple(episode.info for episode in episodes)
    cover_release = work_path("show", "release.json")
    releases = tuple(work_path(episode.slug, "release.json") for episode in episodes)
    chapters = tuple(published_files(show, episode)["chapters"] for episode in episodes)
    images = tuple(image.file for image in show.feed.images)
    edited = tuple(episode.slug for episode in episodes if episode.cuts and episode.soundbites)
    edits: Reads = {"edits": tuple(work_path(slug, "edits.json") for slug in edited)} if edited else {}
    return (
        Step(
            "show/cover",
            release_cover,
            {"cover": show.cover, **({"images": images} if images else {})},
            {"release": cover_release},
            {"source": show.cover, **({"sources": images} if images else {})},
        ),
        *(series := _series_steps(show, series_episodes(show, episodes)[-SERIES_GUIDE_EPISODES:])),
        *_page_steps(show, episodes, releases, cover_release, {"guides": SERIES_RELEASE} if series else {}, chapters),
        Step(
            "show/feed",
            write_feed,
            {"releases": releases, "cover": cover_release, "chapters": chapters, **edits},
            {"feed": "feeds/feed.xml", **{f"feed_{other.name}": f"feeds/{other.name}.xml" for other in show.feed.others}},
            {
                "show": show.info,
                "episodes": infos,
                "options": show.feed,
                "items": tuple(episode.feed for episode in episodes),
                "soundbites": tuple(episode.soundbites for episode in episodes),
                **({"edited": edited} if edited else {}),
            },
            revision=LABELS_REVISION,
        ),
    )


def _page_steps(
    show: Show, episodes: tuple[Episode, ...], releases: tuple[str, ...], cover_release: str, guides: Reads, chapters: tuple[str, ...]
) -> Iterator[Step]:
    """The pages and the files they share; `pipeline/site/context.py` decides their paths."""
    infos, site, keys_of = tuple(episode.info for episode in episodes), show.site, show_keys(show, episodes)
    templates: Reads = {"templates": site.templates} if site.templates else {}
    cover_reads: Reads = {"cover": cover_release, **templates}
    timed = tuple(map(published_transcript, episodes))
    context, all_themes = PageContext.for_show(show, episodes), collect_themes(episodes)
    common: Settings = {"frame": context, "episodes": infos}
    with_themes: Settings = {**common, "themes": all_themes}
    colours: Settings = {"light": site.light, "dark": site.dark}
    names = {theme.slug: theme.name for theme in all_themes}
    for i, episode in enumerate(episodes):
        reads: Reads = {"timed": timed[i], "chapters": chapters[i], "release": releases[i], **cover_reads}
        own_themes = tuple((names[slug], slug) for slug in sorted(set(map(slugify, episode.tags))))
        settings: Settings = {"episode": episode.info, "neighbours": Neighbours.of(infos, i), "themes": own_themes}
        settings["frame"] = context.for_episode(show, episode.info)
        yield Step(
            f"{episode.slug}/page",
            write_episode_page,
            reads,
            build_paths(episode_keys(episode.slug)),
            settings,
            revision=LABELS_REVISION,
        )
    fonts = font_files(show)
    keys = tuple(sitemap_keys(show, episodes))
    of_the_show: tuple[tuple[str, Callable[..., None], Reads, Settings], ...] = (
        ("index", write_index_page, {"releases": releases, "cover": cover_release, **guides, **templates}, with_themes),
        ("people", write_people_page, cover_reads, common),
        ("themes", write_theme_pages, cover_reads, with_themes),
        ("transcripts", write_transcripts_page, {"timed": timed, "chapters": chapters, **cover_reads}, common),
        ("style", write_style_files, {**templates, "fonts": tuple(fonts.values())}, {**colours, "names": tuple(fonts)}),
        ("found", write_discovery_files, cover_reads, {"frame": context, "keys": keys, **colours}),
    )
    for kind, run, reads, settings in of_the_show:
        if keys_of[kind]:
            yield Step(f"show/{kind}", run, reads, build_paths(keys_of[kind]), settings, revision=LABELS_REVISION)
