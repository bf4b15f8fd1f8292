"""The page: figures and profiles become paths, positions and text, which one template puts together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # of JSON values

from pipeline.audio import LevelProfile
from pipeline.model import apply_typography, format_clock, is_plural
from pipeline.templates import environment
from pipeline.web.report import statistics
from pipeline.web.report.labels import ReportFormatter, processing_steps, verdict
from pipeline.web.report.speakers import display_safe
from pipeline.web.report.svg import (
    BOTTOM_DB,
    COLUMNS,
    area_path,
    axis_range_db,
    curve_path,
    depth_units,
    percent_of,
    stroke_path,
    time_ticks,
)
from pipeline.web.report.tables import format_measure, format_targets, measure_rows, recording_rows, summary_tiles, voice_rows

MAX_LANES = 8  # voices with a lane and a colour of their own; the others share the last lane
MAX_CHAPTERS = 60
LAST_TICK_PERCENT = 96.0  # percent of the axis: a label further right would be clipped
MAX_CURVE_POINTS = 400  # a loudness curve with more points than this hides the turns under it
LABEL_HEIGHT_DB = 6  # the height of a line of text on a panel's scale, in print


def render_report(figures: Mapping[str, Any], before: LevelProfile, after: LevelProfile) -> str:
    """The report as one HTML page, without scripts and external resources."""
    formatter = ReportFormatter(figures["language"])
    columns = statistics.column_count(after.duration_s, COLUMNS)
    lanes = voice_lanes(figures, columns, formatter)
    values = {
        "figures": figures,
        "words": formatter.labels,
        "wording": formatter,
        "title": apply_typography(display_safe(figures["title"]), figures["language"]),
        "verdict": verdict(dict(figures), formatter),
        "good": all(figures["within"].values()),
        "tiles": summary_tiles(figures, formatter),
        "columns": columns,
        "ticks": time_axis(_length_s(figures)),
        "chapters": chapter_marks(figures),
        "lanes": lanes,
        "panels": [
            level_panel(figures, side, profile, lanes, columns, formatter) for side, profile in (("before", before), ("after", after))
        ],
        "gain": gain_panel(before, after, columns, formatter),
        "montage": arrangement_rows(figures, formatter),
        "voices": voice_rows(figures, lanes, formatter),
        "rows": measure_rows(figures, formatter),
        "recordings": recording_rows(figures, formatter),
        "done": processing_steps(dict(figures), formatter),
        "asked": format_targets(figures, formatter),
        "legend_curve": loudness_legend(after.duration_s, formatter),
    }
    return environment("report").get_template("report.html.j2").render(values)


def time_axis(length_s: float) -> list[dict[str, str | bool]]:
    """The labels of the time axis: position, text, alignment, and whether a narrow screen shows them too."""
    label_step = 4 if length_s >= 3600 else 2
    marks = [(percent_of(at_s, length_s), text) for at_s, text in time_ticks(length_s)]
    anchors = ["start" if i == 0 else "end" if float(at[:-1]) > LAST_TICK_PERCENT else "middle" for i, (at, _) in enumerate(marks)]
    return [
        {"at": at, "text": text, "anchor": anchor, "always": i % label_step == 0}
        for i, ((at, text), anchor) in enumerate(zip(marks, anchors, strict=True))
    ]


def chapter_marks(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each chapter: its number, position and width on the axis, time and title."""
    length_s, chapters = _length_s(figures), figures["chapters"][:MAX_CHAPTERS]
    ends = [*(chapter["start_s"] for chapter in chapters[1:]), length_s]
    return [
        {
            "number": number,
            "at": percent_of(chapter["start_s"], length_s),
            "width": percent_of(end_s - chapter["start_s"], length_s),
            "time": format_clock(chapter["start_s"]),
            "title": apply_typography(display_safe(chapter["title"]), figures["language"]),
        }
        for number, (chapter, end_s) in enumerate(zip(chapters, ends, strict=False), start=1)
        if chapter["start_s"] < length_s
    ]


def voice_lanes(figures: Mapping[str, Any], columns: int, formatter: ReportFormatter) -> list[dict[str, Any]]:
    """One lane per voice, longest speaking time first; the last is shared by those that have none of their own."""
    voices, length_s = figures["voices"], _length_s(figures)
    named_voices = voices if len(voices) <= MAX_LANES else voices[: MAX_LANES - 1]
    groups = [[voice] for voice in named_voices] + ([voices[len(named_voices) :]] if len(named_voices) < len(voices) else [])
    lanes = []
    for colour, group in enumerate(groups, start=1):
        names = {voice["name"] for voice in group}
        turns = [turn for turn in figures["turns"] if turn["voice"] in names]
        talk_s, count = (
            sum(voice["talk_s"] for voice in group),
            formatter.labels["turns"]["many" if is_plural(len(turns), formatter.language) else "one"],
        )
        texts = {"turns": count.format(n=len(turns)), "talk": formatter.duration(talk_s), "first": format_clock(turns[0]["start_s"])}
        lanes.append(
            {
                "colour": colour,
                "names": names,
                "name": group[0]["name"] if len(group) == 1 else formatter.labels["others"].format(n=len(group)),
                "talk": formatter.duration(talk_s),
                "describe": formatter.labels["lane_describe"].format(**texts),
                "path": stroke_path(((turn["start_s"], turn["end_s"], 5) for turn in turns), length_s, columns),
            }
        )
    return lanes


