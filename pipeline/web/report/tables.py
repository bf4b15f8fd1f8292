"""The tables of the report: formatted figures, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # of JSON values

from pipeline.web.report.figures import MIN_COMPARED_S
from pipeline.web.report.labels import ReportFormatter
from pipeline.web.report.speakers import display_safe
from pipeline.web.report.svg import percent_of

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


def summary_tiles(figures: Mapping[str, Any], formatter: ReportFormatter) -> list[dict[str, str]]:
    """The key figures at the top, each with its target or its value before."""
    names, targets, after = formatter.labels["tiles"], format_targets(figures, formatter), figures["after"]
    notes = {"integrated_lufs": names["target"].format(**targets), "true_peak_dbtp": names["ceiling"].format(**targets)}
    for key in ("voices_spread_lu", "turns_spread_lu"):
        notes[key] = names["from"].format(before=format_measure(key, figures["before"], formatter))
    shown_first = ("integrated_lufs", "true_peak_dbtp", "voices_spread_lu", "turns_spread_lu", "duration_s")
    keys = [key for key in shown_first if after[key] is not None]
    return [{"name": names[key], "value": format_measure(key, after, formatter), "note": notes.get(key, "")} for key in keys]


def voice_rows(figures: Mapping[str, Any], lanes: Sequence[dict[str, Any]], formatter: ReportFormatter) -> dict[str, Any]:
    """Every voice with its loudness before and after, on one LUFS scale with the target."""
    voices, target = figures["voices"], figures["asked"]["integrated_lufs"]
    levels_lufs = [value for voice in voices for value in (voice["before_lufs"], voice["after_lufs"]) if value is not None]
    low, high = min([*levels_lufs, target]) - 2, max([*levels_lufs, target]) + 2
    rows = []
    for voice in voices:
        marks = {side: voice[f"{side}_lufs"] for side in ("before", "after")}
        texts = {side: formatter.number(value, "LUFS") for side, value in marks.items()}
        positions = {f"{side}_at": None if value is None else percent_of(value - low, high - low) for side, value in marks.items()}
        colour = _lane_colour(lanes, voice["name"])
        rows.append({"name": voice["name"], "colour": colour, "talk": formatter.duration(voice["talk_s"]), **texts, **positions})
    return {"rows": rows, "target": percent_of(target - low, high - low), "low": formatter.number(low), "high": formatter.number(high)}


def measure_rows(figures: Mapping[str, Any], formatter: ReportFormatter) -> list[dict[str, str]]:
    """Every measure before and after, with a note on how it is measured or what the target is."""
    notes, after = formatter.labels["notes"], figures["after"]
    values = {**format_targets(figures, formatter), "compared": formatter.number(MIN_COMPARED_S, "s", digits=0)}
    rows = []
    for key, name in formatter.labels["rows"].items():
        note = "noise_floor_everywhere" if key == "noise_floor_db" and not after["noise_floor_outside_speech"] else key
        if figures["before"][key] is None and after[key] is None:
            continue
        sides = {side: format_measure(key, figures[side], formatter) for side in ("before", "after")}
        rows.append({"name": name, "note": notes.get(note, "").format(**values), **sides})
    return rows


def recording_rows(figures: Mapping[str, Any], formatter: ReportFormatter) -> list[list[tuple[str, str]]]:
    """Every source file: label and value of each cell, the file name first."""
    headings, rows = formatter.labels["recordings"], []
    for each in figures["recordings"]:
        channels = each["channels"]
        layout = headings["channels"][channels - 1] if channels in (1, 2) else headings["more_channels"].format(n=channels)
        rate = formatter.number(each["sample_rate_hz"] / 1000, "kHz", digits=0 if each["sample_rate_hz"] % 1000 == 0 else 1)
        stream = f" ({display_safe(str(each['stream']))})" if each.get("stream") else ""
        cells = {
            "file": display_safe(each["file"].rpartition("/")[2]) + stream,
            "format": formatter.labels["comma"].join([display_safe(each["codec"]), rate, layout]),
            "duration_s": formatter.duration(each["duration_s"]),
            "integrated_lufs": formatter.number(each["integrated_lufs"], "LUFS"),
            "peak_dbfs": formatter.number(each["peak_dbfs"], "dBFS", signed=each["peak_dbfs"] > 0),
            "noise_floor_db": formatter.number(each["noise_floor_db"], "dB"),
            "gain_db": formatter.number(each["gain_db"], "dB", signed=True),
            "cleaned": formatter.cleanup_list(each["cleaned"]),
        }
        rows.append([(headings[key], text) for key, text in cells.items()])
    return rows


def _lane_colour(lanes: Sequence[dict[str, Any]], name: str) -> int:
    return next((lane["colour"] for lane in lanes if name in lane["names"]), 0)


def format_targets(figures: Mapping[str, Any], formatter: ReportFormatter) -> dict[str, str]:
    """The targets, formatted: loudness, its tolerance, true-peak ceiling."""
    targets = figures["asked"]
    return {
        "target": formatter.number(targets["integrated_lufs"], "LUFS"),
        "tolerance": formatter.number(targets["tolerance_lu"]),
        "ceiling": formatter.number(targets["ceiling_dbtp"], "dBTP"),
    }


def format_measure(key: str, side: Mapping[str, Any], formatter: ReportFormatter) -> str:
    """One measure of one side, "before" or "after", formatted with its unit."""
    return formatter.duration(side[key]) if key == "duration_s" else formatter.number(side[key], _UNITS[key])
