"""Every number of the report, as JSON values. The page is rendered from them, so that both always agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any  # of JSON values

from pipeline.audio.profile import Profile, range_lu
from pipeline.model import Chapter
from pipeline.report import measures
from pipeline.report.voices import Said, shown

TOLERANCE_LU = 0.5  # accepted distance of the encoded file from the target
COMPARED_S = 3.0  # voices that speak less than a short-term window (EBU Tech 3341) are not compared


@dataclass(frozen=True)
class About:
    """The inputs of the report besides profiles and voices."""

    title: str
    slug: str
    language: str
    sound: dict[str, Any]  # `sound.json`
    encoded: dict[str, Any]  # `encoded.json`
    chapters: tuple[Chapter, ...] = ()


def figures_of(about: About, turns: Sequence[Said], before: Profile, after: Profile) -> dict[str, Any]:
    """All figures of an episode: measures before and after, voices, turns, processing, and both loudness curves."""
    encoded, sound = about.encoded, about.sound
    voices = voices_of(turns, before, after)
    each = [_turn(turn, before, after) for turn in turns]
    old, new = (_measured(profile, turns) | _spreads(voices, each, side) for profile, side in ((before, "before"), (after, "after")))
    new |= {key: encoded[key] for key in ("integrated_lufs", "true_peak_dbtp", "range_lu", "duration_s")}
    asked = {"integrated_lufs": encoded["target_lufs"], "tolerance_lu": TOLERANCE_LU, "ceiling_dbtp": encoded["ceiling_dbtp"]}
    return {
        "version": 1,
        "slug": about.slug,
        "title": about.title,
        "language": about.language,
        "asked": asked,
        "within": within(encoded),
        "before": old,
        "after": new,
        "voices": voices,
        "turns": each,
        "chapters": [{"start_s": chapter.start_s, "title": chapter.title} for chapter in about.chapters],
        **{key: sound[key] for key in ("level", "recordings", "parts", "beds", "trimmed_s")},
        "levelled": sound["turns"],
        "encoding": {key: encoded.get(key) for key in ("gain_db", "limit_dbtp", "limited", "limited_s", "attempts")},
        "series": {"step_s": 1, "before_lufs": measures.each_second(before), "after_lufs": measures.each_second(after)},
    }


def within(encoded: dict[str, Any]) -> dict[str, bool]:
    """Whether the encoded file meets its targets for loudness (rounded to 0.1 LU) and true peak."""
    off_lu = abs(encoded["integrated_lufs"] - encoded["target_lufs"])
    return {"integrated_lufs": round(off_lu, 1) <= TOLERANCE_LU, "true_peak_dbtp": encoded["true_peak_dbtp"] <= encoded["ceiling_dbtp"]}


def voices_of(turns: Sequence[Said], before: Profile, after: Profile) -> list[dict[str, Any]]:
    """Each voice, longest speaking time first: speaking time, number of turns, loudness before and after."""
    spans: dict[str, list[measures.Span]] = {}
    for turn in turns:
        spans.setdefault(turn.voice, []).append((turn.start_s, turn.end_s))
    found = [
        {
            "name": name,
            "turns": len(own),
            "talk_s": round(sum(end_s - start_s for start_s, end_s in own), 2),
            "before_lufs": measures.loudness_lufs(before, own),
            "after_lufs": measures.loudness_lufs(after, own),
        }
        for name, own in spans.items()
    ]
    return sorted(found, key=lambda voice: -voice["talk_s"])


def spread_lu(voices: Sequence[dict[str, Any]], side: str) -> float | None:
    """The difference between the loudest and the quietest voice that speak at least `MIN_COMPARED_S`; None when there are not two."""
    loud = [voice[f"{side}_lufs"] for voice in voices if voice["talk_s"] >= COMPARED_S and voice[f"{side}_lufs"] is not None]
    return round(max(loud) - min(loud), 2) if len(loud) > 1 else None


def _spreads(voices: Sequence[dict[str, Any]], turns: Sequence[dict[str, Any]], side: str) -> dict[str, float | None]:
    """The loudness spread between voices; between turns when only one voice is known."""
    lasting = [{**turn, "talk_s": turn["end_s"] - turn["start_s"]} for turn in turns]
    return {"voices_spread_lu": spread_lu(voices, side), "turns_spread_lu": spread_lu(lasting, side) if len(voices) == 1 else None}


def _measured(profile: Profile, turns: Sequence[Said]) -> dict[str, Any]:
    spoken = [span for turn in turns for span in turn.words or ((turn.start_s, turn.end_s),)]
    noise_db, apart = measures.noise_floor_db(profile, spoken)
    return {
        "integrated_lufs": measures.finite(profile.integrated_lufs),
        "true_peak_dbtp": None,  # known of the published file only
        "peak_dbfs": _rounded(measures.peak_dbfs(profile)),
        "range_lu": round(range_lu(profile.momentary_lufs), 2),
        "loudest_3s_lufs": measures.loudest_lufs(profile),
        "noise_floor_db": _rounded(noise_db),
        "noise_floor_outside_speech": apart,
        "duration_s": round(profile.duration_s, 3),
    }


def _turn(turn: Said, before: Profile, after: Profile) -> dict[str, Any]:
    span = [(turn.start_s, turn.end_s)]
    loud = {"before_lufs": measures.loudness_lufs(before, span), "after_lufs": measures.loudness_lufs(after, span)}
    return {"start_s": turn.start_s, "end_s": turn.end_s, "voice": shown(turn.voice), **loud}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
