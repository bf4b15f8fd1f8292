"""The tables of the report: formatted figures, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # of JSON values

from pipeline.report.drawing import share
from pipeline.report.figures import COMPARED_S
from pipeline.report.voices import shown
from pipeline.report.wording import Wording

_UNITS = {
    "integrated_lufs": "LUFS",
    "true_peak_dbtp": "dBTP",
    "peak_dbfs": "dBFS",
    "range_lu": "LU",
    "loudest_3s_lufs": "LUFS",
    "voices_spread_lu": "LU",
    "turns_spread_lu": "LU",
    "noise_floor_db": "dB",
}


def tiles(figures: Mapping[str, Any], words: Wording) -> list[dict[str, str]]:
    """The key figures at the top, each with its target or its value before."""
    names, asked, after = words.labels["tiles"], asked_of(figures, words), figures["after"]
    notes = {"integrated_lufs": names["target"].format(**asked), "true_peak_dbtp": names["ceiling"].format(**asked)}
    for key in ("voices_spread_lu", "turns_spread_lu"):
        notes[key] = names["from"].format(before=figure_of(key, figures["before"], words))
    shown_first = ("integrated_lufs", "true_peak_dbtp", "voices_spread_lu", "turns_spread_lu", "duration_s")
    keys = [key for key in shown_first if after[key] is not None]
    return [{"name": names[key], "value": figure_of(key, after, words), "note": notes.get(key, "")} for key in keys]


def voice_rows(figures: Mapping[str, Any], lanes: Sequence[dict[str, Any]], words: Wording) -> dict[str, Any]:
    """Every voice with its loudness before and after, on one LUFS scale with the target."""
    voices, target = figures["voices"], figures["asked"]["integrated_lufs"]
    known = [value for voice in voices for value in (voice["before_lufs"], voice["after_lufs"]) if value is not None]
    low, high = min([*known, target]) - 2, max([*known, target]) + 2
    rows = []
    for voice in voices:
        marks = {side: voice[f"{side}_lufs"] for side in ("before", "after")}
        said = {side: words.number(value, "LUFS") for side, value in marks.items()}
        at = {f"{side}_at": None if value is None else share(value - low, high - low) for side, value in marks.items()}
        colour = _colour(lanes, voice["name"])
        rows.append({"name": voice["name"], "colour": colour, "talk": words.length(voice["talk_s"]), **said, **at})
    return {"rows": rows, "target": share(target - low, high - low), "low": words.number(low), "high": words.number(high)}


def measure_rows(figures: Mapping[str, Any], words: Wording) -> list[dict[str, str]]:
    """Every measure before and after, with a note on how it is measured or what the target is."""
    notes, after = words.labels["notes"], figures["after"]
    values = {**asked_of(figures, words), "compared": words.number(COMPARED_S, "s", digits=0)}
    rows = []
    for key, name in words.labels["rows"].items():
        note = "noise_floor_everywhere" if key == "noise_floor_db" and not after["noise_floor_outside_speech"] else key
        if figures["before"][key] is None and after[key] is None:
            continue
        sides = {side: figure_of(key, figures[side], words) for side in ("before", "after")}
        rows.append({"name": name, "note": notes.get(note, "").format(**values), **sides})
    return rows


def recording_rows(figures: Mapping[str, Any], words: Wording) -> list[list[tuple[str, str]]]:
    """Every source file: label and value of each cell, the file name first."""
    heads, rows = words.labels["recordings"], []
    for each in figures["recordings"]:
        channels = each["channels"]
        layout = heads["channels"][channels - 1] if channels in (1, 2) else heads["more_channels"].format(n=channels)
        rate = words.number(each["sample_rate_hz"] / 1000, "kHz", digits=0 if each["sample_rate_hz"] % 1000 == 0 else 1)
        stream = f" ({shown(str(each['stream']))})" if each.get("stream") else ""
        cells = {
            "file": shown(each["file"].rpartition("/")[2]) + stream,
            "format": words.labels["comma"].join([shown(each["codec"]), rate, layout]),
            "duration_s": words.length(each["duration_s"]),
            "integrated_lufs": words.number(each["integrated_lufs"], "LUFS"),
            "peak_dbfs": words.number(each["peak_dbfs"], "dBFS", signed=each["peak_dbfs"] > 0),
            "noise_floor_db": words.number(each["noise_floor_db"], "dB"),
            "gain_db": words.number(each["gain_db"], "dB", signed=True),
            "cleaned": words.cleaned(each["cleaned"]),
        }
        rows.append([(heads[key], text) for key, text in cells.items()])
    return rows


def _colour(lanes: Sequence[dict[str, Any]], name: str) -> int:
    return next((lane["colour"] for lane in lanes if name in lane["names"]), 0)


def asked_of(figures: Mapping[str, Any], words: Wording) -> dict[str, str]:
    """The targets, formatted: loudness, its tolerance, true-peak ceiling."""
    asked = figures["asked"]
    return {
        "target": words.number(asked["integrated_lufs"], "LUFS"),
        "tolerance": words.number(asked["tolerance_lu"]),
        "ceiling": words.number(asked["ceiling_dbtp"], "dBTP"),
    }


def figure_of(key: str, side: Mapping[str, Any], words: Wording) -> str:
    """One measure of one side, "before" or "after", formatted with its unit."""
    return words.length(side[key]) if key == "duration_s" else words.number(side[key], _UNITS[key])
