"""A passage of a transcript on its own: what an audiogram shows and writes as captions."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.model import Removal, TimedTranscript
from pipeline.transcript.captions import SRT_LINE_CHARS, speaker_name, vtt_text
from pipeline.transcript.cues import split_cues
from pipeline.transcript.edited import publish_transcript
from pipeline.transcript.review_status import review_notice


@dataclass(frozen=True)
class ExcerptCaption:
    """Lines shown together, and whose they are; times in seconds from the start of the passage."""

    start_s: float
    end_s: float
    speaker: str  # "" for a sound
    lines: tuple[str, ...]


def excerpt_captions(transcript: TimedTranscript, start_s: float, end_s: float) -> tuple[tuple[ExcerptCaption, ...], str]:
    """The captions of what is said from `start_s` to `end_s`, and the same as WebVTT."""
    outside = (Removal(0.0, start_s), Removal(end_s, max(transcript.duration_s, end_s)))
    passage = publish_transcript(transcript, tuple(each for each in outside if each.end_s > each.start_s))
    cues = split_cues(passage, SRT_LINE_CHARS)
    captions = tuple(
        ExcerptCaption(
            cue.start_s,
            cue.end_s,
            speaker_name(cue.turn.voice, passage.language) if cue.turn.voice.name or cue.turn.voice.role else "",
            tuple(" ".join(word.text for word in line) for line in cue.lines),
        )
        for cue in cues
    )
    return captions, vtt_text(cues, passage.language, review_notice(passage.review, passage.language))