def level_panel(
    figures: Mapping[str, Any], side: str, profile: LevelProfile, lanes: Sequence[dict[str, Any]], columns: int, formatter: ReportFormatter
) -> dict[str, Any]:
    """One of the two drawings, before and after: envelope, loudness curve, and each turn at its loudness."""
    highest, quietest = statistics.envelope_db(profile, columns)
    peak = "true_peak_dbtp" if side == "after" else "peak_dbfs"
    measures_shown = {"integrated": "integrated_lufs", "peak": peak, "range": "range_lu"}
    described = {name: format_measure(key, figures[side], formatter) for name, key in measures_shown.items()}
    return {
        "side": side,
        "title": formatter.labels[f"{side}_long"],
        "describe": formatter.labels["panel_describe"].format(**described, **format_targets(figures, formatter)),
        "figures": " · ".join(described[name] for name in ("integrated", "peak")),
        "peaks": area_path(highest.tolist()),
        "pauses": area_path(quietest.tolist()),
        "curve": curve_path(statistics.smoothed_lufs(profile, columns, smoothing_window_s(profile.duration_s)).tolist()),
        "turns": [(lane["colour"], _turn_levels_path(figures, side, lane["names"], columns)) for lane in lanes],
        "scale": level_scale(figures["asked"], formatter),
    }


def level_scale(targets: Mapping[str, float], formatter: ReportFormatter) -> list[dict[str, Any]]:
    """The labels of a panel's scale: every 10 dB, the target and the ceiling; a label that would touch those is left out."""
    target_lines = {targets["integrated_lufs"]: "target", targets["ceiling_dbtp"]: "ceiling"}
    grid_lines: list[float] = [db for db in range(0, BOTTOM_DB - 1, -10) if all(abs(db - each) >= LABEL_HEIGHT_DB for each in target_lines)]
    kinds = {**dict.fromkeys(grid_lines, "grid"), **target_lines}
    digits = {db: 0 if db == round(db) else 1 for db in kinds}
    return [
        {"kind": kind, "at": percent_of(-db, -BOTTOM_DB), "text": formatter.number(db, digits=digits[db])} for db, kind in kinds.items()
    ]


def gain_panel(before: LevelProfile, after: LevelProfile, columns: int, formatter: ReportFormatter) -> dict[str, Any]:
    """The gain over time, in dB."""
    gains = statistics.gains_db(before, after, columns)
    low, high = axis_range_db(gains)
    known_gains = [gain for gain in gains if gain is not None] or [0.0]
    least, most = (formatter.number(edge, "dB", signed=True) for edge in (min(known_gains), max(known_gains)))
    return {
        "describe": formatter.labels["gain_describe"].format(low=least, high=most),
        "range": f"{least} … {most}",
        "path": curve_path([None if gain is None else gain - high for gain in gains], low - high),
        "units": 10 * (high - low),
        "levels": [(percent_of(high - db, high - low), formatter.number(db, digits=0, signed=True)) for db in sorted({low, 0, high})],
    }


def arrangement_rows(figures: Mapping[str, Any], formatter: ReportFormatter) -> list[dict[str, Any]]:
    """The rows of the arrangement: parts, and the music beds under them; empty when there are only recordings."""
    named = ((part["name"] if part["name"] != "body" else "", part) for part in figures["parts"])
    parts = [(name or part["file"].rpartition("/")[2] or formatter.labels["body"], part) for name, part in named]
    beds = [(bed["file"].rpartition("/")[2], bed) for bed in figures["beds"]]
    rows = [("part", formatter.labels["montage"], parts if len(parts) > 1 or beds else []), ("bed", formatter.labels["under"], beds)]
    length_s = _length_s(figures)
    return [
        {"kind": kind, "name": name, "blocks": [_block(display_safe(text), each, length_s) for text, each in blocks]}
        for kind, name, blocks in rows
        if blocks
    ]


def smoothing_window_s(length_s: float) -> float:
    """The averaging window of the loudness curve in seconds: 3, more in a long programme."""
    return max(statistics.SHORT_TERM_S, length_s / MAX_CURVE_POINTS)


def loudness_legend(length_s: float, formatter: ReportFormatter) -> str:
    """The legend of the loudness curve: short-term loudness, or the mean of a longer window."""
    window_length_s = smoothing_window_s(length_s)
    if window_length_s == statistics.SHORT_TERM_S:
        return str(formatter.labels["legend_curve"])
    return str(formatter.labels["legend_curve_long"]).format(window=formatter.number(window_length_s, "s", digits=0))


def _turn_levels_path(figures: Mapping[str, Any], side: str, names: set[str], columns: int) -> str:
    turns = [turn for turn in figures["turns"] if turn["voice"] in names and turn[f"{side}_lufs"] is not None]
    spans = ((turn["start_s"], turn["end_s"], depth_units(turn[f"{side}_lufs"])) for turn in turns)
    return stroke_path(spans, _length_s(figures), columns)


def _block(text: str, span: Mapping[str, Any], length_s: float) -> dict[str, str]:
    left, width = percent_of(span["start_s"], length_s), percent_of(span["end_s"] - span["start_s"], length_s)
    return {"text": text, "at": left, "width": width, "time": format_clock(span["start_s"])}


def _length_s(figures: Mapping[str, Any]) -> float:
    """The length of the time axis in seconds: that of the master, at least 0.01 so that it can be divided by."""
    return max(float(figures["before"]["duration_s"]), 0.01)
