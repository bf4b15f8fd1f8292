"""One item of a feed: an episode in RSS 2.0, Apple's tags, the Podcasting 2.0 namespace and Podlove chapters."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import format_datetime
from functools import lru_cache
from html import escape
from itertools import groupby
from math import gcd
from typing import NotRequired, TypedDict

from pipeline.feed.ledger import episode_guid, podcast_guid
from pipeline.feed.namespaces import Node, node
from pipeline.model import (
    ChannelOptions,
    Chapter,
    Credit,
    EpisodeInfo,
    FeedTag,
    FeedVariant,
    ItemOptions,
    ShowInfo,
    Soundbite,
    format_clock,
    format_timestamp,
)
from pipeline.templates import labels

DESCRIPTION_BYTES = 4000  # Apple's and PSP-1's limit: bytes of UTF-8, so accents count double
_MIN_LISTED_CHAPTERS = 3  # chapters: Apple and Spotify do not recognise a shorter list
_MAX_CHAPTER_LIST_BYTES = 2500  # the share of a list of chapters; a longer list is left out of the description
_BLANK_LINES, _SPACES = re.compile(r"\n[ \t]*\n\s*"), re.compile(r"[ \t\r\n]+")  # not \s: French no-break spaces stay
_TRANSCRIPTS = {form: f"transcript_{form}" for form in ("vtt", "srt", "json", "html")}  # VTT first: some players read the first only
_CAPTION_FORMATS = ("vtt", "srt")
_CODECS = {"audio": "mp3", "m4a": "mp4a.40.2", "light": "opus"}  # by role, as RFC 6381 names them
_TRANSLATED_ROLE = "transcript_en_vtt"


class ReleaseRow(TypedDict):
    """The fields read here of a file in `release.json`."""

    role: str
    key: str
    type: str
    bytes: int
    sha256: str
    width_px: NotRequired[int]  # of an image
    height_px: NotRequired[int]


@dataclass(frozen=True)
class FeedEpisode:
    """An episode in a feed. `files` are those of its `release.json`, by role."""

    episode: EpisodeInfo
    duration_s: float
    files: dict[str, ReleaseRow]
    chapters: tuple[Chapter, ...]
    options: ItemOptions = ItemOptions()
    soundbites: tuple[Soundbite, ...] = ()

    def audio(self, role: str) -> ReleaseRow:
        """The audio in that role, or the MP3 where the episode has none: AAC that could not be made is left out of its release."""
        return self.files.get(role) or self.files["audio"]


@dataclass(frozen=True)
class FeedContext:
    """What the items of a feed share: the show, its feed options, its images, and which of its feeds this is."""

    show: ShowInfo
    options: ChannelOptions
    images: tuple[ReleaseRow, ...]  # the cover, then those of `options.images`
    variant: FeedVariant

    @property
    def url(self) -> str:
        """The feed's own URL."""
        return self.show.website + self.variant.key


def item_nodes(context: FeedContext, feed_episode: FeedEpisode) -> list[Node]:
    """All nodes of an item: first those of RSS 2.0, without a prefix."""
    episode, audio = feed_episode.episode, feed_episode.audio(context.variant.audio)
    show = context.show.in_language_of(episode)
    page = f"{show.website}{episode.slug}/"
    guid = episode.guid or episode_guid(show.guid or podcast_guid(show.website + "feed.xml"), episode.slug)
    return [
        node("title", episode.title),
        node("link", page),
        node("description", item_description(feed_episode, page, show.language)),
        node("guid", guid, isPermaLink="false"),
        node("enclosure", url=show.website + audio["key"], length=str(audio["bytes"]), type=audio["type"]),
        node("pubDate", format_datetime(episode.published)),
        *_apple_nodes(context, feed_episode),
        *_podcast_nodes(context, feed_episode),
    ]


