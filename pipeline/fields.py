"""Readers for parts of a show's TOML that need more than a type check: people and roles, files, times, URLs, a bucket."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.directories import CATEGORIES
from pipeline.model import Chapter, Credit, GuideModel, GuideSettings, Person, S3Settings
from pipeline.roles import find_role
from pipeline.text import is_slug, nearest, printable, slugify
from pipeline.toml import Table

LICENSE = "[A-Za-z0-9][A-Za-z0-9.+-]*"  # an identifier of the namespace's licence list; anything else is free text
_WRITTEN = r"A-Za-z0-9._~%:@!$&'()*+,;=\[\]/-"  # RFC 3986, 2.2 and 2.3, without double quotes and angle brackets
_HOST = r"https://[A-Za-z0-9._~%:@!$&*+,;=-]+|http://(127\.0\.0\.1|localhost)(:\d+)?"
WEBSITE = rf"({_HOST})(/[{_WRITTEN}]*)?"  # no query, no fragment: file URLs are built on it
ADDRESS = rf"{WEBSITE}([?#][{_WRITTEN}?#]*)?"
_TIME = re.compile(r"(?:(\d+):)?(\d{1,2}):([0-5]\d(?:\.\d+)?)|(\d+(?:\.\d+)?)")


def seconds(text: str | int | float) -> float | None:
    """A time such as `1:02:03`, `0:31`, `31.5` or a number of seconds, as seconds; None when it is no time."""
    found = _TIME.fullmatch(str(text).strip())
    if not found:
        return None
    hours, minutes, rest, plain = found.groups()
    return float(plain) if plain else int(hours or 0) * 3600 + int(minutes) * 60 + float(rest)


def person(key: str, table: Table) -> Person:
    """The person in `[people.<key>]`."""
    url, image = (table.matching(name, ADDRESS, "https://example.org/nora") for name in ("url", "image"))
    person = Person(key, table.text("name", ..., 128), url, image)
    if not is_slug(key):
        table.problem("", "is not a usable key", f"name the table [people.{slugify(key) or 'nora'}]")
    table.end()
    return person


def website(table: Table) -> str:
    """The URL of the published tree, with a final slash."""
    address = table.matching("website", WEBSITE, "https://podcast.example.org/my-show/", ...)
    return address if address.endswith("/") or not address else f"{address}/"


def language(table: Table, default: str = "") -> str:
    """A language tag, with or without a region (BCP 47)."""
    return table.matching("language", "[a-z]{2}(-[a-zA-Z]{2})?", "fr or fr-ca", default) or default


def license_name(table: Table) -> str:
    """A licence: an identifier of the Podcasting 2.0 list in lower case, or free text unchanged."""
    name = table.text("license", "", 128)
    return name.lower() if re.fullmatch(LICENSE, name) else name


def categories(table: Table) -> tuple[tuple[str, ...], ...]:
    """Categories, `"Society & Culture > Documentary"` as a pair; names must match exactly, because Apple's are case-sensitive."""
    found = []
    for text in table.texts("categories", ...):
        name, *rest = (part.strip() for part in text.split(">"))
        if name not in CATEGORIES:
            table.problem("categories", f"“{printable(name)}” is not an Apple Podcasts category", nearest(name, CATEGORIES))
        elif rest and rest[0] not in CATEGORIES[name]:
            table.problem(
                "categories", f"“{printable(rest[0])}” is not a subcategory of {name}", nearest(rest[0], CATEGORIES[name] or [name])
            )
        else:
            found.append((name, *rest))
    if not found and not table.values.get("categories"):
        table.problem("categories", "is empty", "name at least one: directories require it")
    return tuple(found)


