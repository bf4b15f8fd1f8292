"""Who has checked a text: the check-off in its front matter, and the sentence that readers see.

    +++
    reviewed = "2026-10-05, H. Marchand"
    +++

A text that the machine drafted keeps its stamp, `draft = "…"`, when a person edits it. It counts as the machine's until somebody states
that they have checked it: one changed letter is no statement. A text without a stamp was written by a person, and needs none.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from pipeline.engine import has_stamp, is_unedited_draft
from pipeline.model import DRAFT, EDITED, REVIEWED, CauserieError, TextReview, format_date, terminal_safe
from pipeline.templates import labels
from pipeline.transcript.document import Note, Transcript, parse_anchor

_FENCE = "+++"
_MAX_NAME_CHARS = 80
_CLOCK = r"\d+(?::[0-5]\d){1,2}"
_DOUBT = re.compile(rf"\?.*?(?P<start>{_CLOCK})–(?P<end>{_CLOCK})")
_CHECK_OFF_LINE = re.compile(r"^[ \t]*reviewed[ \t]*=.*(?:\n|$)")


def parse_check_off(text: str) -> tuple[str, str]:
    """The date (ISO 8601) and the name of `2026-10-05, H. Marchand`; the name may be missing. Raises `CauserieError` without a place."""
    day, _, name = (part.strip() for part in text.partition(","))
    try:
        if len(day) != 10:
            raise ValueError
        date.fromisoformat(day)
    except ValueError:
        message = f"“reviewed” is “{terminal_safe(text)[:40]}”, which does not begin with a date"
        raise CauserieError(message, "", 'write reviewed = "2026-10-05, H. Marchand"') from None
    if len(name) > _MAX_NAME_CHARS or terminal_safe(name) != name:
        message = f"“reviewed” has a name that is longer than {_MAX_NAME_CHARS} characters, or has control characters"
        raise CauserieError(message, "", 'write reviewed = "2026-10-05, H. Marchand"')
    return day, name


def text_review(text: str, transcript: Transcript) -> TextReview:
    """What is known of who has checked a text; `transcript` is the parsed text."""
    if transcript.reviewed:
        return TextReview(REVIEWED, *parse_check_off(transcript.reviewed))
    return TextReview(DRAFT if is_unedited_draft(text) else EDITED if has_stamp(text) else "")


def open_doubts(transcript: Transcript) -> tuple[tuple[float, float], ...]:
    """The passages (start, end, in seconds) of the notes `%% ? 1:05–1:09 …` that are left: nobody has listened to them yet."""
    found = (_DOUBT.match(block.text) for block in transcript.blocks if isinstance(block, Note))
    return tuple((parse_anchor(each["start"]), parse_anchor(each["end"])) for each in found if each)


def review_notice(review: TextReview, language: str) -> str:
    """The sentence for readers, without a full stop: « Transcription automatique, non relue »; empty for a text that a person wrote."""
    if not review.state:
        return ""
    words = labels("transcript", language)["review"]
    if review.state != REVIEWED:
        sentence: str = words[review.state]
        return sentence
    day = format_date(datetime.fromisoformat(review.date), language)
    checked: str = words["reviewed_by"] if review.by else words["reviewed"]
    return checked.replace("{date}", day).replace("{by}", review.by)


def add_check_off(text: str, day: str, name: str) -> str:
    """The text with the check-off in its front matter, in place of an earlier one; nothing else changes.

    `day` is ISO 8601. Raises `CauserieError` as `parse_check_off`.
    """
    name = " ".join(re.sub(r'["\\]', " ", name).split())
    parse_check_off(f"{day}, {name}")
    line = f'reviewed = "{day}, {name}"\n' if name else f'reviewed = "{day}"\n'
    first, _, rest = text.partition("\n")
    if first.rstrip() != _FENCE:
        return f"{_FENCE}\n{line}{_FENCE}\n\n{text}"
    head, fence, body = _split_at_fence(rest)
    kept = "".join(row for row in head.splitlines(keepends=True) if not _CHECK_OFF_LINE.match(row))
    return f"{first}\n{line}{kept}{fence}{body}"


def _split_at_fence(rest: str) -> tuple[str, str, str]:
    """The front matter after its first line, its closing fence, and what follows."""
    closing = re.search(r"^\+\+\+[ \t]*$", rest, re.MULTILINE)
    return (rest, "", "") if closing is None else (rest[: closing.start()], closing[0], rest[closing.end() :])
