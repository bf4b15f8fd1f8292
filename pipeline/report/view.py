"""The page: figures and profiles become paths, places and words, and one template puts them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.audio.profile import Profile
from pipeline.report import measures
from pipeline.report.drawing import BOTTOM_DB, COLUMNS, area, curve, height_of, scale_db, share, strokes, ticks
from pipeline.report.figures import COMPARED_S
from pipeline.report.voices import shown
from pipeline.report.wording import TEMPLATES, Wording, done, verdict
from pipeline.text import hms, typographic

MOST_LANES = 8  # voices drawn by name, each in a colour of its own; the others share a lane
MANY_CHAPTERS = 60
LABEL_DB = 6  # what a line of text covers of a panel's scale, on paper
_UNITS = {
    "integrated_lufs": "LUFS",
    "true_peak_dbtp": "dBTP",
    "peak_dbfs": "dBFS",
    "range_lu": "LU",
    "loudest_3s_lufs": "LUFS",
    "voices_spread_lu": "LU",
    "noise_floor_db": "dB",
}


def page_of(figures: Mapping[str, Any], before: Profile, after: Profile) -> str:
    """The report as one HTML file: no script, nothing to fetch."""
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
        "ticks": [(share(at_s, _length_s(figures)), text) for at_s, text in ticks(_length_s(figures))],
        "chapters": chapters_of(figures),
        "lanes": lanes,
        "panels": [panel(figures, side, profile, lanes, columns, words) for side, profile in (("before", before), ("after", after))],
        "gain": gain_lane(before, after, columns, words),
        "montage": montage(figures, words),
        "voices": voice_rows(figures, lanes, words),
        "rows": measure_rows(figures, words),
        "recordings": recording_rows(figures, lanes, words),
        "done": done(dict(figures), words),
        "asked": _asked(figures, words),
        "legend_curve": legend_curve(after.duration_s / columns, words),
    }
    return _render(values)


def tiles(figures: Mapping[str, Any], words: Wording) -> list[dict[str, str]]:
    """The four figures that come first, each with what was asked, or what it was before."""
    names, asked, after = words.labels["tiles"], _asked(figures, words), figures["after"]
    notes = {"integrated_lufs": names["target"].format(**asked), "true_peak_dbtp": names["ceiling"].format(**asked)}
    notes["voices_spread_lu"] = names["from"].format(before=_figure("voices_spread_lu", figures["before"], words))
    keys = [key for key in ("integrated_lufs", "true_peak_dbtp", "voices_spread_lu", "duration_s") if after[key] is not None]
    return [{"name": names[key], "value": _figure(key, after, words), "note": notes.get(key, "")} for key in keys]


def chapters_of(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each chapter: its number, its place and width on the axis, its time and title."""
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
    """A lane a voice, who speaks most first, the last for all who have none of their own."""
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
    """One of the two drawings: envelope, loudness line, and each turn at its loudness."""
    highest, quietest = measures.envelope_db(profile, columns)
    peak = "true_peak_dbtp" if side == "after" else "peak_dbfs"
    said = {"integrated": "integrated_lufs", "peak": peak, "range": "range_lu"}
    described = {name: _figure(key, figures[side], words) for name, key in said.items()}
    return {
        "side": side,
        "title": words.labels[f"{side}_long"],
        "describe": words.labels["panel_describe"].format(**described, **_asked(figures, words)),
        "figures": " · ".join(described[name] for name in ("integrated", "peak")),
        "peaks": area(highest.tolist()),
        "pauses": area(quietest.tolist()),
        "curve": curve(measures.smoothed_lufs(profile, columns, measures.SHORT_TERM_S).tolist()),
        "turns": [(lane["colour"], _levels(figures, side, lane["names"], columns)) for lane in lanes],
        "scale": scale(figures["asked"], words),
    }


def scale(asked: Mapping[str, float], words: Wording) -> list[dict[str, Any]]:
    """The dB written beside a panel: every ten, and the target and the ceiling in place of what would touch them."""
    marked = {asked["integrated_lufs"]: "target", asked["ceiling_dbtp"]: "ceiling"}
    free = [db for db in range(0, BOTTOM_DB - 1, -10) if all(abs(db - each) >= LABEL_DB for each in marked)]
    kinds = {**dict.fromkeys(free, "grid"), **marked}
    digits = {db: 0 if db == round(db) else 1 for db in kinds}
    return [{"kind": kind, "at": share(-db, -BOTTOM_DB), "text": words.number(db, digits=digits[db])} for db, kind in kinds.items()]


