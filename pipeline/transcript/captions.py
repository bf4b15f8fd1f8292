"""The step `write_captions`: the timed transcript in the five published formats, with the same words and voices in each.

WebVTT and SRT for players, the Podcast Index's JSON 1.0.0 and HTML for podcast apps, plain text for reading.
"""

from __future__ import annotations

import html as markup
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NotRequired, TypedDict

from pipeline.engine import write_atomic, write_json
from pipeline.model import TimedTranscript, Turn, Voice, Word, apply_typography, format_clock, join_words, slugify, touches
from pipeline.templates import labels
from pipeline.transcript.cues import Cue, split_cues
from pipeline.transcript.review_status import review_notice
from pipeline.transcript.timed_json import link_time_s, read_timed

VTT_LINE_CHARS = 42
SRT_LINE_CHARS = 32  # recommended by the Podcast Index
_MIN_NOTICE_S, _NOTICE_S = 1.0, 4.0  # how long the notice of an SRT file is shown


class SegmentEntry(TypedDict):
    """A segment of the Podcast Index's JSON transcript 1.0.0."""

    speaker: NotRequired[str]
    startTime: float
    endTime: float
    body: str


class TranscriptFile(TypedDict):
    """The content of a Podcast Index JSON transcript 1.0.0."""

    version: str
    notice: NotRequired[str]  # ours: who has checked the text
    segments: list[SegmentEntry]


def write_captions(timed: Path, *, vtt: Path, srt: Path, json: Path, html: Path, txt: Path) -> None:
    """Write the transcript in `timed` as WebVTT, SRT, Podcast Index JSON, an HTML fragment and plain text."""
    transcript = read_timed(timed)
    notice = review_notice(transcript.review, transcript.language)
    labelled = with_section_labels(transcript)
    cut = split_cues(labelled, VTT_LINE_CHARS)
    write_atomic(vtt, vtt_text(cut, transcript.language, notice))
    write_atomic(srt, srt_text(labelled))
    write_json(json, json_value(cut, transcript.language, notice))
    write_atomic(html, html_text(transcript))
    write_atomic(txt, plain_text(transcript))


def with_section_labels(transcript: TimedTranscript) -> TimedTranscript:
    """The transcript with the label of each section as a sound before its first turn: « [Archive : 1958] »."""
    turns: list[Turn] = []
    for label, turn in _labelled_turns(transcript):
        if label:
            turns.append(Turn(Voice(""), (Word(f"[{label}]"),), turn.section))
        turns.append(turn)
    return replace(transcript, turns=tuple(turns))


def _labelled_turns(transcript: TimedTranscript) -> Iterator[tuple[str, Turn]]:
    """Each turn with the label of the section that it opens, on one line and without brackets; empty when it opens none."""
    section = ""
    for turn in transcript.turns:
        label = turn.section if turn.section != section else ""
        section = turn.section
        plain = " ".join(_strip_controls(label).translate({ord("["): "(", ord("]"): ")"}).split(" "))
        yield apply_typography(plain, transcript.language).strip(), turn


def speaker_name(voice: Voice, language: str) -> str:
    """The name shown for a voice; a narrator without one is called so. A single line without control characters, not escaped."""
    return _strip_controls(voice.name or labels("transcript", language)["narrator"])


def vtt_text(shown: Sequence[Cue], language: str, notice: str = "") -> str:
    """WebVTT: every cue in a voice span, `<v.archive Voix 1>`, sounds in the class `son`; `notice` is a comment in the header."""
    blocks = ["WEBVTT", *([f"NOTE {_vtt_comment(notice)}"] if notice else [])]
    for cue in shown:
        lines = _vtt_lines(cue)
        blocks.append(
            f"{_format_timestamp(cue.start_s, '.')} --> {_format_timestamp(cue.end_s, '.')}\n{_voice_span(cue.turn, language)}{lines}"
        )
    return "\n\n".join(blocks) + "\n"


def srt_text(transcript: TimedTranscript) -> str:
    """SRT: short lines, with the speaker's name before the words where the voice changes.

    SRT has no comments: that nobody has checked the text is a cue of its own, where nobody speaks.
    """
    shown = split_cues(transcript, SRT_LINE_CHARS, _speaker_prefixes(transcript))
    cues = [(cue.start_s, cue.end_s, "\n".join(join_words(_srt_word(word) for word in line) for line in cue.lines)) for cue in shown]
    if transcript.review.is_unchecked:
        cues = _with_notice(cues, f"[{review_notice(transcript.review, transcript.language)}]", transcript.duration_s)
    return "\n".join(
        f"{number}\n{_format_timestamp(start_s, ',')} --> {_format_timestamp(end_s, ',')}\n{lines}\n"
        for number, (start_s, end_s, lines) in enumerate(cues, 1)
    )


def _with_notice(cues: list[tuple[float, float, str]], notice: str, duration_s: float) -> list[tuple[float, float, str]]:
    """The cues (start, end, lines) and one for `notice`: before the first, else after the last, else above the words of the first."""
    lines = "\n".join(textwrap.wrap(notice, SRT_LINE_CHARS))
    start_s, end_s = (cues[0][0], cues[-1][1]) if cues else (duration_s, 0.0)
    if start_s >= _MIN_NOTICE_S:
        return [(0.0, min(start_s, _NOTICE_S), lines), *cues]
    if duration_s - end_s >= _MIN_NOTICE_S:
        return [*cues, (end_s, min(duration_s, end_s + _NOTICE_S), lines)]
    return [(*cues[0][:2], f"{lines}\n{cues[0][2]}"), *cues[1:]] if cues else []


