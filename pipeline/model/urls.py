"""The path of each page: below the show's URL when it is published, below `site/` when it is built."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from pipeline.model.show import Episode, EpisodeInfo, Show, ShowInfo
from pipeline.model.text import slugify

SHOW_PAGES = ("index", "people", "themes", "transcripts")  # the kinds of step that write a page of the show
MAX_TRANSCRIPTS_ON_PAGE = 100  # most episodes on the page of all transcripts: a longer one is too long to print

PageKeys = dict[str, str]  # key of a page in the published tree, by the name of the step's parameter


@dataclass(frozen=True)
class Theme:
    """A tag, the slug of its page, and the slugs of the episodes it is on."""

    name: str
    slug: str
    episodes: tuple[str, ...]


def display_title(episode: EpisodeInfo) -> str:
    """The title to display: the spoken title when there is one."""
    return episode.spoken_title or episode.title


def collect_themes(episodes: Iterable[Episode]) -> tuple[Theme, ...]:
    """Every theme, sorted by slug. Two spellings of one slug are one theme, named by the first."""
    names: dict[str, str] = {}
    slugs_by_theme: dict[str, list[str]] = {}
    for episode in episodes:
        for tag in episode.tags:
            names.setdefault(slugify(tag), tag)
            slugs_by_theme.setdefault(slugify(tag), []).append(episode.slug)
    return tuple(Theme(names[slug], slug, tuple(slugs_by_theme[slug])) for slug in sorted(slugs_by_theme))


def episode_keys(slug: str) -> PageKeys:
    """The keys of an episode's pages: its own, and the embeddable player."""
    return {"page": f"{slug}/index.html", "embed": f"{slug}/embed.html"}


def font_files(show: Show) -> dict[str, str]:
    """The font files of the show, by setting: `font`, `title_font`."""
    return {name: file for name, file in (("font", show.site.font), ("title_font", show.site.title_font)) if file}


def show_keys(show: Show, episodes: tuple[Episode, ...]) -> dict[str, PageKeys]:
    """The keys of the files that the show's own steps write, by the kind of step."""
    fonts = {name: f"fonts/{name}{posixpath.splitext(file)[1]}" for name, file in font_files(show).items()}
    return {
        "index": {"page": "index.html"},
        "people": {"page": "people/index.html"},
        "themes": {f"theme_{i}": f"themes/{theme.slug}/index.html" for i, theme in enumerate(collect_themes(episodes))},
        "transcripts": {"page": "transcripts/index.html"} if 0 < len(episodes) <= MAX_TRANSCRIPTS_ON_PAGE else {},
        "style": {"style": "style.css", "script": "page.js", **fonts},
        "found": {"lost": "404.html", "robots": "robots.txt", **({"sitemap": "sitemap.xml"} if show.info.feed_key else {})},
    }


def sitemap_keys(show: Show, episodes: tuple[Episode, ...]) -> tuple[str, ...]:
    """The key of every page in the sitemap: the show's, then each episode's."""
    keys = show_keys(show, episodes)
    show_page_keys = [key for kind in SHOW_PAGES for key in keys[kind].values()]
    return (*show_page_keys, *(episode_keys(episode.slug)["page"] for episode in episodes))


def public_url(show: ShowInfo, key: str) -> str:
    """The absolute URL of a published file; an `index.html` is addressed by its folder."""
    return show.website.rstrip("/") + "/" + quote(key.removesuffix("index.html"))


@lru_cache(4096)
def relative_link(key: str, folder: str) -> str:
    """A relative link to a published file from a page in `folder` of the tree; "" is its root."""
    return quote(posixpath.relpath(key, folder or "."))


def build_paths(keys: Mapping[str, str]) -> PageKeys:
    """The paths where those pages are built, in the show's folder."""
    return {name: f"site/{key}" for name, key in keys.items()}
