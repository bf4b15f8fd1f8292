"""The feed: RSS 2.0 with the iTunes, Podcasting 2.0 and Podlove namespaces, from the show's words and its episodes' releases."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from pipeline.feed.chapters import read_chapters
from pipeline.feed.ledger import episode_guid, podcast_guid
from pipeline.feed.podcast_ext import Channel, Item, Node, node, xml_safe
from pipeline.files import read_json, write_whole
from pipeline.model import Chapter, Credit, EpisodeInfo, ShowInfo
from pipeline.text import hms

DESCRIPTION_BYTES = 4000  # Apple's and PSP-1's limit: bytes of UTF-8, so accents count double
_CHAPTERS_BYTES = 2500  # of which a list of chapters may take that; a longer one stays out of the description
_TRANSCRIPTS = ("vtt", "srt", "json", "html")  # VTT first: some players read the first only
_TIMED = ("vtt", "srt")
_ALTERNATES = {"m4a": "mp4a.40.2", "light": "opus"}  # by role, with their codecs as RFC 6381 names them
_TRANSLATED = "transcript_en_vtt"
_WORDS = {
    "fr": ("Lire la transcription", "Version légère", "Sous-titres en anglais : traduction automatique."),
    "en": ("Read the transcript", "Light version", "English captions: machine translation."),
}


@dataclass(frozen=True)
class Published:
    """An episode as the feed tells it. `files` are those of its `release.json`, by role."""

    episode: EpisodeInfo
    duration_s: float
    files: dict[str, dict[str, Any]]
    chapters: tuple[Chapter, ...]


def feed(
    releases: tuple[Path, ...],
    cover: Path,
    chapters: tuple[Path, ...],
    *,
    feed: Path,
    show: ShowInfo,
    episodes: tuple[EpisodeInfo, ...],
) -> None:
    """Write the feed; `releases` and `chapters` are in the order of `episodes`, the feed has the newest first."""
    published = [_published(*one) for one in zip(episodes, releases, chapters, strict=True)]
    art = read_json(cover)["files"][0]["key"]
    write_whole(feed, rss(show, art, tuple(published)))


def rss(show: ShowInfo, cover: str, published: tuple[Published, ...]) -> bytes:
    """The feed's bytes, the same for the same values; `cover` is the key of the show's cover."""
    from feedgen.feed import FeedGenerator

    show = xml_safe(show)
    newest_first = sorted(published, key=lambda one: one.episode.published, reverse=True)
    made = FeedGenerator()
    made.load_extension("podcast")
    made.register_extension("podcasting", Channel, Item, atom=False)
    _channel(made, show, show.website + cover)
    if newest_first:
        made.pubDate(newest_first[0].episode.published)
        made.lastBuildDate(newest_first[0].episode.published)  # never the clock: nothing new, same bytes
    else:
        made.podcasting.undated = True
    for one in newest_first:
        _item(made.add_entry(order="append"), show, xml_safe(one))
    return made.rss_str(pretty=True)


def description(one: Published, page: str, language: str) -> str:
    """An item's description in HTML, at most `DESCRIPTION_BYTES`: paragraphs, cut if need be, chapters, the way to the transcript."""
    link = f'<p><a href="{escape(page)}">{_words(language)[0]}</a></p>' + (_p(_words(language)[2]) if _TRANSLATED in one.files else "")
    listed = "".join(_p(f"{hms(chapter.start_s, always_hours=True)} {chapter.title}") for chapter in one.chapters)
    tail = (listed if len(one.chapters) > 1 and len(listed.encode()) <= _CHAPTERS_BYTES else "") + link
    return paragraphs(one.episode.description or one.episode.summary, DESCRIPTION_BYTES - len(tail.encode())) + tail


def paragraphs(text: str, limit_bytes: int) -> str:
    """Plain paragraphs, separated by blank lines, as `<p>` of at most `limit_bytes` together, cut after a word."""
    html = ""
    for paragraph in re.split(r"\n[ \t]*\n\s*", text.strip()):
        words = re.split(r"[ \t\r\n]+", paragraph)[:limit_bytes]  # not `split()`: French no-break spaces stay
        whole = html + _p(" ".join(words))
        if len(whole.encode()) > limit_bytes:
            while words and len((html + _p(" ".join(words) + "…")).encode()) > limit_bytes:
                words.pop()
            return html + _p(" ".join(words) + "…") if words else html
        html = whole
    return html


