"""Readers for parts of a show's TOML that need more than a type check: people and roles, files, times, URLs, a bucket."""

from __future__ import annotations

import ipaddress
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.config.table import Table
from pipeline.model import (
    CATEGORIES,
    CauserieError,
    Chapter,
    Credit,
    GuideModel,
    GuideSettings,
    Person,
    S3Settings,
    find_role,
    font_characters,
    is_slug,
    slugify,
    suggest,
    terminal_safe,
)

LICENSE_ID = "[A-Za-z0-9][A-Za-z0-9.+-]*"  # an identifier of the namespace's licence list; anything else is free text
_URL_CHARS = r"A-Za-z0-9._~%:@!$&'()*+,;=\[\]/-"  # RFC 3986, 2.2 and 2.3, without double quotes and angle brackets
_ORIGIN = r"https://[A-Za-z0-9._~%:@!$&*+,;=-]+|http://(127\.0\.0\.1|localhost)(:\d+)?"
WEBSITE = rf"({_ORIGIN})(/[{_URL_CHARS}]*)?"  # no query, no fragment: file URLs are built on it
URL = rf"{WEBSITE}([?#][{_URL_CHARS}?#]*)?"
_TIME = re.compile(r"(?:(\d+):)?(\d{1,2}):([0-5]\d(?:\.\d+)?)|(\d+(?:\.\d+)?)")


def parse_time(text: str | int | float) -> float | None:
    """A time such as `1:02:03`, `0:31`, `31.5` or a number of seconds, as seconds; None when it is no time."""
    match = _TIME.fullmatch(str(text).strip())
    if not match:
        return None
    hours, minutes, sec, plain_seconds = match.groups()
    return float(plain_seconds) if plain_seconds else int(hours or 0) * 3600 + int(minutes) * 60 + float(sec)


def read_person(key: str, table: Table) -> Person:
    """The person in `[people.<key>]`."""
    url, image = (table.matching(name, URL, "https://example.org/nora") for name in ("url", "image"))
    person = Person(key, table.string("name", ..., 128), url, image)
    if not is_slug(key):
        table.add_problem("", "is not a usable key", f"name the table [people.{slugify(key) or 'nora'}]")
    table.reject_unknown()
    return person


def read_website(table: Table) -> str:
    """The URL of the published tree, with a final slash."""
    address = table.matching("website", WEBSITE, "https://podcast.example.org/my-show/", ...)
    return address if address.endswith("/") or not address else f"{address}/"


def read_language(table: Table, default: str = "") -> str:
    """A language tag, with or without a region (BCP 47)."""
    return table.matching("language", "[a-z]{2}(-[a-zA-Z]{2})?", "fr or fr-ca", default) or default


def read_license(table: Table) -> str:
    """A licence: an identifier of the Podcasting 2.0 list in lower case, or free text unchanged."""
    name = table.string("license", "", 128)
    return name.lower() if re.fullmatch(LICENSE_ID, name) else name


def read_categories(table: Table) -> tuple[tuple[str, ...], ...]:
    """Categories, `"Society & Culture > Documentary"` as a pair; names must match exactly, because Apple's are case-sensitive."""
    pairs = []
    for text in table.strings("categories", ...):
        name, *rest = (part.strip() for part in text.split(">"))
        if name not in CATEGORIES:
            table.add_problem("categories", f"“{terminal_safe(name)}” is not an Apple Podcasts category", suggest(name, CATEGORIES))
        elif rest and rest[0] not in CATEGORIES[name]:
            table.add_problem(
                "categories", f"“{terminal_safe(rest[0])}” is not a subcategory of {name}", suggest(rest[0], CATEGORIES[name] or [name])
            )
        else:
            pairs.append((name, *rest))
    if not pairs and not table.values.get("categories"):
        table.add_problem("categories", "is empty", "name at least one: directories require it")
    return tuple(pairs)


