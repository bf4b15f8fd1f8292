"""Read Word documents as lines: paragraphs, line breaks, names in bold, tables, lists; footnotes and comments separately."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from pipeline.model import CauserieError
from pipeline.transcript.freeform.source_lines import Remark, SourceLine

if TYPE_CHECKING:
    from docx.document import Document as DocxDocument
    from lxml.etree import _Element as Element

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_NAME_CHARS_MAX = 40  # characters
_DIRECTION_CHARS_MAX = 60
_SOUND_START = re.compile(
    r"(?:musiques?|rires?|bruits?|bruitages?|sonnerie|silence|applaudissements?|soupirs?|jingle|transition|ambiance)\b", re.I
)
_SPEECH_SIGNS = re.compile(r"^[-–—«“\"]|[.!?…:]\W*\w|[!?…:]$| : |\b(?:je|j[’']|tu|nous|vous|est|c[’']|suis|sont|était|ai)\b", re.I)
_ABBREVIATED_NAME = re.compile(r"\b[A-ZÀ-ÞŒŸ]\.|\b(?:Dr|St|Mr)\.")
_CLOCK = re.compile(r"[\[(]?\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?[\])]?")
_HEADER_CELLS = {"intervenant", "intervenants", "intervenante", "locuteur", "voix", "nom", "qui", "texte", "propos", "paroles", "temps"}
_HEADER_CELLS |= {"timecode", "time code", "tc", "minutage", "speaker", "text", "time", "transcription", "n°", "son"}
_NOTE_KINDS = {"footnotes": "a footnote", "endnotes": "an endnote", "comments": "a comment"}


def read_docx(path: Path) -> tuple[tuple[SourceLine, ...], tuple[Remark, ...]]:
    """Return the lines of a .docx, numbered by paragraph, and the notes outside its text. `CauserieError` when it cannot be read."""
    from docx import Document
    from docx.opc.exceptions import PackageNotFoundError

    try:
        document = Document(str(path))
        lines = tuple(_number_lines(_paragraphs(document.element.body)))
        return lines, tuple(_read_notes(document))
    except (PackageNotFoundError, KeyError, ValueError, AttributeError, OSError, BadZipFile, SyntaxError) as error:
        raise CauserieError("cannot be read as a Word document", str(path), "open it and save it as .docx, or as plain text") from error


def _paragraphs(parent: Element) -> Iterator[list[SourceLine]]:
    """Yield the lines of each paragraph and table row, in document order."""
    for child in parent:
        if child.tag == f"{_W}p":
            yield _paragraph_lines(child)
        elif child.tag == f"{_W}tbl":
            yield from (lines for row in child.iter(f"{_W}tr") for lines in _row_lines(row))
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}smartTag", f"{_W}customXml"):
            yield from _paragraphs(child)


def _number_lines(paragraphs: Iterator[list[SourceLine]]) -> Iterator[SourceLine]:
    """Number lines by paragraph; the first line of each starts a paragraph."""
    for number, lines in enumerate(paragraphs, 1):
        non_empty = [line for line in lines if line.text.strip() or line.label]
        for index, line in enumerate(non_empty):
            yield SourceLine(number, line.text, line.label, line.is_heading, starts_paragraph=index == 0)


def _paragraph_lines(element: Element) -> list[SourceLine]:
    """Return a paragraph's lines. Bold words at its start, followed by plain ones, are a name."""
    pieces = list(_with_directions(list(_runs(element))))
    text = "".join(piece for piece, _ in pieces)
    style = element.find(f"{_W}pPr/{_W}pStyle")
    name = (style.get(f"{_W}val") or "").lower() if style is not None else ""
    lines = text.split("\n")
    if re.match(r"(?:heading|titre|title)", name) and text.strip():
        return [SourceLine(0, " ".join(text.split()), is_heading=True)]
    if element.find(f"{_W}pPr/{_W}numPr") is not None or name.startswith(("listbullet", "listeàpuces", "listepuces")):
        return [SourceLine(0, f"- {lines[0]}"), *(SourceLine(0, line) for line in lines[1:])]
    label = _bold_name(pieces)
    if label:
        bare = _bare_name(label)
        rest = lines[0][len(label) :].lstrip(" :–—\u00a0\u202f\t")
        return [SourceLine(0, rest, bare), *(SourceLine(0, line) for line in lines[1:])]
    return [SourceLine(0, line) for line in lines]


def _bare_name(label: str) -> str:
    """Return bold words without the punctuation between name and text; initials keep their full stops."""
    dashless = label.strip().rstrip(":–—- \u00a0\u202f")
    return dashless if re.search(r"(?:^|[ .-])[A-ZÀ-ÞŒŸ]\.$", dashless) else dashless.rstrip(". \u00a0\u202f")


