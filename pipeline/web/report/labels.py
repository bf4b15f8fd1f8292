"""The text of the report in one language: numbers, and sentences about the measures and the processing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any  # of JSON values

from pipeline.model import format_clock, format_duration, format_number, is_plural
from pipeline.templates import labels
from pipeline.web.report.speakers import display_safe


class ReportFormatter:
    """Numbers and sentences of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.labels = labels("report", language)

    def number(self, value: float | None, unit: str = "", *, digits: int = 1, signed: bool = False) -> str:
        """A number with its unit, « −16,0 LUFS »; a dash for None."""
        return str(self.labels["none"]) if value is None else format_number(value, self.language, unit, digits=digits, signed=signed)

    def duration(self, seconds: float) -> str:
        """A duration: « 9,8 s », « 3 min 24 s », « 1 h 02 min »."""
        return format_duration(seconds, self.language)

    def quote_name(self, name: str) -> str:
        """A name from the user, in quotation marks within a sentence."""
        return str(self.labels["quote"]).format(name=display_safe(name))

    def file_name(self, path: str) -> str:
        """The name of a file, without its folders, in quotation marks."""
        return self.quote_name(path.rpartition("/")[2])

    def sentence(self, key: str, count: int | None = None, **values: str) -> str:
        """A sentence of the labels with its placeholders filled; `count` chooses between singular and plural."""
        template = self.labels["done"][key]
        if count is not None:
            template, values = template["many" if is_plural(count, self.language) else "one"], {**values, "n": str(count)}
        return str(template).format(**values)

    def cleanup_list(self, names: Sequence[str]) -> str:
        """What was removed from a recording; names that the labels do not know stay as they are."""
        return str(self.labels["semicolon"]).join(self._cleanup_name(name) for name in names) or str(self.labels["none"])

    def _cleanup_name(self, name: str) -> str:
        patterns: list[tuple[str, str]] = self.labels["cleaned"]
        for pattern, replacement in patterns:
            if found := re.fullmatch(pattern, name):
                return found.expand(replacement)
        return display_safe(name)


def verdict(figures: dict[str, Any], formatter: ReportFormatter) -> str:
    """The sentence at the top: the measures of the published file, and whether they meet the targets."""
    after, within, words = figures["after"], figures["within"], formatter.labels["verdict"]
    measured = [formatter.number(after["integrated_lufs"], "LUFS"), formatter.number(after["true_peak_dbtp"], "dBTP")]
    missed = [words[key] for key, good in within.items() if not good]
    result = words["and"].join(missed) if missed else words["within"]
    return f"{formatter.labels['comma'].join(measured)}{words['colon']}{result}"


def processing_steps(figures: dict[str, Any], formatter: ReportFormatter) -> list[tuple[str, list[str]]]:
    """The processing and its reasons: a heading and sentences for each step that changed something, in order."""
    steps = (
        ("cut", _describe_trim),
        ("edited", _describe_cuts),
        ("clean", _describe_cleanup),
        ("even", _describe_levelling),
        ("mix", _describe_mix),
        ("loud", _describe_loudness),
        ("peaks", _describe_limiting),
        ("check", _describe_verification),
    )
    described = [(formatter.labels["steps"][key], list(describe(figures, formatter))) for key, describe in steps]
    return [(heading, sentences) for heading, sentences in described if sentences]


def _describe_trim(figures: dict[str, Any], formatter: ReportFormatter) -> Iterator[str]:
    head_s, tail_s = figures["trimmed_s"]
    if max(head_s, tail_s) >= 0.05:
        yield formatter.sentence("trimmed", head=formatter.duration(head_s), tail=formatter.duration(tail_s))


def _describe_cuts(figures: dict[str, Any], formatter: ReportFormatter) -> Iterator[str]:
    """The cuts, in the time of the recordings: how much is gone, and which words are in no published text any more."""
    cuts = figures.get("cuts", ())
    if cuts:
        yield formatter.sentence("cuts", len(cuts), total=formatter.duration(sum(cut["removed_s"] for cut in cuts)))
    for cut in cuts:
        at, length = format_clock(cut["start_s"]), formatter.duration(cut["removed_s"])
        key = "cut_nowhere" if not cut["removed_s"] else "cut_words" if cut["heard"] else "cut_wordless"
        noted = formatter.sentence("cut_noted", said=formatter.quote_name(cut["noted"])) if cut["noted"] else ""
        listen = formatter.sentence("cut_in_sound") if cut["in_sound"] else ""
        yield formatter.sentence(key, at=at, length=length, heard=formatter.quote_name(cut["heard"])) + noted + listen


