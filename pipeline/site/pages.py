"""The page of an episode, and the player that other sites can embed.

Links between files are relative, so the pages work from a local folder, under any prefix and any host name. Only the canonical
link, Open Graph and schema.org hold the show's own URL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any  # of Jinja2's variables and of labels

from pipeline.errors import CauserieError
from pipeline.feed.chapters import read_chapters
from pipeline.files import write_whole
from pipeline.model import Chapter, Credit, EpisodeInfo
from pipeline.release import PublishedFile, Release, read_release
from pipeline.roles import label
from pipeline.site.linked import episode_value, inlined, series
from pipeline.site.passages import passages
from pipeline.site.places import Frame, Neighbours, address, title
from pipeline.site.render import Own, own_templates, render, web, words_of
from pipeline.site.speaking import speaking
from pipeline.text import typographic
from pipeline.transcript.timed import read_timed

CARD_PX = (1200, 630)  # the size that sites reading Open Graph show uncropped
_TEXTS = ("txt", "html", "vtt", "srt", "json", "en_vtt")


@dataclass(frozen=True)
class Download:
    """A file to download: its name on the page, and its format."""

    name: str
    form: str  # "PDF"
    file: PublishedFile


def episode_page(
    timed: Path,
    chapters: Path,
    release: Path,
    cover: Path,
    templates: tuple[Path, ...] = (),
    *,
    page: Path,
    embed: Path,
    frame: Frame,
    episode: EpisodeInfo,
    neighbours: Neighbours,
    themes: tuple[tuple[str, str], ...] = (),
) -> None:
    """Write an episode's page (player, chapters, transcript, downloads, credits, links to its neighbours) and its embeddable player.

    `chapters` is a JSON chapters file, `release` and `cover` are release files; `themes` are (name, slug) pairs. Raises `CauserieError`
    when a file is damaged.
    """
    published, show, own = read_release(release), frame.show, own_templates(templates)
    words = words_of(show.language, own)
    transcript, marks = read_timed(timed), _chapters(chapters)
    people = {credit.person.key: credit.person.name for credit in (*show.credits, *episode.credits)}
    heard = heard_in(frame, episode, published, read_release(cover), own)
    files = {file.role: file for file in published.files}
    named = tuple(name for name, _ in themes)
    whole = series(replace(show, language=frame.house or show.language), heard["cover_url"])
    values = {
        **heard,
        "m4a": files.get("m4a"),
        "light": files.get("light"),
        "chapters": marks,
        "passages": passages(transcript, marks, people, words["narrator"]),
        "speaking": speaking(transcript, people, words["narrator"]),
        "texts": [Download(words["texts"][form], "", file) for form, file in _texts(published)],
        "guides": guide_files(published, words),
        "credits": by_role(episode.credits, show.language),
        "neighbours": neighbours,
        "themes": themes,
        **inlined(episode_value(show, episode, published.duration_s, heard["audio"], heard["image"]["url"], named, whole)),
    }
    write_whole(page, render("episode.html.j2", values, own))
    write_whole(embed, render("embed.html.j2", {**values, "linked": ""}, own))


def common(frame: Frame, cover: Release, key: str, own: Own = ()) -> dict[str, Any]:
    """The template variables of every page; `key` is the path of the page below the show's URL."""
    show, picture = frame.show, needed(cover, "cover", "the show's cover")
    return {
        "frame": frame,
        "show": show,
        "words": words_of(show.language, own),
        "folder": str(PurePosixPath(key).parent).removeprefix("."),
        "cover": picture,
        "cover_url": address(show, picture.key),
        "canonical": address(show, key),
        "feed_url": address(show, show.feed_key) if show.feed_key else "",
        "image": _image(address(show, picture.key), picture.width_px, picture.height_px, show.cover_alt),
        "bare_policy": "",
        "linked": "",
    }


def heard_in(frame: Frame, episode: EpisodeInfo, published: Release, cover: Release, own: Own = ()) -> dict[str, Any]:
    """The template variables of a page that has an episode's player."""
    show = frame.show
    values = common(frame, cover, f"{episode.slug}/index.html", own)
    files = {file.role: file for file in published.files}
    audio, name = needed(published, "audio", episode.slug), typographic(title(episode), show.language)
    card = {"image": _image(address(show, files["card"].key), *CARD_PX, f"{show.title} – {title(episode)}")} if "card" in files else {}
    return {
        **values,
        **card,
        "cover": files.get("cover", values["cover"]),
        "episode": episode,
        "title": name,
        "audio": audio,
        "audio_url": address(show, audio.key),
        "duration_s": published.duration_s,
        "embed_url": address(show, f"{episode.slug}/embed.html"),
    }


def needed(release: Release, role: str, whose: str) -> PublishedFile:
    """The file with that role. Raises `CauserieError`, which names `whose`, when the release lists none."""
    for file in release.files:
        if file.role == role:
            return file
    raise CauserieError(f"the release of {whose} lists no {role} file", "", "delete .causerie and build again")


def guide_files(published: Release, words: Mapping[str, Any]) -> list[Download]:
    """Every guide of a release: those that the labels name first, in the labels' order; others are named after their file."""
    order = list(words["guides"])
    files = [file for file in published.files if file.role.startswith("guide_")]
    files.sort(key=lambda file: order.index(file.role) if file.role in order else len(order))
    return [Download(words["guides"].get(file.role) or _stem(file.key), _form(file.key), file) for file in files]


def by_role(credits: Iterable[Credit], language: str) -> dict[str, list[Credit]]:
    """The credits grouped by the displayed name of their role, in the given order."""
    cast: dict[str, list[Credit]] = {}
    for credit in credits:
        cast.setdefault(label(credit.role, credit.group, language), []).append(credit)
    return cast


def _image(url: str, width_px: int, height_px: int, alt: str) -> dict[str, Any]:
    return {"url": url, "width_px": width_px, "height_px": height_px, "alt": alt}


def _texts(published: Release) -> list[tuple[str, PublishedFile]]:
    files = {file.role: file for file in published.files}
    return [(form, files[f"transcript_{form}"]) for form in _TEXTS if f"transcript_{form}" in files]


def _chapters(path: Path) -> tuple[Chapter, ...]:
    """The chapters of an episode, without links that are not http or https."""
    return tuple(replace(chapter, url=web(chapter.url)) for chapter in read_chapters(path))


def _stem(key: str) -> str:
    return PurePosixPath(key).name.partition(".")[2].rpartition(".")[0] or PurePosixPath(key).stem


def _form(key: str) -> str:
    return PurePosixPath(key).suffix.removeprefix(".").upper()
