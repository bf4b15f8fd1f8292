"""What an import did not keep: every element and attribute of a feed is read, made again, or named here with its value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.config import TAG_KEYS
from pipeline.feed.imports.field_parsers import normalise_url
from pipeline.feed.imports.html_text import clean_title, single_line, truncate
from pipeline.feed.imports.namespace_tags import is_superseded
from pipeline.feed.imports.xml_reader import Element
from pipeline.model import pluralise

# Elements that are read, each with the attributes that are. What of them is invalid, the reader says itself. Of the other elements and
# attributes, those are kept whose value is one of the show's.
_READ_IN_BOTH = (
    "title description content:encoded itunes:summary itunes:subtitle googleplay:description itunes:explicit itunes:block podcast:block "
    "podcast:license=url podcast:person=role,group rawvoice:donate=href rawvoice:location rawvoice:frequency"
)
_READ_IN_CHANNEL = (
    "item=xml:base language copyright itunes:type itunes:complete itunes:new-feed-url podcast:guid podcast:locked podcast:medium "
    "podcast:block=id itunes:category=text itunes:category/itunes:category=text"
)
_READ_IN_ITEM = (
    "guid=isPermaLink pubDate enclosure=url,length,type itunes:episode itunes:season itunes:episodeType googleplay:explicit "
    "podcast:transcript=type,language podcast:chapters=type podcast:soundbite=startTime,duration psc:chapters=version "
    "psc:chapters/psc:chapter=start,title,href,image"
)
# Elements that Causerie writes itself at each build, from the show as it is then
_MADE_AGAIN_IN_CHANNEL = frozenset(("generator", "docs", "lastBuildDate", "pubDate", "ttl", "link", "atom:link rel=self"))
_MADE_AGAIN_IN_ITEM = frozenset(("itunes:duration", "link"))

Loss = tuple[str, str, str]  # the element's path, the attribute ("" for its text), the value


@dataclass(frozen=True)
class Kept:
    """The values of a show or an episode, one of which an element must have to be kept; relative URLs are resolved against `base`."""

    values: frozenset[str]
    base: str

    def has(self, text: str) -> bool:
        """Whether the show or the episode holds this value."""
        return _comparable(text) in self.values or _comparable(normalise_url(text, self.base) or text) in self.values


def kept_values(texts: Iterable[str], base: str) -> Kept:
    """The values of a show or an episode, compared without spaces and case."""
    return Kept(frozenset(_comparable(text) for text in texts), base)


def loss_notes(channel: Element, kept: Kept, kept_by_item: Mapping[int, Kept]) -> Iterator[str]:
    """A note for each kind of element that is not kept, with its attributes, how often it occurs, and the first value.

    `kept_by_item` has a row for each imported item, by `id`; the other items were left out, with a note of their own.
    """
    scopes = [("", _MADE_AGAIN_IN_CHANNEL, _unread(channel, _CHANNEL_READ, "", kept))]
    items = [item for item in channel.find_all("item") if id(item) in kept_by_item]
    scopes += [("item ", _MADE_AGAIN_IN_ITEM, _unread(item, _ITEM_READ, "", kept_by_item[id(item)])) for item in items]
    made_again: dict[str, None] = {}
    lost: dict[str, list[Loss]] = {}
    for scope, rewritten, losses in scopes:
        for loss in losses:
            if loss[0].partition("/")[0] in rewritten:
                made_again[f"<{loss[0]}>"] = None
            else:
                lost.setdefault(f"{scope}<{loss[0][:120]}", []).append(loss)
    if made_again:
        yield f"made again at each build, from the show as it is then: {', '.join(made_again)}"
    yield from (_loss_note(name, losses) for name, losses in lost.items())


def _loss_note(name: str, losses: list[Loss]) -> str:
    """One line for all occurrences of an element."""
    counts = Counter(attribute for _, attribute, _ in losses)
    attributes = "".join(f" {attribute}=" for attribute in counts if attribute)
    first = next(filter(None, (value for *_, value in losses)), "")
    example = f", “{truncate(first, 80)}”" if first else ""
    return f"{name}{attributes}>, {pluralise(max(counts.values()), 'time')}{example}: kept only in feeds/imported.xml"


def _unread(parent: Element, read: Mapping[str, frozenset[str]], path: str, kept: Kept) -> Iterator[Loss]:
    """What `read` does not list and `kept` does not hold, below `parent`."""
    seen: set[str] = set()
    for child in parent.children:
        name = f"{path}{child.tag}"
        if name == "atom:link" and child.attributes.get("rel") == "self":
            yield "atom:link rel=self", "", ""
            continue
        is_read = name in read and not (name in _ONCE and name in seen) and not is_superseded(child, parent)
        attributes = read[name] if is_read else frozenset()
        has_text = bool(child.text.strip())
        seen |= {name} if has_text else set()
        if has_text and not (is_read and name not in _WITHOUT_TEXT) and not kept.has(child.text):
            yield name, "", single_line(child.text)
        for key, value in child.attributes.items():
            if key not in attributes and not kept.has(value):
                yield name, key, single_line(value)
        if not is_read and not has_text and not child.attributes and not child.children:
            yield name, "", ""
        if name != "item":
            yield from _unread(child, read, f"{name}/", kept)


def _comparable(text: str) -> str:
    return "".join(clean_title(text).casefold().split())


def _table(*lists: str) -> dict[str, frozenset[str]]:
    rows = (entry.partition("=") for entry in " ".join(lists).split())
    return {name: frozenset(filter(None, attributes.split(","))) for name, _, attributes in rows}


def _tag_key_rows(in_channel: bool) -> dict[str, frozenset[str]]:
    """The tags of `TAG_KEYS`, as paths, with their attributes."""
    rows = {}
    for row in TAG_KEYS.values():
        if row.in_channel if in_channel else row.in_item:
            attributes = frozenset(attribute for attribute, _ in row.keys.values())
            rows[f"{row.parent}/{row.tag}" if row.parent else row.tag] = attributes
            if row.parent:
                rows[row.parent] = frozenset()
    return rows


# Of these only the first counts
_ONCE = frozenset(
    "title description content:encoded itunes:summary itunes:subtitle itunes:explicit language copyright itunes:type podcast:guid "
    "podcast:medium podcast:license guid pubDate itunes:episode itunes:season".split()
)
_WITHOUT_TEXT = frozenset(
    "item enclosure podcast:transcript podcast:chapters psc:chapters psc:chapters/psc:chapter itunes:category/itunes:category".split()
) | {f"{row.parent}/{row.tag}" if row.parent else row.tag for row in TAG_KEYS.values() if not row.text}
_CHANNEL_READ = _table(_READ_IN_BOTH, _READ_IN_CHANNEL) | _tag_key_rows(True)
_ITEM_READ = _table(_READ_IN_BOTH, _READ_IN_ITEM) | _tag_key_rows(False)
