"""Drafts: text the machine wrote first and a person may take over.

A draft carries a stamp, the digest of everything else in it. While the stamp holds nobody has touched the file and it is still
the machine's; one changed letter makes it a person's, for good. The stamp is in the file itself, so it survives a clone, a copy
and the loss of `.causerie/`.
"""

from __future__ import annotations

import hashlib
import re

_STAMP = re.compile(r'^draft = "[0-9a-f]{16}"(?: #[^\n]*)?\n', re.MULTILINE)


def stamp(text: str, remark: str = "") -> str:
    """Put the stamp after the first line, which must be the `+++` that opens the TOML front matter.

    `remark` is a comment for the reader, on the stamp's own line.
    """
    first, rest = text.split("\n", 1)
    return f'{first}\ndraft = "{_digest(text)}"{f" # {remark}" if remark else ""}\n{rest}'


def untouched(text: str) -> bool:
    """Whether `text` is a stamped draft that nobody has changed."""
    found = _STAMP.search(text)
    return found is not None and text[found.start() :].split('"')[1] == _digest(_STAMP.sub("", text, count=1))


def _digest(text: str) -> str:
    """Sixteen hexadecimal digits: enough to notice a change, short enough to read past."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
