"""The tags of an imported feed that become `[feed]` and `[seasons]`: the rows of `TAG_KEYS`, read from tags to keys.

The result is TOML values: `toml_writer` writes them, and `pipeline/config/feed.py` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from pipeline.config import LICENSE_ID, MEDIUMS, TAG_KEYS, URL, TagKeys
from pipeline.feed.imports import field_parsers
from pipeline.feed.imports.html_text import remove_controls, single_line, truncate
from pipeline.feed.imports.xml_reader import Element

FeedValue = str | bool | dict[str, str] | list[str] | list[dict[str, str]]  # text, a flag, a table, a list, a list of tables
FeedKeys = Mapping[str, FeedValue]  # of [feed]

# Tags from before the Podcasting 2.0 namespace, with their names there and those of their attributes
_LEGACY_TAGS = {
    "rawvoice:donate": ("podcast:funding", {"href": "url"}),
    "rawvoice:location": ("podcast:location", {}),
    "rawvoice:frequency": ("podcast:updateFrequency", {}),
}
_KEY_BY_TAG: Mapping[str, str] = {row.parent or row.tag: name for name, row in TAG_KEYS.items()}
_CHANNEL_KEY_TAGS = frozenset(tag for tag, name in _KEY_BY_TAG.items() if TAG_KEYS[name].in_channel)
_ITEM_KEY_TAGS = frozenset(tag for tag, name in _KEY_BY_TAG.items() if TAG_KEYS[name].in_item)


def channel_feed_keys(channel: Element, base: str) -> tuple[FeedKeys, list[str]]:
    """`[feed]` of a show, and notes on its tags."""
    notes: list[str] = []
    keys: dict[str, FeedValue] = {}
    medium = single_line(channel.find_text("podcast:medium"))
    if medium in MEDIUMS:
        keys |= {"medium": medium} if medium != "podcast" else {}
    elif medium:
        notes.append(f"podcast:medium “{medium[:40]}” is unknown: left out")
    if field_parsers.parse_bool(channel.find_text("podcast:locked")) is False:
        keys["locked"] = False
    if _is_hidden(channel):
        keys["hidden"] = True
        notes.append("is hidden from directories (itunes:block or podcast:block), and stays hidden: [feed] hidden = true")
    if field_parsers.parse_bool(channel.find_text("itunes:complete")):
        keys["complete"] = True
        notes.append("is complete (itunes:complete), and stays complete: remove complete = true from [feed] to publish another episode")
    if blocked_services := _blocked_services(channel):
        keys["not_on"] = blocked_services
    if url := read_license(channel, base, [])[1]:
        keys["license_url"] = url
    return {**keys, **_read_tags(channel, base, _CHANNEL_KEY_TAGS, notes)}, notes


def item_feed_keys(item: Element, base: str) -> tuple[FeedKeys, list[str]]:
    """`[feed]` of an episode, and notes on its tags."""
    notes: list[str] = []
    keys: dict[str, FeedValue] = {}
    if _is_hidden(item):
        keys["hidden"] = True
        notes.append("is hidden from directories (itunes:block), and stays hidden: [feed] hidden = true; its page is public like any other")
    license, url = read_license(item, base, notes)
    keys |= {key: text for key, text in (("license", license), ("license_url", url)) if text}
    label = next((each.attributes.get("display", "") for each in item.find_all("podcast:episode")), "")
    if single_line(label):
        keys["number_label"] = truncate(single_line(label), 32)
    return {**keys, **_read_tags(item, base, _ITEM_KEY_TAGS, notes)}, notes


def read_season_names(items: Iterable[Element]) -> dict[int, str]:
    """`[seasons]`: the first name of each season."""
    names: dict[int, str] = {}
    for item in items:
        for each in item.find_all("podcast:season"):
            number, name = field_parsers.parse_int(each.text, 9999), truncate(single_line(each.attributes.get("name", "")), 128)
            if number and name:
                names.setdefault(number, name)
    return dict(sorted(names.items()))


def read_license(parent: Element, base: str, notes: list[str]) -> tuple[str, str]:
    """A licence, in lower case when it is an identifier, and its URL, which any other licence must have."""
    each = parent.find("podcast:license")
    if each is None or not single_line(each.text):
        return "", ""
    text, url = single_line(each.text), _https_url(each.attributes.get("url", ""), base)
    is_known = re.fullmatch(LICENSE_ID, text)
    if len(text) > 128 or not (url or is_known):
        notes.append(f"license “{text[:80]}” is not an identifier like cc-by-4.0, and has no https URL: left out")
        return "", ""
    return text.lower() if is_known else text, url


def _is_hidden(parent: Element) -> bool:
    """`itunes:block`, or a `podcast:block` without `id`: all services."""
    unrestricted_blocks = (each for each in parent.find_all("podcast:block") if not each.attributes.get("id"))
    return any(field_parsers.parse_bool(each.text) for each in (*parent.find_all("itunes:block"), *unrestricted_blocks))


def _blocked_services(channel: Element) -> list[str]:
    ids = (single_line(each.attributes.get("id", "")) for each in channel.find_all("podcast:block") if field_parsers.parse_bool(each.text))
    return [name for name in dict.fromkeys(ids) if re.fullmatch("[a-z0-9_-]{1,64}", name)]


def _read_tags(parent: Element, base: str, allowed: frozenset[str], notes: list[str]) -> dict[str, FeedValue]:
    """Every tag that has a row in `TAG_KEYS`, by key, in the order of the rows."""
    found: dict[str, list[dict[str, str]]] = {}
    tags = {child.tag for child in parent.children}
    for child in (_upgrade_legacy_tag(child) for child in parent.children if _LEGACY_TAGS.get(child.tag, ("", {}))[0] not in tags):
        if child.tag not in allowed:
            continue
        name = _KEY_BY_TAG[child.tag]
        for each in child.find_all(TAG_KEYS[name].tag) if TAG_KEYS[name].parent else (child,):
            told: list[str] = []
            values = _read_tag(TAG_KEYS[name], each, base, told)
            notes += [f"<{child.tag}>: {text}" for text in told]
            if values:
                found.setdefault(name, []).append(values)
    for name in [name for name, listed in found.items() if not TAG_KEYS[name].is_repeatable and len(listed) > 1]:
        notes.append(f"{name}: there are {len(found[name])}, only the first is used")
    return {name: found[name] if TAG_KEYS[name].is_repeatable else found[name][0] for name in TAG_KEYS if name in found}


def is_superseded(element: Element, parent: Element) -> bool:
    """Whether an older tag is not read, because its parent has the Podcasting 2.0 tag too."""
    return element.tag in _LEGACY_TAGS and any(parent.find_all(_LEGACY_TAGS[element.tag][0]))


def _upgrade_legacy_tag(element: Element) -> Element:
    """An element under its name in the Podcasting 2.0 namespace."""
    tag, attribute_names = _LEGACY_TAGS.get(element.tag, (element.tag, {}))
    attributes = (
        {attribute_names.get(key, key): value for key, value in element.attributes.items()} if attribute_names else element.attributes
    )
    return element if tag == element.tag else Element(tag, element.text, attributes)


def _read_tag(row: TagKeys, element: Element, base: str, notes: list[str]) -> dict[str, str]:
    """The keys of one tag; none, with a note, when something required is missing."""
    values = {}
    for key, (attribute, (pattern, example)) in row.keys.items():
        text = single_line(element.attributes.get(attribute, ""))
        value = _https_url(text, base) if pattern == URL else text
        if value and re.fullmatch(pattern, value):
            values[key.lstrip("*")] = value
        elif key.startswith("*") or text:
            notes.append(f"{attribute} “{text[:80]}” is not like {example}: left out")
            if key.startswith("*"):
                return {}
    if row.tag == "podcast:socialInteract" and values.get("protocol") != "disabled" and "url" not in values:
        notes.append("has no URL of a post: left out")
        return {}
    content = (
        truncate(remove_controls(element.text).strip() if row.max_chars > 255 else single_line(element.text), row.max_chars)
        if row.text
        else ""
    )
    if not content and row.text.startswith("*"):
        notes.append("has no text: left out")
        return {}
    return {**values, row.text.lstrip("*"): content} if content else values


def _https_url(text: str, base: str) -> str:
    return field_parsers.https_url(text, base) if text else ""


def feed_toml_lines(keys: FeedKeys, quote: Callable[[str], str]) -> Iterator[str]:
    """`[feed]` as lines of TOML: scalars and lists first, then its tables."""
    scalars = {key: value for key, value in keys.items() if not _table_list(value)}
    if scalars:
        yield from ("", "[feed]", *(f"{key} = {_toml_value(value, quote)}" for key, value in scalars.items()))
    for key, value in keys.items():
        header = f"[[feed.{key}]]" if isinstance(value, list) else f"[feed.{key}]"
        for table in _table_list(value):
            yield from ("", header, *(f"{name} = {quote(text)}" for name, text in table.items()))


def _table_list(value: FeedValue) -> list[dict[str, str]]:
    """The tables of a value; none for a scalar or a list of strings."""
    if isinstance(value, dict):
        return [value]
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _toml_value(value: FeedValue, quote: Callable[[str], str]) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(quote(str(each)) for each in value)}]" if isinstance(value, list) else quote(str(value))
