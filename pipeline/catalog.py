"""Loads `show.toml` and `episodes/*/episode.toml` into a `Show`; every mistake is reported at once, as `file: key: problem`."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from pipeline import feed_keys, fields, site_keys, sounds
from pipeline.directories import AAC_KBPS, MP3_KBPS, SAMPLE_RATES_HZ
from pipeline.errors import CauserieError, Problems
from pipeline.glossary import read_glossary
from pipeline.model import Episode, EpisodeInfo, PublishSettings, Show, ShowInfo, SpeechSettings
from pipeline.sound_model import AudioTargets
from pipeline.text import is_slug, printable, slugify, speaks
from pipeline.toml import Table, read_toml

ENGINES = ("auto", "openai-whisper", "faster-whisper")
# Names that the published tree, the guides and `.causerie/` use
RESERVED = {"show", "lock", "guides", "feeds", "work", "kept", "publish", "reports", "series", "themes", "people", "transcripts", "fonts"}
OWN_FOLDERS = ("episodes", "transcripts", "guides", "feeds", "site", ".causerie", "kept")
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)


def load(root: Path, slugs: Collection[str] = ()) -> Show:
    """The show in a folder; raises `Problems` with every mistake in its TOML files.

    With `slugs`, mistakes in other episodes are ignored, and those episodes are left out of the show.
    """
    show, problems = read(root)
    theirs = {problem: owner(problem) for problem in problems} if slugs else {}
    mine = [problem for problem in problems if theirs.get(problem, "") in ("", *slugs)]
    if mine or show is None:
        raise Problems(tuple(mine or problems))
    kept = tuple(episode for episode in show.episodes if episode.slug not in theirs.values())
    return replace(show, episodes=kept, whole=not problems)


def owner(problem: CauserieError) -> str:
    """The slug of the episode whose file has a mistake; empty when the file is the show's."""
    folder, _, rest = problem.where.partition("/")
    return rest.partition("/")[0] if folder == "episodes" else ""


def read(root: Path) -> tuple[Show | None, list[CauserieError]]:
    """The show as far as it can be read, and every mistake in its TOML files. Recordings are not opened."""
    problems: list[CauserieError] = []
    table = read_toml(root / "show.toml", "show.toml", problems)
    if table is None:
        return None, problems
    show, house = _show(table, root)
    has_terms = (root / "glossary.toml").exists()
    terms = read_toml(root / "glossary.toml", "glossary.toml", problems) if has_terms else None
    show = replace(show, glossary=read_glossary(terms, show.people))
    folders = sorted(path for path in (root / "episodes").glob("*") if path.is_dir() and not path.name.startswith("."))
    found = [_episode(folder, root, show, house, problems) for folder in folders]
    episodes = sorted((episode for episode in found if episode), key=lambda episode: (episode.info.published, episode.slug))
    _unique_numbers(episodes, problems)
    problems += _other_feeds(show, episodes)
    return Show(**{**vars(show), "episodes": tuple(episodes)}), problems


