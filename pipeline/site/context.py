"""What every page is given beside its own content: the show as pages name it, the navigation, and an episode's neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.model import (
    DARK,
    LIGHT,
    Episode,
    EpisodeInfo,
    NamePairs,
    Show,
    ShowInfo,
    display_title,
    language_matches,
    merge_palettes,
    show_keys,
)


@dataclass(frozen=True)
class Neighbours:
    """The position of an episode among those that are published, oldest first."""

    position: int  # from 1
    total: int
    previous: tuple[str, ...] | None = None  # slug, title, and its language when that is not the show's
    next: tuple[str, ...] | None = None

    @classmethod
    def of(cls, infos: tuple[EpisodeInfo, ...], index: int) -> Neighbours:
        """The position of `infos[i]`, in the show's order."""
        before = infos[index - 1] if index > 0 else None
        after = infos[index + 1] if index + 1 < len(infos) else None
        named = [(info.slug, display_title(info), *filter(None, (info.language,))) if info else None for info in (before, after)]
        return cls(index + 1, len(infos), *named)


@dataclass(frozen=True)
class PageContext:
    """What every page shows besides its own subject."""

    show: ShowInfo
    subscribe: NamePairs = ()
    bands: tuple[str, str] = (LIGHT["band"], DARK["band"])  # the colour of the header, light and dark
    transcripts: bool = True  # whether there is a page of all transcripts
    house: str = ""  # the show's own language, on a page in another language

    @classmethod
    def for_show(cls, show: Show, episodes: tuple[Episode, ...]) -> PageContext:
        """The context of the pages of those episodes."""
        colours = merge_palettes(dict(show.site.light), dict(show.site.dark))
        bands = (colours["light"]["band"], colours["dark"]["band"])
        return cls(show.info, show.site.subscribe, bands, "page" in show_keys(show, episodes)["transcripts"])

    def for_episode(self, show: Show, episode: EpisodeInfo) -> PageContext:
        """The same for an episode's page: in its language, with the public feed of that language when there is one."""
        key = feed_key(show, episode)
        if not episode.language and key == show.info.feed_key:
            return self  # the same object: settings that many steps share are serialised once
        episode_show = replace(show.info.in_language_of(episode), feed_key=key)
        return replace(self, show=episode_show, house=show.info.language if episode.language else "")


def feed_key(show: Show, episode: EpisodeInfo) -> str:
    """The key of the feed that an episode's page links to: the feed of its language when there is a public one, otherwise the main feed."""
    language = episode.language or show.info.language
    candidates = [
        one
        for one in show.feed.others
        if one.language and language_matches(language, one.language) and one.season in (None, episode.season)
    ]
    public_keys = (one.key for one in candidates if one.audio == "audio" and not one.private and not one.moved_to)
    return next(public_keys, show.info.feed_key) if show.info.feed_key else ""
