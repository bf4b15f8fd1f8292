"""Normalise the lines of a free-form transcript: quotation marks, dashes, spaces, times, wrapped lines. No input or output."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.transcript.text import read_clock

_CLOCK = r"\d{1,2}:[0-5]\d(?::[0-5]\d)?(?:[.,]\d{1,3})?"
_RANGE = rf"(?P<clock>{_CLOCK})(?:\s*(?:-->|[-–—à])\s*{_CLOCK})?"
_BRACKETED = re.compile(rf"[\[(<]\s*{_RANGE}\s*[\])>]\s*(?:[-–—:]\s+)?")
_BARE = re.compile(rf"{_RANGE}(?:\s+[-–—:])?(?:\s+|$)")
_AFTER_NAME = re.compile(rf"(?P<name>[^\W\d_][^:«»\[\]()]{{0,39}}?)\s*[\[(]?(?<![\d:])(?P<clock>{_CLOCK})[\])]?\s*(?P<rest>:.*)?$")
_INSIDE = re.compile(rf"\s*[\[(]{_CLOCK}[\])]")
_DASH = re.compile(r"(?:(?:--|[-–—•·*‑])\s+|[–—•](?=\w)|-(?=[^\W\d_a-zà-ÿœ]))")
_ENDS = re.compile(r"[.!?…:»”\"\])]\s*$")
_HOLDS = re.compile(
    r"(?:,|\b(?:le|la|les|un|une|des|du|de|au|aux|et|ou|à|en|dans|par|pour|sur|avec|que|qui|ce|cette|ces|son|sa|ses|notre|nos))$", re.I
)
_NAME_START = re.compile(r"[^\W\d_][^:«»\[\]\n]{0,39}? ?:(?= |$)")
_SOUND_WORDS = (
    r"musique|rires?|bruit|bruitage|sonnerie|silence|applaudissements?|transition sonore|"
    r"jingle|soupir|ambiance|générique|voix off|soupire|chant"
)
_DOINGS = r"(?:ils?|elles?|on) (?:rit|rient|sourit|sourient|pleure|chante|soupire|hésite|imite|tousse|chuchote|applaudit|crie|siffle)"
_SOUND = re.compile(rf"\(((?:{_SOUND_WORDS}|{_DOINGS})\b[^()\[\]]{{0,60}})\)", re.I)
_CUT_WORD = re.compile(r"(?P<start>[^\W\d_]+)-$")
_KEPT_HYPHEN = re.compile(
    r"(?:ce|ci|là|il|elle|on|je|tu|nous|vous|ils|elles|moi|toi|lui|leur|y|en|la|le|les|même|mêmes|être|t|à)(?![\w])", re.I
)
_STARTS = re.compile(r"https?://|www\.|[A-ZÀ-ÞŒŸ][\w.’'-]*(?: [A-ZÀ-ÞŒŸ][\w.’'-]*){0,2} [–—] ")
_WRAP_MIN, _WRAP_MAX = 50, 100  # characters; text hard-wrapped by an editor or a mail program
_FEW_CLOCKS = 3  # lines that must start with a bare time before it is read as one


@dataclass(frozen=True)
class Line:
    """A line of the source; `number` is its line number there (a paragraph's in Word)."""

    number: int
    text: str
    label: str = ""  # a name set apart from the text by bold type, or by a column of its own
    heading: bool = False  # in a heading's style
    fresh: bool = True  # starts a paragraph: after an empty line, or in a document
    dash: bool = False
    anchor_s: float | None = None
    source: str = ""  # as it was typed


@dataclass(frozen=True)
class Told:
    """A remark in the import report: the line, its text, and what was done with it."""

    line: int
    text: str
    why: str


def text_lines(text: str) -> tuple[Line, ...]:
    """Return the non-empty lines of a plain text."""
    found: list[Line] = []
    empty = True
    for number, line in enumerate(re.split(r"\r\n|[\r\n\u2028\u2029\x0b\x0c]", text.removeprefix("\ufeff")), 1):
        if line.strip():
            found.append(Line(number, line, fresh=empty))
        empty = not line.strip()
    return tuple(found)


def cleaned(lines: Sequence[Line]) -> tuple[tuple[Line, ...], tuple[Told, ...]]:
    """Return normalised lines (times and dashes moved to fields, wrapped lines joined), and remarks on what was left out."""
    plain = [replace(line, text=_one_spelling(line.text), source=line.text.strip()) for line in lines]
    plain = _one_kind_of_quotes([line for line in plain if line.text or line.label])
    clocks = sum(_BARE.match(line.text) is not None for line in plain) >= _FEW_CLOCKS
    timed, remarks = _timed(plain, clocks)
    dashed = [_dashed(line) for line in timed]
    return tuple(_joined(dashed, remarks)), tuple(remarks)


def _one_spelling(text: str) -> str:
    """Return composed letters (NFC), single spaces, sounds and ellipses in square brackets, and no invisible characters."""
    text = unicodedata.normalize("NFC", text).translate({0x09: " ", 0x2007: "\u00a0", 0x2009: "\u202f"})
    text = "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cs"))
    text = re.sub(r"(?<!\d)[\u00a0\u202f]|[\u00a0\u202f](?!\d)", " ", text)  # French spaces are restored at the end
    text = text.replace("<<", "«").replace(">>", "»")
    text = re.sub(r"[\[(]\s*(?:…|\.\.\.)\s*[\])]", "[…]", text).replace("...", "…")
    text = re.sub(r"(?<=\[) +| +(?=\])", "", _SOUND.sub(r"[\1]", text))
    return re.sub(r" {2,}", " ", re.sub(r"(?<=«) +| +(?=»)", "", text)).strip()


