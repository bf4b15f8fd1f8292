"""Jinja2 templates and what they are told: the two steps that write the listening pages.

Links between files are relative, so the pages work from a folder, under any prefix and behind any name; only the canonical
address, Open Graph and schema.org name the show's own address.
"""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from pipeline.errors import CauserieError
from pipeline.feed.chapters import read_chapters
from pipeline.files import write_whole
from pipeline.model import Chapter, Credit, EpisodeInfo, ShowInfo
from pipeline.release import PublishedFile, Release, read_release
from pipeline.roles import label
from pipeline.site.passages import passages
from pipeline.site.wording import TEMPLATES, day, iso_duration, labels, weight
from pipeline.text import hms, typographic
from pipeline.transcript.timed import read_timed

_TEXTS = ("txt", "html", "vtt", "srt", "json", "en_vtt")
_GUIDES = (
    *("guide_facilitator_pdf", "guide_facilitator_docx", "guide_facilitator_html"),
    *("guide_handout_pdf", "guide_handout_docx", "guide_handout_html", "guide_large_print_pdf"),
    *("guide_clips_zip", "guide_harvest_csv"),
)
_SERIES_GUIDES = ("guide_series_pdf", "guide_series_html")


@dataclass(frozen=True)
class Neighbours:
    """Where an episode stands among those that are published, oldest first."""

    position: int  # from 1
    total: int
    previous: tuple[str, str] | None = None  # slug, title
    next: tuple[str, str] | None = None

    @classmethod
    def of(cls, infos: tuple[EpisodeInfo, ...], i: int) -> Neighbours:
        """The place of `infos[i]`, in the show's order."""
        before = infos[i - 1] if i > 0 else None
        after = infos[i + 1] if i + 1 < len(infos) else None
        named = [(info.slug, title(info)) if info else None for info in (before, after)]
        return cls(i + 1, len(infos), *named)


def title(episode: EpisodeInfo) -> str:
    """The title as listeners hear it."""
    return episode.spoken_title or episode.title


def episode_page(
    timed: Path, chapters: Path, release: Path, cover: Path, *, page: Path, show: ShowInfo, episode: EpisodeInfo, neighbours: Neighbours
) -> None:
    """Write one episode's page: player, chapters, transcript, downloads, credits, and the way to the others.

    `chapters` is a JSON chapters file; `release` and `cover` are release files. Raises `CauserieError` when one is damaged.
    """
    published, language, words = read_release(release), show.language, labels(show.language)
    files = {file.role: file for file in published.files}
    audio = _needed(published, "audio", release)
    transcript, marks = read_timed(timed), _chapters(chapters)
    people = {credit.person.key: credit.person.name for credit in (*show.credits, *episode.credits)}
    values = {
        **_common(show, read_release(cover), cover, f"{episode.slug}/"),
        "episode": episode,
        "title": typographic(title(episode), language),
        "audio": audio,
        "audio_url": address(show, audio.key),
        "m4a": files.get("m4a"),
        "light": files.get("light"),
        "duration_s": published.duration_s,
        "chapters": marks,
        "passages": passages(transcript, marks, people, words["narrator"]),
        "texts": [(words["texts"][form], files[f"transcript_{form}"]) for form in _TEXTS if f"transcript_{form}" in files],
        "guides": _listed(published, language, _GUIDES),
        "credits": _by_role(episode.credits, language),
        "neighbours": neighbours,
        **_linked(_linked_episode(show, episode, published.duration_s, audio)),
    }
    write_whole(page, _render("episode.html.j2", values, folder=episode.slug))


def index_page(
    releases: tuple[Path, ...],
    cover: Path,
    guides: Path | None = None,
    *,
    page: Path,
    style: Path,
    script: Path,
    show: ShowInfo,
    episodes: tuple[EpisodeInfo, ...],
) -> None:
    """Write the show's page, with its episodes newest first (a serial's from the first), and the files every page shares.

    `guides` is the release of the series' own guide, when there is one.
    """
    published = [read_release(release) for release in releases]
    rows = list(enumerate(zip(episodes, published, strict=True), start=1))
    values = {
        **_common(show, read_release(cover), cover, ""),
        "title": typographic(show.title, show.language),
        "rows": rows if show.kind == "serial" else rows[::-1],
        "title_of": lambda episode: typographic(title(episode), show.language),
        "credits": _by_role(show.credits, show.language),
        "guides": _listed(read_release(guides), show.language, _SERIES_GUIDES) if guides else [],
        **_linked({"@context": "https://schema.org", **_linked_series(show)}),
    }
    write_whole(page, _render("index.html.j2", values, folder=""))
    write_whole(style, (TEMPLATES / "style.css").read_bytes())
    write_whole(script, (TEMPLATES / "page.js").read_bytes())


