"""Cuts in the report: what was removed, and what ingest found, brought to the published timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # of JSON values

from pipeline.model import Removal, fold_words, published


def publish_sound(sound: Mapping[str, Any], removals: Sequence[Removal]) -> dict[str, Any]:
    """`sound.json` in published time; of parts, beds and turns those of which nothing is left are left out."""

    def moved(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        spans = [[round(published(row[key], removals), 3) for key in ("start_s", "end_s")] for row in rows]
        return [{**row, "start_s": start_s, "end_s": end_s} for row, (start_s, end_s) in zip(rows, spans, strict=True) if end_s > start_s]

    return {**sound, **{key: moved(sound[key]) for key in ("parts", "beds", "turns")}}


def cut_figures(edits: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each cut of `edits.json`: its time in the recordings, how much it removes, what was heard there, what was noted if it
    differs, and whether it is made in the middle of sound."""
    return [
        {
            "start_s": each["start_s"],
            "removed_s": round(sum(span["end_s"] - span["start_s"] for span in each["master"]), 3),
            "heard": each["heard"],
            "in_sound": each["in_sound"],
            "noted": "" if fold_words(each["said"]) == fold_words(each["heard"]) else each["said"],
        }
        for each in edits["cuts"]
    ]
