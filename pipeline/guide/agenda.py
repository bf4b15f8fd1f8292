"""The agenda of a meeting: how long each part lasts, so that the minutes add up for any episode.

The full episode is played when it takes at most 30 % of the meeting; otherwise participants listen before, and clips are replayed
within 20 %. The difference from the base agenda's listening time (an episode of eight minutes) is taken from the discussions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FULL_EPISODE_SHARE, CLIPS_SHARE = 0.3, 0.2
DISCUSSIONS = ("understand", "debate", "imagine")

# minutes by part, before the listening time is fitted to the episode
_BASE_MINUTES: dict[int, dict[str, int]] = {
    15: {"welcome": 1, "before": 1, "listen": 3, "silence": 2, "understand": 4, "harvest": 3, "close": 1},
    30: {"welcome": 3, "before": 2, "listen": 8, "silence": 2, "understand": 8, "harvest": 5, "close": 2},
    60: {"welcome": 5, "before": 3, "listen": 8, "silence": 4, "understand": 15, "debate": 15, "harvest": 7, "close": 3},
    90: {"welcome": 8, "before": 5, "listen": 8, "silence": 4, "understand": 15, "debate": 15, "imagine": 20, "harvest": 10, "close": 5},
}
FORMATS_MIN = tuple(_BASE_MINUTES)
PARTS = tuple(_BASE_MINUTES[90])

# the families of questions a meeting has time for, in the order they are asked
_FAMILIES: dict[int, tuple[str, ...]] = {
    15: ("relate",),
    30: ("understand", "relate"),
    60: ("understand", "relate", "debate", "act"),
    90: ("understand", "relate", "debate", "debate", "imagine", "act"),
}


# one meeting over several episodes: the group hears a clip of each and chooses; "pairs" talk two by two
_SERIES_BASE_MINUTES = {"welcome": 8, "listen": 10, "choose": 8, "pairs": 12, "debate": 20, "imagine": 15, "harvest": 12, "close": 5}
SERIES_MIN = 90
SERIES_CLIPS = 6


@dataclass(frozen=True)
class MeetingFormat:
    """A meeting of `total_min` minutes: how long each part lasts, and whether the full episode is played in it."""

    total_min: int
    plays_full_episode: bool
    minutes: dict[str, int]  # by part, in order
    families: tuple[str, ...]

    def starts_min(self) -> dict[str, int]:
        """Return when each part starts, in minutes from the start of the meeting."""
        return starts_min(self.minutes)


def series_minutes(listen_s: float) -> dict[str, int]:
    """Return the minutes by part of a meeting over the series whose clips last `listen_s` seconds; they sum to `SERIES_MIN`."""
    listen = min(max(1, math.ceil(listen_s / 60)), _SERIES_BASE_MINUTES["listen"] + 10)
    rest = _SERIES_BASE_MINUTES["listen"] - listen
    half = rest // 2
    return {
        **_SERIES_BASE_MINUTES,
        "listen": listen,
        "debate": _SERIES_BASE_MINUTES["debate"] + rest - half,
        "imagine": _SERIES_BASE_MINUTES["imagine"] + half,
    }


def count_replayable(clips_s: list[int], listen_min: int) -> int:
    """Return how many of the clips, from the first, fit in `listen_min` minutes; at least one when there are any."""
    total_s, count = 0, 0
    for length_s in clips_s:
        total_s += length_s
        if total_s > listen_min * 60:
            break
        count += 1
    return max(count, min(1, len(clips_s)))


def starts_min(minutes: dict[str, int]) -> dict[str, int]:
    """Return when each part starts, in minutes from the start of the meeting."""
    starts, now = {}, 0
    for part, lasts in minutes.items():
        starts[part] = now
        now += lasts
    return starts


def meeting_format(total_min: int, duration_s: float) -> MeetingFormat:
    """Return the meeting of `total_min` minutes (one of `FORMATS_MIN`) for an episode of `duration_s` seconds."""
    base = _BASE_MINUTES[total_min]
    plays_full_episode = duration_s / 60 <= FULL_EPISODE_SHARE * total_min
    listen = max(1, math.ceil(duration_s / 60)) if plays_full_episode else int(CLIPS_SHARE * total_min)
    discussions = [part for part in base if part in DISCUSSIONS]
    each, rest = divmod(base["listen"] - listen, len(discussions))
    minutes = {**base, "listen": listen} | {part: base[part] + each + (i < rest) for i, part in enumerate(discussions)}
    return MeetingFormat(total_min, plays_full_episode, minutes, _FAMILIES[total_min])
