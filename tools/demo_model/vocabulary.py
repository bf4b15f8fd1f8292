"""The few hundred of Whisper's 51 865 tokens that the show needs, numbered from 0 for training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tools.demo_model.bank import tokenizer

TIME_GRID_S = 0.1  # Whisper's timestamps are 0.02 s apart: one in five is learnt
WINDOW_S = 30.0
TIME_COUNT = round(WINDOW_S / TIME_GRID_S) + 1


@dataclass(frozen=True)
class Vocabulary:
    """Token numbers: text first, then special tokens, then timestamps. ``unknown`` is one past the last."""

    whisper_ids: tuple[int, ...]
    text_count: int

    @classmethod
    def of(cls, texts: Iterable[Iterable[int]]) -> Vocabulary:
        """The vocabulary of these token sequences."""
        text = sorted({token for tokens in texts for token in tokens})
        times = [tokenizer().timestamp_begin + 5 * index for index in range(TIME_COUNT)]
        return cls((*text, *cls._special(), *times), len(text))

    @staticmethod
    def _special() -> tuple[int, ...]:
        it = tokenizer()
        french = it.to_language_token("fr")
        return it.eot, it.sot, french, it.transcribe, it.no_timestamps, it.no_speech, it.sot_prev

    def __post_init__(self) -> None:
        numbers = {token: number for number, token in enumerate(self.whisper_ids)}
        names = ("eot", "sot", "french", "transcribe", "no_timestamps", "no_speech", "previous")
        for name, token in zip(names, self._special(), strict=True):
            object.__setattr__(self, name, numbers[token])
        object.__setattr__(self, "_numbers", numbers)

    eot = sot = french = transcribe = no_timestamps = no_speech = previous = -1  # set above

    def __len__(self) -> int:
        return len(self.whisper_ids)

    @property
    def unknown(self) -> int:
        """The number that stands for every token never learnt."""
        return len(self.whisper_ids)

    @property
    def first_time(self) -> int:
        """The number of the timestamp 0.0 s; the others follow."""
        return len(self.whisper_ids) - TIME_COUNT

    def number(self, whisper_id: int) -> int:
        """Our number of one of Whisper's tokens; KeyError if it is not learnt."""
        return self._numbers[whisper_id]  # type: ignore[attr-defined]

    def time(self, seconds: float) -> int:
        """The nearest timestamp."""
        return self.first_time + min(TIME_COUNT - 1, max(0, round(seconds / TIME_GRID_S)))
