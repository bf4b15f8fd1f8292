"""Texts beside what was heard, for `status`, `check` and `publish`: passages that only one has, and a recording that was replaced."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any  # of JSON values

from pipeline.commands.directories import OWN_PACK, PACKAGES
from pipeline.engine import FileCache, is_unedited_draft, read_json, read_text, source_signature
from pipeline.feed.rules import ADVICE, Finding
from pipeline.model import CauserieError, Episode, Recognition, pluralise
from pipeline.transcript import (
    Comparison,
    CompletenessNote,
    HeardPassage,
    WrittenPassage,
    compare_with_heard,
    completeness_notes,
    parse_transcript,
    removed_loops,
    voice_spans,
)

_STATUS_LINES, _CHECK_LINES = 3, 10  # of an episode
_HINTS = {
    "heard": "listen there, and add it; ignore this advice for what was left out on purpose",
    "written": "listen there; an anchor such as @1:05 gives it a time, if it was spoken",
    "removed": "listen there whether it was said once or more often",
    "voice": "listen there, and write what is said",
}


def pending_passages(root: Path, episode: Episode, cache: FileCache) -> Iterator[str]:
    """For `status`: the longest passages that only the text or only the sound has, or that the two do not belong together."""
    where = f"transcripts/{episode.slug}.md"
    if error := other_recording(root, episode, cache):
        yield f"{where} {error.message}; {error.hint}"
        return
    notes = _notes(root, episode, cache)
    for note in notes[:_STATUS_LINES]:
        yield f"compare {where} with the sound; {note.sentence}"
    if len(notes) > _STATUS_LINES:
        yield f"{pluralise(len(notes) - _STATUS_LINES, 'more passage')} of {where} to compare with the sound, which causerie check lists"


def completeness_advice(root: Path, episode: Episode, cache: FileCache) -> Iterator[Finding]:
    """For `check`: every passage that only the text or only the sound has, up to a number that can be read."""
    where, notes = f"transcripts/{episode.slug}.md", _notes(root, episode, cache)
    for note in notes[:_CHECK_LINES]:
        yield Finding(ADVICE, OWN_PACK, "completeness", "", where, note.sentence, _HINTS[note.kind])
    if len(notes) > _CHECK_LINES:
        problem = f"{pluralise(len(notes) - _CHECK_LINES, 'shorter passage')} more that only the text or only the sound has"
        yield Finding(ADVICE, OWN_PACK, "completeness", "", where, problem, f"causerie review {episode.slug} lists them")


def other_recording(root: Path, episode: Episode, cache: FileCache) -> CauserieError | None:
    """The mistake of a text that was corrected for another recording than the one that was heard; None when they agree."""
    comparison = _compare(root, episode.slug, cache)
    if comparison is None or not comparison.is_other_recording:
        return None
    slug = episode.slug
    message = f"agrees with the recording in {comparison.agreement:.0%} of its letters: one of the two was replaced"
    hint = f"restore the recording, or move the text away, run causerie draft {slug}, and correct the new draft"
    return CauserieError(message, f"transcripts/{slug}.md", hint)


def _notes(root: Path, episode: Episode, cache: FileCache) -> tuple[CompletenessNote, ...]:
    words = root / f"transcripts/{episode.slug}.words.json"
    if not words.is_file():
        return ()
    said = cache.get_or_compute(words, f"said {episode.slug}", source_signature(PACKAGES / "transcript"), lambda: _said_value(words))
    comparison = _compare(root, episode.slug, cache) or Comparison(voices=tuple((start_s, end_s) for start_s, end_s in said["voices"]))
    return completeness_notes(comparison, said["removed"], "en")


def _said_value(words: Path) -> dict[str, Any]:
    """What a recogniser says beside its words, as a JSON value: voices without words, and repetitions that were removed."""
    recognition: Recognition = read_json(words)
    return {"voices": [list(span) for span in voice_spans(recognition)], "removed": list(removed_loops(recognition))}


def _compare(root: Path, slug: str, cache: FileCache) -> Comparison | None:
    """The corrected text of an episode beside what was heard, from the cache where neither changed; None for a draft or a broken text."""
    text, words = root / f"transcripts/{slug}.md", root / f"transcripts/{slug}.words.json"
    if not text.is_file() or not words.is_file():
        return None
    stat = os.stat(words)
    version = f"{source_signature(PACKAGES / 'transcript')} {stat.st_size} {stat.st_mtime_ns}"
    try:
        value = cache.get_or_compute(text, f"beside {slug}", version, lambda: _comparison_value(text, words))
    except CauserieError:  # reported by check as a mistake of the text
        return None
    return _comparison_from(value) if value else None


def _comparison_value(text: Path, words: Path) -> dict[str, Any]:
    """A comparison as a JSON value; empty for a draft that nobody has corrected. Raises `CauserieError` as parsing does."""
    content = read_text(text)
    if is_unedited_draft(content):
        return {}
    return asdict(compare_with_heard(parse_transcript(content), read_json(words)))


def _comparison_from(value: dict[str, Any]) -> Comparison:
    """The inverse of `asdict`, after JSON made lists of tuples."""
    passages = {
        "heard": tuple(HeardPassage(**each) for each in value["heard"]),
        "written": tuple(WrittenPassage(**each) for each in value["written"]),
        "voices": tuple(tuple(span) for span in value["voices"]),
    }
    return Comparison(**{**value, **passages})
