"""The openai-whisper backend: the reference implementation, in PyTorch; one window at a time, on every core or on the GPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import CauserieError
from pipeline.model import Word
from pipeline.speech.engines import NARROWEST, OPENAI
from pipeline.speech.sift import Segment
from pipeline.workers import cores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from whisper import Whisper

_AGAIN = 0.4  # temperature of a retry; sampling is seeded, so that the result is reproducible


@dataclass(frozen=True)
class OpenAIEngine:
    """A `Backend` that runs openai-whisper."""

    network: Whisper
    kind: str
    name: str = OPENAI
    workers: int = 1  # the decoder caches its state on the model object: two windows at once would mix theirs

    def hear(
        self, samples: NDArray[np.float32], language: str, prompt: str, *, task: str = "transcribe", again: bool = False
    ) -> tuple[Segment, ...]:
        """The words in at most 30 s of samples; see `Backend.transcribe`."""
        import warnings

        import torch
        import whisper

        warnings.filterwarnings("ignore", "Word-level timestamps on translations")  # known, and documented in translate.py
        torch.manual_seed(0)
        primed = prompt and self.network.dims.n_audio_state >= NARROWEST
        heard = whisper.transcribe(
            self.network,
            samples,
            language=language,
            task=task,
            initial_prompt=prompt if primed else None,
            temperature=_AGAIN if again else 0.0,
            word_timestamps=True,
            condition_on_previous_text=False,  # an error in one window must not affect the next ones
            fp16=self.network.device.type != "cpu",
        )
        return tuple(_segment(each) for each in heard["segments"])

    def languages(self, samples: NDArray[np.float32]) -> dict[str, float]:
        """The probability of each language; see `Backend.language_probabilities`."""
        import whisper

        if not self.network.is_multilingual:
            return {"en": 1.0}
        mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(samples), self.network.dims.n_mels)
        half = self.network.device.type != "cpu"
        mel = mel.to(self.network.device)
        _, found = self.network.detect_language(mel.half() if half else mel)
        return dict(found)


def load(model: str, checkpoint: str = "", device: str = "auto") -> OpenAIEngine:
    """A model by its name, downloaded on first use, or from a .pt file; `CauserieError` when it cannot be loaded."""
    import torch
    import whisper

    where = None if device == "auto" else device
    network = _from_file(Path(checkpoint), where) if checkpoint else _by_name(model, where)
    if network.device.type == "cpu":
        torch.set_num_threads(cores())  # torch counts the cores of the machine, not those this process may use
    assert isinstance(network, whisper.Whisper)
    return OpenAIEngine(network, "float32" if network.device.type == "cpu" else "float16")


def _by_name(model: str, device: str | None) -> Whisper:
    import whisper

    try:
        return whisper.load_model(model, device)
    except (OSError, RuntimeError) as error:
        hint = "connect to the network once, or give the path of a checkpoint that ends in .pt"
        message = f"the Whisper model “{model}” could not be downloaded ({error})"
        raise CauserieError(message, "show.toml: speech.model", hint) from error


def _from_file(checkpoint: Path, device: str | None) -> Whisper:
    import pickle

    import whisper

    if not checkpoint.is_file():
        raise CauserieError("this Whisper checkpoint does not exist", str(checkpoint), "correct speech.model in show.toml")
    try:
        return whisper.load_model(str(checkpoint), device)
    except (RuntimeError, KeyError, TypeError, ValueError, EOFError, AttributeError, pickle.UnpicklingError) as error:
        hint = "give a file in openai-whisper's own format, or one of its names such as “small”"
        raise CauserieError("is not a Whisper checkpoint", str(checkpoint), hint) from error


def _segment(heard: dict[str, Any]) -> Segment:  # Any: whisper has no types
    pieces = (Word(each["word"], float(each["start"]), float(each["end"]), float(each["probability"])) for each in heard["words"])
    return Segment(tuple(pieces), float(heard["no_speech_prob"]), float(heard["avg_logprob"]))
