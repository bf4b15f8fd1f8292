"""The page of an episode, and the player that other sites can embed.

Links between files are relative, so the pages work from a local folder, under any prefix and any host name. Only the canonical
link, Open Graph and schema.org hold the show's own URL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any  # of Jinja2's variables and of labels

from pipeline.engine import write_atomic
from pipeline.model import CauserieError, Chapter, Credit, EpisodeInfo, apply_typography, display_title, public_url, role_label
from pipeline.publish import Release, ReleaseFile, read_release
from pipeline.site.context import Neighbours, PageContext
from pipeline.site.render import TemplateOverrides, page_labels, read_overrides, render_page, safe_href
from pipeline.site.speaking_time import compute_speaking_time
from pipeline.site.structured_data import inline_json_ld, podcast_episode, podcast_series
from pipeline.site.transcript_view import turn_views
from pipeline.transcript import are_proposed, read_chapters, read_timed, review_notice

CARD_PX = (1200, 630)  # the size that sites reading Open Graph show uncropped
_TRANSCRIPT_FORMS = ("txt", "html", "vtt", "srt", "json", "en_vtt")


@dataclass(frozen=True)
class Download:
    """A file to download: its name on the page, and its format."""

    name: str
    form: str  # "PDF"
    file: ReleaseFile


def write_episode_page(
    timed: Path,
    chapters: Path,
    release: Path,
    cover: Path,
    templates: tuple[Path, ...] = (),
    *,
    page: Path,
    embed: Path,
    frame: PageContext,
    episode: EpisodeInfo,
    neighbours: Neighbours,
    themes: tuple[tuple[str, str], ...] = (),
) -> None:
    """Write an episode's page (player, chapters, transcript, downloads, credits, links to its neighbours) and its embeddable player.

    `chapters` is a JSON chapters file, `release` and `cover` are release files; `themes` are (name, slug) pairs. Raises `CauserieError`
    when a file is damaged.
    """
    episode_release, show, overrides = read_release(release), frame.show, read_overrides(templates)
    labels = page_labels(show.language, overrides)
    transcript, safe_chapters = read_timed(timed), _safe_chapters(chapters)
    people = {credit.person.key: credit.person.name for credit in (*show.credits, *episode.credits)}
    base = player_values(frame, episode, episode_release, read_release(cover), overrides)
    files = {file.role: file for file in episode_release.files}
    theme_names = tuple(name for name, _ in themes)
    series_data = podcast_series(replace(show, language=frame.house or show.language), base["cover_url"])
    values = {
        **base,
        "m4a": files.get("m4a"),
        "light": files.get("light"),
        "chapters": safe_chapters,
        "are_proposed": are_proposed(chapters),
        "review": review_notice(transcript.review, episode.language or show.language),
        "passages": turn_views(transcript, safe_chapters, people, labels["narrator"]),
        "speaking": compute_speaking_time(transcript, people, labels["narrator"]),
        "texts": [Download(labels["texts"][form], "", file) for form, file in _transcript_files(episode_release)],
        "guides": guide_downloads(episode_release, labels),
        "credits": credits_by_role(episode.credits, show.language),
        "neighbours": neighbours,
        "themes": themes,
        **inline_json_ld(
            podcast_episode(show, episode, episode_release.duration_s, base["audio"], base["image"]["url"], theme_names, series_data)
        ),
    }
    write_atomic(page, render_page("episode.html.j2", values, overrides))
    write_atomic(embed, render_page("embed.html.j2", {**values, "linked": ""}, overrides))


def base_values(frame: PageContext, cover: Release, key: str, overrides: TemplateOverrides = ()) -> dict[str, Any]:
    """The template variables of every page; `key` is the path of the page below the show's URL."""
    show, cover_file = frame.show, required_file(cover, "cover", "the show's cover")
    return {
        "frame": frame,
        "show": show,
        "words": page_labels(show.language, overrides),
        "folder": str(PurePosixPath(key).parent).removeprefix("."),
        "cover": cover_file,
        "cover_url": public_url(show, cover_file.key),
        "canonical": public_url(show, key),
        "feed_url": public_url(show, show.feed_key) if show.feed_key else "",
        "image": _image(public_url(show, cover_file.key), cover_file.width_px, cover_file.height_px, show.cover_alt),
        "bare_policy": "",
        "linked": "",
    }


def player_values(
    frame: PageContext, episode: EpisodeInfo, release: Release, cover_release: Release, overrides: TemplateOverrides = ()
) -> dict[str, Any]:
    """The template variables of a page that has an episode's player."""
    show = frame.show
    values = base_values(frame, cover_release, f"{episode.slug}/index.html", overrides)
    files = {file.role: file for file in release.files}
    audio, name = required_file(release, "audio", episode.slug), apply_typography(display_title(episode), show.language)
    card = (
        {"image": _image(public_url(show, files["card"].key), *CARD_PX, f"{show.title} – {display_title(episode)}")}
        if "card" in files
        else {}
    )
    return {
        **values,
        **card,
        "cover": files.get("cover", values["cover"]),
        "episode": episode,
        "title": name,
        "audio": audio,
        "audio_url": public_url(show, audio.key),
        "duration_s": release.duration_s,
        "embed_url": public_url(show, f"{episode.slug}/embed.html"),
    }


def required_file(release: Release, role: str, owner_name: str) -> ReleaseFile:
    """The file with that role. Raises `CauserieError`, which names `owner_name`, when the release lists none."""
    for file in release.files:
        if file.role == role:
            return file
    raise CauserieError(f"the release of {owner_name} lists no {role} file", "", "delete .causerie and build again")


def guide_downloads(release: Release, labels: Mapping[str, Any]) -> list[Download]:
    """Every guide of a release: those that the labels name first, in the labels' order; others are named after their file."""
    order = list(labels["guides"])
    files = [file for file in release.files if file.role.startswith("guide_")]
    files.sort(key=lambda file: order.index(file.role) if file.role in order else len(order))
    return [Download(labels["guides"].get(file.role) or _name_from_key(file.key), _file_format(file.key), file) for file in files]


def credits_by_role(credits: Iterable[Credit], language: str) -> dict[str, list[Credit]]:
    """The credits grouped by the displayed name of their role, in the given order."""
    grouped: dict[str, list[Credit]] = {}
    for credit in credits:
        grouped.setdefault(role_label(credit.role, credit.group, language), []).append(credit)
    return grouped


def _image(url: str, width_px: int, height_px: int, alt: str) -> dict[str, Any]:
    return {"url": url, "width_px": width_px, "height_px": height_px, "alt": alt}


def _transcript_files(release: Release) -> list[tuple[str, ReleaseFile]]:
    files = {file.role: file for file in release.files}
    return [(form, files[f"transcript_{form}"]) for form in _TRANSCRIPT_FORMS if f"transcript_{form}" in files]


def _safe_chapters(path: Path) -> tuple[Chapter, ...]:
    """The chapters of an episode, without links that are not http or https."""
    return tuple(replace(chapter, url=safe_href(chapter.url)) for chapter in read_chapters(path))


def _name_from_key(key: str) -> str:
    return PurePosixPath(key).name.partition(".")[2].rpartition(".")[0] or PurePosixPath(key).stem


def _file_format(key: str) -> str:
    return PurePosixPath(key).suffix.removeprefix(".").upper()
