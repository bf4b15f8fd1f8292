"""The utterance bank: every sentence of the show in many voices, with the time of each token, word and phoneme.

    python -m tools.demo_model.bank BANK.pkl

The bank is a scratch file of a few hundred MB (3 to 4 hours of speech as half-precision log power). It does not belong
in the repository.
"""

from __future__ import annotations

import argparse
import pickle
import random
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import resample_poly
from whisper.audio import SAMPLE_RATE
from whisper.tokenizer import Tokenizer, get_tokenizer

from tools.demo_model.features import FLOOR, STATES_PER_S, mel_power
from tools.sample_show import script
from tools.sample_show.synth import Manner, Timing, Utterance, say

SEED = 1
CAST_COPIES = 7  # per sentence, in its own voice slightly altered
VARIED_COPIES = 21  # per sentence, in a voice drawn at random
RECOMBINATIONS = 600  # sentences made of two halves, each
RECOMBINED_COPIES = 3
LANGUAGES = ("fr", "fr-be", "fr-ch")
VARIANTS = (
    "",
    *(f"+m{number}" for number in range(1, 8)),
    *(f"+f{number}" for number in (1, 2, 3, 5)),
    *("+Andy", "+Alicia", "+Michael", "+steph", "+linda", "+max", "+edward", "+Alex"),
)
PAD_S = 0.08  # silence around each utterance
PUNCTUATION_S = (0.02, 0.12)  # a mark is "heard" from just before the end of its word to just after


@dataclass(frozen=True)
class Request:
    """Something to say, how, and why: ``kind`` is "cast", "varied" or "recombined"."""

    text: str
    manner: Manner
    kind: str


@dataclass(frozen=True)
class Entry:
    """One utterance: log10 mel power (frames, 80), tokens and words with times in seconds, phonemes with times."""

    text: str
    kind: str
    log_mel: NDArray[np.float16]
    tokens: tuple[int, ...]
    token_start_s: NDArray[np.float32]
    token_end_s: NDArray[np.float32]
    words: tuple[Timing, ...]
    phonemes: tuple[Timing, ...]


@cache
def tokenizer() -> Tokenizer:
    """Whisper's multilingual tokenizer, set to transcribe French."""
    return get_tokenizer(True, num_languages=99, language="fr", task="transcribe")


def plain(word: str) -> str:
    """A word as a class label: lower case, no marks around it."""
    return re.sub(r"[^\w'-]", "", word.lower())


def labels(timings: Iterable[Timing], classes: dict[str, int], states: int) -> NDArray[np.int16]:
    """One class an encoder state (50 a second), 0 where nothing of ``classes`` is heard."""
    out = np.zeros(states, np.int16)
    for timing in timings:
        if timing.label in classes:
            first = round(timing.start_s * STATES_PER_S)
            out[first : max(first + 1, round(timing.end_s * STATES_PER_S))] = classes[timing.label]
    return out


@dataclass
class _Word:
    tokens: list[int]
    marks: list[int]


def _group_by_word(tokens: list[int]) -> list[_Word]:
    """Tokens of each word between spaces, its closing marks apart (marks inside a word belong to the word)."""
    groups: list[_Word] = []
    for piece, piece_tokens in zip(*tokenizer().split_to_word_tokens(tokens), strict=True):
        spoken = any(character.isalnum() for character in piece)
        if spoken and piece.startswith(" "):
            groups.append(_Word(list(piece_tokens), []))
        elif spoken:
            groups[-1].tokens += groups[-1].marks + list(piece_tokens)
            groups[-1].marks = []
        else:
            groups[-1].marks += piece_tokens
    return groups


def align_tokens(text: str, words: tuple[Timing, ...]) -> list[tuple[int, float, float]]:
    """(token, start, end) in seconds: a word's time is shared among its tokens by their number of characters."""
    groups = _group_by_word(tokenizer().encode(" " + text))
    if len(groups) != len(words):
        raise ValueError(f"{len(groups)} words in tokens, {len(words)} in speech: {text!r}")
    out = []
    for group, word in zip(groups, words, strict=True):
        lengths = [max(1, len(tokenizer().decode([token]).strip(" \ufffd"))) for token in group.tokens]
        edges = word.start_s + (word.end_s - word.start_s) * np.cumsum([0, *lengths]) / sum(lengths)
        out += zip(group.tokens, edges[:-1], edges[1:], strict=True)
        out += [(mark, word.end_s - PUNCTUATION_S[0], word.end_s + PUNCTUATION_S[1]) for mark in group.marks]
    return out