def _bold_name(pieces: list[tuple[str, bool]]) -> str:
    """Return the bold words that start a paragraph, when they can be a name and other text follows; else an empty string."""
    label = ""
    for text, bold in pieces:
        if not bold and text.strip():
            break
        label += text
    else:
        return ""
    words = _bare_name(label)
    is_one = words[:1].isalpha() and not re.search(r"[.!?,;«»\[\]]", _ABBREVIATED_NAME.sub("", words))
    is_name = is_one and len(words) <= _NAME_CHARS_MAX and "\n" not in label
    rest = "".join(text for text, _ in pieces)[len(label) :]
    is_apart = label.rstrip()[-1:] in ":–—-" or rest[:1] in " :\u00a0\t–—\n" or label != label.rstrip()
    return label if is_name and is_apart and (words[0].isupper()) else ""


def _with_directions(runs: list[tuple[str, bool, bool]]) -> Iterator[tuple[str, bool]]:
    """Yield (text, is_bold) of runs. Italics that are not speech become a sound in square brackets.

    These are: text in parentheses, words for sounds, and a short paragraph all in italics that does not look like speech.
    """
    visible = "".join(text for text, _, _ in runs).strip()
    all_italic = all(italic for text, _, italic in runs if text.strip())
    for italic, group in groupby(runs, key=lambda run: run[2]):
        pieces = [(text, bold) for text, bold, _ in group]
        text = "".join(each for each, _ in pieces)
        bare = text.strip().strip("()").strip(" .\u00a0")
        in_parentheses = text.strip()[:1] == "(" and text.strip()[-1:] == ")"
        is_direction = _SOUND_START.match(bare) or in_parentheses or (all_italic and not _SPEECH_SIGNS.search(visible))
        if italic and is_direction and 0 < len(bare) <= _DIRECTION_CHARS_MAX and not re.search(r"[\n\[\]«»]", text):
            before, _, after = text.partition(text.strip())
            yield f"{before}[{bare}]{after}", False
        else:
            yield from pieces


def _runs(element: Element) -> Iterator[tuple[str, bool, bool]]:
    """Yield (text, is_bold, is_italic) of each visible run. Text deleted by a tracked change is skipped."""
    for run in element.iter(f"{_W}r"):
        if any(parent.tag in (_FALLBACK, f"{_W}del", f"{_W}moveFrom") for parent in run.iterancestors()):
            continue
        is_bold, is_italic = (_is_enabled(run.find(f"{_W}rPr/{_W}{mark}")) for mark in "bi")
        text = "".join(_visible_text(node) for node in run)
        if text:
            yield text, is_bold, is_italic


def _is_enabled(mark: Element | None) -> bool:
    return mark is not None and mark.get(f"{_W}val") not in ("0", "false", "off")


def _visible_text(node: Element) -> str:
    """Return the visible text of a run's child element."""
    if node.tag == f"{_W}t":
        return node.text or ""
    return {f"{_W}tab": " ", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}.get(str(node.tag), "")


def _row_lines(row: Element) -> Iterator[list[SourceLine]]:
    """Yield a table row's lines: time if any, name, spoken text. A row of column titles is skipped."""
    cells = [[line for paragraph in _paragraphs(cell) for line in paragraph] for cell in row.iter(f"{_W}tc")]
    texts = [" ".join(f"{line.label} {line.text}".strip() for line in lines).strip() for lines in cells]
    if not any(texts) or all(text.lower().rstrip(" :") in _HEADER_CELLS for text in texts if text):
        return
    clock = next((text for text in texts if _CLOCK.fullmatch(text)), "")
    remaining = [(text, lines) for text, lines in zip(texts, cells, strict=True) if text and text != clock]
    label = ""
    if len(remaining) == 2 and len(remaining[0][0]) <= _NAME_CHARS_MAX:
        label = remaining.pop(0)[0].rstrip(" :\u00a0")
    lines = [line for _, lines in remaining for line in lines if line.text.strip() or line.label]
    first = lines[0] if lines else SourceLine(0, "")
    start = f"{clock} " if clock and clock[0] in "[(" else f"[{clock}] " if clock else ""
    yield [SourceLine(0, start + first.text, label or first.label)]
    for line in lines[1:]:
        yield [SourceLine(0, line.text, line.label or label)]


def _read_notes(document: DocxDocument) -> Iterator[Remark]:
    """Yield footnotes, endnotes, comments, headers and footers, which are not spoken."""
    from docx.oxml import parse_xml

    for relation in document.part.rels.values():
        kind = relation.reltype.rsplit("/", 1)[-1]
        if not relation.is_external and kind in _NOTE_KINDS:
            for note in parse_xml(relation.target_part.blob):
                text = " ".join("".join(text for text, *_ in _runs(note)).split())
                if text:
                    yield Remark(0, text, f"it is {_NOTE_KINDS[kind]}, not speech")
    seen = set()
    for section in document.sections:
        for part in (section.header, section.footer):
            text = " ".join(" ".join(paragraph.text for paragraph in part.paragraphs).split())
            if text and text not in seen:
                seen.add(text)
                yield Remark(0, text, "it is in the header or footer of the page")
