"""The pages of the whole show: episode list, people, themes, all transcripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipeline.engine import write_atomic
from pipeline.model import Credit, EpisodeInfo, Person, Theme, apply_typography, display_title, role_label
from pipeline.publish import read_release
from pipeline.site.context import PageContext
from pipeline.site.episode_page import base_values, credits_by_role, guide_downloads
from pipeline.site.render import page_labels, read_overrides, render_page
from pipeline.site.structured_data import inline_json_ld, podcast_series
from pipeline.site.transcript_view import turn_views
from pipeline.transcript import read_chapters, read_timed, review_notice


@dataclass
class PersonCredits:
    """One person's credits in a show: the displayed name of each role, with the episodes it was held in."""

    person: Person
    roles: dict[str, list[EpisodeInfo]] = field(default_factory=dict)


def write_index_page(
    releases: tuple[Path, ...],
    cover: Path,
    guides: Path | None = None,
    templates: tuple[Path, ...] = (),
    *,
    page: Path,
    frame: PageContext,
    episodes: tuple[EpisodeInfo, ...],
    themes: tuple[Theme, ...] = (),
) -> None:
    """Write the show's page, its episodes newest first (oldest first for a serial).

    `guides` is the release file of the guide of the series, when there is one.
    """
    show, cover_release, overrides = frame.show, read_release(cover), read_overrides(templates)
    rows = list(enumerate(zip(episodes, map(read_release, releases), strict=True), start=1))
    values = base_values(frame, cover_release, "index.html", overrides)
    values |= {
        "title": apply_typography(show.title, show.language),
        "rows": rows if show.kind == "serial" else rows[::-1],
        "title_of": lambda episode: apply_typography(display_title(episode), episode.language or show.language),
        "credits": credits_by_role(show.credits, show.language),
        "themes": themes,
        "guides": guide_downloads(read_release(guides), values["words"]) if guides else [],
        **inline_json_ld(podcast_series(show, values["cover_url"])),
    }
    write_atomic(page, render_page("index.html.j2", values, overrides))


def write_people_page(
    cover: Path, templates: tuple[Path, ...] = (), *, page: Path, frame: PageContext, episodes: tuple[EpisodeInfo, ...]
) -> None:
    """Write the page of everybody who is credited, with their roles and episodes."""
    overrides = read_overrides(templates)
    values = base_values(frame, read_release(cover), "people/index.html", overrides)
    values |= {
        "title": values["words"]["people"],
        "parts": credits_by_person(frame, episodes),
        "total": len(episodes),
        "title_of": display_title,
    }
    write_atomic(page, render_page("people.html.j2", values, overrides))


def credits_by_person(frame: PageContext, episodes: tuple[EpisodeInfo, ...]) -> tuple[PersonCredits, ...]:
    """The credits of each person: the show's first, then in the order of the episodes."""
    credits: dict[str, PersonCredits] = {}

    def episodes_of(credit: Credit) -> list[EpisodeInfo]:
        person_credits = credits.setdefault(credit.person.key, PersonCredits(credit.person))
        return person_credits.roles.setdefault(role_label(credit.role, credit.group, frame.show.language), [])

    for credit in frame.show.credits:
        episodes_of(credit)
    for episode in episodes:
        for credit in episode.credits:
            episodes_of(credit).append(episode)
    return tuple(credits.values())


def write_theme_pages(
    cover: Path,
    templates: tuple[Path, ...] = (),
    *,
    frame: PageContext,
    episodes: tuple[EpisodeInfo, ...],
    themes: tuple[Theme, ...],
    **pages: Path,
) -> None:
    """Write a page for each theme with its episodes in the show's order; `pages` holds the paths as `theme_0`, `theme_1`, …"""
    cover_release, overrides = read_release(cover), read_overrides(templates)
    for i, theme in enumerate(themes):
        values = base_values(frame, cover_release, f"themes/{theme.slug}/index.html", overrides)
        theme_episodes = [episode for episode in episodes if episode.slug in theme.episodes]
        name = apply_typography(theme.name, frame.show.language)
        values |= {"title": name, "theme": theme, "episodes": theme_episodes, "others": themes, "title_of": display_title}
        write_atomic(pages[f"theme_{i}"], render_page("theme.html.j2", values, overrides))


def write_transcripts_page(
    timed: tuple[Path, ...],
    chapters: tuple[Path, ...],
    cover: Path,
    templates: tuple[Path, ...] = (),
    *,
    page: Path,
    frame: PageContext,
    episodes: tuple[EpisodeInfo, ...],
) -> None:
    """Write all transcripts on one page, oldest episode first, for reading and printing."""
    overrides = read_overrides(templates)
    labels = page_labels(frame.show.language, overrides)
    texts, reviews = [], {}
    for episode, text, chapters_file in zip(episodes, timed, chapters, strict=True):
        people = {credit.person.key: credit.person.name for credit in (*frame.show.credits, *episode.credits)}
        language, transcript = episode.language or frame.show.language, read_timed(text)
        views = turn_views(transcript, read_chapters(chapters_file), people, page_labels(language, overrides)["narrator"])
        texts.append((episode, views))
        reviews[episode.slug] = review_notice(transcript.review, language)
    values = base_values(frame, read_release(cover), "transcripts/index.html", overrides)
    values |= {"title": labels["transcripts"], "texts": texts, "reviews": reviews, "title_of": display_title}
    write_atomic(page, render_page("transcripts.html.j2", values, overrides))