def s3(table: Table) -> S3Settings:
    """The bucket in `[publish.s3]`. Secrets in it are rejected, and never printed."""
    for key in ("access_key", "secret_key", "aws_access_key_id", "aws_secret_access_key", "secret", "password"):
        if key in table.values:
            table.problem(key, "is a secret and must not be in this file", "remove it; boto3 reads it from the environment or ~/.aws")
            table.values = {name: value for name, value in table.values.items() if name != key}
    settings = S3Settings(
        bucket=table.matching("bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "my-podcast", ...),
        prefix=table.matching("prefix", r"[A-Za-z0-9/_-]+", "shows/my-show").strip("/"),
        endpoint_url=table.matching("endpoint_url", r"https?://[!-~]+", "https://s3.example.org"),
        region=table.text("region"),
        addressing_style=table.choice("addressing_style", "auto", ("auto", "path", "virtual")),
        checksums=table.choice("checksums", "when_required", ("when_required", "when_supported")),
        acl=table.choice("acl", "", ("", "public-read")),
        conditional_writes=table.choice("conditional_writes", "auto", ("auto", "off")),
    )
    table.end()
    return settings


def purge(table: Table) -> tuple[str, ...]:
    """How to purge a CDN after a publication: a command as a list, or one line “METHOD URL”."""
    hook = table.texts("purge")
    is_line = isinstance(table.values.get("purge"), str)
    if is_line and not re.fullmatch(r"[A-Z]{3,10} (\{url\}|https?://[!-~]+)", hook[0]):
        hint = 'write “PURGE {url}”, or a command as a list: ["./purge.sh", "{url}"]'
        table.problem("purge", f"cannot be “{printable(hook[0])[:60]}”", hint)
        return ()
    return hook


def chapters(table: Table, folder: Path, root: Path) -> tuple[Chapter, ...]:
    """The chapters in `[[chapters]]`, in order of time; image paths are relative to the episode's folder."""
    found: list[Chapter] = []
    for each in table.tables("chapters"):
        start_s = time_in(each, "start")
        title, url = each.text("title", ..., 128), each.matching("url", ADDRESS, "https://example.org/")
        chapter = Chapter(start_s or 0.0, title, url, file_in(each, "image", folder, root))
        if start_s is None and "start" not in each.values:
            each.problem("start", "is missing", "add the time at which the chapter starts, like “0:31”")
        elif start_s is not None and found and start_s <= found[-1].start_s:
            each.problem("start", "is not after the start of the previous chapter", "sort the chapters by time")
        each.end()
        found.append(chapter)
    return tuple(found)


def credits(table: Table, people: Mapping[str, Person]) -> tuple[Credit, ...]:
    """Credits from `Role = ["person", …]`, in that order."""
    found = []
    for text in table.values:
        keys = table.texts(text)
        try:
            role, group = find_role(text)
        except ValueError as error:
            table.problem(text, "is not a role of the Podcasting 2.0 taxonomy", str(error))
            continue
        for key in keys:
            if key in people:
                found.append(Credit(people[key], role, group))
            else:
                table.problem(text, f"“{printable(key)}” is not in [people] of show.toml", who(key, people))
    return tuple(found)


def who(key: str, people: Mapping[str, Person]) -> str:
    """A hint for a key that is not in `people`."""
    return nearest(key, people) if people else f"add [people.{slugify(key) or 'nora'}] to show.toml"


def together(first: Iterable[Credit], second: Iterable[Credit]) -> tuple[Credit, ...]:
    """Both lists without duplicates: in a feed, an episode's people replace the show's, so they repeat the hosts."""
    return tuple(dict.fromkeys((*first, *second)))


def time_in(table: Table, key: str) -> float | None:
    """The time under `key`, in seconds; None when it is absent or wrong."""
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


def file_in(table: Table, key: str, folder: Path, root: Path, required: bool = False) -> str:
    """The path of a file that must exist, given relative to `folder` and returned relative to the show; "" when absent."""
    name = table.text(key, ... if required else "")
    if name and not (folder / name).is_file():
        table.problem(key, f"there is no file {printable(name)}", "correct the path, or add the file")
    return relative(folder / name, root) if name else ""


def relative(path: Path, root: Path) -> str:
    """A path relative to the show's folder if it is inside, else unchanged: moving a show must not make it stale."""
    path = Path(os.path.normpath(path))
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def guide(table: Table) -> tuple[GuideSettings, GuideModel]:
    """`[guide]`: the settings of every guide, and the language model that helps to draft them, if any."""
    settings = GuideSettings(table.text("contact", "", 200), table.choice("format_min", 30, (15, 30, 60, 90)))
    return settings, _guide_model(table)


def _guide_model(table: Table) -> GuideModel:
    """The model in `[guide]`: on this machine, or over https if `remote` allows transcripts to leave it."""
    endpoint, name, remote = table.text("endpoint", "", 300), table.text("model", "", 100), table.flag("remote", False)
    table.end()
    local, parts = is_local(endpoint), urlsplit(endpoint)
    if endpoint and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username):
        table.problem("endpoint", "is not the address of an API", "write it like http://127.0.0.1:11434/v1")
    elif endpoint and not local and not (remote and parts.scheme == "https"):
        table.problem("endpoint", "is not on this machine: transcripts would leave it", "use a local one, or https and remote = true")
    elif bool(endpoint) != bool(name):
        table.problem("model", "goes with endpoint", "write both, or neither")
    else:
        return GuideModel(endpoint, name)
    return GuideModel()


def is_local(url: str) -> bool:
    """Whether the host of a URL is this machine's loopback interface."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