def _describe_cleanup(figures: dict[str, Any], formatter: ReportFormatter) -> Iterator[str]:
    files_by_cleanup: dict[str, list[str]] = {}
    for recording in figures["recordings"]:
        if recording["cleaned"]:
            files_by_cleanup.setdefault(formatter.cleanup_list(recording["cleaned"]), []).append(formatter.file_name(recording["file"]))
    for what, files in files_by_cleanup.items():
        yield formatter.sentence("cleaned", files=formatter.labels["comma"].join(files), what=what)


def _describe_levelling(figures: dict[str, Any], formatter: ReportFormatter) -> Iterator[str]:
    level, turns = figures["level"], [turn["gain_db"] for turn in figures["levelled"] if turn["gain_db"]]
    mixed_files = {each["file"] for each in (*figures["parts"], *figures["beds"])}  # those are not levelled as voices
    tracks = [each for each in figures["recordings"] if each["file"] not in mixed_files and abs(each["gain_db"]) >= 0.05]
    gains = [(formatter.file_name(each["file"]), each["gain_db"]) for each in tracks]
    if gains:
        listed = (f"{file} {formatter.number(gain_db, 'dB', signed=True)}" for file, gain_db in gains)
        yield formatter.sentence("balanced", gains=formatter.labels["comma"].join(listed))
    if level == "off":
        yield formatter.sentence("off")
    elif turns:
        low, high = (formatter.number(gain_db, "dB", signed=True) for gain_db in (min(turns), max(turns)))
        yield formatter.sentence("levelled", len(turns), level=formatter.labels["levels"].get(level, level), low=low, high=high)
    before, after = (figures[side]["voices_spread_lu"] for side in ("before", "after"))
    if before is not None and after is not None:
        yield formatter.sentence("spread", before=formatter.number(before, "LU"), after=formatter.number(after, "LU"))


def _describe_mix(figures: dict[str, Any], formatter: ReportFormatter) -> Iterator[str]:
    for part in figures["parts"]:
        if part["file"] and abs(part["gain_db"]) >= 0.05:
            yield formatter.sentence(
                "part", file=formatter.file_name(part["file"]), gain=formatter.number(part["gain_db"], "dB", signed=True)
            )
    for bed in figures["beds"]:
        gain = formatter.number(bed["gain_db"], "dB", signed=True)
        yield formatter.sentence("bed", file=formatter.file_name(bed["file"]), gain=gain, duck=formatter.number(bed["duck_db"], "dB"))


def _describe_loudness(figures: dict[str, Any], formatter: ReportFormatter) -> Iterator[str]:
    gain_db, target = figures["encoding"]["gain_db"], formatter.number(figures["asked"]["integrated_lufs"], "LUFS")
    if abs(gain_db) < 0.05:
        yield formatter.sentence("at_once", target=target)
    else:
        yield formatter.sentence("raised" if gain_db > 0 else "lowered", gain=formatter.number(abs(gain_db), "dB"), target=target)
    noise = [figures[side]["noise_floor_db"] for side in ("before", "after")]
    loud = [figures[side]["integrated_lufs"] for side in ("before", "after")]
    if None not in (*noise, *loud):
        changes = (formatter.number(b - a, "dB", signed=True) for a, b in (noise, loud))
        yield formatter.sentence("noise", noise=next(changes), loud=next(changes))


def _describe_limiting(figures: dict[str, Any], formatter: ReportFormatter) -> Iterator[str]:
    encoding, ceiling = figures["encoding"], formatter.number(figures["asked"]["ceiling_dbtp"], "dBTP")
    if not encoding["limited"]:
        yield formatter.sentence("free", ceiling=ceiling)
        return
    yield formatter.sentence("limited", ceiling=ceiling)
    if encoding["limited_s"] is not None:
        yield formatter.sentence("limited_for", seconds=formatter.number(encoding["limited_s"], "s"))
    if encoding["limit_dbtp"] is not None:
        yield formatter.sentence("limit", limit=formatter.number(encoding["limit_dbtp"], "dBTP"))


def _describe_verification(figures: dict[str, Any], formatter: ReportFormatter) -> Iterator[str]:
    yield formatter.sentence("attempts", figures["encoding"]["attempts"] or 1)
