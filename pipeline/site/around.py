"""The pages of the whole show: episode list, people, themes, all transcripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipeline.feed.chapters import read_chapters
from pipeline.files import write_whole
from pipeline.model import Credit, EpisodeInfo, Person
from pipeline.release import read_release
from pipeline.roles import label
from pipeline.site.linked import inlined, series
from pipeline.site.pages import by_role, common, guide_files
from pipeline.site.passages import passages
from pipeline.site.places import Frame, Theme, title
from pipeline.site.render import own_templates, render, words_of
from pipeline.text import typographic
from pipeline.transcript.timed import read_timed


@dataclass
class Part:
    """One person's credits in a show: the displayed name of each role, with the episodes it was held in."""

    person: Person
    roles: dict[str, list[EpisodeInfo]] = field(default_factory=dict)


def index_page(
    releases: tuple[Path, ...],
    cover: Path,
    guides: Path | None = None,
    templates: tuple[Path, ...] = (),
    *,
    page: Path,
    frame: Frame,
    episodes: tuple[EpisodeInfo, ...],
    themes: tuple[Theme, ...] = (),
) -> None:
    """Write the show's page, its episodes newest first (oldest first for a serial).

    `guides` is the release file of the guide of the series, when there is one.
    """
    show, whole, own = frame.show, read_release(cover), own_templates(templates)
    rows = list(enumerate(zip(episodes, map(read_release, releases), strict=True), start=1))
    values = common(frame, whole, "index.html", own)
    values |= {
        "title": typographic(show.title, show.language),
        "rows": rows if show.kind == "serial" else rows[::-1],
        "title_of": lambda episode: typographic(title(episode), episode.language or show.language),
        "credits": by_role(show.credits, show.language),
        "themes": themes,
        "guides": guide_files(read_release(guides), values["words"]) if guides else [],
        **inlined(series(show, values["cover_url"])),
    }
    write_whole(page, render("index.html.j2", values, own))


def people_page(cover: Path, templates: tuple[Path, ...] = (), *, page: Path, frame: Frame, episodes: tuple[EpisodeInfo, ...]) -> None:
    """Write the page of everybody who is credited, with their roles and episodes."""
    own = own_templates(templates)
    values = common(frame, read_release(cover), "people/index.html", own)
    values |= {"title": values["words"]["people"], "parts": parts(frame, episodes), "total": len(episodes), "title_of": title}
    write_whole(page, render("people.html.j2", values, own))


def parts(frame: Frame, episodes: tuple[EpisodeInfo, ...]) -> tuple[Part, ...]:
    """The credits of each person: the show's first, then in the order of the episodes."""
    found: dict[str, Part] = {}

    def roles(credit: Credit) -> list[EpisodeInfo]:
        part = found.setdefault(credit.person.key, Part(credit.person))
        return part.roles.setdefault(label(credit.role, credit.group, frame.show.language), [])

    for credit in frame.show.credits:
        roles(credit)
    for episode in episodes:
        for credit in episode.credits:
            roles(credit).append(episode)
    return tuple(found.values())


def theme_pages(
    cover: Path,
    templates: tuple[Path, ...] = (),
    *,
    frame: Frame,
    episodes: tuple[EpisodeInfo, ...],
    themes: tuple[Theme, ...],
    **pages: Path,
) -> None:
    """Write a page for each theme with its episodes in the show's order; `pages` holds the paths as `theme_0`, `theme_1`, …"""
    whole, own = read_release(cover), own_templates(templates)
    for i, theme in enumerate(themes):
        values = common(frame, whole, f"themes/{theme.slug}/index.html", own)
        chosen = [episode for episode in episodes if episode.slug in theme.episodes]
        name = typographic(theme.name, frame.show.language)
        values |= {"title": name, "theme": theme, "episodes": chosen, "others": themes, "title_of": title}
        write_whole(pages[f"theme_{i}"], render("theme.html.j2", values, own))


def transcripts_page(
    timed: tuple[Path, ...],
    chapters: tuple[Path, ...],
    cover: Path,
    templates: tuple[Path, ...] = (),
    *,
    page: Path,
    frame: Frame,
    episodes: tuple[EpisodeInfo, ...],
) -> None:
    """Write all transcripts on one page, oldest episode first, for reading and printing."""
    own = own_templates(templates)
    words = words_of(frame.show.language, own)
    texts = []
    for episode, text, marks in zip(episodes, timed, chapters, strict=True):
        people = {credit.person.key: credit.person.name for credit in (*frame.show.credits, *episode.credits)}
        narrator = words_of(episode.language or frame.show.language, own)["narrator"]
        texts.append((episode, passages(read_timed(text), read_chapters(marks), people, narrator)))
    values = common(frame, read_release(cover), "transcripts/index.html", own)
    values |= {"title": words["transcripts"], "texts": texts, "title_of": title}
    write_whole(page, render("transcripts.html.j2", values, own))
