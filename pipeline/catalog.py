"""`show.toml` and `episodes/*/episode.toml` to a `Show`; every mistake of a run at once, as `file: key: problem`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from pipeline.directories import CATEGORIES, MP3_KBPS, SAMPLE_RATES_HZ
from pipeline.errors import CauserieError, Problems
from pipeline.model import (
    AudioTargets,
    Chapter,
    Credit,
    Episode,
    EpisodeInfo,
    GuideSettings,
    Mix,
    Person,
    PublishSettings,
    Recording,
    S3Settings,
    Show,
    ShowInfo,
    SpeechSettings,
)
from pipeline.roles import find_role
from pipeline.text import is_slug, nearest, printable, slugify
from pipeline.toml import Table, read_toml

RESERVED = {"show", "guides", "work", "kept", "publish", "reports"}  # names the tree and `.causerie/` use themselves
OWN_FOLDERS = ("episodes", "transcripts", "guides", "feeds", "site", ".causerie", ".", "..")
_ADDRESS = r"https://[!-~]+|http://(127\.0\.0\.1|localhost)(:\d+)?/[!-~]*"
_TIME = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2}(?:\.\d+)?)|(\d+(?:\.\d+)?)")
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)


def load(root: Path) -> Show:
    """The show in a folder; a `Problems` names every mistake in its TOML files when there are any."""
    show, problems = read(root)
    if problems or show is None:
        raise Problems(tuple(problems))
    return show


def read(root: Path) -> tuple[Show | None, list[CauserieError]]:
    """The show as far as it can be read, and what is wrong with it. Recordings are not opened."""
    problems: list[CauserieError] = []
    table = read_toml(root / "show.toml", "show.toml", problems)
    if table is None:
        return None, problems
    show, jingles = _show(table, root)
    folders = sorted(path for path in (root / "episodes").glob("*") if path.is_dir() and not path.name.startswith("."))
    found = [_episode(folder, root, show, jingles, problems) for folder in folders]
    episodes = sorted((episode for episode in found if episode), key=lambda episode: (episode.info.published, episode.slug))
    _unique_numbers(episodes, problems)
    return Show(**{**vars(show), "episodes": tuple(episodes)}), problems


def seconds(text: str | int | float) -> float | None:
    """A time as a person writes it, `1:02:03`, `0:31`, `31.5` or a number of seconds; None when it is none of them."""
    found = _TIME.fullmatch(str(text).strip())
    if not found:
        return None
    hours, minutes, rest, plain = found.groups()
    return float(plain) if plain else int(hours or 0) * 3600 + int(minutes) * 60 + float(rest)


def _show(table: Table, root: Path) -> tuple[Show, dict[str, str]]:
    """The show without its episodes, and the jingles its episodes have unless they say otherwise."""
    people = table.table("people").each(_person)
    kind = table.choice("type", "episodic", ("episodic", "serial"))
    info = ShowInfo(
        title=table.text("title", ..., 255),
        description=table.text("description", ...),
        author=table.text("author", ..., 255),
        website=_website(table),
        language=table.matching("language", "[a-z]{2}(-[a-zA-Z]{2})?", "fr or fr-ca", "fr") or "fr",
        email=table.matching("email", r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", "podcast@example.org"),
        copyright=table.text("copyright", "", 255),
        license=table.text("license", "", 128).lower(),
        categories=_categories(table),
        kind=kind,
        explicit=table.flag("explicit", False),
        cover_alt=table.text("cover_alt", "", 255),
        status=table.text("status", "", 500),
        credits=_credits(table.table("credits"), people),
    )
    audio, jingles = _audio(table.table("audio"), root)
    show = Show(
        info=info,
        cover=_file(table, "cover", root, root, required=True),
        people=people,
        audio=audio,
        speech=_speech(table.table("speech"), root, info.language),
        guide=_guide(table.table("guide")),
        publish=_publish(table.table("publish")),
    )
    table.end()
    return show, jingles


def _person(key: str, table: Table) -> Person:
    person = Person(key, table.text("name", ..., 128), table.matching("url", _ADDRESS, "https://example.org/"), table.text("image"))
    if not is_slug(key):
        table.problem("", "is not a usable key", f"name the table [people.{slugify(key) or 'somebody'}]")
    table.end()
    return person


def _website(table: Table) -> str:
    address = table.matching("website", _ADDRESS, "https://podcast.example.org/my-show/", ...)
    return address if address.endswith("/") or not address else f"{address}/"


def _categories(table: Table) -> tuple[tuple[str, ...], ...]:
    """`"Society & Culture > Documentary"` as a pair; names are case-sensitive at Apple, so they must be exact."""
    found = []
    for text in table.texts("categories", ...):
        name, *rest = (part.strip() for part in text.split(">"))
        if name not in CATEGORIES:
            table.problem("categories", f"“{printable(name)}” is no category of the directories", nearest(name, CATEGORIES))
        elif rest and rest[0] not in CATEGORIES[name]:
            table.problem("categories", f"“{printable(rest[0])}” is no subcategory of {name}", nearest(rest[0], CATEGORIES[name] or [name]))
        else:
            found.append((name, *rest))
    return tuple(found)


def _audio(table: Table, root: Path) -> tuple[AudioTargets, dict[str, str]]:
    default = AudioTargets()
    targets = AudioTargets(
        loudness_lufs=table.number("loudness_lufs", default.loudness_lufs, -31, -9),
        ceiling_dbtp=table.number("ceiling_dbtp", default.ceiling_dbtp, -9, 0),
        mp3_kbps=table.choice("mp3_kbps", default.mp3_kbps, MP3_KBPS),
        light_kbps=table.whole("light_kbps", default.light_kbps, 8, 96) or default.light_kbps,
        sample_rate_hz=table.choice("sample_rate_hz", default.sample_rate_hz, SAMPLE_RATES_HZ),
        channels=table.choice("channels", default.channels, (1, 2)),
    )
    jingles = {key: _file(table, key, root, root) for key in ("intro", "outro")}
    table.end()
    return targets, jingles


def _speech(table: Table, root: Path, language: str) -> SpeechSettings:
    model = table.text("model", SpeechSettings.model)
    if model.endswith(".pt") and not (root / model).is_file():
        table.problem("model", f"there is no file {printable(model)}", "give a model whisper knows, like “small”, or a checkpoint's path")
    settings = SpeechSettings(model or SpeechSettings.model, table.matching("language", "[a-z]{2,3}", "fr", language[:2]) or language[:2])
    table.end()
    return settings


def _guide(table: Table) -> GuideSettings:
    settings = GuideSettings(table.text("contact", "", 200), table.choice("format_min", 30, (15, 30, 60, 90)))
    table.end()
    return settings


def _publish(table: Table) -> PublishSettings:
    folder, s3 = table.text("folder", "public"), None
    if PurePosixPath(folder).parts[:1] in {(name,) for name in OWN_FOLDERS}:
        table.problem("folder", f"cannot be {printable(folder)}, where the show keeps its own files", "name another, like “public”")
    if "s3" in table.values:
        s3 = _s3(table.table("s3"))
    table.end()
    return PublishSettings(folder, s3)


def _s3(table: Table) -> S3Settings:
    for key in ("access_key", "secret_key", "aws_access_key_id", "aws_secret_access_key", "secret", "password"):
        if key in table.values:
            table.problem(key, "is a secret and must not be in this file", "remove it; boto3 finds it in the environment or ~/.aws")
            table.values = {name: value for name, value in table.values.items() if name != key}
    settings = S3Settings(
        bucket=table.matching("bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "my-podcast", ...),
        prefix=table.matching("prefix", r"[A-Za-z0-9/_-]+", "shows/my-show").strip("/"),
        endpoint_url=table.matching("endpoint_url", r"https?://[!-~]+", "https://s3.example.org"),
        region=table.text("region"),
        addressing_style=table.choice("addressing_style", "auto", ("auto", "path", "virtual")),
        checksums=table.choice("checksums", "when_required", ("when_required", "when_supported")),
        acl=table.choice("acl", "", ("", "public-read")),
    )
    table.end()
    return settings


def _episode(folder: Path, root: Path, show: Show, jingles: Mapping[str, str], problems: list[CauserieError]) -> Episode | None:
    """One episode, or None when its TOML cannot be read at all."""
    slug, file = folder.name, f"episodes/{folder.name}/episode.toml"
    if not is_slug(slug) or slug in RESERVED:
        hint = f"rename it, to {slugify(slug) or 'a-name'} for example" if slug not in RESERVED else "rename it: Causerie uses that name"
        problems.append(CauserieError("cannot name an episode's page and files", printable(f"episodes/{slug}"), hint))
        return None
    table = read_toml(folder / "episode.toml", file, problems)
    if table is None:
        return None
    if table.text("slug", slug) != slug:
        table.problem("slug", f"is not the folder's name, {slug}", "remove the key, or rename the folder")
    episode = Episode(
        _info(table, slug, show),
        _mix(table, folder, root, show.people, jingles),
        _chapters(table),
        _file(table, "cover", folder, root),
    )
    table.end()
    return episode


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
        credits=_together(show.info.credits, _credits(table.table("credits"), show.people)),
    )
    if show.info.kind == "serial" and info.kind == "full" and info.number is None:
        table.problem("number", "is missing", "a serial show numbers its episodes: directories play them in that order")
    return info


def _mix(table: Table, folder: Path, root: Path, people: Mapping[str, Person], jingles: Mapping[str, str]) -> Mix:
    recordings = tuple(_recording(each, folder, root, people) for each in table.tables("recordings"))
    if not recordings:
        table.problem("recordings", "is missing", "add [[recordings]] with a file for each raw recording")
    start_s = _time(table, "start") or 0.0
    end_s = _time(table, "end")
    if end_s is not None and end_s <= start_s:
        table.problem("end", "is not after start", "give a later time, or remove the key")
    return Mix(
        recordings,
        *(_file(table, key, folder, root) if key in table.values else _skip(table, key, jingles[key]) for key in ("intro", "outro")),
        table.flag("trim_silence", True),
        start_s,
        end_s,
    )


def _recording(table: Table, folder: Path, root: Path, people: Mapping[str, Person]) -> Recording:
    file, voice = table.text("file", ...), table.text("voice")
    if voice and voice not in people:
        table.problem("voice", f"“{printable(voice)}” is nobody in show.toml", _who(voice, people))
    if file in (f"{folder.name}.mp3", f"{folder.name}.opus"):
        table.problem("file", f"{file} is where the published audio goes", "rename the recording")
    table.end()
    return Recording(_relative(folder / file, root), voice)


def _chapters(table: Table) -> tuple[Chapter, ...]:
    found: list[Chapter] = []
    for each in table.tables("chapters"):
        start_s = _time(each, "start")
        chapter = Chapter(start_s or 0.0, each.text("title", ..., 128), each.matching("url", _ADDRESS, "https://example.org/"))
        if start_s is None and "start" not in each.values:
            each.problem("start", "is missing", "add the time it starts at, like “0:31”")
        elif found and chapter.start_s <= found[-1].start_s:
            each.problem("start", "is not after the chapter before it", "put the chapters in order of time")
        each.end()
        found.append(chapter)
    return tuple(found)


def _credits(table: Table, people: Mapping[str, Person]) -> tuple[Credit, ...]:
    """`Role = ["person", …]` as credits in that order."""
    found = []
    for text in table.values:
        keys = table.texts(text)
        try:
            role, group = find_role(text)
        except ValueError as error:
            table.problem(text, "is no role of the podcast taxonomy", str(error))
            continue
        for key in keys:
            if key in people:
                found.append(Credit(people[key], role, group))
            else:
                table.problem(text, f"“{printable(key)}” is nobody in show.toml", _who(key, people))
    return tuple(found)


def _who(key: str, people: Mapping[str, Person]) -> str:
    return nearest(key, people) if people else f"add [people.{slugify(key) or 'somebody'}] to show.toml"


def _together(first: Iterable[Credit], second: Iterable[Credit]) -> tuple[Credit, ...]:
    """Both lists, each credit once: an episode's people replace the show's in a feed, so they restate the hosts."""
    return tuple(dict.fromkeys((*first, *second)))


def _time(table: Table, key: str) -> float | None:
    """A time under `key`, in seconds; None when it is not there."""
    value = table.values.get(key)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        table.get(key, type(value), None)
    else:
        value = table.text(key) or None
    if value is None:
        return None
    time_s = seconds(value)
    if time_s is None:
        table.problem(key, f"“{printable(str(value))[:40]}” is not a time", "write it like “0:31” or “1:02:03”")
    return time_s


def _file(table: Table, key: str, folder: Path, root: Path, required: bool = False) -> str:
    """A file named relative to `folder`, as a path from the show; it must be there."""
    name = table.text(key, ... if required else "")
    if name and not (folder / name).is_file():
        table.problem(key, f"there is no file {printable(name)}", "correct the path, or put the file there")
    return _relative(folder / name, root) if name else ""


def _skip(table: Table, key: str, value: str) -> str:
    """The show's own jingle, while noting that the episode may have the key."""
    table.text(key)
    return value


def _relative(path: Path, root: Path) -> str:
    """From the show's folder when the file is in it, else as given: moving a show must not make it stale."""
    path = Path(os.path.normpath(path))
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _unique_numbers(episodes: Iterable[Episode], problems: list[CauserieError]) -> None:
    seen: dict[tuple[int | None, int], str] = {}
    for episode in episodes:
        info = episode.info
        if info.number is None or info.kind == "trailer":
            continue
        other = seen.setdefault((info.season, info.number), episode.slug)
        if other != episode.slug:
            where = f"episodes/{episode.slug}/episode.toml: number"
            problems.append(CauserieError(f"{info.number} is already the number of {other}", where, "give each episode its own"))