def _apple_nodes(context: FeedContext, feed_episode: FeedEpisode) -> Iterator[Node]:
    """Apple's tags."""
    episode = feed_episode.episode
    yield node("itunes:duration", str(max(1, round(feed_episode.duration_s))))
    if episode.summary:
        yield node("itunes:summary", episode.summary)
    if episode.season is not None:
        yield node("itunes:season", str(episode.season))
    if episode.number is not None:
        yield node("itunes:episode", str(episode.number))
    yield node("itunes:episodeType", episode.kind)
    yield node("itunes:explicit", str(episode.explicit).lower())
    if feed_episode.options.hidden:
        yield node("itunes:block", "Yes")
    if "cover" in feed_episode.files:
        yield node("itunes:image", href=context.show.website + feed_episode.files["cover"]["key"])


def _podcast_nodes(context: FeedContext, feed_episode: FeedEpisode) -> Iterator[Node]:
    """The item's tags of the Podcasting 2.0 and Podlove namespaces."""
    episode, options, files = feed_episode.episode, feed_episode.options, feed_episode.files
    show = context.show.in_language_of(episode)
    if "cover" in files:
        yield image_node(show, files["cover"], "", "artwork")
    for form, role in _TRANSCRIPTS.items():
        if role in files:
            yield _transcript_node(show, form, files[role])
    if _TRANSLATED_ROLE in files:
        yield _transcript_node(show, "vtt", files[_TRANSLATED_ROLE], "en")
    yield node("podcast:chapters", url=show.website + files["chapters"]["key"], type=files["chapters"]["type"])
    if episode.season is not None:
        yield node("podcast:season", str(episode.season), name=dict(context.options.seasons).get(episode.season, ""))
    if episode.number is not None:
        yield node("podcast:episode", str(episode.number), display=options.number_label)
    yield from map(person_node, episode.credits)  # they replace the show's credits, so hosts are included
    yield from license_nodes(options.license, options.license_url)
    for soundbite in feed_episode.soundbites:
        yield node(
            "podcast:soundbite",
            soundbite.title,
            startTime=_format_seconds(soundbite.start_s),
            duration=_format_seconds(soundbite.duration_s),
        )
    enclosed = feed_episode.audio(context.variant.audio)
    for role in _CODECS:
        if role in files and role != enclosed["role"]:
            yield _alternate_enclosure_node(show, files[role], feed_episode.duration_s)
    yield from tag_nodes(options.tags)
    yield node("psc:chapters", "", *map(_chapter_node, feed_episode.chapters), version="1.2")


def item_description(feed_episode: FeedEpisode, page: str, language: str) -> str:
    """The description in HTML, at most `DESCRIPTION_BYTES`: paragraphs, truncated if necessary, chapters, the transcript link."""
    link = f'<p><a href="{escape(page)}">{_labels(language)[0]}</a></p>' + (
        _paragraph_html(_labels(language)[2]) if _TRANSLATED_ROLE in feed_episode.files else ""
    )
    chapter_list = "".join(
        _paragraph_html(f"{format_clock(chapter.start_s, always_hours=True)} {chapter.title}") for chapter in feed_episode.chapters
    )
    tail = (
        chapter_list if len(feed_episode.chapters) >= _MIN_LISTED_CHAPTERS and len(chapter_list.encode()) <= _MAX_CHAPTER_LIST_BYTES else ""
    ) + link
    return html_paragraphs(feed_episode.episode.description or feed_episode.episode.summary, DESCRIPTION_BYTES - len(tail.encode())) + tail


def html_paragraphs(text: str, limit_bytes: int, format_paragraph: Callable[[str], str] | None = None) -> str:
    """Paragraphs, separated by blank lines, as `<p>` (or through `format_paragraph`), at most `limit_bytes` in all, cut after a word."""
    format_paragraph, written = format_paragraph or _paragraph_html, ""
    for paragraph in _BLANK_LINES.split(text.strip()):
        is_collapsed = not any(space in paragraph for space in ("  ", "\n", "\t", "\r"))
        candidate = written + format_paragraph(paragraph if is_collapsed else _SPACES.sub(" ", paragraph))
        if len(candidate.encode()) > limit_bytes:
            words = _SPACES.split(paragraph)[:limit_bytes]
            while words and len((written + format_paragraph(" ".join(words) + "…")).encode()) > limit_bytes:
                words.pop()
            return written + format_paragraph(" ".join(words) + "…") if words else written
        written = candidate
    return written