def read_s3(table: Table) -> S3Settings:
    """The bucket in `[publish.s3]`. Secrets in it are rejected, and never printed."""
    for key in ("access_key", "secret_key", "aws_access_key_id", "aws_secret_access_key", "secret", "password"):
        if key in table.values:
            table.add_problem(key, "is a secret and must not be in this file", "remove it; boto3 reads it from the environment or ~/.aws")
            table.values = {name: value for name, value in table.values.items() if name != key}
    settings = S3Settings(
        bucket=table.matching("bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "my-podcast", ...),
        prefix=table.matching("prefix", r"[A-Za-z0-9/_-]+", "shows/my-show").strip("/"),
        endpoint_url=table.matching("endpoint_url", r"https?://[!-~]+", "https://s3.example.org"),
        region=table.string("region"),
        addressing_style=table.choice("addressing_style", "auto", ("auto", "path", "virtual")),
        checksums=table.choice("checksums", "when_required", ("when_required", "when_supported")),
        acl=table.choice("acl", "", ("", "public-read")),
        conditional_writes=table.choice("conditional_writes", "auto", ("auto", "off")),
    )
    table.reject_unknown()
    return settings


def read_purge(table: Table) -> tuple[str, ...]:
    """How to purge a CDN after a publication: a command as a list, or one line “METHOD URL”."""
    hook = table.strings("purge")
    is_line = isinstance(table.values.get("purge"), str)
    if is_line and not re.fullmatch(r"[A-Z]{3,10} (\{url\}|https?://[!-~]+)", hook[0]):
        hint = 'write “PURGE {url}”, or a command as a list: ["./purge.sh", "{url}"]'
        table.add_problem("purge", f"cannot be “{terminal_safe(hook[0])[:60]}”", hint)
        return ()
    return hook


def read_chapters(table: Table, folder: Path, root: Path) -> tuple[Chapter, ...]:
    """The chapters in `[[chapters]]`, in order of time; image paths are relative to the episode's folder."""
    chapters: list[Chapter] = []
    for entry in table.tables("chapters"):
        start_s = read_time(entry, "start")
        title, url = entry.string("title", ..., 128), entry.matching("url", URL, "https://example.org/")
        chapter = Chapter(start_s or 0.0, title, url, read_file(entry, "image", folder, root))
        if start_s is None and "start" not in entry.values:
            entry.add_problem("start", "is missing", "add the time at which the chapter starts, like “0:31”")
        elif start_s is not None and chapters and start_s <= chapters[-1].start_s:
            entry.add_problem("start", "is not after the start of the previous chapter", "sort the chapters by time")
        entry.reject_unknown()
        chapters.append(chapter)
    return tuple(chapters)


def read_credits(table: Table, people: Mapping[str, Person]) -> tuple[Credit, ...]:
    """Credits from `Role = ["person", …]`, in that order."""
    credits = []
    for role_text in table.values:
        keys = table.strings(role_text)
        try:
            role, group = find_role(role_text)
        except ValueError as error:
            table.add_problem(role_text, "is not a role of the Podcasting 2.0 taxonomy", str(error))
            continue
        for key in keys:
            if key in people:
                credits.append(Credit(people[key], role, group))
            else:
                table.add_problem(role_text, f"“{terminal_safe(key)}” is not in [people] of show.toml", person_hint(key, people))
    return tuple(credits)


def person_hint(key: str, people: Mapping[str, Person]) -> str:
    """A hint for a key that is not in `people`."""
    return suggest(key, people) if people else f"add [people.{slugify(key) or 'nora'}] to show.toml"


def merge_credits(first: Iterable[Credit], second: Iterable[Credit]) -> tuple[Credit, ...]:
    """Both lists without duplicates: in a feed, an episode's people replace the show's, so they repeat the hosts."""
    return tuple(dict.fromkeys((*first, *second)))


def read_time(table: Table, key: str) -> float | None:
    """The time under `key`, in seconds; None when it is absent or wrong."""
    value = table.values.get(key)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        table.get(key, type(value), None)
    else:
        value = table.string(key) or None
    if value is None:
        return None
    time_s = parse_time(value)
    if time_s is None:
        table.add_problem(key, f"“{terminal_safe(str(value))[:40]}” is not a time", "write it like “0:31” or “1:02:03”")
    return time_s


def read_file(table: Table, key: str, folder: Path, root: Path, required: bool = False) -> str:
    """The path of a file that must exist, given relative to `folder` and returned relative to the show; "" when absent."""
    name = table.string(key, ... if required else "")
    if name and not equivalent_path(folder / name).is_file():
        table.add_problem(key, f"there is no file {terminal_safe(name)}", "correct the path, or add the file")
    return relative_to_show(folder / name, root) if name else ""


def relative_to_show(path: Path, root: Path) -> str:
    """A path relative to the show's folder if it is inside, else unchanged: moving a show must not make it stale."""
    path = equivalent_path(Path(os.path.normpath(path)))
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def equivalent_path(path: Path) -> Path:
    """The path as the disk spells it: “é” may be one character there or two (Unicode NFC, NFD), which a text editor does not show."""
    if path.name.isascii() or os.path.lexists(path):
        return path
    try:
        names = os.listdir(path.parent)
    except (OSError, ValueError):
        return path
    wanted = unicodedata.normalize("NFC", path.name)
    return path.with_name(next((name for name in sorted(names) if unicodedata.normalize("NFC", name) == wanted), path.name))


def read_guide(table: Table, root: Path) -> tuple[GuideSettings, GuideModel]:
    """`[guide]`: the settings of every guide, and the language model that helps to draft them, if any."""
    settings = GuideSettings(
        table.string("contact", "", 200), table.choice("format_min", 30, (15, 30, 60, 90)), fonts=_read_fonts(table, root)
    )
    return settings, _read_guide_model(table)


def _read_fonts(table: Table, root: Path) -> tuple[str, ...]:
    """Font files, relative to the show."""
    names = table.strings("fonts")
    for name in names:
        if not (root / name).is_file():
            table.add_problem("fonts", f"there is no file {terminal_safe(name)}", "correct the path, or add the file")
            return ()
        try:
            font_characters(root / name)
        except CauserieError as error:
            table.add_problem("fonts", f"{terminal_safe(name)} {error.message}", error.hint)
            return ()
    return tuple(relative_to_show(root / name, root) for name in names)


def _read_guide_model(table: Table) -> GuideModel:
    """The model in `[guide]`: on this machine, or over https if `remote` allows transcripts to leave it."""
    endpoint, name, remote = table.string("endpoint", "", 300), table.string("model", "", 100), table.boolean("remote", False)
    table.reject_unknown()
    local, parts = is_loopback(endpoint), urlsplit(endpoint)
    if endpoint and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username):
        table.add_problem("endpoint", "is not the address of an API", "write it like http://127.0.0.1:11434/v1")
    elif endpoint and not local and not (remote and parts.scheme == "https"):
        table.add_problem("endpoint", "is not on this machine: transcripts would leave it", "use a local one, or https and remote = true")
    elif bool(endpoint) != bool(name):
        table.add_problem("model", "goes with endpoint", "write both, or neither")
    else:
        return GuideModel(endpoint, name)
    return GuideModel()


def is_loopback(url: str) -> bool:
    """Whether the host of a URL is this machine's loopback interface."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
