"""The step `translate_master`: English captions of a recording in another language, by Whisper's own translation, and labelled as such."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.engine import write_atomic
from pipeline.model import CauserieError, format_timestamp
from pipeline.speech.backends import load_backend
from pipeline.speech.hallucinations import Segment
from pipeline.speech.recognition import Recogniser
from pipeline.speech.transcribe import AUTO, detect_recording_language, language_code, open_window_cache, transcribe_recording

TARGET_LANGUAGE = "en"  # the only language Whisper translates to
MACHINE_TRANSLATION_LABEL = "Machine translation, not corrected by a person"
_LINE_CHARS, _LINES = 42, 2
_MIN_CAPTION_S = 0.5
_TRANSCRIBE_ONLY = ("turbo", "large-v3-turbo", "distil-")  # trained to transcribe only: their output stays in the original language


@dataclass(frozen=True)
class Caption:
    """The lines shown together, with their times in seconds from the start of the recording."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]


def translate_master(
    master: Path,
    *,
    vtt: Path,
    model: str,
    language: str,
    checkpoint: Path | None = None,
    engine: str = AUTO,
    device: str = AUTO,
    chunks: str | None = None,
) -> None:
    """Write to `vtt` English captions of `master`. The settings are those of `transcribe_master`; `chunks` must be another folder.

    `CauserieError` when the model was not trained to translate, or `language` is English.
    """
    code = language_code(language)
    check_translatable(model, code)
    backend = load_backend(engine, model, str(checkpoint or ""), device)
    if code == AUTO:
        code = detect_recording_language(master, backend)[0]
        check_translatable(model, code)
    recogniser = Recogniser(backend, code, task="translate")
    cache = open_window_cache(master, recogniser, model, checkpoint, chunks)
    segments = transcribe_recording(master, recogniser, cache, TARGET_LANGUAGE).segments
    write_atomic(vtt, vtt_text(split_captions(segments)))
    cache.delete_unused()


def check_translatable(model: str, language: str) -> None:
    """`CauserieError` when Whisper cannot translate this language with this model."""
    if language == TARGET_LANGUAGE:
        raise CauserieError("the show is already in English", "show.toml: speech.translate", "remove the key")
    if model.endswith(".en") or model.startswith(_TRANSCRIBE_ONLY):
        raise CauserieError(f"the model “{model}” does not translate", "show.toml: speech.model", "use small, medium or large-v3")


def split_captions(segments: tuple[Segment, ...]) -> tuple[Caption, ...]:
    """Segments split into captions of two lines of 42 characters; a segment's time is divided among its captions by their letters.

    Times within a segment are estimates: the words of a translation do not line up with those of the original. Captions never overlap.
    """
    cut: list[Caption] = []
    for segment in segments:
        start_s = max(segment.words[0].start_s or 0.0, cut[-1].end_s if cut else 0.0)
        cut += _divide_time(_split_screens(segment.text), start_s, max(segment.words[-1].end_s or 0.0, start_s + _MIN_CAPTION_S))
    return tuple(cut)


def vtt_text(captions: tuple[Caption, ...]) -> str:
    """WebVTT, with a NOTE that it is a machine translation."""
    blocks = ["WEBVTT", f"NOTE {MACHINE_TRANSLATION_LABEL}"]
    for each in captions:
        lines = "\n".join(html.escape(line, quote=False) for line in each.lines)
        blocks.append(f"{format_timestamp(each.start_s)} --> {format_timestamp(each.end_s)}\n{lines}")
    return "\n\n".join(blocks) + "\n"


def _split_screens(text: str) -> list[tuple[str, ...]]:
    lines = textwrap.wrap(" ".join(text.split()), _LINE_CHARS)
    return [tuple(lines[i : i + _LINES]) for i in range(0, len(lines), _LINES)]


def _divide_time(screens: list[tuple[str, ...]], start_s: float, end_s: float) -> Iterator[Caption]:
    """Captions from `start_s` to `end_s`, the time divided by their letters."""
    letters = [sum(map(len, screen)) for screen in screens]
    done = 0
    for screen, count in zip(screens, letters, strict=True):
        first_s, last_s = (round(start_s + (end_s - start_s) * part / sum(letters), 3) for part in (done, done + count))
        done += count
        yield Caption(first_s, last_s, screen)
