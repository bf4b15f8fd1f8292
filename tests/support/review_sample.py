"""A transcript to correct and its files: recognised words half a second apart, doubts, a minute of audio."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.web.review.server import ReviewSession
from tests.support.site_sample import make_tone

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
SPOKEN_WORDS = "bonjour à tous voici la file d’attente prenez un ticket on attendait et alors"
DOUBTFUL_PASSAGES = [("la file d’atente", 2.0), ("On attendait", 10.0)]


def words_data() -> dict:
    """`words.json`: the first seven words from second 1, the rest from second 8."""
    words_spoken = SPOKEN_WORDS.split()
    starts = [(1 if i < 7 else 4.5) + i / 2 for i in range(len(words_spoken))]
    words = [{"text": word, "start_s": at, "end_s": at + 0.4, "probability": 0.9} for word, at in zip(words_spoken, starts, strict=True)]
    return {"language": "fr", "duration_s": 60.0, "segments": [{"words": words}]}


def doubts_data() -> dict:
    """`doubts.json`: one passage with a note in the text, one whose note was deleted."""
    return {
        "passages": [
            {"text": text, "start_s": at, "end_s": at + 2, "score": 0.5, "reasons": ["unsure words"]} for text, at in DOUBTFUL_PASSAGES
        ]
    }


def make_session(root: Path, text: bytes = TEXT.encode(), sound: bytes | None = None) -> ReviewSession:
    """A review session in a folder."""
    for name, content in {
        f"transcripts/{SLUG}.md": text,
        f"transcripts/{SLUG}.words.json": json.dumps(words_data()).encode(),
        f"transcripts/{SLUG}.doubts.json": json.dumps(doubts_data()).encode(),
        f"episodes/{SLUG}/{SLUG}.mp3": sound or b"son",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return ReviewSession(root, SLUG, "La file </script> d’attente", "fr", ("nora",))


__all__ = ["DOUBTFUL_PASSAGES", "SLUG", "TEXT", "doubts_data", "words_data", "make_session", "make_tone"]
