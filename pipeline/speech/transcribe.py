"""The step `transcribe_master`: recognises every word of a master with Whisper, with its times."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.audio import probe_file
from pipeline.engine import progress, write_json
from pipeline.model import CauserieError, RecognisedSegment, Recognition, join_heard, suggest
from pipeline.speech.backend import Backend
from pipeline.speech.backends import load_backend
from pipeline.speech.decoding import RATE_HZ, decode_blocks
from pipeline.speech.hallucinations import Loop, Segment, merge_word_pieces, remove_loops
from pipeline.speech.languages import LANGUAGES
from pipeline.speech.recognition import Recogniser, detect_language, transcribe_windows
from pipeline.speech.segmentation import split_windows
from pipeline.speech.time_left import HearingProgress
from pipeline.speech.window_cache import WindowCache, model_fingerprint

AUTO = "auto"


def transcribe_master(
    master: Path,
    *,
    words: Path,
    model: str,
    language: str,
    checkpoint: Path | None = None,
    engine: str = AUTO,
    device: str = AUTO,
    chunks: str | None = None,
) -> None:
    """Write to `words` the words the Whisper model recognises in `master`: see docs/formats.md.

    `model` is a name the engine knows, or the label of `checkpoint`: a .pt file, or the model.bin of a folder. `language` may be
    `auto`. `device` is `auto`, `cpu` or `cuda`. `chunks` is the folder of the window cache, relative to the folder of `master`. The model
    is given no names: a list of them as a prompt made it skip sentences and write names over silence (docs/decisions/0022).
    """
    code = language_code(language)
    backend = load_backend(engine, model, str(checkpoint or ""), device)
    spoken_code, language_probability = detect_recording_language(master, backend) if code == AUTO else (code, None)
    recogniser = Recogniser(backend, spoken_code)
    cache = open_window_cache(master, recogniser, model, checkpoint, chunks)
    said_language = spoken_code if language == AUTO else language
    heard = transcribe_recording(master, recogniser, cache, said_language)
    value = recognition_value(heard, engine=backend.name, model=model, language=said_language)
    if language_probability is not None:
        value["language_probability"] = round(language_probability, 4)
    write_json(words, value)
    cache.delete_unused()


@dataclass(frozen=True)
class RecordingHearing:
    """What was heard in a recording; times in seconds from its start."""

    segments: tuple[Segment, ...]
    wordless: tuple[tuple[float, float], ...]  # a voice came out without words
    loops: tuple[Loop, ...]  # repetitions that were removed
    duration_s: float


def transcribe_recording(master: Path, recogniser: Recogniser, cache: WindowCache, language: str) -> RecordingHearing:
    """What is heard in a recording, with the typography of `language`."""
    done_s = 0.0
    counted = HearingProgress(probe_file(master).duration_s or 0.0, _cached_s(master, cache), recogniser.backend.workers)
    transcribed: list[Segment] = []
    wordless: list[tuple[float, float]] = []
    for window, hearing in transcribe_windows(split_windows(decode_blocks(master), RATE_HZ), recogniser, cache, counted):
        merged = (replace(part, words=merge_word_pieces(part.words, part.language or language)) for part in hearing.segments)
        transcribed += (part for part in merged if part.words)
        wordless += hearing.wordless
        done_s = window.end_s
    progress.report(round(done_s, 3), round(done_s, 3))
    segments, loops = remove_loops(tuple(transcribed), language)
    return RecordingHearing(segments, tuple(wordless), loops, done_s)


def _cached_s(master: Path, cache: WindowCache) -> float:
    """How many seconds of a recording are in the cache. Where it is empty the recording is not read for that."""
    if cache.is_empty():
        return 0.0
    return sum(window.length_s for window in split_windows(decode_blocks(master), RATE_HZ) if cache.has(window))


def recognition_value(heard: RecordingHearing, *, engine: str, model: str, language: str) -> Recognition:
    """The content of `words.json`: times to the millisecond, probabilities to four decimals."""
    value: Recognition = {
        "version": 1,
        "engine": engine,
        "model": model,
        "language": language,
        "duration_s": round(heard.duration_s, 3),
        "segments": [_segment_value(segment, language) for segment in heard.segments],
    }
    if heard.wordless:
        value["wordless_voice"] = [{"start_s": _round_ms(start_s), "end_s": _round_ms(end_s)} for start_s, end_s in heard.wordless]
    if heard.loops:
        value["removed"] = [
            {"start_s": _round_ms(loop.start_s), "end_s": _round_ms(loop.end_s), "text": loop.text, "times": loop.times}
            for loop in heard.loops
        ]
    return value


def _segment_value(segment: Segment, language: str) -> RecognisedSegment:
    value: RecognisedSegment = {
        "start_s": _round_ms(segment.start_s),
        "end_s": _round_ms(segment.words[-1].end_s),
        "text": join_heard((word.text for word in segment.words), segment.language or language),
        "no_speech_probability": round(segment.no_speech_probability, 4),
        "average_log_probability": round(segment.average_log_probability, 4),
        "words": [
            {
                "text": word.text,
                "start_s": _round_ms(word.start_s),
                "end_s": _round_ms(word.end_s),
                "probability": round(word.probability, 4),
            }
            for word in segment.words
        ],
    }
    if segment.language:
        value["language"] = segment.language
    return value


def detect_recording_language(master: Path, backend: Backend) -> tuple[str, float]:
    """The language of a recording and its probability, from its first windows; FFmpeg is stopped after those."""
    with closing(decode_blocks(master)) as stream:
        return detect_language(split_windows(stream, RATE_HZ), backend)


def language_code(language: str) -> str:
    """Whisper's code of a language such as `fr` or `fr-CA`; `auto` unchanged. `CauserieError` when Whisper does not support it."""
    code = language.lower().split("-")[0]
    if code != AUTO and code not in LANGUAGES:
        hint = suggest(code, {*LANGUAGES, AUTO})
        where = "show.toml: speech.language, or episode.toml: language"
        raise CauserieError(f"Whisper does not know the language “{language}”", where, hint)
    return code


def open_window_cache(master: Path, recogniser: Recogniser, model: str, checkpoint: Path | None, chunks: str | None) -> WindowCache:
    """The window cache of a recording: its key holds every setting that changes the result, except the samples."""
    model_file = ("" if checkpoint else model, model_fingerprint(checkpoint))
    key_parts = (
        recogniser.backend.name,
        recogniser.backend.compute_type,
        *model_file,
        recogniser.language,
        recogniser.task,
    )
    return WindowCache(master.parent / chunks if chunks else None, key_parts)


def _round_ms(seconds: float | None) -> float:
    """Seconds, rounded to the millisecond; 0 for None."""
    return round(seconds or 0.0, 3)
