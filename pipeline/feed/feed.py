"""The feed: RSS 2.0 with the iTunes, Podcasting 2.0 and Podlove namespaces, from the show's texts and its episodes' releases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.feed.chapters import read_chapters
from pipeline.feed.items import DESCRIPTION_BYTES, Published, Whole, asked, image, item, license, person, plain
from pipeline.feed.ledger import podcast_guid
from pipeline.feed.podcast_ext import Channel, Item, Node, markup, node, xml_safe
from pipeline.feed_model import ChannelOptions, ItemOptions, OtherFeed
from pipeline.files import read_json, write_whole
from pipeline.model import EpisodeInfo, ShowInfo
from pipeline.sound_model import Soundbite
from pipeline.text import speaks

if TYPE_CHECKING:
    from lxml.etree import _Element

NOTHING_ASKED = ChannelOptions()


def feed(
    releases: tuple[Path, ...],
    cover: Path,
    chapters: tuple[Path, ...],
    *,
    feed: Path,
    show: ShowInfo,
    episodes: tuple[EpisodeInfo, ...],
    options: ChannelOptions = NOTHING_ASKED,
    items: tuple[ItemOptions, ...] = (),
    soundbites: tuple[tuple[Soundbite, ...], ...] = (),
    **others: Path,
) -> None:
    """Write the main feed, and the feeds of `options.others` to `others`, in that order.

    `releases`, `chapters`, `items` and `soundbites` are in the order of `episodes`; feeds list the newest first.
    """
    more = zip(items or (ItemOptions(),) * len(episodes), soundbites or ((),) * len(episodes), strict=True)
    rows = [(*one, *rest) for one, rest in zip(zip(episodes, releases, chapters, strict=True), more, strict=True)]
    rows.sort(key=lambda row: row[0].published, reverse=True)
    art = tuple(read_json(cover)["files"])
    main = OtherFeed("feed", private=options.private, moved_to=options.moved_to, key=options.key, guid=show.guid, language=options.language)
    for which, place in zip((main, *options.others), (feed, *others.values()), strict=True):
        mine = [row for row in rows if _is_in(which, show, row[0])]
        trailers = tuple(_published(*row) for row in mine if row[0].kind == "trailer")
        whole = Whole(show, options, art, which)
        write_whole(place, rss(whole, [row[0] for row in mine], trailers, (_published(*row) for row in mine)))


def _is_in(which: OtherFeed, show: ShowInfo, episode: EpisodeInfo) -> bool:
    """Whether a feed includes an episode."""
    return which.season in (None, episode.season) and speaks(episode.language or show.language, which.language)


def rss(whole: Whole, episodes: list[EpisodeInfo], trailers: tuple[Published, ...], published: Iterable[Published]) -> bytes:
    """The feed's bytes, reproducible; `episodes` and `published` are the same episodes, the newest first.

    feedgen writes the channel. Items are built as text: an XML tree of each takes several times as long.
    """
    from feedgen.feed import FeedGenerator
    from lxml import etree

    whole = xml_safe(whole)
    made = FeedGenerator()
    made.load_extension("podcast")
    made.register_extension("podcasting", Channel, Item, atom=False)
    _channel(made, whole, trailers)
    built = whole.options.built or (episodes[0].published if episodes else None)
    if episodes:
        made.pubDate(episodes[0].published)
    if built:
        made.lastBuildDate(built)  # never the clock: the same input gives the same bytes
    else:
        made.podcasting.undated = True
    head, tail = _around(etree.fromstring(made.rss_str()))
    items = (part for one in published for part in (b"    <item>\n", markup(item(whole, one), "      "), b"    </item>\n"))
    return b"".join((head, *items, tail))


def _around(head: _Element) -> tuple[bytes, bytes]:
    """The serialised feed before and after its items."""
    from lxml import etree

    etree.indent(head, space="  ")
    data = etree.tostring(head, encoding="UTF-8", xml_declaration=True) + b"\n"
    at = data.rindex(b"  </channel>")
    return data[:at], data[at:]


def _channel(made: Any, whole: Whole, trailers: tuple[Published, ...]) -> None:  # feedgen has no types
    show, options, which = whole.show, whole.options, whole.which
    made.title(which.title or show.title)
    made.description(plain(which.description or show.description, DESCRIPTION_BYTES) or show.title)
    made.link(href=whole.url, rel="self", type="application/rss+xml")
    made.link(href=show.website, rel="alternate")  # last: feedgen uses the last link of any kind as the channel's
    made.language(show.language if speaks(show.language, which.language) else which.language)
    made.generator("Causerie")
    if show.copyright:
        made.copyright(show.copyright)
    made.podcast.itunes_author(show.author)
    made.podcast.itunes_type(show.kind)
    made.podcast.itunes_category([dict(zip(("cat", "sub"), names, strict=False)) for names in show.categories])
    hidden = options.hidden or which.private
    made.podcasting.add(
        node("itunes:image", href=show.website + whole.art[0]["key"]),
        node("itunes:explicit", str(show.explicit).lower()),
        *([node("itunes:block", "Yes")] if hidden else []),
        *([node("itunes:complete", "Yes")] if options.complete else []),
        *([node("itunes:new-feed-url", which.moved_to)] if which.moved_to else []),
        node("podcast:guid", which.guid or podcast_guid(whole.url)),
        *([_owner(show)] if options.owner and not which.private else []),
        node("podcast:locked", "yes" if options.locked else "no", owner=show.email),
        *([node("podcast:block", "yes")] if hidden else []),
        node("podcast:medium", options.medium),
        *_pictures(whole),
        *license(show.license, options.license_url),
        *map(person, show.credits),
        *(_trailer(whole, one) for one in trailers),
        *asked(options.tags),
    )


def _owner(show: ShowInfo) -> Node:
    """itunes:owner: the address to which directories send a code when the show is claimed there."""
    return node("itunes:owner", "", node("itunes:name", show.author), node("itunes:email", show.email))


def _pictures(whole: Whole) -> Iterator[Node]:
    """podcast:image of the cover, then of the other images."""
    cover, *others = whole.art
    yield image(whole.show, cover, whole.show.cover_alt, "artwork")
    for file, wanted in zip(others, whole.options.images, strict=True):
        yield image(whole.show, file, wanted.alt, wanted.purpose)


def _trailer(whole: Whole, one: Published) -> Node:
    audio, season = one.files[whole.which.audio], one.episode.season
    return node(
        "podcast:trailer",
        one.episode.title,
        pubdate=format_datetime(one.episode.published),
        url=whole.show.website + audio["key"],
        length=str(audio["bytes"]),
        type=audio["type"],
        season=str(season or ""),
    )


def _published(episode: EpisodeInfo, release: Path, chapters: Path, options: ItemOptions, soundbites: tuple[Soundbite, ...]) -> Published:
    value = read_json(release)
    files = {file["role"]: file for file in value["files"]}
    return Published(episode, value["duration_s"], files, read_chapters(chapters), options, soundbites)
