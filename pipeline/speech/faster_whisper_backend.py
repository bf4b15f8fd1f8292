"""The faster-whisper backend: Whisper models in CTranslate2, int8 on a CPU, as many windows at once as there are cores.

Each window is decoded by one thread: CTranslate2's decoder is slower on two, and windows share only the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.engine import available_cores
from pipeline.model import CauserieError, Word
from pipeline.speech.backend import FASTER_WHISPER, WHERE
from pipeline.speech.devices import gpu_count, report_broken_gpu
from pipeline.speech.hallucinations import Segment

if TYPE_CHECKING:
    import numpy as np
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment as DecodedSegment
    from numpy.typing import NDArray

_BEAM = 5  # the default of faster-whisper: on real recordings a tenth fewer wrong words than the likeliest token at each step
_RETRY_NO_REPEAT_NGRAM = 4  # a retry forbids repeating as many tokens in a row; a higher temperature would draw at random, without a seed


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
        """The words in at most 30 s of samples; see `Backend.transcribe`."""
        segments, _ = self.whisper_model.transcribe(
            samples,
            language=language,
            task=task,
            beam_size=_BEAM,
            temperature=0.0,
            no_repeat_ngram_size=_RETRY_NO_REPEAT_NGRAM if retry else 0,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        return tuple(_to_segment(each) for each in segments)

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
    return FasterWhisperBackend(model, "int8", workers)


def _load_on_gpu(folder: Path) -> FasterWhisperBackend:
    """The model on the GPU, tried on silence: a missing library of CUDA shows only when something is computed. `RuntimeError`."""
    import numpy as np
    from faster_whisper import WhisperModel

    model = WhisperModel(str(folder), device="cuda", compute_type="float16")
    model.detect_language(np.zeros(16_000, np.float32))
    return FasterWhisperBackend(model, "float16", 1)


def _load(folder: Path, **options: Any) -> WhisperModel:  # Any: faster-whisper has no types
    from faster_whisper import WhisperModel

    try:
        return WhisperModel(str(folder), **options)
    except Exception as error:  # the tokenizer's library raises nothing narrower
        raise CauserieError(f"the model in {folder} cannot be loaded ({error})", WHERE, "copy or convert it again") from error


def _to_segment(decoded: DecodedSegment) -> Segment:
    pieces = (Word(each.word, float(each.start), float(each.end), float(each.probability)) for each in decoded.words or ())
    return Segment(tuple(pieces), float(decoded.no_speech_prob), float(decoded.avg_logprob))
