"""The path of each page: below the show's URL when it is published, below `site/` when it is built."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote

from pipeline.colours import DARK, LIGHT, palettes
from pipeline.model import Episode, EpisodeInfo, Show, ShowInfo
from pipeline.site_model import Named
from pipeline.text import slugify, speaks

TOGETHER = 100  # most episodes on the page of all transcripts: a longer one is too long to print

Keys = dict[str, str]  # key of a page in the published tree, by the name of the step's parameter


@dataclass(frozen=True)
class Neighbours:
    """The position of an episode among those that are published, oldest first."""

    position: int  # from 1
    total: int
    previous: tuple[str, ...] | None = None  # slug, title, and its language when that is not the show's
    next: tuple[str, ...] | None = None

    @classmethod
    def of(cls, infos: tuple[EpisodeInfo, ...], i: int) -> Neighbours:
        """The position of `infos[i]`, in the show's order."""
        before = infos[i - 1] if i > 0 else None
        after = infos[i + 1] if i + 1 < len(infos) else None
        named = [(info.slug, title(info), *filter(None, (info.language,))) if info else None for info in (before, after)]
        return cls(i + 1, len(infos), *named)


@dataclass(frozen=True)
class Frame:
    """What every page shows besides its own subject."""

    show: ShowInfo
    subscribe: Named = ()
    bands: tuple[str, str] = (LIGHT["band"], DARK["band"])  # the colour of the header, light and dark
    transcripts: bool = True  # whether there is a page of all transcripts
    house: str = ""  # the show's own language, on a page in another language

    @classmethod
    def of(cls, show: Show, episodes: tuple[Episode, ...]) -> Frame:
        """The context of the pages of those episodes."""
        colours = palettes(dict(show.site.light), dict(show.site.dark))
        bands = (colours["light"]["band"], colours["dark"]["band"])
        return cls(show.info, show.site.subscribe, bands, "page" in show_keys(show, episodes)["transcripts"])

    def around(self, show: Show, episode: EpisodeInfo) -> Frame:
        """The same for an episode's page: in its language, with the public feed of that language when there is one."""
        key = feed_key(show, episode)
        if not episode.language and key == show.info.feed_key:
            return self  # the same object: settings that many steps share are serialised once
        told = replace(show.info.spoken_in(episode), feed_key=key)
        return replace(self, show=told, house=show.info.language if episode.language else "")


@dataclass(frozen=True)
class Theme:
    """A tag, the slug of its page, and the slugs of the episodes it is on."""

    name: str
    slug: str
    episodes: tuple[str, ...]


def feed_key(show: Show, episode: EpisodeInfo) -> str:
    """The key of the feed that an episode's page links to: the feed of its language when there is a public one, otherwise the main feed."""
    spoken = episode.language or show.info.language
    own = [one for one in show.feed.others if one.language and speaks(spoken, one.language) and one.season in (None, episode.season)]
    public = (one.key for one in own if one.audio == "audio" and not one.private and not one.moved_to)
    return next(public, show.info.feed_key) if show.info.feed_key else ""


def title(episode: EpisodeInfo) -> str:
    """The title to display: the spoken title when there is one."""
    return episode.spoken_title or episode.title


def themes(episodes: Iterable[Episode]) -> tuple[Theme, ...]:
    """Every theme, sorted by slug. Two spellings of one slug are one theme, named by the first."""
    names: dict[str, str] = {}
    on: dict[str, list[str]] = {}
    for episode in episodes:
        for tag in episode.tags:
            names.setdefault(slugify(tag), tag)
            on.setdefault(slugify(tag), []).append(episode.slug)
    return tuple(Theme(names[slug], slug, tuple(on[slug])) for slug in sorted(on))


def episode_keys(slug: str) -> Keys:
    """The keys of an episode's pages: its own, and the embeddable player."""
    return {"page": f"{slug}/index.html", "embed": f"{slug}/embed.html"}


def fonts_of(show: Show) -> dict[str, str]:
    """The font files of the show, by setting: `font`, `title_font`."""
    return {name: file for name, file in (("font", show.site.font), ("title_font", show.site.title_font)) if file}


def show_keys(show: Show, episodes: tuple[Episode, ...]) -> dict[str, Keys]:
    """The keys of the files that the show's own steps write, by the kind of step."""
    fonts = {name: f"fonts/{name}{posixpath.splitext(file)[1]}" for name, file in fonts_of(show).items()}
    return {
        "index": {"page": "index.html"},
        "people": {"page": "people/index.html"},
        "themes": {f"theme_{i}": f"themes/{theme.slug}/index.html" for i, theme in enumerate(themes(episodes))},
        "transcripts": {"page": "transcripts/index.html"} if 0 < len(episodes) <= TOGETHER else {},
        "style": {"style": "style.css", "script": "page.js", **fonts},
        "found": {"lost": "404.html", "robots": "robots.txt", **({"sitemap": "sitemap.xml"} if show.info.feed_key else {})},
    }


def page_keys(show: Show, episodes: tuple[Episode, ...]) -> tuple[str, ...]:
    """The key of every page in the sitemap: the show's, then each episode's."""
    places = show_keys(show, episodes)
    shown = [key for kind in ("index", "people", "themes", "transcripts") for key in places[kind].values()]
    return (*shown, *(episode_keys(episode.slug)["page"] for episode in episodes))


def address(show: ShowInfo, key: str) -> str:
    """The absolute URL of a published file; an `index.html` is addressed by its folder."""
    return show.website.rstrip("/") + "/" + quote(key.removesuffix("index.html"))


@lru_cache(4096)
def link(key: str, folder: str) -> str:
    """A relative link to a published file from a page in `folder` of the tree; "" is its root."""
    return quote(posixpath.relpath(key, folder or "."))


def built(keys: Mapping[str, str]) -> Keys:
    """The paths where those pages are built, in the show's folder."""
    return {name: f"site/{key}" for name, key in keys.items()}
