"""Tell what belongs to the page around a transcript: links, page numbers, dates of publication. No input or output."""

from __future__ import annotations

import re

from pipeline.transcript.freeform.source_lines import SourceLine

_PAGE_NUMBER = (
    r"(?:https?://|www\.)\S+$|page \d+(?:\s*(?:/|sur)\s*\d+)?$|"
    r"[-–—\s]*\d{1,3}(?:\s*(?:/|sur)\s*\d{1,3})?[-–—\s]*$|(?:.{1,80}[–—|•·-]|-+)\s*(?:page|p\.)\s*\d+(?:\s*(?:/|sur)\s*\d+)?[\s–—-]*$|"
    r"©.{0,80}$"
)
_PAGE_WORDS = (
    r"\W*fin\W*$|"
    r"(?:t[ée]l[ée]charger|retour (?:[àa] (?:la |l[’'])|au sommaire|en haut)|haut de page|partager|imprimer|copyright)\b[^.!?]{0,80}$|"
    r"(?:transcription|retranscription|script|verbatim)\b[^.!?]{0,60}$|"
    r"(?:publi[ée]|mis en ligne|enregistr[ée]|diffus[ée])e? le \d[^.!?]{0,60}$|date\s*:.{0,40}$"
)
_NOT_SAID = re.compile(_PAGE_NUMBER, re.I)  # wherever it stands
_PAGE_FURNITURE = re.compile(f"{_PAGE_NUMBER}|{_PAGE_WORDS}", re.I)  # where nothing says that the line is in the audio


def is_page_text(line: SourceLine, *, is_said: bool) -> bool:
    """Whether a line belongs to the page; where everything is said, only a link, a page number or a copyright line does."""
    pattern = _NOT_SAID if is_said else _PAGE_FURNITURE
    return pattern.match(line.text) is not None and not line.label and not line.has_dash
