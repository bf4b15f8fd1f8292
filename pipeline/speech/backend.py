"""What a recogniser offers, whichever library runs the model; and the names of the libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pipeline.speech.hallucinations import Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


OPENAI_WHISPER, FASTER_WHISPER = "openai-whisper", "faster-whisper"
WHERE = "show.toml: speech.model"  # the key that names the model, in errors


class Backend(Protocol):
    """A loaded model. Its segments hold Whisper's word pieces unchanged, spaces included."""

    @property
    def name(self) -> str:
        """`openai-whisper` or `faster-whisper`."""
        ...

    @property
    def compute_type(self) -> str:
        """The numeric type it computes in (`int8`, `float16`, `float32`), which changes the result."""
        ...

    @property
    def workers(self) -> int:
        """How many windows it can transcribe at once."""
        ...

    def transcribe(
        self, samples: NDArray[np.float32], language: str, *, task: str = "transcribe", retry: bool = False
    ) -> tuple[Segment, ...]:
        """The words in mono samples at 16 kHz; `retry` decodes differently, after a first result that is not to be believed.

        A segment's `language` is the one certainly spoken where it is another than that asked for: Whisper writes what it hears in the
        language it is told.
        """
        ...

    def language_probabilities(self, samples: NDArray[np.float32]) -> dict[str, float]:
        """The probability of each language, 0 to 1, by its code."""
        ...