def _one_kind_of_quotes(lines: list[Line]) -> list[Line]:
    """Replace straight quotation marks by French ones; curly ones too when the text uses no French ones."""
    french = any("«" in line.text for line in lines)
    is_open, found = False, []
    for line in lines:
        text = line.text if french else line.text.translate(str.maketrans("“„”", "««»"))
        text = re.sub(r"^[“„]([^“”]*)”$", r"«\1»", text)
        text = re.sub(r"^[“„](?=[^”]*$)", "«", text)
        text = re.sub(r"^([^“„]*)”$", r"\1»", text)
        while '"' in text:
            before, after = text.split('"', 1)
            starts = (not before.rstrip("- ") or before[-1] in " (['’«") and after[:1].strip() != ""
            ends = before[-1:].strip() != "" and (not after or not after[0].isalnum())
            is_open = starts if starts != ends else not is_open
            text = before.rstrip(" " if not is_open else "") + "«»"[not is_open] + (after.lstrip() if is_open else after)
        found.append(replace(line, text=text))
    return found


def _timed(lines: list[Line], bare: bool) -> tuple[list[Line], list[Told]]:
    """Move times at the start of a line, or after a name, to `anchor_s`. A time alone goes to the next line; times must not decrease."""
    found: list[Line] = []
    remarks: list[Told] = []
    waiting: float | None = None
    reached_s = 0.0
    for line in lines:
        text, clock = _without_clock(line.text, bare)
        anchor_s = waiting if clock is None else clock
        waiting = None
        if text != (shorter := _INSIDE.sub("", text)):
            remarks.append(Told(line.number, line.source, "a time inside a paragraph was left out: only its start can have one"))
            text = shorter
        if anchor_s is not None and anchor_s < reached_s:
            remarks.append(Told(line.number, line.source, "its time is earlier than a previous one, and was left out"))
            anchor_s = None
        reached_s = max(reached_s, anchor_s or 0.0)
        if text or line.label:
            found.append(replace(line, text=text, anchor_s=anchor_s))
        else:
            waiting = anchor_s
    return found, remarks


