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
from pipeline.feed.podcast_ext import Node, node
from pipeline.feed_model import ChannelOptions, FeedTag, ItemOptions, OtherFeed
from pipeline.model import Chapter, Credit, EpisodeInfo, ShowInfo
from pipeline.sound_model import Soundbite
from pipeline.text import hms, hms_ms

DESCRIPTION_BYTES = 4000  # Apple's and PSP-1's limit: bytes of UTF-8, so accents count double
_FEWEST_LISTED = 3  # chapters: Apple and Spotify do not recognise a shorter list
_CHAPTERS_BYTES = 2500  # the share of a list of chapters; a longer list is left out of the description
_BLANK_LINES, _SPACES = re.compile(r"\n[ \t]*\n\s*"), re.compile(r"[ \t\r\n]+")  # not \s: French no-break spaces stay
_TRANSCRIPTS = {form: f"transcript_{form}" for form in ("vtt", "srt", "json", "html")}  # VTT first: some players read the first only
_TIMED = ("vtt", "srt")
_CODECS = {"audio": "mp3", "m4a": "mp4a.40.2", "light": "opus"}  # by role, as RFC 6381 names them
_TRANSLATED = "transcript_en_vtt"
_WORDS = {
    "fr": ("Lire la transcription", "Version légère", "Sous-titres en anglais : traduction automatique."),
    "en": ("Read the transcript", "Light version", "English captions: machine translation."),
}


class ReleaseFile(TypedDict):
    """The fields read here of a file in `release.json`."""

    role: str
    key: str
    type: str
    bytes: int
    sha256: str
    width_px: NotRequired[int]  # of an image
    height_px: NotRequired[int]


@dataclass(frozen=True)
class Published:
    """An episode in a feed. `files` are those of its `release.json`, by role."""

    episode: EpisodeInfo
    duration_s: float
    files: dict[str, ReleaseFile]
    chapters: tuple[Chapter, ...]
    options: ItemOptions = ItemOptions()
    soundbites: tuple[Soundbite, ...] = ()


@dataclass(frozen=True)
class Whole:
    """What the items of a feed share: the show, its feed options, its images, and which of its feeds this is."""

    show: ShowInfo
    options: ChannelOptions
    art: tuple[ReleaseFile, ...]  # the cover, then those of `options.images`
    which: OtherFeed

    @property
    def url(self) -> str:
        """The feed's own URL."""
        return self.show.website + self.which.key


def item(whole: Whole, one: Published) -> list[Node]:
    """All nodes of an item: first those of RSS 2.0, without a prefix."""
    episode, audio = one.episode, one.files[whole.which.audio]
    show = whole.show.spoken_in(episode)
    page = f"{show.website}{episode.slug}/"
    guid = episode.guid or episode_guid(show.guid or podcast_guid(show.website + "feed.xml"), episode.slug)
    return [
        node("title", episode.title),
        node("link", page),
        node("description", description(one, page, show.language)),
        node("guid", guid, isPermaLink="false"),
        node("enclosure", url=show.website + audio["key"], length=str(audio["bytes"]), type=audio["type"]),
        node("pubDate", format_datetime(episode.published)),
        *_apple(whole, one),
        *_podcasting(whole, one),
    ]


def _apple(whole: Whole, one: Published) -> Iterator[Node]:
    """Apple's tags."""
    episode = one.episode
    yield node("itunes:duration", str(max(1, round(one.duration_s))))
    if episode.summary:
        yield node("itunes:summary", episode.summary)
    if episode.season is not None:
        yield node("itunes:season", str(episode.season))
    if episode.number is not None:
        yield node("itunes:episode", str(episode.number))
    yield node("itunes:episodeType", episode.kind)
    yield node("itunes:explicit", str(episode.explicit).lower())
    if one.options.hidden:
        yield node("itunes:block", "Yes")
    if "cover" in one.files:
        yield node("itunes:image", href=whole.show.website + one.files["cover"]["key"])


def _podcasting(whole: Whole, one: Published) -> Iterator[Node]:
    """The item's tags of the Podcasting 2.0 and Podlove namespaces."""
    episode, options, files = one.episode, one.options, one.files
    show = whole.show.spoken_in(episode)
    if "cover" in files:
        yield image(show, files["cover"], "", "artwork")
    for form, role in _TRANSCRIPTS.items():
        if role in files:
            yield _transcript(show, form, files[role])
    if _TRANSLATED in files:
        yield _transcript(show, "vtt", files[_TRANSLATED], "en")
    yield node("podcast:chapters", url=show.website + files["chapters"]["key"], type=files["chapters"]["type"])
    if episode.season is not None:
        yield node("podcast:season", str(episode.season), name=dict(whole.options.seasons).get(episode.season, ""))
    if episode.number is not None:
        yield node("podcast:episode", str(episode.number), display=options.number_label)
    yield from map(person, episode.credits)  # they replace the show's credits, so hosts are included
    yield from license(options.license, options.license_url)
    for bite in one.soundbites:
        yield node("podcast:soundbite", bite.title, startTime=_seconds(bite.start_s), duration=_seconds(bite.duration_s))
    for role in _CODECS:
        if role in files and role != whole.which.audio:
            yield _alternate(show, files[role], one.duration_s)
    yield from asked(options.tags)
    yield node("psc:chapters", "", *map(_mark, one.chapters), version="1.2")


