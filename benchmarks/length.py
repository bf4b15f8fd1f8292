"""What an hour-long episode takes, and a show of many: `python benchmarks/length.py [EPISODES]`.

A show of that many episodes is written with all its files (see `benchmarks/check.py`), and for each a corrected transcript of an hour and
a guide. Its words are those of the sample show, shuffled by a seed; every episode has the credits of the others, some with a slip. «cold»
is a first check, «warm» a second one, when nothing has changed, «one changed» a third, when a person has saved one text. Each runs in a
process of its own. Then the captions and the chapters of one hour, from its timed transcript.
"""

from __future__ import annotations

import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from check import check, prepare

from pipeline.model.transcript import TimedTranscript
from pipeline.transcript.align import align_turns
from pipeline.transcript.captions import write_captions
from pipeline.transcript.chapters import propose_chapters, write_chapters
from pipeline.transcript.parser import parse_transcript
from pipeline.transcript.timed_json import write_timed
from pipeline.transcript.turns import build_turns
from transcripts import WORDS_A_MINUTE, misheard, sentences, spoken

MINUTES = 60
VOICES = ("Nora", "Malik", "Ava")
CREDITS = (
    "Cet épisode a été écrit et enregistré à la mairie d’Orvalle, un matin de marché.",
    "La musique est de Malik Aubry, le mixage de Nora Belkacem, merci à toutes les voix.",
    "Vous pouvez nous écrire, et nous lirons vos réponses dans le prochain épisode de la série.",
)
SLIPS = (("matin", "soir"), ("mixage", "montage"), ("lirons", "dirons"))
GUIDE = """+++
version = "2"
+++

## But de la rencontre

Se demander ce que l’attente apporte.

## Extraits à réécouter

On vient de lui annoncer les machines.

> {}

> {}

## Comprendre

Que fait chaque personne de son temps d’attente ?
"""


def transcript(seed: int) -> tuple[str, list[str]]:
    """The corrected text of an hour, turns of one to six sentences, and its sentences."""
    chance, said = random.Random(seed), sentences(MINUTES, seed)
    turns, start = [], 0
    while start < len(said):
        count = chance.randint(1, 6)
        turns.append(f"{VOICES[len(turns) % 3]} : {' '.join(said[start : start + count])}")
        start += count
    ends = [line.replace(*slip) if chance.random() < 0.02 else line for line, slip in zip(CREDITS, SLIPS, strict=True)]
    return "+++\n+++\n\n" + "\n\n".join((*turns, *ends)) + "\n", said


def prepare_long(folder: Path, count: int) -> None:
    """The show of `benchmarks/check.py`, with transcripts and guides of an hour."""
    prepare(folder, count, MINUTES)
    (folder / "guides").mkdir()
    timed = timed_hour()
    for i, path in enumerate(sorted((folder / "episodes").glob("*/episode.toml"))):
        text, said = transcript(i)
        quoted = [line for line in said if len(line.split()) > 8]
        (folder / f"transcripts/{path.parent.name}.md").write_text(text, encoding="utf-8")
        write_timed(folder / f".causerie/{path.parent.name}/timed.json", timed)
        (folder / f"guides/{path.parent.name}.md").write_text(GUIDE.format(*quoted[20:22]), encoding="utf-8")


def timed_hour() -> TimedTranscript:
    """An hour with times, as alignment gives them: a tenth of its words was misheard."""
    text, _ = transcript(1)
    turns = build_turns(parse_transcript(text), "fr")
    words = " ".join(word.text for each in turns for word in each.turn.words)
    found = align_turns(turns, misheard(spoken(words, WORDS_A_MINUTE, 1), 0.1, 2))
    return replace(found, language="fr")


def hour() -> None:
    """Captions and chapters of an hour, the best of three; printed."""
    transcript = timed_hour()
    forms = ("vtt", "srt", "json", "html", "txt")
    with tempfile.TemporaryDirectory() as folder:
        timed = Path(folder) / "timed.json"
        write_timed(timed, transcript)
        steps = {
            "captions": lambda: write_captions(timed, **{form: timed.with_name(f"captions.{form}") for form in forms}),
            "chapters": lambda: write_chapters(timed, chapters=timed.with_suffix(".chapters"), by_hand=(), slug="a"),
        }
        for name, step in steps.items():
            took_s = []
            for _ in range(3):
                start_s = time.process_time()  # others may share the machine
                step()
                took_s.append(time.process_time() - start_s)
            print(f"{name} of an hour: {min(took_s):.2f} s of one processor")
    words = sum(len(turn.words) for turn in transcript.turns)
    print(f"the hour: {words} words, {len(transcript.turns)} turns, {len(propose_chapters(transcript))} chapters proposed")


def measured(folder: Path) -> dict[str, float]:
    """A check in a process of its own."""
    run = subprocess.run([sys.executable, __file__, "check", str(folder)], capture_output=True, text=True, check=True)
    value: dict[str, float] = json.loads(run.stdout)
    return value


def main(count: int) -> None:
    """Every figure, on a show made for it."""
    hour()
    folder = Path(tempfile.mkdtemp()).resolve()
    try:
        prepare_long(folder, count)
        for name in ("cold", "warm", "one changed"):
            if name == "one changed":
                path = sorted((folder / "transcripts").glob("*.md"))[count // 2]
                path.write_text(path.read_text(encoding="utf-8") + "\nNora : Une phrase de plus, après tout.\n", encoding="utf-8")
            run = measured(folder)
            figures = f"{run['cpu_s']:.1f} s of one processor, {run['peak_mb']:.0f} MB, {run['found']:.0f} findings"
            print(f"check, {name}: {run['s']:.1f} s, {figures}")
    finally:
        shutil.rmtree(folder)
    print(f"{count} episodes of an hour; asked of 200: at most 20 s cold, 2 s warm, 500 MB; captions of an hour: at most 2 s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        start_s = time.perf_counter()
        found = check(Path(sys.argv[2]))
        used = resource.getrusage(resource.RUSAGE_SELF)
        figures = {
            "s": time.perf_counter() - start_s,
            "cpu_s": used.ru_utime + used.ru_stime,
            "peak_mb": used.ru_maxrss / 1000,
            "found": found,
        }
        print(json.dumps(figures))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 200)
