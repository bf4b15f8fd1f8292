"""The faster-whisper backend: Whisper models in CTranslate2, int8 on a CPU, as many windows at once as there are cores.

Each window is decoded by one thread: CTranslate2's decoder is slower on two, and windows share only the weights. The spectrum before it
is computed by one thread as well: OpenBLAS rounds otherwise on one than on two, and takes one or two as they are free; a comma, or a
word, of a draft would hang on what else the machine does.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.engine import available_cores
from pipeline.model import CauserieError, Word
from pipeline.speech.backend import FASTER_WHISPER, WHERE
from pipeline.speech.devices import gpu_count, report_broken_gpu
from pipeline.speech.hallucinations import Segment
from pipeline.speech.languages import other_language

if TYPE_CHECKING:
    import numpy as np
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment as DecodedSegment
    from numpy.typing import NDArray

_BEAM = 5  # the default of faster-whisper: on real recordings a tenth fewer wrong words than the likeliest token at each step
_KEY_FRAMES = 50  # half a second tells one stretch from another
_RETRY_NO_REPEAT_NGRAM = 4  # a retry forbids repeating as many tokens in a row; a higher temperature would draw at random, without a seed


class EncodedLanguages:
    """Encodes for a model, and notes the language of what is encoded: Whisper tells it at the price of one token."""

    def __init__(self, model: WhisperModel) -> None:
        self._encode, self._model = model.encode, model.model
        self._thread = threading.local()  # windows are decoded at once, one by a thread

    def __call__(self, features: NDArray[np.float32]) -> Any:  # Any: CTranslate2 has no types
        """What the encoder makes of features, of shape (mel bands, frames)."""
        encoded = self._encode(features)
        if self._model.is_multilingual:
            found = {token[2:-2]: probability for token, probability in self._model.detect_language(encoded)[0]}
            self.found[_first_frames(features, 0)] = found
        return encoded

    @property
    def found(self) -> dict[bytes, dict[str, float]]:
        """The probability of each language, by the first frames of what was encoded in this thread."""
        found: dict[bytes, dict[str, float]] = self._thread.__dict__.setdefault("found", {})
        return found


@dataclass(frozen=True)
class FasterWhisperBackend:
    """A `Backend` that runs faster-whisper."""

    whisper_model: WhisperModel
    compute_type: str
    workers: int
    name: str = FASTER_WHISPER

    def transcribe(
        self, samples: NDArray[np.float32], language: str, *, task: str = "transcribe", retry: bool = False
    ) -> tuple[Segment, ...]:
        """The words in samples; see `Backend.transcribe`."""
        languages = self.whisper_model.encode.found
        languages.clear()
        segments, _ = self.whisper_model.transcribe(
            samples,
            language=language,
            task=task,
            beam_size=_BEAM,
            temperature=0.0,
            no_repeat_ngram_size=_RETRY_NO_REPEAT_NGRAM if retry else 0,
            word_timestamps=True,
            condition_on_previous_text=True,
        )
        decoded = list(segments)
        features = self.whisper_model.feature_extractor(samples)
        spoken = (other_language(languages.get(_first_frames(features, each.seek), {}), language) for each in decoded)
        return tuple(_to_segment(each, other) for each, other in zip(decoded, spoken, strict=True))

    def language_probabilities(self, samples: NDArray[np.float32]) -> dict[str, float]:
        """The probability of each language; see `Backend.language_probabilities`."""
        if not self.whisper_model.model.is_multilingual:
            return {"en": 1.0}
        return dict(self.whisper_model.detect_language(samples)[2])


def load_model(folder: Path, device: str = "auto") -> FasterWhisperBackend:
    """The model in a folder, on the GPU when there is one that works; `CauserieError` when it cannot be loaded."""
    if device != "cpu" and gpu_count(FASTER_WHISPER):
        try:
            return _load_on_gpu(folder)
        except RuntimeError as error:
            report_broken_gpu(device, error)
    workers = available_cores()
    model = _load(folder, device="cpu", compute_type="int8", cpu_threads=1, num_workers=workers)
    return _backend(model, "int8", workers)


def _load_on_gpu(folder: Path) -> FasterWhisperBackend:
    """The model on the GPU, tried on silence: a missing library of CUDA shows only when something is computed. `RuntimeError`."""
    import numpy as np
    from faster_whisper import WhisperModel

    model = WhisperModel(str(folder), device="cuda", compute_type="float16")
    model.detect_language(np.zeros(16_000, np.float32))
    return _backend(model, "float16", 1)


def _backend(model: WhisperModel, compute_type: str, workers: int) -> FasterWhisperBackend:
    """The backend of a model, which from now on notes the languages of what it encodes, and rounds the same on any machine.

    Two threads add up a spectrum in another order than one, and Whisper hears the last bit. Only libraries that are loaded can be limited.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")
    model.encode = EncodedLanguages(model)
    return FasterWhisperBackend(model, compute_type, workers)


def _load(folder: Path, **options: Any) -> WhisperModel:  # Any: faster-whisper has no types
    from faster_whisper import WhisperModel

    try:
        return WhisperModel(str(folder), **options)
    except Exception as error:  # the tokenizer's library raises nothing narrower
        raise CauserieError(f"the model in {folder} cannot be loaded ({error})", WHERE, "copy or convert it again") from error


def _first_frames(features: NDArray[np.float32], seek: int) -> bytes:
    """What a stretch of a recording is known by: its first frames, from `seek` on."""
    return features[:, seek : seek + _KEY_FRAMES].tobytes()


def _to_segment(decoded: DecodedSegment, language: str) -> Segment:
    pieces = (Word(each.word, float(each.start), float(each.end), float(each.probability)) for each in decoded.words or ())
    return Segment(tuple(pieces), float(decoded.no_speech_prob), float(decoded.avg_logprob), language)
