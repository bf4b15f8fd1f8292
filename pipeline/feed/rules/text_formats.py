"""Whether a transcript or chapters file conforms to its media type: the first error in it, in a few words."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

_TIMESTAMP = r"(?:[0-9]{2,}:)?[0-5][0-9]:[0-5][0-9]"
_VTT_TIMING = re.compile(rf"({_TIMESTAMP}\.[0-9]{{3}})[ \t]+-->[ \t]+({_TIMESTAMP}\.[0-9]{{3}})(?:[ \t].*)?")
_SRT_TIMING = re.compile(rf"({_TIMESTAMP},[0-9]{{3}})[ \t]+-->[ \t]+({_TIMESTAMP},[0-9]{{3}})[ \t]*")
_NON_CUE_BLOCKS = ("NOTE", "STYLE", "REGION")


def first_error(kind: str, data: bytes) -> str:
    """The first error in a file of that media type; empty when there is none, or when the type is not checked."""
    if kind not in _CHECKERS:
        return ""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "is not UTF-8 text"
    return _CHECKERS[kind](text)


def _check_vtt(text: str) -> str:
    blocks = _blocks(text)
    if not re.fullmatch(r"WEBVTT([ \t].*)?", text.partition("\n")[0].rstrip("\r")) or not blocks or len(blocks[0]) > 1:
        return "does not start with WEBVTT and an empty line"
    return _check_cues([block for block in blocks[1:] if not block[0].startswith(_NON_CUE_BLOCKS)], _VTT_TIMING)


def _check_srt(text: str) -> str:
    blocks = _blocks(text)
    bad = next((block[0] for block in blocks if not block[0].strip().isdigit()), "")
    return f"has a cue without a number, near “{bad[:40]}”" if bad else _check_cues(blocks, _SRT_TIMING)


def _blocks(text: str) -> list[list[str]]:
    """Groups of lines separated by blank lines."""
    return [block.split("\n") for block in re.split(r"\n(?:[ \t]*\n)+", text.replace("\r\n", "\n").strip("\n")) if block.strip()]


def _check_cues(blocks: list[list[str]], times: re.Pattern[str]) -> str:
    """The first error in cues: timings in the first or second line, in chronological order, then text."""
    previous_start = (0, "")
    for block in blocks:
        at = 0 if "-->" in block[0] else 1
        found = times.fullmatch(block[at]) if at < len(block) else None
        if not found:
            return f"has no valid timings near “{block[0][:40]}”"
        start, end = _sort_key(found[1]), _sort_key(found[2])
        if end <= start or start < previous_start:
            return f"has timings out of order at “{block[at][:40]}”"
        if "-->" in "\n".join(block[at + 1 :]):
            return f"has --> in the text after “{block[at][:40]}”"
        previous_start = start
    return "" if blocks else "has no cue"


def _sort_key(stamp: str) -> tuple[int, str]:
    """A sort key of a timestamp: without leading zeros, the longer text is later, and of two equally long ones the greater."""
    digits = stamp.lstrip("0:")
    return len(digits), digits


def _check_transcript_json(text: str) -> str:
    value = _parse_json(text)
    segments = value.get("segments")
    if not isinstance(segments, list) or not segments:
        return "has no list of segments"
    if not isinstance(value.get("version"), str):
        return "has no version"
    is_complete = all(
        isinstance(each, dict) and _is_number(each.get("startTime")) and isinstance(each.get("body"), str) for each in segments
    )
    return "" if is_complete else "has a segment without startTime and body"


def _check_chapters(text: str) -> str:
    value = _parse_json(text)
    chapters = value.get("chapters")
    if not isinstance(chapters, list) or not isinstance(value.get("version"), str):
        return "has no version and chapters"
    if not all(isinstance(each, dict) and _is_number(each.get("startTime")) for each in chapters):
        return "has a chapter without startTime"
    starts = [each["startTime"] for each in chapters]
    return "" if all(after > before for before, after in pairwise(starts)) else "has chapters out of order"


def _check_html(text: str) -> str:
    return "" if re.search(r"<(p|cite|time)\b", text) else "has no <cite>, <time> and <p>"


def _check_plain_text(text: str) -> str:
    return "" if text.strip() else "is empty"


def _parse_json(text: str) -> dict[str, Any]:  # as `json` types what it reads
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf")


_CHECKERS = {
    "text/vtt": _check_vtt,
    "application/x-subrip": _check_srt,
    "application/srt": _check_srt,
    "application/json": _check_transcript_json,
    "application/json+chapters": _check_chapters,
    "text/html": _check_html,
    "text/plain": _check_plain_text,
}
