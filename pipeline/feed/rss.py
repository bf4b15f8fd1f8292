"""The feed: RSS 2.0 with the iTunes, Podcasting 2.0 and Podlove namespaces, from the show's texts and its episodes' releases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.audio import publish_soundbites
from pipeline.engine import read_json, write_atomic
from pipeline.feed.ledger import podcast_guid
from pipeline.feed.namespaces import ChannelExtension, ItemExtension, Node, node, serialise_nodes, xml_safe
from pipeline.feed.rss_item import (
    DESCRIPTION_BYTES,
    FeedContext,
    FeedEpisode,
    image_node,
    item_nodes,
    license_nodes,
    person_node,
    plain_paragraphs,
    tag_nodes,
)
from pipeline.model import (
    ChannelOptions,
    EpisodeInfo,
    FeedVariant,
    ItemOptions,
    ShowInfo,
    Soundbite,
    language_matches,
    removals_from_json,
)
from pipeline.transcript import read_chapters

if TYPE_CHECKING:
    from lxml.etree import _Element

DEFAULT_OPTIONS = ChannelOptions()


def write_feed(
    releases: tuple[Path, ...],
    cover: Path,
    chapters: tuple[Path, ...],
    edits: tuple[Path, ...] = (),
    *,
    feed: Path,
    show: ShowInfo,
    episodes: tuple[EpisodeInfo, ...],
    options: ChannelOptions = DEFAULT_OPTIONS,
    items: tuple[ItemOptions, ...] = (),
    soundbites: tuple[tuple[Soundbite, ...], ...] = (),
    edited: tuple[str, ...] = (),
    **others: Path,
) -> None:
    """Write the main feed, and the feeds of `options.others` to `others`, in that order.

    `releases`, `chapters`, `items` and `soundbites` are in the order of `episodes`; feeds list the newest first.
    `edits` belong to the episodes with the slugs `edited`, which have cuts: their soundbites are moved.
    """
    removals = {slug: removals_from_json(read_json(path)) for slug, path in zip(edited, edits, strict=True)}
    written = zip(soundbites or ((),) * len(episodes), episodes, strict=True)
    bites = [publish_soundbites(each, removals.get(episode.slug, ())) for each, episode in written]
    extras = zip(items or (ItemOptions(),) * len(episodes), bites, strict=True)
    rows = [(*one, *rest) for one, rest in zip(zip(episodes, releases, chapters, strict=True), extras, strict=True)]
    rows.sort(key=lambda row: row[0].published, reverse=True)
    images = tuple(read_json(cover)["files"])
    main = FeedVariant(
        "feed", private=options.private, moved_to=options.moved_to, key=options.key, guid=show.guid, language=options.language
    )
    for variant, path in zip((main, *options.others), (feed, *others.values()), strict=True):
        selected = [row for row in rows if _includes(variant, show, row[0])]
        trailers = tuple(_load_episode(*row) for row in selected if row[0].kind == "trailer")
        context = FeedContext(show, options, images, variant)
        write_atomic(path, render_feed(context, [row[0] for row in selected], trailers, (_load_episode(*row) for row in selected)))


def _includes(variant: FeedVariant, show: ShowInfo, episode: EpisodeInfo) -> bool:
    """Whether a feed includes an episode."""
    return variant.season in (None, episode.season) and language_matches(episode.language or show.language, variant.language)


def render_feed(
    context: FeedContext, episodes: list[EpisodeInfo], trailers: tuple[FeedEpisode, ...], published: Iterable[FeedEpisode]
) -> bytes:
    """The feed's bytes, reproducible; `episodes` and `published` are the same episodes, the newest first.

    feedgen writes the channel. Items are built as text: an XML tree of each takes several times as long.
    """
    from feedgen.feed import FeedGenerator
    from lxml import etree

    context = xml_safe(context)
    generator = FeedGenerator()
    generator.load_extension("podcast")
    generator.register_extension("podcasting", ChannelExtension, ItemExtension, atom=False)
    _fill_channel(generator, context, trailers)
    last_build_date = context.options.built or (episodes[0].published if episodes else None)
    if episodes:
        generator.pubDate(episodes[0].published)
    if last_build_date:
        generator.lastBuildDate(last_build_date)  # never the clock: the same input gives the same bytes
    else:
        generator.podcasting.omit_build_date = True
    head, tail = _split_at_items(etree.fromstring(generator.rss_str()))
    items = (
        part
        for episode in published
        for part in (b"    <item>\n", serialise_nodes(item_nodes(context, episode), "      "), b"    </item>\n")
    )
    return b"".join((head, *items, tail))


def _split_at_items(rss_element: _Element) -> tuple[bytes, bytes]:
    """The serialised feed before and after its items."""
    from lxml import etree

    etree.indent(rss_element, space="  ")
    data = etree.tostring(rss_element, encoding="UTF-8", xml_declaration=True) + b"\n"
    at = data.rindex(b"  </channel>")
    return data[:at], data[at:]


def _fill_channel(generator: Any, context: FeedContext, trailers: tuple[FeedEpisode, ...]) -> None:  # feedgen has no types
    show, options, variant = context.show, context.options, context.variant
    generator.title(variant.title or show.title)
    generator.description(plain_paragraphs(variant.description or show.description, DESCRIPTION_BYTES) or show.title)
    generator.link(href=context.url, rel="self", type="application/rss+xml")
    generator.link(href=show.website, rel="alternate")  # last: feedgen uses the last link of any kind as the channel's
    generator.language(show.language if language_matches(show.language, variant.language) else variant.language)
    generator.generator("Causerie")
    if show.copyright:
        generator.copyright(show.copyright)
    generator.podcast.itunes_author(show.author)
    generator.podcast.itunes_type(show.kind)
    generator.podcast.itunes_category([dict(zip(("cat", "sub"), names, strict=False)) for names in show.categories])
    is_hidden = options.hidden or variant.private
    generator.podcasting.add(
        node("itunes:image", href=show.website + context.images[0]["key"]),
        node("itunes:explicit", str(show.explicit).lower()),
        *([node("itunes:block", "Yes")] if is_hidden else []),
        *([node("itunes:complete", "Yes")] if options.complete else []),
        *([node("itunes:new-feed-url", variant.moved_to)] if variant.moved_to else []),
        node("podcast:guid", variant.guid or podcast_guid(context.url)),
        *([_owner_node(show)] if options.owner and not variant.private else []),
        node("podcast:locked", "yes" if options.locked else "no", owner=show.email),
        *([node("podcast:block", "yes")] if is_hidden else []),
        node("podcast:medium", options.medium),
        *_image_nodes(context),
        *license_nodes(show.license, options.license_url),
        *map(person_node, show.credits),
        *(_trailer_node(context, trailer) for trailer in trailers),
        *tag_nodes(options.tags),
    )


def _owner_node(show: ShowInfo) -> Node:
    """itunes:owner: the address to which directories send a code when the show is claimed there."""
    return node("itunes:owner", "", node("itunes:name", show.author), node("itunes:email", show.email))


def _image_nodes(context: FeedContext) -> Iterator[Node]:
    """podcast:image of the cover, then of the other images."""
    cover, *others = context.images
    yield image_node(context.show, cover, context.show.cover_alt, "artwork")
    for file, options in zip(others, context.options.images, strict=True):
        yield image_node(context.show, file, options.alt, options.purpose)


def _trailer_node(context: FeedContext, trailer: FeedEpisode) -> Node:
    audio, season = trailer.audio(context.variant.audio), trailer.episode.season
    return node(
        "podcast:trailer",
        trailer.episode.title,
        pubdate=format_datetime(trailer.episode.published),
        url=context.show.website + audio["key"],
        length=str(audio["bytes"]),
        type=audio["type"],
        season=str(season or ""),
    )


def _load_episode(
    episode: EpisodeInfo, release: Path, chapters: Path, options: ItemOptions, soundbites: tuple[Soundbite, ...]
) -> FeedEpisode:
    release_json = read_json(release)
    files = {file["role"]: file for file in release_json["files"]}
    return FeedEpisode(episode, release_json["duration_s"], files, read_chapters(chapters), options, soundbites)
