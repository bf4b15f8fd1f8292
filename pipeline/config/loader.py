"""Loads `show.toml` and `episodes/*/episode.toml` into a `Show`; every mistake is reported at once, as `file: key: problem`."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from pipeline.config import audio, feed, fields, site
from pipeline.config.cuts import parse_cuts
from pipeline.config.glossary import read_glossary
from pipeline.config.table import Table, read_toml
from pipeline.model import (
    AAC_KBPS,
    DEVICES,
    ENGINES,
    MODEL_NAMES,
    MP3_KBPS,
    SAMPLE_RATES_HZ,
    AudioTargets,
    CauserieError,
    Episode,
    EpisodeInfo,
    Problems,
    PublishSettings,
    Show,
    ShowInfo,
    SpeechSettings,
    is_slug,
    language_matches,
    slugify,
    terminal_safe,
)

# Names that the published tree, the guides and `.causerie/` use
DESCRIPTION_CHARS = 50_000  # of an episode: the page shows it whole, the feed what directories accept
RESERVED_SLUGS = {
    "show",
    "lock",
    "guides",
    "feeds",
    "work",
    "kept",
    "publish",
    "reports",
    "series",
    "themes",
    "people",
    "transcripts",
    "fonts",
}
RESERVED_FOLDERS = ("episodes", "transcripts", "guides", "feeds", "site", ".causerie", "kept")
_PLACEHOLDER_DATE = datetime(1970, 1, 1, tzinfo=UTC)


def load_config(root: Path, slugs: Collection[str] = ()) -> Show:
    """The show in a folder; raises `Problems` with every mistake in its TOML files.

    With `slugs`, mistakes in other episodes are ignored, and those episodes are left out of the show.
    """
    show, problems = read_config(root)
    episode_problems = {problem: episode_of(problem) for problem in problems} if slugs else {}
    relevant = [problem for problem in problems if episode_problems.get(problem, "") in ("", *slugs)]
    if relevant or show is None:
        raise Problems(tuple(relevant or problems))
    readable = tuple(episode for episode in show.episodes if episode.slug not in episode_problems.values())
    return replace(show, episodes=readable, is_complete=not problems)


def episode_of(problem: CauserieError) -> str:
    """The slug of the episode whose file has a mistake; empty when the file is the show's."""
    folder, _, rest = problem.where.partition("/")
    return rest.partition("/")[0] if folder == "episodes" else ""


def read_config(root: Path) -> tuple[Show | None, list[CauserieError]]:
    """The show as far as it can be read, and every mistake in its TOML files. Recordings are not opened."""
    problems: list[CauserieError] = []
    table = read_toml(root / "show.toml", "show.toml", problems)
    if table is None:
        return None, problems
    show, audio_defaults = _read_show(table, root)
    has_glossary = (root / "glossary.toml").exists()
    glossary = read_toml(root / "glossary.toml", "glossary.toml", problems) if has_glossary else None
    show = replace(show, glossary=read_glossary(glossary, show.people))
    folders = [folder for folder in _episode_folders(root) if _has_toml(folder)]
    loaded = [_read_episode(folder, root, show, audio_defaults, problems) for folder in folders]
    episodes = sorted((episode for episode in loaded if episode), key=lambda episode: (episode.info.published, episode.slug))
    _check_numbers(episodes, problems)
    problems += _check_feeds(show, episodes)
    return Show(**{**vars(show), "episodes": tuple(episodes)}), problems


def episode_folders_without_toml(root: Path) -> tuple[str, ...]:
    """The folders of `episodes/` that hold no episode, relative to the show: they are told, and stop nothing."""
    return tuple(folder.relative_to(root).as_posix() for folder in _episode_folders(root) if not _has_toml(folder))


def _episode_folders(root: Path) -> list[Path]:
    return sorted(path for path in (root / "episodes").glob("*") if path.is_dir() and not path.name.startswith("."))


def _has_toml(folder: Path) -> bool:
    """Whether a folder has an `episode.toml`, be it one that cannot be read, or a link to nowhere: that is a mistake of its own."""
    return os.path.lexists(folder / "episode.toml")


