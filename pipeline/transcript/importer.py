"""`import-text`: convert a plain text or Word document to an episode's editable transcript, reporting everything that is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pipeline.errors import CauserieError
from pipeline.text import hms, printable
from pipeline.transcript.loose import Imported, imported_lines, to_place
from pipeline.transcript.loose_head import Head
from pipeline.transcript.loose_lines import text_lines
from pipeline.transcript.text import write
from pipeline.transcript.word import word_lines

_TEXTS = (".txt", ".md", ".text", "")
_LONGEST_BYTES = 20_000_000
_SHOWN_CHARS = 70


def import_text(path: Path, slug: str, people: Mapping[str, str], language: str = "fr") -> tuple[str, tuple[str, ...]]:
    """Return the text for `transcripts/<slug>.md`, and the report's lines: what was found, what to check, what was not placed.

    `people` maps the keys of the show's people to their names. Reads .docx, and plain text in UTF-8, UTF-16 or Windows-1252.
    `CauserieError` when the file cannot be read, contains no text, or is of another type.
    """
    if path.suffix.lower() == ".docx":
        lines, asides = word_lines(path)
        found = imported_lines(lines, str(path), people, language)
        blocks = (*found.transcript.blocks, *(to_place(aside, language) for aside in asides))
        found = replace(found, transcript=replace(found.transcript, blocks=blocks), unplaced=found.unplaced + asides)
    elif path.suffix.lower() in _TEXTS:
        found = imported_lines(text_lines(decoded(_content(path))), str(path), people, language)
    else:
        raise CauserieError(f"“{path.suffix}” files cannot be imported", str(path), "save it as .docx or as plain text (.txt)")
    return write(found.transcript), tuple(_report(found, slug))


def decoded(content: bytes) -> str:
    """Decode a file's bytes: UTF-8, UTF-16 with a byte order mark, else Windows-1252 (undefined bytes become U+FFFD)."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LONGEST_BYTES:
            raise CauserieError(f"is larger than {_LONGEST_BYTES // 1_000_000} MB", str(path), "check that it is a transcript")
        content = path.read_bytes()
    except OSError as error:
        raise CauserieError(f"cannot be read ({error.strerror})", str(path), "check the path and its permissions") from error
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CauserieError("is not a text file", str(path), "save it as .docx or as plain text (.txt)")
    return content


def _report(found: Imported, slug: str) -> Iterator[str]:
    """Yield the lines of the import report."""
    voices = ", ".join(voice.key for voice in found.transcript.voices) or "only the narrator"
    yield printable(f"voices: {voices}")
    yield from (printable(f"for episodes/{slug}/episode.toml: {fact}") for fact in _facts(found.head))
    for remark in found.remarks:
        yield printable(f"{_line(remark.line)}“{_short(remark.text)}”: {remark.why}")
    for remark in found.unplaced:
        yield printable(f"{_line(remark.line)}not placed: “{_short(remark.text)}”: {remark.why}")


def _facts(head: Head) -> Iterator[str]:
    """Yield the header as TOML lines, then in parentheses what has no key of its own."""
    texts = {"title": head.title, "summary": head.summary, "spoken_title": head.spoken_title}
    yield from (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in texts.items() if value)
    if head.number is not None:
        yield f"number = {head.number}"
    told = {
        "file": head.file_id,
        "lasts": hms(head.duration_s) if head.duration_s else "",
        "cast": ", ".join(head.cast),
        "production": head.production,
        "thanks": " / ".join(head.thanks),
        **dict(head.credits),
    }
    yield from (f"({key}: {value})" for key, value in told.items() if value)


def _line(number: int) -> str:
    return f"line {number}: " if number else ""


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else f"{text[: _SHOWN_CHARS - 1]}…"
