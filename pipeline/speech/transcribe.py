"""`transcribe`: a master in, every word Whisper heard out, with its times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pipeline import progress
from pipeline.audio.ffmpeg import pipe, source
from pipeline.errors import CauserieError
from pipeline.files import write_json
from pipeline.model import Word
from pipeline.speech.activity import active_frames, any_voice
from pipeline.speech.sift import Segment, believable, whole_words
from pipeline.speech.windows import cuts
from pipeline.text import nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from whisper import Whisper

RATE_HZ = 16_000  # what Whisper listens to
_FRAMES_PER_S = 100  # Whisper counts its progress in spectrogram frames
_NARROWEST_OF_WHISPER = 384  # width of the encoder of `tiny`, the smallest model OpenAI published


def transcribe(master: Path, *, words: Path, model: str, language: str, names: tuple[str, ...], checkpoint: Path | None = None) -> None:
    """Write to `words` what the Whisper model hears in `master`: see docs/formats.md.

    `model` is a name Whisper knows, or what to call the `checkpoint` file. `names` tell the model how the show's people are spelt.
    """
    network = _load(str(checkpoint or ""), model)
    samples = decode(master)
    heard = _listen(network, samples, _language(language), names)
    frames = active_frames(samples, RATE_HZ)
    segments = believable(_segments(heard, language), lambda start_s, end_s: any_voice(frames, start_s, end_s))
    write_json(words, words_value(segments, model=model, language=language, duration_s=len(samples) / RATE_HZ))


def words_value(segments: tuple[Segment, ...], *, model: str, language: str, duration_s: float) -> dict[str, Any]:
    """What was heard as JSON values: times to the millisecond, probabilities to four decimals."""
    return {
        "version": 1,
        "engine": "openai-whisper",
        "model": model,
        "language": language,
        "duration_s": round(duration_s, 3),
        "segments": [
            {
                "start_s": _ms(segment.words[0].start_s),
                "end_s": _ms(segment.words[-1].end_s),
                "text": segment.text,
                "no_speech_probability": round(segment.no_speech_probability, 4),
                "average_log_probability": round(segment.average_log_probability, 4),
                "words": [
                    {"text": word.text, "start_s": _ms(word.start_s), "end_s": _ms(word.end_s), "probability": round(word.probability, 4)}
                    for word in segment.words
                ],
            }
            for segment in segments
        ],
    }


def decode(recording: Path) -> NDArray[np.float32]:
    """The recording as mono samples at `RATE_HZ`, −1 to 1."""
    import numpy as np

    samples = bytearray()  # writable, as torch wants it, and never copied: three hours are 690 MB
    pipe([*source(recording), "-map", "0:a:0", "-ac", "1", "-ar", str(RATE_HZ), "-f", "f32le", "-"], samples.extend)
    return np.frombuffer(samples, "<f4")


@lru_cache(maxsize=1)
def _load(checkpoint: str, name: str) -> Whisper:
    """The model, loaded once in a process; from `checkpoint` when it is not empty."""
    import whisper

    if checkpoint:
        return _load_checkpoint(Path(checkpoint))
    if name not in whisper.available_models():
        hint = f"{nearest(name, whisper.available_models())} (or give the path of a checkpoint that ends in .pt)"
        raise CauserieError(f"Whisper has no model called “{name}”", "show.toml: speech.model", hint)
    try:
        return whisper.load_model(name)
    except (OSError, RuntimeError) as error:
        hint = "connect to the network once, or give the path of a checkpoint that ends in .pt"
        raise CauserieError(f"the Whisper model “{name}” could not be downloaded ({error})", "show.toml: speech.model", hint) from error


def _load_checkpoint(checkpoint: Path) -> Whisper:
    """A model from a file in openai-whisper's own format."""
    import pickle

    import whisper

    if not checkpoint.is_file():
        raise CauserieError("this Whisper checkpoint does not exist", str(checkpoint), "correct speech.model in show.toml")
    try:
        return whisper.load_model(str(checkpoint))
    except (RuntimeError, KeyError, TypeError, ValueError, EOFError, AttributeError, pickle.UnpicklingError) as error:
        hint = "give a file in openai-whisper's own format, or one of its names such as “small”"
        raise CauserieError("is not a Whisper checkpoint", str(checkpoint), hint) from error


def _language(language: str) -> str:
    """The code Whisper uses, of a language such as `fr` or `fr-CA`."""
    from whisper.tokenizer import LANGUAGES

    code = language.lower().split("-")[0]
    if code not in LANGUAGES:
        raise CauserieError(f"Whisper does not know the language “{language}”", "show.toml: speech.language", nearest(code, LANGUAGES))
    return code


def _listen(network: Whisper, samples: NDArray[np.float32], language: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Whisper's own segments. Its fallback to higher temperatures draws at random: the seed makes every run the same."""
    import torch
    import whisper

    torch.manual_seed(0)
    # A narrower network than any that OpenAI published is a demonstration model, trained without prompts: one would only confuse it.
    primed = bool(names) and network.dims.n_audio_state >= _NARROWEST_OF_WHISPER
    times_s = cuts(samples, RATE_HZ)
    clips_s = [time_s for window in zip(times_s, times_s[1:], strict=False) for time_s in window]
    with _reported_progress(times_s[-1]):
        heard = whisper.transcribe(
            network,
            samples,
            language=language,
            initial_prompt=f"{', '.join(names)}." if primed else None,
            word_timestamps=True,
            clip_timestamps=clips_s,
            condition_on_previous_text=False,  # one bad window would spoil those after it
            fp16=network.device.type != "cpu",
        )
    return heard["segments"]


@contextmanager
def _reported_progress(total_s: float) -> Iterator[None]:
    """Whisper tells how far it is only to the progress bar it imports: lend it one that calls `progress.report`."""
    import sys

    import whisper  # noqa: F401  (loads the module that its own function of the same name hides)

    class Bar:
        """As much of a tqdm bar as Whisper uses."""

        def __init__(self, **_: Any) -> None:
            self.done_s = 0.0

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_: object) -> None:
            progress.report(total_s, total_s)

        def update(self, frames: int) -> None:
            self.done_s = min(self.done_s + frames / _FRAMES_PER_S, total_s)
            progress.report(self.done_s, total_s)

    module = sys.modules["whisper.transcribe"]
    original = module.tqdm
    module.tqdm = SimpleNamespace(tqdm=Bar)
    try:
        yield
    finally:
        module.tqdm = original


def _segments(heard: list[dict[str, Any]], language: str) -> Iterator[Segment]:
    """Whisper's segments in our words."""
    for segment in heard:
        pieces = [Word(each["word"], float(each["start"]), float(each["end"]), float(each["probability"])) for each in segment["words"]]
        yield Segment(whole_words(pieces, language), float(segment["no_speech_prob"]), float(segment["avg_logprob"]))


def _ms(seconds: float | None) -> float:
    """Seconds to the millisecond."""
    return round(seconds or 0.0, 3)