def _channel(made: Any, show: ShowInfo, cover: str) -> None:
    feed_url = show.website + "feed.xml"
    made.title(show.title)
    made.description(paragraphs(show.description, DESCRIPTION_BYTES) if show.description else show.title)
    made.link(href=feed_url, rel="self", type="application/rss+xml")
    made.link(href=show.website, rel="alternate")  # last: feedgen takes the last link of any kind for the channel's own
    made.language(show.language)
    made.generator("Causerie")
    if show.copyright:
        made.copyright(show.copyright)
    made.podcast.itunes_author(show.author)
    made.podcast.itunes_type(show.kind)
    made.podcast.itunes_image(cover)
    made.podcast.itunes_category([dict(zip(("cat", "sub"), names, strict=False)) for names in show.categories])
    made.podcasting.add(
        node("itunes:explicit", str(show.explicit).lower()),
        node("podcast:guid", show.guid or podcast_guid(feed_url)),
        node("podcast:locked", "yes", owner=show.email),
        node("podcast:medium", "podcast"),
        node("podcast:image", href=cover, alt=show.cover_alt, aspect_ratio="1/1", purpose="artwork"),
        *([node("podcast:license", show.license.lower())] if show.license else []),
        *map(_person, show.credits),
    )


def _item(item: Any, show: ShowInfo, one: Published) -> None:
    episode, audio = one.episode, one.files["audio"]
    page = f"{show.website}{episode.slug}/"
    item.title(episode.title)
    item.link(href=page)
    item.guid(episode.guid or episode_guid(show.guid or podcast_guid(show.website + "feed.xml"), episode.slug), permalink=False)
    item.pubDate(episode.published)
    item.description(description(one, page, show.language))
    item.enclosure(show.website + audio["key"], audio["bytes"], audio["type"])
    item.podcast.itunes_summary(episode.summary)
    item.podcast.itunes_duration(max(1, round(one.duration_s)))
    item.podcast.itunes_season(episode.season)
    item.podcast.itunes_episode(episode.number)
    item.podcast.itunes_episode_type(episode.kind)
    item.podcasting.add(node("itunes:explicit", str(episode.explicit).lower()), *_podcasting(show, one))


def _podcasting(show: ShowInfo, one: Published) -> list[Node]:
    """The item's tags of the Podcasting 2.0 and Podlove namespaces."""
    episode, chapters = one.episode, one.files["chapters"]
    nodes = [_transcript(show, form, one.files[f"transcript_{form}"]) for form in _TRANSCRIPTS if f"transcript_{form}" in one.files]
    if _TRANSLATED in one.files:
        nodes.append(_transcript(show, "vtt", one.files[_TRANSLATED], "en"))
    nodes.append(node("podcast:chapters", url=show.website + chapters["key"], type=chapters["type"]))
    if episode.season is not None:
        nodes.append(node("podcast:season", str(episode.season)))
    if episode.number is not None:
        nodes.append(node("podcast:episode", str(episode.number)))
    nodes += map(_person, episode.credits)  # they replace the show's: hosts are among them
    nodes += [_alternate(show, one.files[role], one.duration_s, codecs) for role, codecs in _ALTERNATES.items() if role in one.files]
    marks = (
        node("psc:chapter", start=f"{hms(mark.start_s, always_hours=True)}.000", title=mark.title, href=mark.url) for mark in one.chapters
    )
    return [*nodes, node("psc:chapters", "", *marks, version="1.2")]


def _transcript(show: ShowInfo, form: str, file: dict[str, Any], language: str = "") -> Node:
    kind, rel = file["type"].partition(";")[0], "captions" if form in _TIMED else ""
    return node("podcast:transcript", url=show.website + file["key"], type=kind, language=language or show.language, rel=rel)


def _alternate(show: ShowInfo, file: dict[str, Any], duration_s: float, codecs: str) -> Node:
    """The same sound in another form, with its digest as Subresource Integrity writes it."""
    return node(
        "podcast:alternateEnclosure",
        "",
        node("podcast:source", uri=show.website + file["key"], contentType=file["type"]),
        node("podcast:integrity", type="sri", value="sha256-" + b64encode(bytes.fromhex(file["sha256"])).decode()),
        type=file["type"],
        length=str(file["bytes"]),
        bitrate=str(round(file["bytes"] * 8 / max(duration_s, 1))),
        title=_words(show.language)[1] if file["role"] == "light" else "AAC",
        codecs=codecs,
    )


def _person(credit: Credit) -> Node:
    person = credit.person
    return node("podcast:person", person.name, role=credit.role.lower(), group=credit.group.lower(), img=person.image, href=person.url)


def _published(episode: EpisodeInfo, release: Path, chapters: Path) -> Published:
    value = read_json(release)
    return Published(episode, value["duration_s"], {file["role"]: file for file in value["files"]}, read_chapters(chapters))


def _p(text: str) -> str:
    return f"<p>{escape(text, quote=False)}</p>" if text else ""


def _words(language: str) -> tuple[str, str, str]:
    return _WORDS.get(language[:2], _WORDS["en"])
