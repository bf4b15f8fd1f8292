"""The page: figures and profiles become paths, positions and text, which one template puts together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any  # of JSON values

from pipeline.audio.profile import Profile
from pipeline.report import measures
from pipeline.report.drawing import BOTTOM_DB, COLUMNS, area, curve, height_of, scale_db, share, strokes, ticks
from pipeline.report.tables import asked_of, figure_of, measure_rows, recording_rows, tiles, voice_rows
from pipeline.report.voices import shown
from pipeline.report.wording import TEMPLATES, Wording, done, verdict
from pipeline.text import hms, typographic

MOST_LANES = 8  # voices with a lane and a colour of their own; the others share the last lane
MANY_CHAPTERS = 60
LAST_TIME = 96.0  # percent of the axis: a label further right would be clipped
SMOOTH = 400  # a loudness curve with more points than this hides the turns under it
LABEL_DB = 6  # the height of a line of text on a panel's scale, in print


def page_of(figures: Mapping[str, Any], before: Profile, after: Profile) -> str:
    """The report as one HTML page, without scripts and external resources."""
    words = Wording(figures["language"])
    columns = measures.columns_of(after.duration_s, COLUMNS)
    lanes = lanes_of(figures, columns, words)
    values = {
        "figures": figures,
        "words": words.labels,
        "wording": words,
        "title": typographic(shown(figures["title"]), figures["language"]),
        "verdict": verdict(dict(figures), words),
        "good": all(figures["within"].values()),
        "tiles": tiles(figures, words),
        "columns": columns,
        "ticks": times(_length_s(figures)),
        "chapters": chapters_of(figures),
        "lanes": lanes,
        "panels": [panel(figures, side, profile, lanes, columns, words) for side, profile in (("before", before), ("after", after))],
        "gain": gain_lane(before, after, columns, words),
        "montage": montage(figures, words),
        "voices": voice_rows(figures, lanes, words),
        "rows": measure_rows(figures, words),
        "recordings": recording_rows(figures, words),
        "done": done(dict(figures), words),
        "asked": asked_of(figures, words),
        "legend_curve": legend_curve(after.duration_s, words),
    }
    return _render(values)


def times(length_s: float) -> list[dict[str, str | bool]]:
    """The labels of the time axis: position, text, alignment, and whether a narrow screen shows them too."""
    every = 4 if length_s >= 3600 else 2
    found = [(share(at_s, length_s), text) for at_s, text in ticks(length_s)]
    anchors = ["start" if i == 0 else "end" if float(at[:-1]) > LAST_TIME else "middle" for i, (at, _) in enumerate(found)]
    return [
        {"at": at, "text": text, "anchor": anchor, "always": i % every == 0}
        for i, ((at, text), anchor) in enumerate(zip(found, anchors, strict=True))
    ]


def chapters_of(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each chapter: its number, position and width on the axis, time and title."""
    length_s, found = _length_s(figures), figures["chapters"][:MANY_CHAPTERS]
    ends = [*(chapter["start_s"] for chapter in found[1:]), length_s]
    return [
        {
            "number": number,
            "at": share(chapter["start_s"], length_s),
            "width": share(end_s - chapter["start_s"], length_s),
            "time": hms(chapter["start_s"]),
            "title": typographic(shown(chapter["title"]), figures["language"]),
        }
        for number, (chapter, end_s) in enumerate(zip(found, ends, strict=False), start=1)
        if chapter["start_s"] < length_s
    ]


def lanes_of(figures: Mapping[str, Any], columns: int, words: Wording) -> list[dict[str, Any]]:
    """One lane per voice, longest speaking time first; the last is shared by those that have none of their own."""
    voices, length_s = figures["voices"], _length_s(figures)
    own = voices if len(voices) <= MOST_LANES else voices[: MOST_LANES - 1]
    groups = [[voice] for voice in own] + ([voices[len(own) :]] if len(own) < len(voices) else [])
    lanes = []
    for colour, group in enumerate(groups, start=1):
        names = {voice["name"] for voice in group}
        turns = [turn for turn in figures["turns"] if turn["voice"] in names]
        talk_s, count = sum(voice["talk_s"] for voice in group), words.labels["turns"]["one" if len(turns) < 2 else "many"]
        said = {"turns": count.format(n=len(turns)), "talk": words.length(talk_s), "first": hms(turns[0]["start_s"])}
        lanes.append(
            {
                "colour": colour,
                "names": names,
                "name": group[0]["name"] if len(group) == 1 else words.labels["others"].format(n=len(group)),
                "talk": words.length(talk_s),
                "describe": words.labels["lane_describe"].format(**said),
                "path": strokes(((turn["start_s"], turn["end_s"], 5) for turn in turns), length_s, columns),
            }
        )
    return lanes