def json_value(shown: Sequence[Cue], language: str, notice: str = "") -> TranscriptFile:
    """Podcast Index JSON 1.0.0; a segment is a cue, times in seconds to the millisecond. A sound has no speaker.

    `notice` is a key that the format does not have, which its readers ignore.
    """
    segments: list[SegmentEntry] = []
    for cue in shown:
        body = join_words(word.text for line in cue.lines for word in line)
        entry: SegmentEntry = {"startTime": cue.start_s, "endTime": cue.end_s, "body": body}
        segments.append(entry if _is_sound(cue.turn) else {"speaker": speaker_name(cue.turn.voice, language), **entry})
    value: TranscriptFile = {"version": "1.0.0", "segments": segments}
    if notice:
        value["notice"] = notice
    return value


def html_text(transcript: TimedTranscript) -> str:
    """The Podcast Index's HTML transcript, a fragment: `<cite>`, `<time>`, `<p>` for each turn, `<h2>` where a section begins."""
    notice = review_notice(transcript.review, transcript.language)
    lines = [f"<p>[{markup.escape(notice)}]</p>"] if notice else []
    for label, turn in _labelled_turns(transcript):
        if label:
            lines.append(f"<h2>{markup.escape(label)}</h2>")
        if not _is_sound(turn):
            lines.append(f"<cite>{markup.escape(speaker_name(turn.voice, transcript.language))}{_colon(transcript.language)}</cite>")
        if (start_s := link_time_s(turn)) is not None:
            lines.append(f"<time>{format_clock(start_s)}</time>")
        lines.append(f"<p>{markup.escape(turn.text)}</p>")
    return "".join(f"{line}\n" for line in lines)


def plain_text(transcript: TimedTranscript) -> str:
    """Plain text: a paragraph for each turn, the speaker's name first; `## Label` where a section begins."""
    language, notice = transcript.language, review_notice(transcript.review, transcript.language)
    parts = [f"[{notice}]"] if notice else []
    for label, turn in _labelled_turns(transcript):
        parts += [f"## {label}"] if label else []
        start = "" if _is_sound(turn) else f"{speaker_name(turn.voice, language)}{_colon(language)} "
        parts.append(start + _strip_controls(turn.text))
    return "\n\n".join(parts) + "\n"


def _is_sound(turn: Turn) -> bool:
    """Whether the turn is a sound between voices."""
    return not turn.voice.name and not turn.voice.role


def _speaker_prefixes(transcript: TimedTranscript) -> dict[int, tuple[Word, ...]]:
    """For each turn that begins with a change of voice, by its index, the words of the speaker's name."""
    found: dict[int, tuple[Word, ...]] = {}
    previous: Voice | None = None
    for index, turn in enumerate(transcript.turns):
        if not _is_sound(turn):
            if turn.voice != previous:
                name = speaker_name(turn.voice, transcript.language) + _colon(transcript.language)
                found[index] = tuple(Word(part) for part in name.split(" "))
            previous = turn.voice
    return found


def _colon(language: str) -> str:
    colon: str = labels("transcript", language)["colon"]
    return colon


def _voice_span(turn: Turn, language: str) -> str:
    """`<v.role Name>`; its end tag is optional when it spans the whole cue (WebVTT). Classes are ASCII: some players accept no other."""
    if _is_sound(turn):
        return ""
    role = slugify(turn.voice.role)
    return f"<v{'.' + role if role else ''} {_vtt_escape(speaker_name(turn.voice, language))}>"


def _vtt_lines(cue: Cue) -> str:
    """The lines of a cue; a sound is in a class span, one on each of its lines."""
    lines, is_open = [], False
    for line in cue.lines:
        parts: list[str] = []
        for before, word in zip([None, *line], line, strict=False):
            starts, escaped = (
                is_open or word.text.startswith("[") and not word.text.startswith("[…]"),
                _vtt_escape(_strip_controls(word.text)),
            )
            if is_open and parts:
                parts[-1] = f"{parts[-1].removesuffix('</c>')} {escaped}</c>"
            else:
                space = "" if before is None or touches(before.text, word.text) else " "
                parts.append(space + (f"<c.son>{escaped}</c>" if starts else escaped))
            is_open = starts and "]" not in word.text
        lines.append("".join(parts))
    return "\n".join(lines)


def _srt_word(word: Word) -> str:
    """A word for SRT, which has no escapes, while players read `<…>` as tags: look-alike characters replace them, also in `-->`."""
    return _strip_controls(word.text).replace("<", "‹").replace(">", "›")


def _vtt_escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _vtt_comment(text: str) -> str:
    """A comment: one line without the arrow that would make it a cue (WebVTT, 4.1)."""
    return _strip_controls(text).replace("-->", "—>")


def _strip_controls(text: str) -> str:
    """The text without control characters and Unicode line separators, which could end a line or a cue."""
    return "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cf", "Zl", "Zp"))


def _format_timestamp(seconds: float, point: str) -> str:
    """`00:01:05.250`, with a comma for SRT."""
    milliseconds = round(seconds * 1000)
    return f"{format_clock(milliseconds // 1000, always_hours=True)}{point}{milliseconds % 1000:03}"