def _listed(release: Release, language: str, roles: tuple[str, ...]) -> list[tuple[str, str, PublishedFile]]:
    """(what it is, its form, the file) of the guides among a release's files, in the order of `roles`."""
    files = {file.role: file for file in release.files}
    names = labels(language)["guides"]
    return [(names[role], role.rpartition("_")[2].upper(), files[role]) for role in roles if role in files]


def address(show: ShowInfo, key: str) -> str:
    """Where a published file answers, in full."""
    return show.website.rstrip("/") + "/" + quote(key)


def _common(show: ShowInfo, cover: Release, where: Path, key: str) -> dict[str, Any]:
    """What both pages are told; `key` is the page's own address below the show's."""
    image = _needed(cover, "cover", where)
    urls = {
        "canonical": address(show, key),
        "feed_url": address(show, show.feed_key) if show.feed_key else "",
        "image_url": address(show, image.key),
    }
    return {"show": show, "words": labels(show.language), "cover": image, **urls}


def _needed(release: Release, role: str, where: Path) -> PublishedFile:
    for file in release.files:
        if file.role == role:
            return file
    raise CauserieError(f"lists no {role} file", str(where), "delete it and build again")


def _chapters(path: Path) -> tuple[Chapter, ...]:
    """The chapters of an episode, their links made safe for a page."""
    return tuple(replace(chapter, url=web(chapter.url)) for chapter in read_chapters(path))


def _by_role(credits: tuple[Credit, ...], language: str) -> dict[str, list[Credit]]:
    """The cast under each role's printed name, in the order given."""
    cast: dict[str, list[Credit]] = {}
    for credit in credits:
        cast.setdefault(label(credit.role, credit.group, language), []).append(credit)
    return cast


def web(url: str) -> str:
    """The address when it is a page of the web; nothing when following it could run something."""
    return url if urlsplit(url).scheme in ("http", "https") else ""


def _linked_series(show: ShowInfo) -> dict[str, Any]:
    home, feed = address(show, ""), {"webFeed": address(show, show.feed_key)} if show.feed_key else {}
    return {"@type": "PodcastSeries", "name": show.title, "url": home, **feed, "inLanguage": show.language, "author": show.author}


def _linked_episode(show: ShowInfo, episode: EpisodeInfo, duration_s: float, audio: PublishedFile) -> dict[str, Any]:
    """The episode in schema.org's words."""
    media = {"@type": "AudioObject", "contentUrl": address(show, audio.key), "encodingFormat": audio.type, "contentSize": str(audio.bytes)}
    return {
        "@context": "https://schema.org",
        "@type": "PodcastEpisode",
        "name": episode.title,
        "description": episode.summary,
        "url": address(show, f"{episode.slug}/"),
        "datePublished": episode.published.isoformat(),
        "duration": iso_duration(duration_s),
        **({"episodeNumber": episode.number} if episode.number is not None else {}),
        "inLanguage": show.language,
        "associatedMedia": {**media, "duration": iso_duration(duration_s)},
        "partOfSeries": _linked_series(show),
    }


def _linked(value: dict[str, Any]) -> dict[str, str]:
    """JSON that can stand inside a `<script>` element, and the digest by which the page's policy knows it.

    Nothing in it can close the element or open a comment (HTML, 4.12.1.3).
    """
    escapes = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})
    linked = json.dumps(value, ensure_ascii=False, indent=1).translate(escapes)
    return {"linked": linked, "linked_digest": base64.b64encode(hashlib.sha256(linked.encode()).digest()).decode()}


def _render(template: str, values: dict[str, Any], *, folder: str) -> str:
    """The page's HTML; `folder` is where the page lies in the published tree, "" for its root."""
    import jinja2

    language = values["show"].language
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        typographic=lambda text: typographic(text, language),
        weight=lambda size: weight(size, language),
        day=lambda moment: day(moment, language),
        paragraphs=lambda text: [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()],
        hms=hms,
        web=web,
        link=lambda key: quote(posixpath.relpath(key, folder or ".")),
    )
    return environment.get_template(template).render(values)
