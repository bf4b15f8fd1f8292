"""A transcript to correct and its files: recognised words half a second apart, doubts, a minute of audio."""

from __future__ import annotations

import json
from pathlib import Path

from site_sample import tone

from pipeline.review.server import Desk

SLUG = "01-la-file"
TEXT = """+++
[voices.Nora]
role = "récit"
+++

Bonjour à tous, voici la file d’atente.

%% ? 0:02–0:04 « la file d’atente » (mots peu sûrs)

Nora : Prenez un ticket.

%% Une note à moi.

## Archive : 1978

« On attendait, et alors »
"""
HEARD = "bonjour à tous voici la file d’attente prenez un ticket on attendait et alors"
DOUBTED = [("la file d’atente", 2.0), ("On attendait", 10.0)]


def heard() -> dict:
    """`words.json`: the first seven words from second 1, the rest from second 8."""
    said = HEARD.split()
    starts = [(1 if i < 7 else 4.5) + i / 2 for i in range(len(said))]
    words = [{"text": word, "start_s": at, "end_s": at + 0.4, "probability": 0.9} for word, at in zip(said, starts, strict=True)]
    return {"language": "fr", "duration_s": 60.0, "segments": [{"words": words}]}


def doubted() -> dict:
    """`doubts.json`: one passage with a note in the text, one whose note was deleted."""
    return {"passages": [{"text": text, "start_s": at, "end_s": at + 2, "score": 0.5, "reasons": ["unsure words"]} for text, at in DOUBTED]}


def make_desk(root: Path, text: bytes = TEXT.encode(), sound: bytes | None = None) -> Desk:
    """A review session in a folder."""
    for name, content in {
        f"transcripts/{SLUG}.md": text,
        f"transcripts/{SLUG}.words.json": json.dumps(heard()).encode(),
        f"transcripts/{SLUG}.doubts.json": json.dumps(doubted()).encode(),
        f"episodes/{SLUG}/{SLUG}.mp3": sound or b"son",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return Desk(root, SLUG, "La file </script> d’attente", "fr", ("nora",))


__all__ = ["DOUBTED", "SLUG", "TEXT", "doubted", "heard", "make_desk", "tone"]
