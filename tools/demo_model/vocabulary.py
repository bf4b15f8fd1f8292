"""The few hundred of Whisper's 51 865 tokens that the show needs, numbered from 0 for training."""

from __future__ import annotations

from collections.abc import Iterable

from tools.demo_model.bank import tokenizer

TIME_GRID_S = 0.1  # Whisper's timestamps are 0.02 s apart: one in five is learnt
WINDOW_S = 30.0
TIME_COUNT = round(WINDOW_S / TIME_GRID_S) + 1


class Vocabulary:
    """Token numbers: text first, then special tokens, then timestamps."""

    def __init__(self, texts: Iterable[Iterable[int]]) -> None:
        whisper = tokenizer()
        text = sorted({token for tokens in texts for token in tokens})
        special = (
            *(whisper.eot, whisper.sot, whisper.to_language_token("fr"), whisper.transcribe),
            *(whisper.no_timestamps, whisper.no_speech, whisper.sot_prev),
        )
        times = [whisper.timestamp_begin + 5 * index for index in range(TIME_COUNT)]
        self.whisper_ids = (*text, *special, *times)
        self.text_count = len(text)
        self.first_time = len(text) + len(special)  # the timestamp 0.0 s; the others follow
        self.unknown = len(self.whisper_ids)  # stands for every token never learnt
        self._numbers = {token: number for number, token in enumerate(self.whisper_ids)}
        numbers = (self._numbers[token] for token in special)
        self.eot, self.sot, self.french, self.transcribe, self.no_timestamps, self.no_speech, self.previous = numbers

    def __len__(self) -> int:
        return len(self.whisper_ids)

    def number(self, whisper_id: int) -> int:
        """Our number of one of Whisper's tokens; KeyError if it is not learnt."""
        return self._numbers[whisper_id]

    def time(self, seconds: float) -> int:
        """The nearest timestamp."""
        return self.first_time + min(TIME_COUNT - 1, max(0, round(seconds / TIME_GRID_S)))