def _show(table: Table, root: Path) -> tuple[Show, sounds.House]:
    """The show without its episodes, and the audio defaults of the episodes."""
    people = table.table("people").each(fields.person)
    kind = table.choice("type", "episodic", ("episodic", "serial"))
    info = ShowInfo(
        title=table.text("title", ..., 255),
        description=table.text("description", ...),
        author=table.text("author", ..., 255),
        website=fields.website(table),
        language=fields.language(table, "fr"),
        email=table.matching("email", r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", "podcast@example.org"),
        copyright=table.text("copyright", "", 255),
        license=fields.license_name(table),
        categories=fields.categories(table),
        kind=kind,
        explicit=table.flag("explicit", False),
        cover_alt=table.text("cover_alt", "", 255),
        status=table.text("status", "", 500),
        credits=fields.credits(table.table("credits"), people),
    )
    audio, house = _audio(table.table("audio"), root)
    guide, guide_model = fields.guide(table.table("guide"))
    show = Show(
        info=info,
        cover=fields.file_in(table, "cover", root, root, required=True),
        people=people,
        audio=audio,
        speech=_speech(table.table("speech"), root, info.language),
        guide=guide,
        guide_model=guide_model,
        publish=_publish(table.table("publish"), root),
        feed=feed_keys.channel_options(table, root, info.license, info.email),
        site=site_keys.site_settings(table.table("site"), root),
    )
    if show.feed.private:
        show = replace(show, info=replace(show.info, feed_key=""))
    table.end()
    return show, house


def _audio(table: Table, root: Path) -> tuple[AudioTargets, sounds.House]:
    default = AudioTargets()
    targets = AudioTargets(
        loudness_lufs=table.number("loudness_lufs", default.loudness_lufs, -31, -9),
        ceiling_dbtp=table.number("ceiling_dbtp", default.ceiling_dbtp, -9, 0),
        mp3_kbps=table.choice("mp3_kbps", default.mp3_kbps, MP3_KBPS),
        m4a_kbps=table.choice("m4a_kbps", default.m4a_kbps, (0, *AAC_KBPS)),
        light_kbps=table.whole("light_kbps", default.light_kbps, 8, 96) or default.light_kbps,
        sample_rate_hz=table.choice("sample_rate_hz", default.sample_rate_hz, SAMPLE_RATES_HZ),
        channels=table.choice("channels", default.channels, (1, 2)),
    )
    house = sounds.house(table, root)
    table.end()
    return targets, house


def _speech(table: Table, root: Path, language: str) -> SpeechSettings:
    model = table.text("model", SpeechSettings.model)
    if model.endswith(".pt") and not (root / model).is_file():
        table.problem(
            "model", f"there is no file {printable(model)}", "name a Whisper model, like “small”, or give the path of a checkpoint"
        )
    if model and (root / model / "model.bin").is_file():
        model = f"{model.rstrip('/')}/model.bin"  # a folder in CTranslate2's format
    code = table.matching("language", "[a-z]{2,3}|auto", "fr or auto", language[:2]) or language[:2]
    settings = SpeechSettings(model or SpeechSettings.model, code, table.choice("engine", "auto", ENGINES), _translations(table, code))
    table.end()
    return settings


def _translations(table: Table, language: str) -> tuple[str, ...]:
    wanted = table.texts("translate")
    if any(each != "en" for each in wanted):
        table.problem("translate", f"cannot be {printable(', '.join(wanted))}", 'Whisper translates into English only: ["en"]')
    elif wanted and language == "en":
        table.problem("translate", "asks for English, which is the show's language already", "remove it")
    else:
        return wanted[:1]
    return ()


def _publish(table: Table, root: Path) -> PublishSettings:
    folder, s3 = table.text("folder", "public"), None
    place = Path(os.path.normpath(root / folder))
    own = [root / name for name in OWN_FOLDERS]
    if place == root or root.is_relative_to(place) or any(place.is_relative_to(each) for each in own):
        table.problem(
            "folder", f"cannot be {printable(folder)}: the show keeps its own files there", "choose another folder, like “public”"
        )
    elif folder.startswith("~") or any(len(part.encode()) > 200 for part in place.parts):
        table.problem(
            "folder", f"cannot be {printable(folder)[:60]}", "write a shorter path, relative to the show and without ~, like “public”"
        )
    if "s3" in table.values:
        s3 = fields.s3(table.table("s3"))
    settings = PublishSettings(
        folder,
        s3,
        public_url=table.matching("public_url", r"https?://[!-~]+", "https://preview.example.org/"),
        keep=table.whole("keep", 10, 1, 100) or 10,
        feed_max_age_s=table.whole("feed_max_age_s", 0, 0, 86_400) or 0,
        pages_max_age_s=table.whole("pages_max_age_s", 300, 0, 604_800) or 0,
        purge=fields.purge(table),
    )
    table.end()
    return settings


def _episode(folder: Path, root: Path, show: Show, house: sounds.House, problems: list[CauserieError]) -> Episode | None:
    """One episode, or None when its TOML file cannot be parsed or its slug is not allowed."""
    slug, file = folder.name, f"episodes/{folder.name}/episode.toml"
    if not is_slug(slug) or slug in RESERVED:
        hint = f"rename it, to {slugify(slug) or 'a-name'} for example" if slug not in RESERVED else "rename it: the name is reserved"
        problems.append(CauserieError("cannot name an episode's page and files", printable(f"episodes/{slug}"), hint))
        return None
    table = read_toml(folder / "episode.toml", file, problems)
    if table is None:
        return None
    if table.text("slug", slug) != slug:
        table.problem("slug", f"is not the folder's name, {slug}", "remove the key, or rename the folder")
    episode = Episode(
        _info(table, slug, show),
        sounds.mix(table, folder, root, show.people, house),
        fields.chapters(table, folder, root),
        sounds.soundbites(table),
        fields.file_in(table, "cover", folder, root),
        feed_keys.item_options(table),
        sounds.diarised(table, folder, root, show.people),
        site_keys.tags(table),
    )
    for file in (*episode.mix.files, episode.cover):
        if _is_built(file):
            table.problem("file", f"{file} is a path that Causerie writes to", "rename your file, or give the path of a recording")
    table.end()
    return episode


def _is_built(file: str) -> bool:
    """Whether a path is one that a build writes to: a recording there would be overwritten by its own output."""
    parts = PurePosixPath(file).parts
    published = len(parts) == 3 and parts[0] == "episodes" and parts[2] in tuple(f"{parts[1]}{end}" for end in (".mp3", ".m4a", ".opus"))
    clip = len(parts) == 3 and parts[2].startswith(f"{parts[1]}.clip-")
    return published or clip or parts[:1] in ((".causerie",), ("site",), ("public",), ("feeds",))


def _info(table: Table, slug: str, show: Show) -> EpisodeInfo:
    info = EpisodeInfo(
        slug=slug,
        title=table.text("title", ..., 255),
        summary=table.text("summary", ..., 500),
        published=table.moment("published") or _NO_DATE,
        number=table.whole("number", None, 1, 100_000),
        season=table.whole("season", None, 1, 10_000),
        kind=table.choice("kind", "full", ("full", "trailer", "bonus")),
        spoken_title=table.text("spoken_title", "", 255),
        description=table.text("description"),
        explicit=table.flag("explicit", show.info.explicit),
        credits=fields.together(show.info.credits, fields.credits(table.table("credits"), show.people)),
        language=_other_language(table, show.info.language),
    )
    if show.info.kind == "serial" and info.kind == "full" and info.number is None:
        table.problem("number", "is missing", "add it: directories play the episodes of a serial show in the order of their numbers")
    return info


def _other_language(table: Table, shows: str) -> str:
    """An episode's language; empty when it is the show's."""
    code = fields.language(table)
    return "" if code.lower() == shows.lower() else code


def _other_feeds(show: Show, episodes: Collection[Episode]) -> Iterator[CauserieError]:
    """Mistakes in feeds: an audio format that is not built, a season or a language without episodes."""
    seasons = {episode.info.season for episode in episodes}
    spoken = {episode.info.language or show.info.language for episode in episodes}
    told = (("feed", show.feed.language), *((f"feeds[{number}]", other.language) for number, other in enumerate(show.feed.others, 1)))
    for table, wanted in told:
        if wanted and not any(speaks(each, wanted) for each in spoken):
            hint = f"correct it, or add language = “{wanted}” to the episode.toml of those episodes"
            yield CauserieError(f"no episode is in the language “{wanted}”", f"show.toml: {table}.language", hint)
    for number, other in enumerate(show.feed.others, 1):
        where = f"show.toml: feeds[{number}]"
        if other.audio == "m4a" and not show.audio.m4a_kbps:
            yield CauserieError("asks for AAC, which the show does not make", f"{where}.audio", "add m4a_kbps = 96 to [audio]")
        if other.season is not None and other.season not in seasons:
            yield CauserieError(f"no episode is of season {other.season}", f"{where}.season", "correct it, or add season to the episodes")


def _unique_numbers(episodes: Iterable[Episode], problems: list[CauserieError]) -> None:
    seen: dict[tuple[int | None, int], str] = {}
    for episode in episodes:
        info = episode.info
        if info.number is None or info.kind != "full":  # a bonus or a trailer may repeat the number of a full episode
            continue
        other = seen.setdefault((info.season, info.number), episode.slug)
        if other != episode.slug:
            where = f"episodes/{episode.slug}/episode.toml: number"
            problems.append(CauserieError(f"{info.number} is already the number of {other}", where, "give each episode its own number"))
