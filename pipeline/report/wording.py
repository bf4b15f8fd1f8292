"""The text of the report in one language: numbers, and sentences about the measures and the processing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any  # of JSON values, and of what tomllib reads

from pipeline.report.voices import shown
from pipeline.text import NO_BREAK_SPACE

TEMPLATES = Path(__file__).parent.parent / "templates" / "report"
_MINUS = "\u2212"


@cache
def labels(language: str) -> dict[str, Any]:
    """Every label of the page: French for `fr` and `fr-CA`, English for any other language."""
    name = "fr" if language.startswith("fr") else "en"
    return tomllib.loads((TEMPLATES / f"labels.{name}.toml").read_text(encoding="utf-8"))


class Wording:
    """Numbers and sentences of one language."""

    def __init__(self, language: str) -> None:
        self.labels = labels(language)

    def number(self, value: float | None, unit: str = "", *, digits: int = 1, signed: bool = False) -> str:
        """A number with its unit, « −16,0 LUFS »; a dash for None."""
        if value is None:
            return str(self.labels["none"])
        text = f"{abs(value):.{digits}f}"
        sign = (_MINUS if value < 0 else "+" if signed else "") if float(text) else ""
        return sign + text.replace(".", self.labels["point"]) + (NO_BREAK_SPACE + unit if unit else "")

    def length(self, seconds: float) -> str:
        """A duration: « 9,8 s », « 3 min 24 s », « 1 h 02 min »."""
        if round(seconds, 1) < 60:
            return self.number(seconds, "s")
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        (first, unit), (second, under) = ((hours, "h"), (minutes, "min")) if hours else ((minutes, "min"), (rest, "s"))
        return NO_BREAK_SPACE.join((str(first), unit, f"{second:02}", under))

    def quoted(self, name: str) -> str:
        """A name from the user, in quotation marks within a sentence."""
        return str(self.labels["quote"]).format(name=shown(name))

    def file(self, path: str) -> str:
        """The name of a file, without its folders, in quotation marks."""
        return self.quoted(path.rpartition("/")[2])

    def say(self, key: str, count: int | None = None, **values: str) -> str:
        """A sentence of the labels with its placeholders filled; `count` chooses between singular and plural."""
        sentence = self.labels["done"][key]
        if count is not None:
            sentence, values = sentence["one" if count < 2 else "many"], {**values, "n": str(count)}
        return str(sentence).format(**values)

    def cleaned(self, names: Sequence[str]) -> str:
        """What was removed from a recording; names that the labels do not know stay as they are."""
        return str(self.labels["semicolon"]).join(self._cleaned(name) for name in names) or str(self.labels["none"])

    def _cleaned(self, name: str) -> str:
        patterns: list[tuple[str, str]] = self.labels["cleaned"]
        for pattern, said in patterns:
            if found := re.fullmatch(pattern, name):
                return found.expand(said)
        return shown(name)


def verdict(figures: dict[str, Any], wording: Wording) -> str:
    """The sentence at the top: the measures of the published file, and whether they meet the targets."""
    after, within, words = figures["after"], figures["within"], wording.labels["verdict"]
    said = [wording.number(after["integrated_lufs"], "LUFS"), wording.number(after["true_peak_dbtp"], "dBTP")]
    missed = [words[key] for key, good in within.items() if not good]
    result = words["and"].join(missed) if missed else words["within"]
    return f"{wording.labels['comma'].join(said)}{words['colon']}{result}"


def done(figures: dict[str, Any], wording: Wording) -> list[tuple[str, list[str]]]:
    """The processing and its reasons: a heading and sentences for each step that changed something, in order."""
    steps = (("cut", _cut), ("clean", _clean), ("even", _even), ("mix", _mixed), ("loud", _loud), ("peaks", _peaks), ("check", _check))
    told = [(wording.labels["steps"][key], list(tell(figures, wording))) for key, tell in steps]
    return [(heading, sentences) for heading, sentences in told if sentences]


def _cut(figures: dict[str, Any], wording: Wording) -> Iterator[str]:
    head_s, tail_s = figures["trimmed_s"]
    if max(head_s, tail_s) >= 0.05:
        yield wording.say("trimmed", head=wording.length(head_s), tail=wording.length(tail_s))


def _clean(figures: dict[str, Any], wording: Wording) -> Iterator[str]:
    same: dict[str, list[str]] = {}
    for recording in figures["recordings"]:
        if recording["cleaned"]:
            same.setdefault(wording.cleaned(recording["cleaned"]), []).append(wording.file(recording["file"]))
    for what, files in same.items():
        yield wording.say("cleaned", files=wording.labels["comma"].join(files), what=what)


def _even(figures: dict[str, Any], wording: Wording) -> Iterator[str]:
    level, turns = figures["level"], [turn["gain_db"] for turn in figures["levelled"] if turn["gain_db"]]
    apart = {each["file"] for each in (*figures["parts"], *figures["beds"])}  # those are not levelled as voices
    tracks = [each for each in figures["recordings"] if each["file"] not in apart and abs(each["gain_db"]) >= 0.05]
    gains = [(wording.file(each["file"]), each["gain_db"]) for each in tracks]
    if gains:
        listed = (f"{file} {wording.number(gain_db, 'dB', signed=True)}" for file, gain_db in gains)
        yield wording.say("balanced", gains=wording.labels["comma"].join(listed))
    if level == "off":
        yield wording.say("off")
    elif turns:
        low, high = (wording.number(gain_db, "dB", signed=True) for gain_db in (min(turns), max(turns)))
        yield wording.say("levelled", len(turns), level=wording.labels["levels"].get(level, level), low=low, high=high)
    before, after = (figures[side]["voices_spread_lu"] for side in ("before", "after"))
    if before is not None and after is not None:
        yield wording.say("spread", before=wording.number(before, "LU"), after=wording.number(after, "LU"))


def _mixed(figures: dict[str, Any], wording: Wording) -> Iterator[str]:
    for part in figures["parts"]:
        if part["file"] and abs(part["gain_db"]) >= 0.05:
            yield wording.say("part", file=wording.file(part["file"]), gain=wording.number(part["gain_db"], "dB", signed=True))
    for bed in figures["beds"]:
        gain = wording.number(bed["gain_db"], "dB", signed=True)
        yield wording.say("bed", file=wording.file(bed["file"]), gain=gain, duck=wording.number(bed["duck_db"], "dB"))


def _loud(figures: dict[str, Any], wording: Wording) -> Iterator[str]:
    gain_db, target = figures["encoding"]["gain_db"], wording.number(figures["asked"]["integrated_lufs"], "LUFS")
    if abs(gain_db) < 0.05:
        yield wording.say("at_once", target=target)
    else:
        yield wording.say("raised" if gain_db > 0 else "lowered", gain=wording.number(abs(gain_db), "dB"), target=target)
    noise = [figures[side]["noise_floor_db"] for side in ("before", "after")]
    loud = [figures[side]["integrated_lufs"] for side in ("before", "after")]
    if None not in (*noise, *loud):
        moved = (wording.number(b - a, "dB", signed=True) for a, b in (noise, loud))
        yield wording.say("noise", noise=next(moved), loud=next(moved))


def _peaks(figures: dict[str, Any], wording: Wording) -> Iterator[str]:
    encoding, ceiling = figures["encoding"], wording.number(figures["asked"]["ceiling_dbtp"], "dBTP")
    if not encoding["limited"]:
        yield wording.say("free", ceiling=ceiling)
        return
    yield wording.say("limited", ceiling=ceiling)
    if encoding["limited_s"] is not None:
        yield wording.say("limited_for", seconds=wording.number(encoding["limited_s"], "s"))
    if encoding["limit_dbtp"] is not None:
        yield wording.say("limit", limit=wording.number(encoding["limit_dbtp"], "dBTP"))


def _check(figures: dict[str, Any], wording: Wording) -> Iterator[str]:
    yield wording.say("attempts", figures["encoding"]["attempts"] or 1)
