"""`import-text`: convert a plain text or Word document to an episode's editable transcript, reporting everything that is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.model import CauserieError, format_clock, terminal_safe
from pipeline.transcript import Section, format_transcript, section_role
from pipeline.transcript.freeform.classifier import TranscriptHeader
from pipeline.transcript.freeform.converter import Conversion, convert_lines
from pipeline.transcript.freeform.docx import read_docx
from pipeline.transcript.freeform.episodes import split_episodes
from pipeline.transcript.freeform.lines import split_lines
from pipeline.transcript.freeform.source_lines import Remark, SourceLine
from pipeline.transcript.freeform.unplaced import unplaced_note

_TEXT_SUFFIXES = (".txt", ".md", ".text", "")
_BYTES_MAX = 20_000_000
_EXCERPT_CHARS_MAX = 70


@dataclass(frozen=True)
class ImportedText:
    """A converted text: what to write to `transcripts/<slug>.md`, the report's lines, and the facts that it gives of the episode."""

    text: str
    report: tuple[str, ...]
    header: TranscriptHeader
    has_fiction: bool


def convert_file(path: Path, slug: str, people: Mapping[str, str], language: str = "fr") -> tuple[str, tuple[str, ...]]:
    """Return the text for `transcripts/<slug>.md` and the report's lines of a file with one episode; raises as `import_file`."""
    found = import_file(path, slug, people, language)
    return found.text, found.report


def import_file(path: Path, slug: str, people: Mapping[str, str], language: str = "fr", episode: int | None = None) -> ImportedText:
    """Convert .docx, or plain text in UTF-8, UTF-16 or Windows-1252; `episode` chooses one of several by its number.

    `people` maps the keys of the show's people to their names. `CauserieError` when the file cannot be read, contains no text, is of
    another type, is a transcript already, or holds several episodes and none is chosen.
    """
    lines, notes = _read_lines(path, slug)
    conversion = convert_lines(_choose_episode(lines, path, slug, people, language, episode), str(path), people, language)
    blocks = (*conversion.transcript.blocks, *(unplaced_note(note, language) for note in notes))
    conversion = replace(conversion, transcript=replace(conversion.transcript, blocks=blocks), unplaced=conversion.unplaced + notes)
    has_fiction = any(isinstance(block, Section) and section_role(block.label) == "fiction" for block in blocks)
    return ImportedText(format_transcript(conversion.transcript), tuple(_report_lines(conversion, slug)), conversion.header, has_fiction)


def _read_lines(path: Path, slug: str) -> tuple[tuple[SourceLine, ...], tuple[Remark, ...]]:
    """The lines of a file, and what it holds outside its text."""
    if path.suffix.lower() == ".docx":
        return read_docx(path)
    if path.suffix.lower() not in _TEXT_SUFFIXES:
        raise CauserieError(f"“{path.suffix}” files cannot be imported", str(path), "save it as .docx or as plain text (.txt)")
    text = decode_text(_read_bytes(path))
    _refuse_front_matter(text, path, slug)
    return split_lines(text), ()


def _choose_episode(
    lines: tuple[SourceLine, ...], path: Path, slug: str, people: Mapping[str, str], language: str, episode: int | None
) -> tuple[SourceLine, ...]:
    """The lines of the chosen episode, by its number, or by its place when no number is given in the text."""
    parts = split_episodes(lines)
    if len(parts) == 1 and episode is None:
        return lines
    numbers = [convert_lines(part, str(path), people, language).header.number for part in parts]
    known = [number or place for place, number in enumerate(numbers, 1)]
    places = ", ".join(f"{number} at line {part[0].number}" for number, part in zip(known, parts, strict=True))
    if episode is None:
        hint = f"import one at a time: causerie import-text {slug} {path.name} --episode {known[0]}"
        raise CauserieError(f"holds {len(parts)} episodes: {places}", f"{path}:{parts[1][0].number}", hint)
    if episode not in known:
        raise CauserieError(f"holds no episode {episode}, but {places}", str(path), "give one of these numbers")
    return parts[known.index(episode)]


def _refuse_front_matter(text: str, path: Path, slug: str) -> None:
    """Raise `CauserieError` for a text with front matter, well placed or not: it is a transcript already, and no loose text."""
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if line.strip() == "+++" or re.match(r"\s*\[{1,2}voices *\.", line):
            hint = f"copy it to transcripts/{slug}.md and run causerie check, or delete these lines"
            raise CauserieError("has the front matter of a transcript already", f"{path}:{number}", hint)


def decode_text(content: bytes) -> str:
    """Decode a file's bytes: UTF-8, UTF-16 with a byte order mark, else Windows-1252 (undefined bytes become U+FFFD)."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _read_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _BYTES_MAX:
            raise CauserieError(f"is larger than {_BYTES_MAX // 1_000_000} MB", str(path), "check that it is a transcript")
        content = path.read_bytes()
    except OSError as error:
        raise CauserieError(f"cannot be read ({error.strerror})", str(path), "check the path and its permissions") from error
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CauserieError("is not a text file", str(path), "save it as .docx or as plain text (.txt)")
    return content


def _report_lines(conversion: Conversion, slug: str) -> Iterator[str]:
    """Yield the lines of the import report."""
    voices = ", ".join(voice.key for voice in conversion.transcript.voices) or "only the narrator"
    yield terminal_safe(f"voices: {voices}")
    reported = conversion.words.read - conversion.words.kept
    yield f"{conversion.words.read:,} words in, {conversion.words.kept:,} out" + (f", {reported:,} only in this report" if reported else "")
    yield from (terminal_safe(f"for episodes/{slug}/episode.toml: {fact}") for fact in _header_lines(conversion.header))
    for remark in conversion.remarks:
        yield terminal_safe(f"{_line_prefix(remark.line)}“{_excerpt(remark.text)}”: {remark.reason}")
    for remark in conversion.unplaced:
        yield terminal_safe(f"{_line_prefix(remark.line)}not placed: “{_excerpt(remark.text)}”: {remark.reason}")


def _header_lines(header: TranscriptHeader) -> Iterator[str]:
    """Yield the header as TOML lines, then in parentheses what has no key of its own."""
    texts = {"title": header.title, "summary": header.summary, "spoken_title": header.spoken_title}
    yield from (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in texts.items() if value)
    if header.number is not None:
        yield f"number = {header.number}"
    details = {
        "file": header.file_id,
        "lasts": format_clock(header.duration_s) if header.duration_s else "",
        "cast": ", ".join(header.cast),
        "production": header.production,
        "thanks": " / ".join(header.thanks),
        **dict(header.credits),
    }
    yield from (f"({key}: {value})" for key, value in details.items() if value)


def _line_prefix(number: int) -> str:
    return f"line {number}: " if number else ""


def _excerpt(text: str) -> str:
    return text if len(text) <= _EXCERPT_CHARS_MAX else f"{text[: _EXCERPT_CHARS_MAX - 1]}…"
