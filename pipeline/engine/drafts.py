"""Drafts: generated text that a person may edit.

A draft has a stamp, the digest of the rest of the file. While the stamp matches, the file is unedited and may be regenerated; one
changed character makes it a hand-edited file, for good. The stamp is in the file itself, so it survives a clone, a copy and the
loss of `.causerie/`.
"""

from __future__ import annotations

import hashlib
import re

_STAMP = re.compile(r'^draft = "[0-9a-f]{16}"(?: #[^\n]*)?\n', re.MULTILINE)


def add_stamp(text: str, comment: str = "") -> str:
    """Insert the stamp after the first line, which must be the `+++` that opens the TOML front matter.

    `comment` is a TOML comment for the reader, on the stamp's line.
    """
    first, rest = text.split("\n", 1)
    return f'{first}\ndraft = "{_digest(text)}"{f" # {comment}" if comment else ""}\n{rest}'


def has_stamp(text: str) -> bool:
    """Whether `text` was generated, and perhaps edited since."""
    return _STAMP.search(text) is not None


def is_unedited_draft(text: str) -> bool:
    """Whether `text` is a stamped draft without any edit."""
    match = _STAMP.search(text)
    return match is not None and text[match.start() :].split('"')[1] == _digest(_STAMP.sub("", text, count=1))


def _digest(text: str) -> str:
    """The first 16 hexadecimal digits of the SHA-256: enough to detect an edit, short enough not to distract."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
