"""The tags of an imported feed that become `[feed]` and `[seasons]`: the rows of `TAG_KEYS`, read from tags to keys.

The result is TOML values: `toml_writer` writes them, and `pipeline/config/feed.py` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from pipeline.feed import terms
from pipeline.feed.reading import Element
from pipeline.feed.wording import clean, line, shortened
from pipeline.feed_keys import MEDIUMS, TAGS, Row
from pipeline.fields import ADDRESS, LICENSE

Value = str | bool | dict[str, str] | list[str] | list[dict[str, str]]  # text, a flag, a table, a list, a list of tables
Keys = Mapping[str, Value]  # of [feed]

# Tags from before the Podcasting 2.0 namespace, with their names there and those of their attributes
_OLDER = {
    "rawvoice:donate": ("podcast:funding", {"href": "url"}),
    "rawvoice:location": ("podcast:location", {}),
    "rawvoice:frequency": ("podcast:updateFrequency", {}),
}
_HERE: Mapping[str, str] = {row.inside or row.tag: name for name, row in TAGS.items()}
_OF_SHOW = frozenset(tag for tag, name in _HERE.items() if TAGS[name].channel)
_OF_ITEM = frozenset(tag for tag, name in _HERE.items() if TAGS[name].item)
SHOW, ITEM = _OF_SHOW | {*_OLDER, "podcast:block"}, _OF_ITEM | {"podcast:license"}  # every tag read here


def show_keys(channel: Element, base: str) -> tuple[Keys, list[str]]:
    """`[feed]` of a show, and notes on its tags."""
    notes: list[str] = []
    keys: dict[str, Value] = {}
    medium = line(channel.words("podcast:medium"))
    if medium in MEDIUMS:
        keys |= {"medium": medium} if medium != "podcast" else {}
    elif medium:
        notes.append(f"podcast:medium “{medium[:40]}” is unknown: left out")
    if terms.yes(channel.words("podcast:locked")) is False:
        keys["locked"] = False
    if _is_hidden(channel):
        keys["hidden"] = True
        notes.append("is hidden from directories (itunes:block or podcast:block), and stays hidden: [feed] hidden = true")
    if terms.yes(channel.words("itunes:complete")):
        keys["complete"] = True
        notes.append("is complete (itunes:complete), and stays complete: remove complete = true from [feed] to publish another episode")
    if not_on := _services(channel):
        keys["not_on"] = not_on
    if url := license_of(channel, base, [])[1]:
        keys["license_url"] = url
    return {**keys, **_tags(channel, base, _OF_SHOW, notes)}, notes


def item_keys(item: Element, base: str) -> tuple[Keys, list[str]]:
    """`[feed]` of an episode, and notes on its tags."""
    notes: list[str] = []
    keys: dict[str, Value] = {}
    if _is_hidden(item):
        keys["hidden"] = True
        notes.append("is hidden from directories (itunes:block), and stays hidden: [feed] hidden = true; its page is public like any other")
    license, url = license_of(item, base, notes)
    keys |= {key: text for key, text in (("license", license), ("license_url", url)) if text}
    label = next((each.attributes.get("display", "") for each in item.all("podcast:episode")), "")
    if line(label):
        keys["number_label"] = shortened(line(label), 32)
    return {**keys, **_tags(item, base, _OF_ITEM, notes)}, notes


def season_names(items: Iterable[Element]) -> dict[int, str]:
    """`[seasons]`: the first name of each season."""
    names: dict[int, str] = {}
    for item in items:
        for each in item.all("podcast:season"):
            number, name = terms.whole(each.text, 9999), shortened(line(each.attributes.get("name", "")), 128)
            if number and name:
                names.setdefault(number, name)
    return dict(sorted(names.items()))


def license_of(holder: Element, base: str, notes: list[str]) -> tuple[str, str]:
    """A licence, in lower case when it is an identifier, and its URL, which any other licence must have."""
    each = holder.first("podcast:license")
    if each is None or not line(each.text):
        return "", ""
    text, url = line(each.text), _address(each.attributes.get("url", ""), base)
    is_known = re.fullmatch(LICENSE, text)
    if len(text) > 128 or not (url or is_known):
        notes.append(f"license “{text[:80]}” is not an identifier like cc-by-4.0, and has no https URL: left out")
        return "", ""
    return text.lower() if is_known else text, url


def _is_hidden(holder: Element) -> bool:
    """`itunes:block`, or a `podcast:block` without `id`: all services."""
    everywhere = (each for each in holder.all("podcast:block") if not each.attributes.get("id"))
    return any(terms.yes(each.text) for each in (*holder.all("itunes:block"), *everywhere))


def _services(channel: Element) -> list[str]:
    named = (line(each.attributes.get("id", "")) for each in channel.all("podcast:block") if terms.yes(each.text))
    return [name for name in dict.fromkeys(named) if re.fullmatch("[a-z0-9_-]{1,64}", name)]


def _tags(holder: Element, base: str, wanted: frozenset[str], notes: list[str]) -> dict[str, Value]:
    """Every tag that has a row in `TAG_KEYS`, by key, in the order of the rows."""
    found: dict[str, list[dict[str, str]]] = {}
    tags = {child.tag for child in holder.children}
    for child in (_of_today(child) for child in holder.children if _OLDER.get(child.tag, ("", {}))[0] not in tags):
        if child.tag not in wanted:
            continue
        name = _HERE[child.tag]
        for each in child.all(TAGS[name].tag) if TAGS[name].inside else (child,):
            told: list[str] = []
            values = _values(TAGS[name], each, base, told)
            notes += [f"<{child.tag}>: {text}" for text in told]
            if values:
                found.setdefault(name, []).append(values)
    for name in [name for name, listed in found.items() if not TAGS[name].many and len(listed) > 1]:
        notes.append(f"{name}: there are {len(found[name])}, only the first is used")
    return {name: found[name] if TAGS[name].many else found[name][0] for name in TAGS if name in found}


def _of_today(each: Element) -> Element:
    """An element under its name in the Podcasting 2.0 namespace."""
    tag, renamed = _OLDER.get(each.tag, (each.tag, {}))
    attributes = {renamed.get(key, key): value for key, value in each.attributes.items()} if renamed else each.attributes
    return each if tag == each.tag else Element(tag, each.text, attributes)


def _values(row: Row, each: Element, base: str, notes: list[str]) -> dict[str, str]:
    """The keys of one tag; none, with a note, when something required is missing."""
    values = {}
    for key, (attribute, (pattern, example)) in row.keys.items():
        said = line(each.attributes.get(attribute, ""))
        value = _address(said, base) if pattern == ADDRESS else said
        if value and re.fullmatch(pattern, value):
            values[key.lstrip("*")] = value
        elif key.startswith("*") or said:
            notes.append(f"{attribute} “{said[:80]}” is not like {example}: left out")
            if key.startswith("*"):
                return {}
    if row.tag == "podcast:socialInteract" and values.get("protocol") != "disabled" and "url" not in values:
        notes.append("has no URL of a post: left out")
        return {}
    words = shortened(clean(each.text).strip() if row.longest > 255 else line(each.text), row.longest) if row.text else ""
    if not words and row.text.startswith("*"):
        notes.append("has no text: left out")
        return {}
    return {**values, row.text.lstrip("*"): words} if words else values


def _address(text: str, base: str) -> str:
    return terms.secure(text, base) if text else ""


def toml_lines(keys: Keys, quoted: Callable[[str], str]) -> Iterator[str]:
    """`[feed]` as lines of TOML: scalars and lists first, then its tables."""
    plain = {key: value for key, value in keys.items() if not _tables(value)}
    if plain:
        yield from ("", "[feed]", *(f"{key} = {_value(value, quoted)}" for key, value in plain.items()))
    for key, value in keys.items():
        head = f"[[feed.{key}]]" if isinstance(value, list) else f"[feed.{key}]"
        for table in _tables(value):
            yield from ("", head, *(f"{name} = {quoted(text)}" for name, text in table.items()))


def _tables(value: Value) -> list[dict[str, str]]:
    """The tables of a value; none for a scalar or a list of strings."""
    if isinstance(value, dict):
        return [value]
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _value(value: Value, quoted: Callable[[str], str]) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(quoted(str(each)) for each in value)}]" if isinstance(value, list) else quoted(str(value))
