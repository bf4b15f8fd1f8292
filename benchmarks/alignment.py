"""How near the times of the sample show's words are to the truth, and how many that are far from it are not marked as estimated.

    python benchmarks/alignment.py [SHOW]

First with what Whisper heard of the show in the folder SHOW (this one by default; after `causerie draft`), then with the true words
perturbed on purpose: runs left out, repeated as a loop does, replaced by other words or scrambled. The text to align is always what the
synthesiser was given, whose times are known.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipeline.model.transcript import Recognition, Word  # noqa: E402
from pipeline.transcript.align import assign_times  # noqa: E402

KINDS = ("delete", "repeat over", "repeat squeezed", "replace", "replace with own", "scramble")
FAR_S = 2.0
Spoken = tuple[str, float, float]  # word, start and end in seconds


def truth_words(path: Path) -> list[Spoken]:
    """The words of an episode of the sample show, with their true times in the raw recording."""
    return [tuple(word) for line in json.loads(path.read_text(encoding="utf-8")) for word in line["words"]]


def heard_value(words: Sequence[Spoken], duration_s: float) -> Recognition:
    """The content of `words.json`, as far as alignment reads it."""
    values = [{"text": text, "start_s": start_s, "end_s": end_s, "probability": 1.0} for text, start_s, end_s in words]
    value: Any = {"language": "fr", "duration_s": duration_s, "segments": [{"words": values}]}
    found: Recognition = value
    return found


def perturb(words: Sequence[Spoken], kind: str, first: int, count: int, others: Sequence[Spoken], seed: int) -> list[Spoken]:
    """The words with `count` of them, from `first`, deleted, repeated or replaced; times stay those of the words around them."""
    chance, run = random.Random(seed), list(words[first : first + count])
    before, after = list(words[:first]), list(words[first + count :])
    if not run:
        return [*before, *after]
    texts, start_s, end_s = [text for text, _, _ in run], run[0][1], run[-1][2]
    if kind == "delete":
        return [*before, *after]
    if kind == "repeat over":  # a loop takes the time of what follows
        until_s = end_s + (end_s - start_s) * chance.randint(1, 3)
        kept = [word for word in after if word[1] >= until_s]
        return [*before, *run, *spread(texts * 3, end_s, min(until_s, kept[0][1]) if kept else until_s), *kept]
    if kind == "repeat squeezed":
        return [*before, *spread(texts * chance.randint(2, 4), start_s, end_s), *after]
    if kind == "scramble":
        texts = ["".join(chance.sample(text, len(text))) for text in texts]
    else:
        pool = words if kind == "replace with own" else others
        place = chance.randrange(len(pool))
        texts = [text for text, _, _ in pool[place : place + count]]
    return [*before, *spread(texts, start_s, end_s), *after]


def spread(texts: Sequence[str], start_s: float, end_s: float) -> list[Spoken]:
    """Words that share a span of time by their letters."""
    letter_s = (end_s - start_s) / (sum(map(len, texts)) or 1)
    found: list[Spoken] = []
    for text in texts:
        begin_s = found[-1][2] if found else start_s
        found.append((text, begin_s, begin_s + letter_s * len(text)))
    return found


def masters_time(show: Path, slug: str, time_s: float) -> float:
    """A time of the raw recording as one of the master, which trims it and puts a jingle before it."""
    kept = json.loads((show / f".causerie/{slug}/activity.json").read_text(encoding="utf-8"))["kept"]
    piece = next((each for each in kept if 0 <= time_s - each["from_s"] <= each["end_s"] - each["start_s"]), kept[0])
    return float(piece["start_s"] + time_s - piece["from_s"])


def errors(said: Sequence[Spoken], placed: Sequence[Word]) -> tuple[list[float], list[float], int]:
    """How far starts are from the truth, in seconds: of words not marked, of words marked as estimated; and how many have no time."""
    pairs = [(word, abs(word.start_s - start_s)) for word, (_, start_s, _) in zip(placed, said, strict=True) if word.start_s is not None]
    return (
        sorted(far for word, far in pairs if not word.estimated),
        sorted(far for word, far in pairs if word.estimated),
        len(said) - len(pairs),
    )


def describe(name: str, sure: list[float], estimated: list[float], untimed: int) -> str:
    """One line of the report."""
    p95_s = sure[int(len(sure) * 0.95)] if sure else 0.0
    return (
        f"{name}: median {statistics.median(sure or [0.0]):.3f} s, p95 {p95_s:.3f} s, worst {max(sure, default=0.0):.2f} s, "
        f"{sum(far > FAR_S for far in sure)} of {len(sure)} over {FAR_S:.0f} s unmarked; {len(estimated)} estimated "
        f"({sum(far > FAR_S for far in estimated)} over {FAR_S:.0f} s), {untimed} without a time"
    )


def measure_heard(show: Path) -> None:
    """Print how near the words are that Whisper heard; nothing for an episode it has not heard yet."""
    for path in sorted((ROOT / "tests/data/sample_truth").glob("*.json")):
        heard = show / f"transcripts/{path.stem}.words.json"
        if not heard.is_file():
            print(f"{path.stem}: not heard yet: causerie draft --show {show}")
            continue
        said = [(text, *(masters_time(show, path.stem, at) for at in times)) for text, *times in truth_words(path)]
        placed = assign_times([Word(text) for text, _, _ in said], (), json.loads(heard.read_text(encoding="utf-8")))
        print(describe(f"{path.stem}, heard", *errors(said, placed)))


def measure_perturbed(runs: int) -> None:
    """Print how near the words are when runs of the true ones were perturbed, `runs` times for each kind."""
    shows = [truth_words(path) for path in sorted((ROOT / "tests/data/sample_truth").glob("*.json"))]
    for kind in KINDS:
        sure, estimated, untimed = list[float](), list[float](), 0
        for seed in range(runs):
            chance = random.Random(seed)
            said = shows[seed % len(shows)]
            heard = perturb(said, kind, chance.randrange(len(said)), chance.randint(1, 50), shows[seed % len(shows) - 1], seed + runs)
            found = errors(said, assign_times([Word(text) for text, _, _ in said], (), heard_value(heard, said[-1][2] + 3)))
            sure, estimated, untimed = sure + found[0], estimated + found[1], untimed + found[2]
        print(describe(f"{kind}, {runs} runs", sorted(sure), sorted(estimated), untimed))


def measure_speed() -> None:
    """Print how long ten thousand words take, a fifth of them scrambled."""
    said, clock_s = list[Spoken](), 0.0
    while len(said) < 10_000:
        for path in sorted((ROOT / "tests/data/sample_truth").glob("*.json")):
            words = truth_words(path)
            said += [(text, clock_s + start_s, clock_s + end_s) for text, start_s, end_s in words]
            clock_s += words[-1][2] + 3
    heard, chance = list(said), random.Random(1)
    for first in range(0, len(heard) - 20, 15):
        heard = perturb(heard, "scramble", first, 3, said, chance.randrange(1000))
    start = time.process_time()
    assign_times([Word(text) for text, _, _ in said], (), heard_value(heard, clock_s))
    print(f"{len(said)} words, a fifth scrambled: {time.process_time() - start:.2f} s")


def main() -> None:
    """Print every figure."""
    options = argparse.ArgumentParser(description="How near the times of the sample show's words are to the truth.")
    options.add_argument("show", nargs="?", type=Path, default=ROOT)
    options.add_argument("--runs", type=int, default=200)
    chosen = options.parse_args()
    measure_heard(chosen.show)
    measure_perturbed(chosen.runs)
    measure_speed()


if __name__ == "__main__":
    main()
