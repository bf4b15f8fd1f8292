"""How near the times of a corrected transcript are to the truth, how long that takes, and how fast its captions must be read.

    python benchmarks/transcripts.py

A made-up speaker says a made-up text; a made-up recogniser mishears so much of it. What is compared: when a word of the text was said, and
when the aligned text says it was. The long text is the short one again and again: its words alone do not tell where one is.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipeline.model.text import apply_typography  # noqa: E402
from pipeline.model.transcript import TimedTranscript, Turn, Voice, Word  # noqa: E402
from pipeline.transcript.align import align_turns  # noqa: E402
from pipeline.transcript.cues import Cue, split_cues  # noqa: E402
from pipeline.transcript.normalisation import word_tokens  # noqa: E402
from pipeline.transcript.parser import parse_transcript  # noqa: E402
from pipeline.transcript.turns import AnchoredTurn, build_turns, printed_words  # noqa: E402

WORDS_A_MINUTE = 150
CORRECTED = "0[12]-*.md"  # of the sample show's texts; the third is drafted by whichever machine builds it
IN_A_ROW = 0.4  # how often a misheard word follows another
Truth = list[tuple[str, float, float]]  # word, seconds, seconds


def sentences(minutes: float, seed: int) -> list[str]:
    """Sentences of the sample show's words, shuffled: French words in no sense, with commas and full stops."""
    chance = random.Random(seed)
    known = [
        word
        for path in sorted((ROOT / "transcripts").glob(CORRECTED))
        for word in path.read_text(encoding="utf-8").split("+++\n")[2].split()
    ]
    plain = [word.strip(".,?!«»:\u202f\u00a0") for word in known if word[0].isalpha() and "\u202f" not in word.strip("\u202f?!.,»")]
    made, count = [], 0
    while count < minutes * WORDS_A_MINUTE:
        said = [word for word in chance.choices(plain, k=chance.randint(6, 18)) if word]
        commas = [word + "," if chance.random() < 0.12 else word for word in said[:-1]]
        made.append(" ".join([*commas, f"{said[-1]}."]).capitalize())
        count += len(said)
    return made


def spoken(text: str, words_a_minute: float, seed: int) -> Truth:
    """When each word is said: by its letters, with a pause at punctuation."""
    chance = random.Random(seed)
    words = [word.text for word in printed_words(text, "fr")]
    letters = statistics.fmean(len(word) + 2 for word in words)
    clock_s, said = 2.0, []
    for word in words:
        length_s = (len(word) + 2) / letters * 60 / words_a_minute * 0.88 * chance.uniform(0.8, 1.2)
        said.append((word, clock_s, clock_s + length_s))
        pause_s = 0.45 if word[-1] in ".?!…" else 0.2 if word[-1] in ",;:" else 0.0
        clock_s += length_s + pause_s * 150 / words_a_minute + chance.choice((0, 0, 0.01))
    return said


