"""What training windows are made of: the bank's utterances, found by sentence, and some music."""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np

from tools.demo_model.bank import Entry
from tools.demo_model.features import Spectrum, mel_power
from tools.demo_model.vocabulary import Vocabulary
from tools.sample_show import music

MUSIC_PIECES, MUSIC_PIECE_S = 48, 16.0


class Studio:
    """A bank of utterances, and the music to put around them."""

    def __init__(self, entries: list[Entry], sentences: list[str]) -> None:
        self.entries = entries
        self.sentences = sentences
        self.vocabulary = Vocabulary(entry.tokens for entry in entries)
        self.phoneme_classes = _classes(sound.label for entry in entries for sound in entry.phonemes)
        self.word_classes = _classes(word.label for entry in entries for word in entry.words)
        self._by_text: dict[str, dict[str, list[Entry]]] = {}
        for entry in entries:
            self._by_text.setdefault(entry.text, {}).setdefault(entry.kind, []).append(entry)
        self._recombined = [text for text, kinds in self._by_text.items() if "recombined" in kinds]
        self._music = [_music_power(seed) for seed in range(MUSIC_PIECES)]
        self.speech_power = float(np.mean([power_of(entry).mean() for entry in entries[::40]]))

    def utterance(self, rng: random.Random, line: int | None) -> Entry:
        """An utterance: of that line of the script, or of any sentence or mixture of two."""
        if line is None and rng.random() < 0.4:
            return rng.choice(self._by_text[rng.choice(self._recombined)]["recombined"])
        text = rng.choice(self.sentences) if line is None else self.sentences[line % len(self.sentences)]
        own_voice = rng.random() < (0.4 if line is None else 0.65)
        return rng.choice(self._by_text[text]["cast" if own_voice else "varied"])

    def music(self, rng: random.Random, frames: int) -> Spectrum:
        """That many frames of some music at the mean power of speech, faded at both ends."""
        piece = rng.choice(self._music)[rng.randint(0, 200) :]
        out = np.tile(piece, (frames // len(piece) + 1, 1))[:frames].copy()
        count = min(40, frames // 3)
        ramp = np.linspace(0.03, 1, count, dtype=np.float32)[:, None] ** 2
        out[:count] *= ramp
        out[frames - count :] *= ramp[::-1]
        return out * self.speech_power


def _classes(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted(set(names)), start=1)}


def power_of(entry: Entry) -> Spectrum:
    """The mel power of an utterance, shape (frames, 80)."""
    return 10.0 ** entry.log_mel.astype(np.float32)


def _music_power(seed: int) -> Spectrum:
    power = mel_power(music.piece(MUSIC_PIECE_S, 16_000, seed))
    return power / power.mean()
