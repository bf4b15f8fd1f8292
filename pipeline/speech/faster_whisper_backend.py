"""The faster-whisper backend: Whisper models in CTranslate2, int8 on a CPU, as many windows at once as there are cores.

Each window is decoded by one thread: CTranslate2's decoder is slower on two, and windows share only the weights.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.engine import available_cores
from pipeline.model import CauserieError, Word
from pipeline.speech.backend import FASTER_WHISPER, MIN_PROMPT_WIDTH
from pipeline.speech.hallucinations import Segment

if TYPE_CHECKING:
    import numpy as np
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment as DecodedSegment
    from numpy.typing import NDArray

_RETRY_NO_REPEAT_NGRAM = 4  # a retry forbids repeating as many tokens in a row; a higher temperature would draw at random, without a seed


@dataclass(frozen=True)
class FasterWhisperBackend:
    """A `Backend` that runs faster-whisper."""

    whisper_model: WhisperModel
    compute_type: str
    workers: int
    accepts_prompt: bool = True  # whether it was trained with prompts
    name: str = FASTER_WHISPER

    def transcribe(
        self, samples: NDArray[np.float32], language: str, prompt: str, *, task: str = "transcribe", retry: bool = False
    ) -> tuple[Segment, ...]:
        """The words in at most 30 s of samples; see `Backend.transcribe`."""
        segments, _ = self.whisper_model.transcribe(
            samples,
            language=language,
            task=task,
            initial_prompt=prompt if prompt and self.accepts_prompt else None,
            beam_size=1,  # openai-whisper's default
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


def load_model(model: str, checkpoint: str = "", device: str = "auto") -> FasterWhisperBackend:
    """A model by its name, downloaded on first use, or from a folder with model.bin; `CauserieError` when it cannot be loaded."""
    from ctranslate2 import get_cuda_device_count
    from faster_whisper import WhisperModel

    folder = _model_folder(Path(checkpoint)) if checkpoint else None
    on_gpu = device == "cuda" or (device == "auto" and get_cuda_device_count() > 0)
    workers = 1 if on_gpu else available_cores()
    compute_type = "float16" if on_gpu else "int8"
    options = {"device": "cuda" if on_gpu else "cpu", "compute_type": compute_type, "cpu_threads": 1, "num_workers": workers}
    try:
        whisper_model = WhisperModel(str(folder or model), **options)
    except (RuntimeError, ValueError, OSError) as error:
        raise _load_error(model, folder, error) from error
    width = (
        json.loads((folder / "config.json").read_text(encoding="utf-8")).get("n_audio_state", MIN_PROMPT_WIDTH)
        if folder
        else MIN_PROMPT_WIDTH
    )
    return FasterWhisperBackend(whisper_model, compute_type, workers, width >= MIN_PROMPT_WIDTH)


def _model_folder(checkpoint: Path) -> Path:
    """The folder of a model, given itself or its model.bin; `CauserieError` when one of its files is missing."""
    folder = checkpoint.parent if checkpoint.name == "model.bin" else checkpoint
    for name in ("model.bin", "config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise CauserieError(f"has no {name}", str(folder), "give a folder that holds a model in CTranslate2's format")
    return folder


def _load_error(model: str, folder: Path | None, error: Exception) -> CauserieError:
    if folder:
        return CauserieError(f"is not a CTranslate2 model ({error})", str(folder), "convert it again")
    hint = "connect to the network once, or give the path of a folder with model.bin"
    return CauserieError(f"the Whisper model “{model}” could not be downloaded ({error})", "show.toml: speech.model", hint)


def _to_segment(decoded: DecodedSegment) -> Segment:
    pieces = (Word(each.word, float(each.start), float(each.end), float(each.probability)) for each in decoded.words or ())
    return Segment(tuple(pieces), float(decoded.no_speech_prob), float(decoded.avg_logprob))