def misheard(said: Truth, share: float, seed: int) -> dict:
    """`words.json` of a recogniser that replaces, drops, splits and invents so large a share of words, often several in a row."""
    chance, wrong = random.Random(seed), False
    plain = [word for word, _, _ in said]
    words = []
    for word, start_s, end_s in said:
        wrong = chance.random() < (IN_A_ROW if wrong else share * (1 - IN_A_ROW) / (1 - share))
        kind = chance.choices(("wrong", "dropped", "split", "added"), (50, 25, 15, 10))[0] if wrong else "right"
        wobble_s = chance.uniform(-0.04, 0.04)
        start_s, end_s = max(0.0, start_s + wobble_s), end_s + wobble_s
        middle_s = (start_s + end_s) / 2
        heard = {
            "right": [(word, start_s, end_s)],
            "wrong": [(chance.choice(plain), start_s, end_s)],
            "dropped": [],
            "split": [(word[: len(word) // 2] or "ah", start_s, middle_s), (word[len(word) // 2 :], middle_s, end_s)],
            "added": [(word, start_s, middle_s), (chance.choice(plain), middle_s, end_s)],
        }[kind]
        words += [{"text": text, "start_s": a, "end_s": b, "probability": 0.9} for text, a, b in heard]
    return {"language": "fr", "duration_s": said[-1][2] + 2, "segments": [{"words": words}]}


def errors_s(said: Truth, found: TimedTranscript) -> tuple[list[float], int]:
    """How far each word's start is from the truth, sorted; and how many have none."""
    placed = [word for turn in found.turns for word in turn.words]
    assert [word.text for word in placed] == [word for word, _, _ in said]
    pairs = list(zip(placed, said, strict=True))
    far = sorted(
        abs(word.start_s - start_s) for word, (_, start_s, _) in pairs if word.start_s is not None and word_tokens(word.text, "fr")
    )
    return far, sum(word.start_s is None for word, _ in pairs)


def aligned(name: str, text: str, share: float) -> None:
    """Align once, three times over, and print."""
    said = spoken(text.replace("\n", " "), WORDS_A_MINUTE, 1)
    heard = misheard(said, share, 2)
    transcript = build_turns(parse_transcript("\n\n".join(text.split("\n"))), "fr")
    took_s = []
    for _ in range(3):
        start = time.process_time()  # others may share the machine
        found = align_turns(transcript, heard)
        took_s.append(time.process_time() - start)
    far, lost = errors_s(said, found)
    p95_s = far[int(len(far) * 0.95)]
    print(
        f"{name}, {share:.0%} misheard: median {statistics.median(far):.3f} s, p95 {p95_s:.3f} s, worst {far[-1]:.1f} s, "
        f"{lost} of {len(said)} words without a time; {min(took_s):.2f} s"
    )


def read(name: str, made: tuple[Cue, ...]) -> None:
    """How fast the captions are."""
    speeds = [cue.chars / (cue.end_s - cue.start_s) for cue in made]
    lengths = [cue.end_s - cue.start_s for cue in made]
    gaps = [after.start_s - before.end_s for before, after in zip(made, made[1:], strict=False)]
    fast, faster = sum(speed > 15.05 for speed in speeds), sum(speed > 20.05 for speed in speeds)
    print(
        f"{name}: {len(made)} cues, {fast / len(made):.0%} over 15 characters a second, {faster / len(made):.1%} over 20; "
        f"{min(lengths):.2f} to {max(lengths):.2f} s, {sum(length < 0.995 for length in lengths)} under a second; "
        f"{sum(0 < gap < 0.0795 for gap in gaps)} gaps of less than 80 ms"
    )


def sample(slug: str) -> TimedTranscript:
    """An episode of the sample show at its true times."""
    lines = json.loads((ROOT / "tests/data/sample_truth" / f"{slug}.json").read_text(encoding="utf-8"))
    words = [{"text": text, "start_s": a, "end_s": b, "probability": 1.0} for line in lines for text, a, b in line["words"]]
    heard = {"language": "fr", "duration_s": words[-1]["end_s"] + 5, "segments": [{"words": words}]}
    transcript: tuple[AnchoredTurn, ...] = build_turns(
        parse_transcript((ROOT / "transcripts" / f"{slug}.md").read_text(encoding="utf-8")), "fr"
    )
    return align_turns(transcript, heard)


def monologue(words_a_minute: float) -> TimedTranscript:
    """Five minutes of one fast voice."""
    said = spoken(apply_typography(" ".join(sentences(5, 7)), "fr"), words_a_minute, 3)
    words = tuple(Word(text, round(a, 3), round(b, 3)) for text, a, b in said)
    return TimedTranscript(said[-1][2] + 2, "fr", (Turn(Voice("", "récit"), words),))


def main() -> None:
    """Print every figure."""
    short = sentences(8, 5)
    paragraphs = "\n".join(" ".join(short[index : index + 5]) for index in range(0, len(short), 5))
    again = "\n".join([paragraphs] * 11)
    for share in (0.08, 0.2, 0.4):
        aligned("8 minutes", paragraphs, share)
    for share in (0.08, 0.2, 0.4):
        aligned("85 minutes that repeat themselves", again, share)
    for path in sorted((ROOT / "transcripts").glob(CORRECTED)):
        for line_chars in (42, 32):
            read(f"{path.stem}, lines of {line_chars}", split_cues(sample(path.stem), line_chars))
    for pace in (150, 170, 190):
        read(f"{pace} words a minute", split_cues(monologue(pace), 42))


if __name__ == "__main__":
    main()
