"""Normalise the lines of a free-form transcript: quotation marks, dashes, spaces, times, wrapped lines. No input or output."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.transcript import parse_anchor
from pipeline.transcript.freeform.name_marks import mark_names
from pipeline.transcript.freeform.source_lines import Remark, SourceLine

_CLOCK = r"\d{1,2}:[0-5]\d(?::[0-5]\d)?(?:[.,]\d{1,3})?"
_RANGE = rf"(?P<clock>{_CLOCK})(?:\s*(?:-->|[-–—à])\s*{_CLOCK})?"
_BRACKETED_TIME = re.compile(rf"[\[(<]\s*{_RANGE}\s*[\])>]\s*(?:[-–—:]\s+)?")
_BARE_TIME = re.compile(rf"{_RANGE}(?:\s+[-–—:])?(?:\s+|$|(?<=:\d\d)(?=[^\W\d_]))")
_TIME_AFTER_NAME = re.compile(rf"(?P<name>[^\W\d_][^:«»\[\]()]{{0,39}}?)\s*[\[(]?(?<![\d:])(?P<clock>{_CLOCK})[\])]?\s*(?P<rest>:.*)?$")
_TIME_INSIDE = re.compile(rf"\s*[\[(]{_CLOCK}[\])]")
_DASH = re.compile(r"(?:(?:--|[-–—•·*‑])\s+|[–—•](?=\w)|-(?=[^\W\d_a-zà-ÿœ]))")
_SENTENCE_END = re.compile(r"[.!?…:»”\"\])]\s*$")
_UNFINISHED_WORD = re.compile(
    r"(?<![\w’'-])(?:le|la|les|un|une|des|du|de|au|aux|et|ou|à|dans|par|pour|avec|que|qui|ce|cette|ces|son|sa|ses|notre|nos|votre|vos|leur|leurs)$",
    re.I,
)
_UNFINISHED_END = re.compile(
    r"(?:,|\b(?:le|la|les|un|une|des|du|de|au|aux|et|ou|à|en|dans|par|pour|sur|avec|que|qui|ce|cette|ces|son|sa|ses|notre|nos))$", re.I
)
_NAME_START = re.compile(r"[^\W\d_][^:«»\[\]\n]{0,39}? ?:(?= |$)")
_SOUND_WORDS = (
    r"musique|rires?|bruit|bruitage|sonnerie|silence|applaudissements?|transition sonore|"
    r"jingle|soupir|ambiance|générique|voix off|soupire|chant"
)
_ACTION_PHRASES = (
    r"(?:ils?|elles?|on) (?:rit|rient|sourit|sourient|pleure|chante|soupire|hésite|imite|tousse|chuchote|applaudit|crie|siffle)"
)
_SOUND = re.compile(rf"\(((?:{_SOUND_WORDS}|{_ACTION_PHRASES})\b[^()\[\]]{{0,60}})\)", re.I)
_CUT_WORD = re.compile(r"(?P<start>[^\W\d_]+)-$")
_KEPT_HYPHEN = re.compile(
    r"(?:ce|ci|là|il|elle|on|je|tu|nous|vous|ils|elles|moi|toi|lui|leur|y|en|la|le|les|même|mêmes|être|t|à)(?![\w])", re.I
)
_NEW_LINE_START = re.compile(r"https?://|www\.|[A-ZÀ-ÞŒŸ][\w.’'-]*(?: [A-ZÀ-ÞŒŸ][\w.’'-]*){0,2} [–—] ")
_WRAP_MIN, _WRAP_MAX = 50, 100  # characters; text hard-wrapped by an editor or a mail program
_BARE_TIMES_MIN = 3  # lines that must start with a bare time before it is read as one


def split_lines(text: str) -> tuple[SourceLine, ...]:
    """Return the non-empty lines of a plain text."""
    found: list[SourceLine] = []
    after_empty = True
    for number, line in enumerate(re.split(r"\r\n|[\r\n\u2028\u2029\x0b\x0c]", text.removeprefix("\ufeff")), 1):
        if line.strip():
            found.append(SourceLine(number, line, starts_paragraph=after_empty))
        after_empty = not line.strip()
    return tuple(found)


def clean_lines(lines: Sequence[SourceLine]) -> tuple[tuple[SourceLine, ...], tuple[Remark, ...]]:
    """Return normalised lines (times and dashes moved to fields, wrapped lines joined), and remarks on what was left out."""
    plain = [replace(line, text=_normalise_text(line.text), source=line.text.strip()) for line in lines]
    plain = _normalise_quotes([line for line in plain if line.text or line.label])
    has_bare_times = sum(_BARE_TIME.match(line.text) is not None for line in plain) >= _BARE_TIMES_MIN
    timed, remarks = _extract_times(plain, has_bare_times)
    named, name_remarks = mark_names(timed)
    dashed = [line if line.label else _strip_dash(line) for line in named]
    return tuple(_join_wrapped(dashed, remarks)), (*remarks, *name_remarks)


def _normalise_text(text: str) -> str:
    """Return composed letters (NFC), single spaces, sounds and ellipses in square brackets, and no invisible characters."""
    text = unicodedata.normalize("NFC", text).translate({0x09: " ", 0x2007: "\u00a0", 0x2009: "\u202f"})
    text = "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cs"))
    text = re.sub(r"(?<!\d)[\u00a0\u202f]|[\u00a0\u202f](?!\d)", " ", text)  # French spaces are restored at the end
    text = text.replace("<<", "«").replace(">>", "»")
    text = re.sub(r"[\[(]\s*(?:…|\.\.\.)\s*[\])]", "[…]", text).replace("...", "…")
    text = re.sub(r"(?<=\[) +| +(?=\])", "", _SOUND.sub(r"[\1]", text))
    return re.sub(r" {2,}", " ", re.sub(r"(?<=«) +| +(?=»)", "", text)).strip()


def _normalise_quotes(lines: list[SourceLine]) -> list[SourceLine]:
    """Replace straight quotation marks by French ones; curly ones too when the text uses no French ones."""
    has_french_quotes = any("«" in line.text for line in lines)
    is_open, found = False, []
    for line in lines:
        text = line.text if has_french_quotes else line.text.translate(str.maketrans("“„”", "««»"))
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


def _extract_times(lines: list[SourceLine], allow_bare: bool) -> tuple[list[SourceLine], list[Remark]]:
    """Move times at the start of a line, or after a name, to `anchor_s`. A time alone goes to the next line; times must not decrease."""
    found: list[SourceLine] = []
    remarks: list[Remark] = []
    pending_s: float | None = None
    latest_s = 0.0
    for line in lines:
        text, clock = _split_time(line.text, allow_bare)
        anchor_s = pending_s if clock is None else clock
        pending_s = None
        if text != (shorter := _TIME_INSIDE.sub("", text)):
            remarks.append(Remark(line.number, line.source, "a time inside a paragraph was left out: only its start can have one"))
            text = shorter
        if anchor_s is not None and anchor_s < latest_s:
            remarks.append(Remark(line.number, line.source, "its time is earlier than a previous one, and was left out"))
            anchor_s = None
        latest_s = max(latest_s, anchor_s or 0.0)
        if text or line.label:
            found.append(replace(line, text=text, anchor_s=anchor_s))
        else:
            pending_s = anchor_s
    return found, remarks


def _split_time(text: str, allow_bare: bool) -> tuple[str, float | None]:
    """Return the text without its time, and the time in seconds."""
    start = _BRACKETED_TIME.match(text) or (
        _BARE_TIME.match(text) if allow_bare or re.fullmatch(_RANGE, text) or text[5:6] == ":" else None
    )
    if start:
        return text[start.end() :], _parse_clock_s(start["clock"])
    if named := _TIME_AFTER_NAME.match(text):
        return f"{named['name'].strip()} {named['rest'] or ':'}", _parse_clock_s(named["clock"])
    return text, None


def _parse_clock_s(clock: str) -> float:
    return parse_anchor(clock.replace(",", "."))


def _strip_dash(line: SourceLine) -> SourceLine:
    """Move the dash of a change of voice to `has_dash`. A separator line of dashes stays as it is."""
    dash = _DASH.match(line.text)
    if not dash or not re.search(r"\w", line.text) or re.search(r"[-–—=*]{2}$|^\W+\d+ [-–—]$", line.text):
        return line
    return replace(line, text=line.text[dash.end() :], has_dash=True)


def _join_wrapped(lines: list[SourceLine], remarks: list[Remark]) -> Iterator[SourceLine]:
    """Join wrapped lines to those they continue; changed words are added to `remarks`."""
    wrapped, blocks = _is_wrapped(lines), 2 * sum(line.starts_paragraph for line in lines) > len(lines)
    joined: list[SourceLine] = []
    previous: SourceLine | None = None
    for index, line in enumerate(lines):
        if previous is not None and _is_continuation(previous, line, wrapped or (blocks and index > 2)):
            if (cut := _CUT_WORD.search(previous.text)) and line.text[0].islower():
                remarks.append(Remark(line.number, f"{cut[0]} {line.text.split()[0]}", "a word hyphenated at the end of a line was joined"))
            else:
                joined.append(line)
            previous = replace(previous, text=_join_two(previous.text, line.text), source=f"{previous.source} {line.source}")
            continue
        if previous is not None:
            yield previous
        previous = line
    if previous is not None:
        yield previous
    if joined:
        numbers = ", ".join(str(line.number) for line in joined[:6]) + (", …" if len(joined) > 6 else "")
        many = f"{len(joined)} lines ({numbers}) go" if len(joined) > 1 else "goes"
        remarks.append(Remark(joined[0].number, joined[0].source, f"{many} on with the sentence of the line before: joined to it"))


def _join_two(previous: str, following: str) -> str:
    """Join two lines. A word hyphenated at the line end loses its hyphen, a compound keeps it."""
    if not (_CUT_WORD.search(previous) and following[0].islower()):
        return f"{previous} {following}"
    return previous + following if _KEPT_HYPHEN.match(following) else previous[:-1] + following


def _is_list_item(previous: SourceLine, line: SourceLine) -> bool:
    """Whether the line is a list item spoken by the same voice: « On compte trois causes : », « - la négligence ; »."""
    return (
        line.has_dash and line.text[:1].islower() and re.search(r"[^\W\d_]{2,} ?[:;]$", previous.text) is not None and line.anchor_s is None
    )


def _is_continuation(previous: SourceLine, line: SourceLine, blocks: bool) -> bool:
    """Whether a line continues the previous one. With `blocks`, only an empty line separates paragraphs."""
    if _is_list_item(previous, line) or (_CUT_WORD.search(previous.text) and line.text[0].islower() and not (line.label or line.has_dash)):
        return True
    is_cut_by_time = line.anchor_s is not None and line.text[:1].islower() and not (line.label or line.has_dash)
    if is_cut_by_time and not line.starts_paragraph and _SENTENCE_END.search(previous.text) is None:
        return True  # captions of a page, a time on each line
    starts = bool(line.label or line.is_heading or line.has_dash or line.anchor_s is not None or line.text[0] in "«[(#=*_")
    starts = starts or bool(re.fullmatch(r"\w+_\w+", line.text) or (_NAME_START.match(line.text) and line.text[0].isupper()))
    if not starts and line.text[0].islower() and re.search(r"\w.{39,}:$|(?:\S+ ){3,}\S+ ?:$", previous.text):
        return True
    starts = starts or _NEW_LINE_START.match(line.text) is not None
    if previous.is_heading or starts or re.fullmatch(r"\w+_\w+|[(\[][^()\[\]]*[)\]]|.*[:=*_-]", previous.text):
        return previous.text.count("[") > previous.text.count("]") and line.text[:1] not in "[«" and not line.has_dash
    is_cut = _SENTENCE_END.search(previous.text) is None
    if is_cut and (line.text[0].islower() or (_UNFINISHED_WORD.search(previous.text) and len(previous.text.split()) > 3)):
        return True
    return not line.starts_paragraph and (blocks or line.text[0].islower() or _UNFINISHED_END.search(previous.text) is not None)


def _is_wrapped(lines: list[SourceLine]) -> bool:
    """Whether the paragraphs are hard-wrapped to lines of similar length."""
    lengths = [len(line.source) for line, after in zip(lines, lines[1:], strict=False) if not after.starts_paragraph]
    even = sum(_WRAP_MIN <= length <= _WRAP_MAX for length in lengths)
    return len(lengths) >= 5 and even >= 0.7 * len(lengths) and max(len(line.source) for line in lines) <= _WRAP_MAX + 20