def panel(
    figures: Mapping[str, Any], side: str, profile: Profile, lanes: Sequence[dict[str, Any]], columns: int, words: Wording
) -> dict[str, Any]:
    """One of the two drawings, before and after: envelope, loudness curve, and each turn at its loudness."""
    highest, quietest = measures.envelope_db(profile, columns)
    peak = "true_peak_dbtp" if side == "after" else "peak_dbfs"
    said = {"integrated": "integrated_lufs", "peak": peak, "range": "range_lu"}
    described = {name: figure_of(key, figures[side], words) for name, key in said.items()}
    return {
        "side": side,
        "title": words.labels[f"{side}_long"],
        "describe": words.labels["panel_describe"].format(**described, **asked_of(figures, words)),
        "figures": " · ".join(described[name] for name in ("integrated", "peak")),
        "peaks": area(highest.tolist()),
        "pauses": area(quietest.tolist()),
        "curve": curve(measures.smoothed_lufs(profile, columns, window_s(profile.duration_s)).tolist()),
        "turns": [(lane["colour"], _levels(figures, side, lane["names"], columns)) for lane in lanes],
        "scale": scale(figures["asked"], words),
    }


def scale(asked: Mapping[str, float], words: Wording) -> list[dict[str, Any]]:
    """The labels of a panel's scale: every 10 dB, the target and the ceiling; a label that would touch those is left out."""
    marked = {asked["integrated_lufs"]: "target", asked["ceiling_dbtp"]: "ceiling"}
    free: list[float] = [db for db in range(0, BOTTOM_DB - 1, -10) if all(abs(db - each) >= LABEL_DB for each in marked)]
    kinds = {**dict.fromkeys(free, "grid"), **marked}
    digits = {db: 0 if db == round(db) else 1 for db in kinds}
    return [{"kind": kind, "at": share(-db, -BOTTOM_DB), "text": words.number(db, digits=digits[db])} for db, kind in kinds.items()]


def gain_lane(before: Profile, after: Profile, columns: int, words: Wording) -> dict[str, Any]:
    """The gain over time, in dB."""
    gains = measures.gains_db(before, after, columns)
    low, high = scale_db(gains)
    known = [gain for gain in gains if gain is not None] or [0.0]
    least, most = (words.number(edge, "dB", signed=True) for edge in (min(known), max(known)))
    return {
        "describe": words.labels["gain_describe"].format(low=least, high=most),
        "range": f"{least} … {most}",
        "path": curve([None if gain is None else gain - high for gain in gains], low - high),
        "units": 10 * (high - low),
        "levels": [(share(high - db, high - low), words.number(db, digits=0, signed=True)) for db in sorted({low, 0, high})],
    }


def montage(figures: Mapping[str, Any], words: Wording) -> list[dict[str, Any]]:
    """The rows of the arrangement: parts, and the music beds under them; empty when there are only recordings."""
    named = ((part["name"] if part["name"] != "body" else "", part) for part in figures["parts"])
    parts = [(name or part["file"].rpartition("/")[2] or words.labels["body"], part) for name, part in named]
    beds = [(bed["file"].rpartition("/")[2], bed) for bed in figures["beds"]]
    rows = [("part", words.labels["montage"], parts if len(parts) > 1 or beds else []), ("bed", words.labels["under"], beds)]
    length_s = _length_s(figures)
    return [
        {"kind": kind, "name": name, "blocks": [_block(shown(text), each, length_s) for text, each in blocks]}
        for kind, name, blocks in rows
        if blocks
    ]


def window_s(length_s: float) -> float:
    """The averaging window of the loudness curve in seconds: 3, more in a long programme."""
    return max(measures.SHORT_TERM_S, length_s / SMOOTH)


def legend_curve(length_s: float, words: Wording) -> str:
    """The legend of the loudness curve: short-term loudness, or the mean of a longer window."""
    wide = window_s(length_s)
    if wide == measures.SHORT_TERM_S:
        return str(words.labels["legend_curve"])
    return str(words.labels["legend_curve_long"]).format(window=words.number(wide, "s", digits=0))


def _levels(figures: Mapping[str, Any], side: str, names: set[str], columns: int) -> str:
    turns = [turn for turn in figures["turns"] if turn["voice"] in names and turn[f"{side}_lufs"] is not None]
    spans = ((turn["start_s"], turn["end_s"], height_of(turn[f"{side}_lufs"])) for turn in turns)
    return strokes(spans, _length_s(figures), columns)


def _block(text: str, span: Mapping[str, Any], length_s: float) -> dict[str, str]:
    at, width = share(span["start_s"], length_s), share(span["end_s"] - span["start_s"], length_s)
    return {"text": text, "at": at, "width": width, "time": hms(span["start_s"])}


def _length_s(figures: Mapping[str, Any]) -> float:
    """The length of the time axis in seconds: that of the master, at least 0.01 so that it can be divided by."""
    return max(float(figures["before"]["duration_s"]), 0.01)


def _render(values: dict[str, Any]) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html.j2").render(values)
