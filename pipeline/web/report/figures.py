"""Every number of the report, as JSON values. The page is rendered from them, so that both always agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any  # of JSON values

from pipeline.audio import LevelProfile, loudness_range_lu
from pipeline.model import Chapter
from pipeline.web.report import statistics
from pipeline.web.report.speakers import SpeakerTurn, display_safe

TOLERANCE_LU = 0.5  # accepted distance of the encoded file from the target
MIN_COMPARED_S = 3.0  # voices that speak less than a short-term window (EBU Tech 3341) are not compared


@dataclass(frozen=True)
class ReportSource:
    """The inputs of the report besides profiles and voices."""

    title: str
    slug: str
    language: str
    sound: dict[str, Any]  # `sound.json`
    encoded: dict[str, Any]  # `encoded.json`
    chapters: tuple[Chapter, ...] = ()
    cuts: Sequence[dict[str, Any]] = ()  # `cut_figures`


def compute_figures(source: ReportSource, turns: Sequence[SpeakerTurn], before: LevelProfile, after: LevelProfile) -> dict[str, Any]:
    """All figures of an episode: measures before and after, voices, turns, processing, and both loudness curves."""
    encoded, sound = source.encoded, source.sound
    voices = voice_figures(turns, before, after)
    turn_figures = [_turn_figures(turn, before, after) for turn in turns]
    before_figures, after_figures = (
        _profile_figures(profile, turns) | _spreads(voices, turn_figures, side) for profile, side in ((before, "before"), (after, "after"))
    )
    after_figures |= {key: encoded[key] for key in ("integrated_lufs", "true_peak_dbtp", "range_lu", "duration_s")}
    targets = {"integrated_lufs": encoded["target_lufs"], "tolerance_lu": TOLERANCE_LU, "ceiling_dbtp": encoded["ceiling_dbtp"]}
    return {
        "version": 1,
        "slug": source.slug,
        "title": source.title,
        "language": source.language,
        "asked": targets,
        "within": target_checks(encoded),
        "before": before_figures,
        "after": after_figures,
        "voices": voices,
        "turns": turn_figures,
        "chapters": [{"start_s": chapter.start_s, "title": chapter.title} for chapter in source.chapters],
        **{key: sound[key] for key in ("level", "recordings", "parts", "beds", "trimmed_s")},
        **({"cuts": list(source.cuts)} if source.cuts else {}),
        "levelled": sound["turns"],
        "encoding": {key: encoded.get(key) for key in ("gain_db", "limit_dbtp", "limited", "limited_s", "attempts")},
        "series": {
            "step_s": 1,
            "before_lufs": statistics.short_term_each_second(before),
            "after_lufs": statistics.short_term_each_second(after),
        },
    }


def target_checks(encoded: dict[str, Any]) -> dict[str, bool]:
    """Whether the encoded file meets its targets for loudness (rounded to 0.1 LU) and true peak."""
    off_lu = abs(encoded["integrated_lufs"] - encoded["target_lufs"])
    return {"integrated_lufs": round(off_lu, 1) <= TOLERANCE_LU, "true_peak_dbtp": encoded["true_peak_dbtp"] <= encoded["ceiling_dbtp"]}


def voice_figures(turns: Sequence[SpeakerTurn], before: LevelProfile, after: LevelProfile) -> list[dict[str, Any]]:
    """Each voice, longest speaking time first: speaking time, number of turns, loudness before and after."""
    spans: dict[str, list[statistics.TimeInterval]] = {}
    for turn in turns:
        spans.setdefault(turn.voice, []).append((turn.start_s, turn.end_s))
    voices = [
        {
            "name": name,
            "turns": len(intervals),
            "talk_s": round(sum(end_s - start_s for start_s, end_s in intervals), 2),
            "before_lufs": statistics.loudness_lufs(before, intervals),
            "after_lufs": statistics.loudness_lufs(after, intervals),
        }
        for name, intervals in spans.items()
    ]
    return sorted(voices, key=lambda voice: -voice["talk_s"])


def spread_lu(voices: Sequence[dict[str, Any]], side: str) -> float | None:
    """The difference between the loudest and the quietest voice that speak at least `MIN_COMPARED_S`; None when there are not two."""
    loud = [voice[f"{side}_lufs"] for voice in voices if voice["talk_s"] >= MIN_COMPARED_S and voice[f"{side}_lufs"] is not None]
    return round(max(loud) - min(loud), 2) if len(loud) > 1 else None


def _spreads(voices: Sequence[dict[str, Any]], turns: Sequence[dict[str, Any]], side: str) -> dict[str, float | None]:
    """The loudness spread between voices; between turns when only one voice is known."""
    timed_turns = [{**turn, "talk_s": turn["end_s"] - turn["start_s"]} for turn in turns]
    return {"voices_spread_lu": spread_lu(voices, side), "turns_spread_lu": spread_lu(timed_turns, side) if len(voices) == 1 else None}


def _profile_figures(profile: LevelProfile, turns: Sequence[SpeakerTurn]) -> dict[str, Any]:
    spoken = [span for turn in turns for span in turn.words or ((turn.start_s, turn.end_s),)]
    noise_db, is_outside_speech = statistics.noise_floor_db(profile, spoken)
    return {
        "integrated_lufs": statistics.audible_lufs(profile.integrated_lufs),
        "true_peak_dbtp": None,  # known of the published file only
        "peak_dbfs": _rounded(statistics.peak_dbfs(profile)),
        "range_lu": round(loudness_range_lu(profile.momentary_lufs), 2),
        "loudest_3s_lufs": statistics.max_short_term_lufs(profile),
        "noise_floor_db": _rounded(noise_db),
        "noise_floor_outside_speech": is_outside_speech,
        "duration_s": round(profile.duration_s, 3),
    }


def _turn_figures(turn: SpeakerTurn, before: LevelProfile, after: LevelProfile) -> dict[str, Any]:
    span = [(turn.start_s, turn.end_s)]
    loud = {"before_lufs": statistics.loudness_lufs(before, span), "after_lufs": statistics.loudness_lufs(after, span)}
    return {"start_s": turn.start_s, "end_s": turn.end_s, "voice": display_safe(turn.voice), **loud}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