def description(one: Published, page: str, language: str) -> str:
    """The description in HTML, at most `DESCRIPTION_BYTES`: paragraphs, truncated if necessary, chapters, the transcript link."""
    link = f'<p><a href="{escape(page)}">{_words(language)[0]}</a></p>' + (_p(_words(language)[2]) if _TRANSLATED in one.files else "")
    listed = "".join(_p(f"{hms(chapter.start_s, always_hours=True)} {chapter.title}") for chapter in one.chapters)
    tail = (listed if len(one.chapters) >= _FEWEST_LISTED and len(listed.encode()) <= _CHAPTERS_BYTES else "") + link
    return paragraphs(one.episode.description or one.episode.summary, DESCRIPTION_BYTES - len(tail.encode())) + tail


def paragraphs(text: str, limit_bytes: int, write: Callable[[str], str] | None = None) -> str:
    """Paragraphs, separated by blank lines, as `<p>` (or through `format_paragraph`), at most `limit_bytes` in all, cut after a word."""
    write, written = write or _p, ""
    for paragraph in _BLANK_LINES.split(text.strip()):
        even = not any(space in paragraph for space in ("  ", "\n", "\t", "\r"))
        whole = written + write(paragraph if even else _SPACES.sub(" ", paragraph))
        if len(whole.encode()) > limit_bytes:
            words = _SPACES.split(paragraph)[:limit_bytes]
            while words and len((written + write(" ".join(words) + "…")).encode()) > limit_bytes:
                words.pop()
            return written + write(" ".join(words) + "…") if words else written
        written = whole
    return written


def plain(text: str, limit_bytes: int) -> str:
    """The same as plain text with blank lines: in a channel, gPodder shows HTML tags and the W3C validator refuses them."""
    return paragraphs(text, limit_bytes, "{}\n\n".format).rstrip("\n")


def _mark(chapter: Chapter) -> Node:
    start, title = hms_ms(chapter.start_s), chapter.title
    if chapter.image:
        return node("psc:chapter", start=start, title=title, href=chapter.url, image=chapter.image)
    return node("psc:chapter", start=start, title=title, href=chapter.url) if chapter.url else node("psc:chapter", start=start, title=title)


def _transcript(show: ShowInfo, form: str, file: ReleaseFile, language: str = "") -> Node:
    kind, rel = file["type"].partition(";")[0], "captions" if form in _TIMED else ""
    return node("podcast:transcript", url=show.website + file["key"], type=kind, language=language or show.language, rel=rel)


def _alternate(show: ShowInfo, file: ReleaseFile, duration_s: float) -> Node:
    """The audio in another format, with its digest in the form of Subresource Integrity (W3C)."""
    return node(
        "podcast:alternateEnclosure",
        "",
        node("podcast:source", uri=show.website + file["key"], contentType=file["type"]),
        node("podcast:integrity", type="sri", value="sha256-" + b64encode(bytes.fromhex(file["sha256"])).decode()),
        type=file["type"],
        length=str(file["bytes"]),
        bitrate=str(round(file["bytes"] * 8 / max(duration_s, 1))),
        title={"audio": "MP3", "m4a": "AAC"}.get(file["role"]) or _words(show.language)[1],
        codecs=_CODECS[file["role"]],
    )


@lru_cache(4096)
def person(credit: Credit) -> Node:
    """podcast:person: role and group of the taxonomy, in lower case."""
    who = credit.person
    return node("podcast:person", who.name, role=credit.role.lower(), group=credit.group.lower(), img=who.image, href=who.url)


def image(show: ShowInfo, file: ReleaseFile, alt: str, purpose: str) -> Node:
    """podcast:image with its aspect ratio and size."""
    width_px, height_px = file.get("width_px", 0), file.get("height_px", 0)
    common = gcd(width_px, height_px)
    shape = f"{width_px // common}/{height_px // common}" if common else "1/1"
    sizes = {"width": str(width_px or ""), "height": str(height_px or "")}
    return node("podcast:image", href=show.website + file["key"], alt=alt, aspect_ratio=shape, **sizes, type=file["type"], purpose=purpose)


def license(name: str, url: str) -> list[Node]:
    """podcast:license, when there is a licence."""
    return [node("podcast:license", name, url=url)] if name else []


@lru_cache(4096)
def asked(tags: tuple[FeedTag, ...]) -> tuple[Node, ...]:
    """The configured tags; consecutive tags with the same parent are grouped in it."""
    found: list[Node] = []
    for around, inside in groupby(tags, key=lambda tag: tag.inside):
        nodes = [node(tag.tag, tag.text, **{name.replace("-", "_"): value for name, value in tag.attributes}) for tag in inside]
        found += [node(around, "", *nodes)] if around else nodes
    return tuple(found)


def _seconds(time_s: float) -> str:
    """Seconds without trailing zeros: 31.5, 60."""
    return f"{time_s:.3f}".rstrip("0").rstrip(".")


def _p(text: str) -> str:
    return f"<p>{escape(text, quote=False)}</p>" if text else ""


def _words(language: str) -> tuple[str, str, str]:
    return _WORDS.get(language[:2], _WORDS["en"])