def gain_lane(before: Profile, after: Profile, columns: int, words: Wording) -> dict[str, Any]:
    """By how much the sound was raised, moment by moment."""
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
    """The rows of what it is assembled from: parts, and music beds under them; none when it is the recordings alone."""
    named = ((part["name"] if part["name"] != "body" else "", part) for part in figures["parts"])
    parts = [(name or part["file"] or words.labels["body"], part) for name, part in named]
    beds = [(bed["file"], bed) for bed in figures["beds"]]
    rows = [("part", words.labels["montage"], parts if len(parts) > 1 or beds else []), ("bed", words.labels["under"], beds)]
    length_s = _length_s(figures)
    return [
        {"kind": kind, "name": name, "blocks": [_block(shown(text), each, length_s) for text, each in blocks]}
        for kind, name, blocks in rows
        if blocks
    ]


def voice_rows(figures: Mapping[str, Any], lanes: Sequence[dict[str, Any]], words: Wording) -> dict[str, Any]:
    """Every voice with its loudness before and after, placed on one scale of LUFS with the target."""
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
    """Every measure, before and after, and under its name how it is taken or what was asked."""
    notes, after = words.labels["notes"], figures["after"]
    values = {**_asked(figures, words), "compared": words.number(COMPARED_S, "s", digits=0)}
    rows = []
    for key, name in words.labels["rows"].items():
        note = "noise_floor_everywhere" if key == "noise_floor_db" and not after["noise_floor_outside_speech"] else key
        if figures["before"][key] is None and after[key] is None:
            continue
        sides = {side: _figure(key, figures[side], words) for side in ("before", "after")}
        rows.append({"name": name, "note": notes.get(note, "").format(**values), **sides})
    return rows


def recording_rows(figures: Mapping[str, Any], lanes: Sequence[dict[str, Any]], words: Wording) -> list[list[tuple[str, str]]]:
    """Every file as it was given: label and value of each cell, its name first."""
    heads, rows = words.labels["recordings"], []
    for each in figures["recordings"]:
        channels = each["channels"]
        layout = heads["channels"][channels - 1] if channels in (1, 2) else heads["more_channels"].format(n=channels)
        rate = words.number(each["sample_rate_hz"] / 1000, "kHz", digits=0 if each["sample_rate_hz"] % 1000 == 0 else 1)
        stream = f" ({shown(str(each['stream']))})" if each.get("stream") else ""
        cells = {
            "file": shown(each["file"]) + stream,
            "format": words.labels["comma"].join([shown(each["codec"]), rate, layout]),
            "duration_s": words.length(each["duration_s"]),
            "integrated_lufs": words.number(each["integrated_lufs"], "LUFS"),
            "peak_dbfs": words.number(each["peak_dbfs"], "dBFS"),
            "noise_floor_db": words.number(each["noise_floor_db"], "dB"),
            "gain_db": words.number(each["gain_db"], "dB", signed=True),
            "cleaned": words.cleaned(each["cleaned"]),
        }
        rows.append([(heads[key], text) for key, text in cells.items()])
    return rows


def legend_curve(column_s: float, words: Wording) -> str:
    """What the loudness line is: short-term, or smoother where a column of a long programme is longer than that."""
    long = column_s > measures.SHORT_TERM_S
    return words.labels["legend_curve_long"].format(window=words.length(round(column_s))) if long else words.labels["legend_curve"]


def _levels(figures: Mapping[str, Any], side: str, names: set[str], columns: int) -> str:
    turns = [turn for turn in figures["turns"] if turn["voice"] in names and turn[f"{side}_lufs"] is not None]
    spans = ((turn["start_s"], turn["end_s"], height_of(turn[f"{side}_lufs"])) for turn in turns)
    return strokes(spans, _length_s(figures), columns)


def _colour(lanes: Sequence[dict[str, Any]], name: str) -> int:
    return next((lane["colour"] for lane in lanes if name in lane["names"]), 0)


def _block(text: str, span: Mapping[str, Any], length_s: float) -> dict[str, str]:
    at, width = share(span["start_s"], length_s), share(span["end_s"] - span["start_s"], length_s)
    return {"text": text, "at": at, "width": width, "time": hms(span["start_s"])}


def _asked(figures: Mapping[str, Any], words: Wording) -> dict[str, str]:
    asked = figures["asked"]
    return {
        "target": words.number(asked["integrated_lufs"], "LUFS"),
        "tolerance": words.number(asked["tolerance_lu"]),
        "ceiling": words.number(asked["ceiling_dbtp"], "dBTP"),
    }


def _figure(key: str, side: Mapping[str, Any], words: Wording) -> str:
    return words.length(side[key]) if key == "duration_s" else words.number(side[key], _UNITS[key])


def _length_s(figures: Mapping[str, Any]) -> float:
    """The length of the time axis; a sound of no length still has one."""
    return max(figures["before"]["duration_s"], figures["after"]["duration_s"], 0.01)


def _render(values: dict[str, Any]) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html.j2").render(values)