def plain_paragraphs(text: str, limit_bytes: int) -> str:
    """The same as plain text with blank lines: in a channel, gPodder shows HTML tags and the W3C validator refuses them."""
    return html_paragraphs(text, limit_bytes, "{}\n\n".format).rstrip("\n")


def _chapter_node(chapter: Chapter) -> Node:
    start, title = format_timestamp(chapter.start_s), chapter.title
    if chapter.image:
        return node("psc:chapter", start=start, title=title, href=chapter.url, image=chapter.image)
    return node("psc:chapter", start=start, title=title, href=chapter.url) if chapter.url else node("psc:chapter", start=start, title=title)


def _transcript_node(show: ShowInfo, form: str, file: ReleaseRow, language: str = "") -> Node:
    kind, rel = file["type"].partition(";")[0], "captions" if form in _CAPTION_FORMATS else ""
    return node("podcast:transcript", url=show.website + file["key"], type=kind, language=language or show.language, rel=rel)


def _alternate_enclosure_node(show: ShowInfo, file: ReleaseRow, duration_s: float) -> Node:
    """The audio in another format, with its digest in the form of Subresource Integrity (W3C)."""
    return node(
        "podcast:alternateEnclosure",
        "",
        node("podcast:source", uri=show.website + file["key"], contentType=file["type"]),
        node("podcast:integrity", type="sri", value="sha256-" + b64encode(bytes.fromhex(file["sha256"])).decode()),
        type=file["type"],
        length=str(file["bytes"]),
        bitrate=str(round(file["bytes"] * 8 / max(duration_s, 1))),
        title={"audio": "MP3", "m4a": "AAC"}.get(file["role"]) or _labels(show.language)[1],
        codecs=_CODECS[file["role"]],
    )


@lru_cache(4096)
def person_node(credit: Credit) -> Node:
    """podcast:person: role and group of the taxonomy, in lower case."""
    person = credit.person
    return node("podcast:person", person.name, role=credit.role.lower(), group=credit.group.lower(), img=person.image, href=person.url)


def image_node(show: ShowInfo, file: ReleaseRow, alt: str, purpose: str) -> Node:
    """podcast:image with its aspect ratio and size."""
    width_px, height_px = file.get("width_px", 0), file.get("height_px", 0)
    divisor = gcd(width_px, height_px)
    aspect_ratio = f"{width_px // divisor}/{height_px // divisor}" if divisor else "1/1"
    sizes = {"width": str(width_px or ""), "height": str(height_px or "")}
    return node(
        "podcast:image", href=show.website + file["key"], alt=alt, aspect_ratio=aspect_ratio, **sizes, type=file["type"], purpose=purpose
    )


def license_nodes(name: str, url: str) -> list[Node]:
    """podcast:license, when there is a licence."""
    return [node("podcast:license", name, url=url)] if name else []


@lru_cache(4096)
def tag_nodes(tags: tuple[FeedTag, ...]) -> tuple[Node, ...]:
    """The configured tags; consecutive tags with the same parent are grouped in it."""
    nodes_found: list[Node] = []
    for parent, children in groupby(tags, key=lambda tag: tag.inside):
        nodes = [node(tag.tag, tag.text, **{name.replace("-", "_"): value for name, value in tag.attributes}) for tag in children]
        nodes_found += [node(parent, "", *nodes)] if parent else nodes
    return tuple(nodes_found)


def _format_seconds(time_s: float) -> str:
    """Seconds without trailing zeros: 31.5, 60."""
    return f"{time_s:.3f}".rstrip("0").rstrip(".")


def _paragraph_html(text: str) -> str:
    return f"<p>{escape(text, quote=False)}</p>" if text else ""


def _labels(language: str) -> tuple[str, str, str]:
    words = labels("feed", language)
    return words["transcript"], words["light"], words["translated"]