def _log_mel(spoken: Utterance, noise: np.random.Generator) -> NDArray[np.float16]:
    pad = np.zeros(round(PAD_S * SAMPLE_RATE), np.float32)
    samples = np.concatenate([pad, resample_poly(spoken.samples, 320, 441).astype(np.float32), pad])
    samples = np.pad(samples, (0, -len(samples) % 160))
    samples += noise.standard_normal(len(samples)).astype(np.float32) * 1e-5
    return np.log10(np.maximum(mel_power(samples), FLOOR)).astype(np.float16)


def make_entry(request: Request) -> Entry:
    """Say it and measure it."""
    spoken = say(request.text, request.manner)
    aligned = [(token, start + PAD_S, end + PAD_S) for token, start, end in align_tokens(request.text, spoken.words)]
    words = [word.shifted(PAD_S) for word in spoken.words]
    sounds = [phoneme.shifted(PAD_S) for phoneme in spoken.phonemes if not phoneme.label.startswith("_")]
    return Entry(
        text=request.text,
        kind=request.kind,
        log_mel=_log_mel(spoken, np.random.default_rng(len(spoken.samples))),
        tokens=tuple(token for token, _, _ in aligned),
        token_start_s=np.array([start for _, start, _ in aligned], np.float32),
        token_end_s=np.array([end for _, _, end in aligned], np.float32),
        words=tuple(Timing(plain(word.label), word.start_s, word.end_s) for word in words),
        phonemes=tuple(sounds),
    )


def _altered(manner: Manner, rng: random.Random) -> Manner:
    """The same voice on another day: never exactly the settings of the recordings."""
    pitch = manner.pitch + rng.choice([-6, -4, -2, 2, 4, 6])
    return Manner(manner.espeak, pitch, manner.rate + rng.randint(-12, 12), manner.range + rng.randint(-8, 8))


def _any_manner(rng: random.Random) -> Manner:
    voice = rng.choice(LANGUAGES) + rng.choice(VARIANTS)
    return Manner(voice, rng.randint(25, 75), rng.randint(135, 200), rng.randint(25, 75))


def recombine(sentences: list[str], rng: random.Random) -> str:
    """The beginning of one sentence and the end of another: sayable, rarely sensible, 5 to 14 words."""
    while True:
        first, second = rng.choice(sentences).split(), rng.choice(sentences).split()
        cut = rng.randint(2, max(2, len(first) - 2))
        words = first[:cut] + second[rng.randint(1, max(1, len(second) - 3)) :]
        if 5 <= len(words) <= 14 and not {"?", "!"} & set(words[:cut]):
            return " ".join(words)


def requests(show: script.Script, rng: random.Random) -> Iterator[Request]:
    """Everything the bank holds, in a fixed order for a given ``rng``."""
    for line in show.lines:
        manner = show.voices[line.voice].manner
        for _ in range(CAST_COPIES):
            yield Request(line.text, _altered(manner, rng), "cast")
        for _ in range(VARIED_COPIES):
            yield Request(line.text, _any_manner(rng), "varied")
    sentences = [line.text for line in show.lines]
    for _ in range(RECOMBINATIONS):
        text = recombine(sentences, rng)
        for _ in range(RECOMBINED_COPIES):
            yield Request(text, _any_manner(rng), "recombined")


def build(show: script.Script, workers: int) -> list[Entry]:
    """The whole bank, spoken by ``workers`` processes (espeak-ng has one voice a process)."""
    wanted = list(requests(show, random.Random(SEED)))
    with ProcessPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(pool.map(make_entry, wanted, chunksize=32))


def main() -> None:
    """Write the bank."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bank", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    entries = build(script.load(), options.workers)
    options.bank.parent.mkdir(parents=True, exist_ok=True)
    options.bank.write_bytes(pickle.dumps(entries, protocol=5))
    hours = sum(len(entry.log_mel) for entry in entries) / 360_000
    print(f"{len(entries)} utterances, {hours:.2f} hours, {options.bank.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    # Pickled under the module's importable name, not under "__main__".
    from tools.demo_model import bank

    bank.main()