def _without_clock(text: str, bare: bool) -> tuple[str, float | None]:
    """Return the text without its time, and the time in seconds."""
    start = _BRACKETED.match(text) or (_BARE.match(text) if bare or re.fullmatch(_RANGE, text) or text[5:6] == ":" else None)
    if start:
        return text[start.end() :], _seconds(start["clock"])
    if after := _AFTER_NAME.match(text):
        return f"{after['name'].strip()} {after['rest'] or ':'}", _seconds(after["clock"])
    return text, None


def _seconds(clock: str) -> float:
    return read_clock(clock.replace(",", "."))


def _dashed(line: Line) -> Line:
    """Move the dash of a change of voice to `has_dash`. A separator line of dashes stays as it is."""
    dash = _DASH.match(line.text)
    if not dash or not re.search(r"\w", line.text) or re.search(r"[-–—=*]{2}$|^\W+\d+ [-–—]$", line.text):
        return line
    return replace(line, text=line.text[dash.end() :], dash=True)


def _joined(lines: list[Line], remarks: list[Told]) -> Iterator[Line]:
    """Join wrapped lines to those they continue; changed words are added to `remarks`."""
    wrapped, blocks = _is_wrapped(lines), 2 * sum(line.fresh for line in lines) > len(lines)
    before: Line | None = None
    for index, line in enumerate(lines):
        if before is not None and _continues(before, line, wrapped or (blocks and index > 2)):
            if (cut := _CUT_WORD.search(before.text)) and line.text[0].islower():
                remarks.append(Told(line.number, f"{cut[0]} {line.text.split()[0]}", "a word hyphenated at the end of a line was joined"))
            before = replace(before, text=_glued(before.text, line.text), source=f"{before.source} {line.source}")
            continue
        if before is not None:
            yield before
        before = line
    if before is not None:
        yield before


def _glued(before: str, after: str) -> str:
    """Join two lines. A word hyphenated at the line end loses its hyphen, a compound keeps it."""
    if not (_CUT_WORD.search(before) and after[0].islower()):
        return f"{before} {after}"
    return before + after if _KEPT_HYPHEN.match(after) else before[:-1] + after


def _is_list_item(before: Line, line: Line) -> bool:
    """Whether the line is a list item spoken by the same voice: « On compte trois causes : », « - la négligence ; »."""
    return line.dash and line.text[:1].islower() and re.search(r"[^\W\d_]{2,} ?[:;]$", before.text) is not None and line.anchor_s is None


def _continues(before: Line, line: Line, blocks: bool) -> bool:
    """Whether a line continues the previous one. With `blocks`, only an empty line separates paragraphs."""
    if _is_list_item(before, line) or (_CUT_WORD.search(before.text) and line.text[0].islower() and not (line.label or line.dash)):
        return True
    starts = bool(line.label or line.heading or line.dash or line.anchor_s is not None or line.text[0] in "«[(#=*_")
    starts = starts or bool(re.fullmatch(r"\w+_\w+", line.text) or (_NAME_START.match(line.text) and line.text[0].isupper()))
    if not starts and line.text[0].islower() and re.search(r"\w.{39,}:$|(?:\S+ ){3,}\S+ ?:$", before.text):
        return True
    starts = starts or _STARTS.match(line.text) is not None
    if before.heading or starts or re.fullmatch(r"\w+_\w+|[(\[][^()\[\]]*[)\]]|.*[:=*_-]", before.text):
        return before.text.count("[") > before.text.count("]") and line.text[:1] not in "[«" and not line.dash
    is_cut = _ENDS.search(before.text) is None
    if line.text[0].islower() and is_cut:
        return True
    return not line.fresh and (blocks or line.text[0].islower() or _HOLDS.search(before.text) is not None)


def _is_wrapped(lines: list[Line]) -> bool:
    """Whether the paragraphs are hard-wrapped to lines of similar length."""
    followed = [len(line.source) for line, after in zip(lines, lines[1:], strict=False) if not after.fresh]
    even = sum(_WRAP_MIN <= length <= _WRAP_MAX for length in followed)
    return len(followed) >= 5 and even >= 0.7 * len(followed) and max(len(line.source) for line in lines) <= _WRAP_MAX + 20
