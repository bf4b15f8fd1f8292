"""An import loses nothing in silence: every element and attribute of a feed is kept, or named in its report."""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.feed.imports.converter import ImportedShow, convert_feed
from pipeline.feed.imports.toml_writer import format_episode_toml, format_show_toml, import_manifest, initial_ledger
from pipeline.feed.imports.xml_repair import NAMESPACES
from pipeline.feed.ledger import ledger_to_json
from tests.feed.imports.test_converter import SOUND, show, told

TAGS = (
    "title link description guid pubDate enclosure category comments source author image skipDays textInput cloud webMaster managingEditor "
    "generator docs ttl lastBuildDate copyright language itunes:author itunes:title itunes:subtitle itunes:summary itunes:keywords itunes:image "
    "itunes:owner itunes:name itunes:email itunes:duration itunes:episode itunes:season itunes:explicit itunes:category itunes:block "
    "podcast:alternateEnclosure podcast:source podcast:value podcast:valueRecipient podcast:person podcast:season podcast:episode "
    "podcast:trailer podcast:chat podcast:license podcast:location podcast:funding podcast:image podcast:guid podcast:txt podcast:transcript "
    "podcast:chapters podcast:soundbite content:encoded dc:creator dc:date dc:subject media:content media:thumbnail atom:link "
    "psc:chapters psc:chapter googleplay:author rawvoice:rating"
).split()
ATTRIBUTES = "url href type length text role group img name display rel version start value address split geo alt label".split()
MARKUP = ("description", "content:encoded", "itunes:summary")  # what is inside is HTML: `html_to_text` tells what of it is lost
Node = tuple[str, str, dict[str, str], list["Node"]]


@st.composite
def nodes(draw: st.DrawFn, depth: int = 2) -> Node:
    """An element of a feed with values that occur nowhere else."""
    value = st.builds("zq{:08x}".format, st.integers(0, 2**32 - 1))
    address = st.builds("https://example.net/{}".format, value)
    attributes = draw(st.dictionaries(st.sampled_from(ATTRIBUTES), st.one_of(value, address), max_size=3))
    children = draw(st.lists(nodes(depth=depth - 1), max_size=2)) if depth else []
    tag = draw(st.sampled_from(TAGS))
    return tag, draw(st.one_of(st.just(""), value, address)), attributes, children if tag not in MARKUP else []


def xml(node: Node) -> str:
    tag, text, attributes, children = node
    return f"<{tag}{''.join(f' {k}={quoteattr(v)}' for k, v in attributes.items())}>{escape(text)}{''.join(map(xml, children))}</{tag}>"


def imported(inside: str) -> ImportedShow:
    """The import of a channel; its own title, and an item with sound, come first."""
    declared = "".join(f' xmlns:{prefix}="{address}"' for prefix, address in NAMESPACES.items())
    return convert_feed(f'<rss version="2.0"{declared}><channel><title>T</title>{inside}</channel></rss>'.encode(), "x")


def everything_written(found: ImportedShow) -> str:
    """All that an import writes, except the feed itself and the report."""
    episodes = (format_episode_toml(item, found.info.explicit, item.chapters, item.image) for item in found.items)
    links = (f"{item.image} {item.chapters_url} {item.transcripts}" for item in found.items)  # what `staging` downloads
    ledger, manifest = ledger_to_json(initial_ledger(found)), import_manifest(found, "", "")
    return "\n".join((format_show_toml(found, found.image), *episodes, *links, str(ledger), str(manifest)))


def lost_in_silence(node: Node, written: str, report: str) -> list[str]:
    """The texts and attributes that are neither written nor named with their element."""
    tag, text, attributes, children = node
    name = tag.rpartition(":")[2]
    values = {"text": text, **attributes}
    told_of = re.search(rf"\b{name}\b", report) is not None
    lost = [
        f"{tag} {key}: {value}" for key, value in values.items() if value and value not in written and value not in report and not told_of
    ]
    return lost + [each for child in children for each in lost_in_silence(child, written, report)]


@given(st.lists(nodes(), max_size=3), st.lists(nodes(), max_size=4))
@settings(max_examples=60, deadline=None)
def test_an_import_loses_nothing_in_silence(of_show: list[Node], of_item: list[Node]) -> None:
    item = f"<item>{SOUND.format(1)}<title>E</title>{''.join(map(xml, of_item))}</item>"
    found = imported("".join(map(xml, of_show)) + item)
    written, report = everything_written(found), "\n".join(note.text for note in found.notes)
    assert [lost for node in (*of_show, *of_item) for lost in lost_in_silence(node, written, report)] == []


def test_an_author_and_a_title_of_an_items_own_are_told_once_for_all_items() -> None:
    inside = "<itunes:author>Invitée</itunes:author><itunes:title>Autre</itunes:title>"
    found = show(*(f"<title>{name}</title><guid>{name}</guid>{SOUND.format(name)}{inside}" for name in "ab"))
    assert "item <itunes:author>, 2 times, “Invitée”: kept only in feeds/imported.xml" in told(found, "show")
    assert "item <itunes:title>, 2 times, “Autre”" in told(found, "show")


def test_what_the_show_says_as_well_is_not_lost() -> None:
    found = show(
        f"<title>a</title><itunes:title>a</itunes:title><itunes:author>A</itunes:author>{SOUND.format(1)}",
        of_show="<itunes:author>A</itunes:author>",
    )
    assert "itunes:" not in told(found, "show")


def test_further_pages_of_a_feed_are_told() -> None:
    atom = '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="https://example.org/feed?page=2"/>'
    assert "atom:link rel= href=" in told(show(f"<title>a</title>{SOUND.format(1)}", of_show=atom), "show")


def test_what_stands_outside_the_channel_is_told(tmp_path: Path) -> None:
    feed = f"<rss><channel><title>T</title><item><title>a</title>{SOUND.format(1)}</item></channel><item/></rss>"
    assert "<item> outside the channel" in told(convert_feed(feed.encode(), "x"), "show")
