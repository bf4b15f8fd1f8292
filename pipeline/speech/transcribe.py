"""The step `transcribe_master`: recognises every word of a master with Whisper, with its times."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from pipeline.audio import probe_file
from pipeline.engine import progress, write_json
from pipeline.model import CauserieError, Recognition, suggest
from pipeline.speech.backend import Backend
from pipeline.speech.backends import load_backend
from pipeline.speech.decoding import RATE_HZ, decode_blocks
from pipeline.speech.hallucinations import Segment, filter_hallucinations, merge_word_pieces
from pipeline.speech.languages import LANGUAGES
from pipeline.speech.recognition import Recogniser, detect_language, transcribe_windows
from pipeline.speech.segmentation import split_windows
from pipeline.speech.time_left import HearingProgress
from pipeline.speech.voice_activity import VoiceActivityDetector, has_voice
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
    segments, duration_s = transcribe_recording(master, recogniser, cache, spoken_code if language == AUTO else language)
    value = recognition_value(
        segments, engine=backend.name, model=model, language=spoken_code if language == AUTO else language, duration_s=duration_s
    )
    if language_probability is not None:
        value["language_probability"] = round(language_probability, 4)
    write_json(words, value)
    cache.delete_unused()


def transcribe_recording(master: Path, recogniser: Recogniser, cache: WindowCache, language: str) -> tuple[tuple[Segment, ...], float]:
    """The filtered segments of a recording, with the typography of `language`; and its duration in seconds."""
    activity, done_s = VoiceActivityDetector(RATE_HZ), 0.0
    transcribed: list[Segment] = []
    counted = HearingProgress(probe_file(master).duration_s or 0.0, _cached_s(master, cache), recogniser.backend.workers)
    windows = split_windows(activity.process(decode_blocks(master)), RATE_HZ)
    for window, segments in transcribe_windows(windows, recogniser, cache, counted):
        transcribed += (Segment(merge_word_pieces(part.words, language), *_confidence(part)) for part in segments)
        done_s = window.end_s
    progress.report(round(done_s, 3), round(done_s, 3))
    frames = activity.frames()
    return filter_hallucinations(transcribed, lambda start_s, end_s: has_voice(frames, start_s, end_s)), done_s


def _cached_s(master: Path, cache: WindowCache) -> float:
    """How many seconds of a recording are in the cache. Where it is empty the recording is not read for that."""
    if cache.is_empty():
        return 0.0
    return sum(window.length_s for window in split_windows(decode_blocks(master), RATE_HZ) if cache.has(window))


def recognition_value(segments: tuple[Segment, ...], *, engine: str, model: str, language: str, duration_s: float) -> Recognition:
    """The content of `words.json`: times to the millisecond, probabilities to four decimals."""
    return {
        "version": 1,
        "engine": engine,
        "model": model,
        "language": language,
        "duration_s": round(duration_s, 3),
        "segments": [
            {
                "start_s": _round_ms(segment.words[0].start_s),
                "end_s": _round_ms(segment.words[-1].end_s),
                "text": segment.text,
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
            for segment in segments
        ],
    }


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


def _confidence(segment: Segment) -> tuple[float, float]:
    return segment.no_speech_probability, segment.average_log_probability


def _round_ms(seconds: float | None) -> float:
    """Seconds, rounded to the millisecond; 0 for None."""
    return round(seconds or 0.0, 3)
