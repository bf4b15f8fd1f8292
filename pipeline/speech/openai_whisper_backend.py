"""The openai-whisper backend: the reference implementation, in PyTorch; one window at a time, on every core or on the GPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.engine import available_cores
from pipeline.model import CauserieError, Word
from pipeline.speech.backend import OPENAI_WHISPER, WHERE
from pipeline.speech.devices import gpu_count, report_broken_gpu
from pipeline.speech.hallucinations import Segment
from pipeline.speech.languages import other_language

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from whisper import Whisper

_BEAM = 5  # as the other engine does
_RETRY_TEMPERATURE = 0.4  # temperature of a retry; sampling is seeded, so that the result is reproducible


@dataclass(frozen=True)
class OpenAIWhisperBackend:
    """A `Backend` that runs openai-whisper."""

    whisper_model: Whisper
    compute_type: str
    name: str = OPENAI_WHISPER
    workers: int = 1  # the decoder caches its state on the model object: two windows at once would mix theirs

    def transcribe(
        self, samples: NDArray[np.float32], language: str, *, task: str = "transcribe", retry: bool = False
    ) -> tuple[Segment, ...]:
        """The words in samples; see `Backend.transcribe`."""
        import warnings

        import torch
        import whisper

        warnings.filterwarnings("ignore", "Word-level timestamps on translations")  # known, and documented in translate.py
        torch.manual_seed(0)
        result = whisper.transcribe(
            self.whisper_model,
            samples,
            language=language,
            task=task,
            temperature=_RETRY_TEMPERATURE if retry else 0.0,
            beam_size=None if retry else _BEAM,
            word_timestamps=True,
            condition_on_previous_text=False,  # an error in one window must not affect the next ones
            fp16=self.whisper_model.device.type != "cpu",
        )
        languages = {seek: self._other_language(samples, seek, language) for seek in {each["seek"] for each in result["segments"]}}
        return tuple(_to_segment(each, languages[each["seek"]]) for each in result["segments"])

    def language_probabilities(self, samples: NDArray[np.float32]) -> dict[str, float]:
        """The probability of each language; see `Backend.language_probabilities`."""
        import whisper

        if not self.whisper_model.is_multilingual:
            return {"en": 1.0}
        mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(samples), self.whisper_model.dims.n_mels)
        half = self.whisper_model.device.type != "cpu"
        mel = mel.to(self.whisper_model.device)
        _, probabilities = self.whisper_model.detect_language(mel.half() if half else mel)
        return dict(probabilities)

    def _other_language(self, samples: NDArray[np.float32], seek: int, language: str) -> str:
        """The language that is certainly spoken from a frame on, where it is not `language`."""
        import whisper

        return other_language(self.language_probabilities(samples[seek * whisper.audio.HOP_LENGTH :]), language)


def load_model(checkpoint: Path, device: str = "auto") -> OpenAIWhisperBackend:
    """The model in a .pt file, on the GPU when there is one; `CauserieError` when it cannot be loaded."""
    import pickle

    import torch
    import whisper

    try:
        whisper_model = whisper.load_model(str(checkpoint), _usable_device(device))
    except (RuntimeError, KeyError, TypeError, ValueError, EOFError, AttributeError, pickle.UnpicklingError) as error:
        hint = "give a file in openai-whisper's own format, or one of its names such as “small”"
        raise CauserieError(f"{checkpoint} is not a Whisper checkpoint", WHERE, hint) from error
    if whisper_model.device.type == "cpu":
        torch.set_num_threads(available_cores())  # torch counts the cores of the machine, not those this process may use
    assert isinstance(whisper_model, whisper.Whisper)
    return OpenAIWhisperBackend(whisper_model, "float32" if whisper_model.device.type == "cpu" else "float16")


def _usable_device(device: str) -> str:
    """`cuda` where something can be computed on it, or else `cpu`; `CauserieError` when `cuda` is asked for and does not work."""
    import torch

    if device != "cpu" and gpu_count(OPENAI_WHISPER):
        try:
            torch.zeros(1, device="cuda").add(1).item()  # a driver too old, or a library that is missing, shows only here
            return "cuda"
        except (RuntimeError, AssertionError) as error:  # the second: PyTorch was built without CUDA
            report_broken_gpu(device, error)
    return "cpu"


def _to_segment(decoded: dict[str, Any], language: str) -> Segment:  # Any: whisper has no types
    pieces = (Word(each["word"], float(each["start"]), float(each["end"]), float(each["probability"])) for each in decoded["words"])
    return Segment(tuple(pieces), float(decoded["no_speech_prob"]), float(decoded["avg_logprob"]), language)