def _read_show(table: Table, root: Path) -> tuple[Show, audio.AudioDefaults]:
    """The show without its episodes, and the audio defaults of the episodes."""
    people = table.table("people").map_tables(fields.read_person)
    kind = table.choice("type", "episodic", ("episodic", "serial"))
    info = ShowInfo(
        title=table.string("title", ..., 255),
        description=table.string("description", ...),
        author=table.string("author", ..., 255),
        website=fields.read_website(table),
        language=fields.read_language(table, "fr"),
        email=table.matching("email", r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", "podcast@example.org"),
        copyright=table.string("copyright", "", 255),
        license=fields.read_license(table),
        categories=fields.read_categories(table),
        kind=kind,
        explicit=table.boolean("explicit", False),
        cover_alt=table.string("cover_alt", "", 255),
        status=table.string("status", "", 500),
        credits=fields.read_credits(table.table("credits"), people),
    )
    audio, audio_defaults = _read_audio(table.table("audio"), root)
    guide, guide_model = fields.read_guide(table.table("guide"), root)
    show = Show(
        info=info,
        cover=fields.read_file(table, "cover", root, root, required=True),
        people=people,
        audio=audio,
        speech=_read_speech(table.table("speech"), root, info.language),
        guide=guide,
        guide_model=guide_model,
        publish=_read_publish(table.table("publish"), root),
        feed=feed.read_channel_options(table, root, info.license, info.email),
        site=site.read_site_settings(table.table("site"), root),
    )
    if show.feed.private:
        show = replace(show, info=replace(show.info, feed_key=""))
    table.reject_unknown()
    return show, audio_defaults


def _read_audio(table: Table, root: Path) -> tuple[AudioTargets, audio.AudioDefaults]:
    default = AudioTargets()
    targets = AudioTargets(
        loudness_lufs=table.number("loudness_lufs", default.loudness_lufs, -31, -9),
        ceiling_dbtp=table.number("ceiling_dbtp", default.ceiling_dbtp, -9, 0),
        mp3_kbps=table.choice("mp3_kbps", default.mp3_kbps, MP3_KBPS),
        m4a_kbps=table.choice("m4a_kbps", default.m4a_kbps, (0, *AAC_KBPS)),
        light_kbps=table.integer("light_kbps", default.light_kbps, 8, 96) or default.light_kbps,
        sample_rate_hz=table.choice("sample_rate_hz", default.sample_rate_hz, SAMPLE_RATES_HZ),
        channels=table.choice("channels", default.channels, (1, 2)),
    )
    audio_defaults = audio.parse_audio_defaults(table, root)
    table.reject_unknown()
    return targets, audio_defaults


def _read_speech(table: Table, root: Path, language: str) -> SpeechSettings:
    model = _with_model_file(table.string("model", SpeechSettings.model, 1000), root)
    language_code = table.matching("language", "[a-z]{2,3}|auto", "fr or auto", language[:2]) or language[:2]
    settings = SpeechSettings(
        model or SpeechSettings.model,
        language_code,
        table.choice("engine", "auto", ENGINES),
        _read_translations(table, language_code),
        _read_device(table),
    )
    table.reject_unknown()
    return settings


def _read_device(table: Table) -> str:
    device = table.string("device", SpeechSettings.device)
    if device in DEVICES:
        return device
    table.add_problem("device", f"cannot be {terminal_safe(device)[:40]}", f"use one of {', '.join(DEVICES)}")  # “gpu” is not near “cpu”
    return SpeechSettings.device


def _with_model_file(model: str, root: Path) -> str:
    """A folder as the path of its model.bin, whether it is there or not; a file, and a name that an engine or the hub knows, unchanged.

    Whether a model is there and whole is not asked here: a computer that only publishes need not have it (`pipeline.speech.inspect_model`).
    """
    if not model or model in MODEL_NAMES or model.endswith((".pt", ".bin")):
        return model
    path = os.path.join(root, os.path.expanduser(model))
    is_path = model.startswith(("/", "~", "./", "../")) or model.count("/") > 1
    if is_path or os.path.isdir(path) or ("/" in model and os.path.isdir(os.path.dirname(path))):
        return f"{model.rstrip('/')}/model.bin"
    return model


def _read_translations(table: Table, language: str) -> tuple[str, ...]:
    languages = table.strings("translate")
    if any(each != "en" for each in languages):
        table.add_problem("translate", f"cannot be {terminal_safe(', '.join(languages))}", 'Whisper translates into English only: ["en"]')
    elif languages and language == "en":
        table.add_problem("translate", "asks for English, which is the show's language already", "remove it")
    else:
        return languages[:1]
    return ()


def _read_publish(table: Table, root: Path) -> PublishSettings:
    folder, s3 = table.string("folder", "public"), None
    folder_path = Path(os.path.normpath(root / folder))
    reserved_paths = [root / name for name in RESERVED_FOLDERS]
    if folder_path == root or root.is_relative_to(folder_path) or any(folder_path.is_relative_to(each) for each in reserved_paths):
        table.add_problem(
            "folder", f"cannot be {terminal_safe(folder)}: the show keeps its own files there", "choose another folder, like “public”"
        )
    elif folder.startswith("~") or any(len(part.encode()) > 200 for part in folder_path.parts):
        table.add_problem(
            "folder", f"cannot be {terminal_safe(folder)[:60]}", "write a shorter path, relative to the show and without ~, like “public”"
        )
    if "s3" in table.values:
        s3 = fields.read_s3(table.table("s3"))
    settings = PublishSettings(
        folder,
        s3,
        public_url=table.matching("public_url", r"https?://[!-~]+", "https://preview.example.org/"),
        keep=table.integer("keep", 10, 1, 100) or 10,
        feed_max_age_s=table.integer("feed_max_age_s", 0, 0, 86_400) or 0,
        pages_max_age_s=table.integer("pages_max_age_s", 300, 0, 604_800) or 0,
        require_corrected=table.boolean("require_corrected", False),
        purge=fields.read_purge(table),
    )
    table.reject_unknown()
    return settings


def _read_episode(
    folder: Path, root: Path, show: Show, audio_defaults: audio.AudioDefaults, problems: list[CauserieError]
) -> Episode | None:
    """One episode, or None when its TOML file cannot be parsed or its slug is not allowed."""
    slug, file = folder.name, f"episodes/{folder.name}/episode.toml"
    if not is_slug(slug) or slug in RESERVED_SLUGS:
        hint = f"rename it, to {slugify(slug) or 'a-name'} for example" if slug not in RESERVED_SLUGS else "rename it: the name is reserved"
        problems.append(CauserieError("cannot name an episode's page and files", terminal_safe(f"episodes/{slug}"), hint))
        return None
    table = read_toml(folder / "episode.toml", file, problems)
    if table is None:
        return None
    if table.string("slug", slug) != slug:
        table.add_problem("slug", f"is not the folder's name, {slug}", "remove the key, or rename the folder")
    episode = Episode(
        _read_info(table, slug, show),
        audio.parse_mix(table, folder, root, show.people, audio_defaults),
        fields.read_chapters(table, folder, root),
        audio.parse_soundbites(table),
        fields.read_file(table, "cover", folder, root),
        feed.read_item_options(table),
        audio.parse_diarisation(table, folder, root, show.people),
        site.read_tags(table),
        parse_cuts(table, folder / "episode.toml"),
    )
    for file in (*episode.mix.files, episode.cover):
        if _is_output(file):
            table.add_problem("file", f"{file} is a path that Causerie writes to", "rename your file, or give the path of a recording")
    table.reject_unknown()
    return episode


def _is_output(file: str) -> bool:
    """Whether a path is one that a build writes to: a recording there would be overwritten by its own output."""
    parts = PurePosixPath(file).parts
    published = len(parts) == 3 and parts[0] == "episodes" and parts[2] in tuple(f"{parts[1]}{end}" for end in (".mp3", ".m4a", ".opus"))
    clip = len(parts) == 3 and parts[2].startswith((f"{parts[1]}.clip-", f"{parts[1]}.quote-"))
    return published or clip or parts[:1] in ((".causerie",), ("site",), ("public",), ("feeds",))


def _read_info(table: Table, slug: str, show: Show) -> EpisodeInfo:
    info = EpisodeInfo(
        slug=slug,
        title=table.string("title", ..., 255),
        summary=table.string("summary", ..., 500),
        published=table.timestamp("published") or _PLACEHOLDER_DATE,
        number=table.integer("number", None, 1, 100_000),
        season=table.integer("season", None, 1, 10_000),
        kind=table.choice("kind", "full", ("full", "trailer", "bonus")),
        spoken_title=table.string("spoken_title", "", 255),
        description=table.string("description", "", DESCRIPTION_CHARS),
        explicit=table.boolean("explicit", show.info.explicit),
        credits=fields.merge_credits(show.info.credits, fields.read_credits(table.table("credits"), show.people)),
        language=_language_override(table, show.info.language),
    )
    if show.info.kind == "serial" and info.kind == "full" and info.number is None:
        table.add_problem("number", "is missing", "add it: directories play the episodes of a serial show in the order of their numbers")
    return info


def _language_override(table: Table, show_language: str) -> str:
    """An episode's language; empty when it is the show's."""
    code = fields.read_language(table)
    return "" if code.lower() == show_language.lower() else code


def _check_feeds(show: Show, episodes: Collection[Episode]) -> Iterator[CauserieError]:
    """Mistakes in feeds: an audio format that is not built, a season or a language without episodes."""
    seasons = {episode.info.season for episode in episodes}
    languages = {episode.info.language or show.info.language for episode in episodes}
    feed_languages = (
        ("feed", show.feed.language),
        *((f"feeds[{number}]", other.language) for number, other in enumerate(show.feed.others, 1)),
    )
    for table, language in feed_languages:
        if language and not any(language_matches(each, language) for each in languages):
            hint = f"correct it, or add language = “{language}” to the episode.toml of those episodes"
            yield CauserieError(f"no episode is in the language “{language}”", f"show.toml: {table}.language", hint)
    for number, other in enumerate(show.feed.others, 1):
        where = f"show.toml: feeds[{number}]"
        if other.audio == "m4a" and not show.audio.m4a_kbps:
            yield CauserieError("asks for AAC, which the show does not make", f"{where}.audio", "add m4a_kbps = 96 to [audio]")
        if other.season is not None and other.season not in seasons:
            yield CauserieError(f"no episode is of season {other.season}", f"{where}.season", "correct it, or add season to the episodes")


def _check_numbers(episodes: Iterable[Episode], problems: list[CauserieError]) -> None:
    first_slugs: dict[tuple[int | None, int], str] = {}
    for episode in episodes:
        info = episode.info
        if info.number is None or info.kind != "full":  # a bonus or a trailer may repeat the number of a full episode
            continue
        other = first_slugs.setdefault((info.season, info.number), episode.slug)
        if other != episode.slug:
            where = f"episodes/{episode.slug}/episode.toml: number"
            problems.append(CauserieError(f"{info.number} is already the number of {other}", where, "give each episode its own number"))
