"""How long a guide takes, and how many of its drafted questions would suit any episode.

    python benchmarks/guides.py

Its draft and all its documents are made in a fresh process, without the process's start. Times are of the processor, so that what else
the machine does counts little; the budget is 0.3 s for a draft and 1.0 s for all documents. A question suits any episode when it quotes
nothing of this one; at most a third may.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipeline.guide.document import TEXT  # noqa: E402
from pipeline.guide.draft import propose_guide  # noqa: E402
from pipeline.guide.labels import FAMILIES  # noqa: E402
from pipeline.guide.quotes import tokens  # noqa: E402
from tests.support.guide_sample import EPISODE, SHOW, written  # noqa: E402

RUNS = 3
QUOTED = re.compile(r"[«“]([^«»“”]+)[»”]")
PROGRAM = """
import sys, tempfile, time
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.support.guide_sample import EPISODE, SHOW, render, written
timed = written("01-le-premier-rendez-vous")
from pipeline.guide.draft import propose_guide
from pipeline.guide.document import format_guide
begun = time.process_time()
guide, notes = propose_guide(timed, SHOW, EPISODE)
text = format_guide(guide, "fr", notes)
drafted = time.process_time()
with tempfile.TemporaryDirectory() as folder:
    render(Path(folder), text, timed)
print(drafted - begun, time.process_time() - drafted)
"""


def main() -> None:
    """Print the best of a few runs: the least disturbed."""
    runs = []
    for _ in range(RUNS):
        done = subprocess.run([sys.executable, "-c", PROGRAM.format(root=str(ROOT))], capture_output=True, text=True, check=True)
        runs.append(tuple(map(float, done.stdout.split())))
    draft_s, documents_s = (min(column) for column in zip(*runs, strict=True))
    print(f"draft {draft_s:.2f} s, all documents of an episode {documents_s:.2f} s")
    print_shares()


def print_shares() -> None:
    """Print how many questions of each text would suit any episode."""
    total, in_all = 0, 0
    for number, path in enumerate(sorted((ROOT / "tests/data/guide").glob("*.md"))):
        language = "en" if path.stem.startswith("en-") else "fr"
        timed = written(path.stem, language)
        said = " ".join(token for turn in timed.turns for word in turn.words for token in tokens(word.text))
        guide, _ = propose_guide(timed, replace(SHOW, language=language), replace(EPISODE, number=number))
        questions = [line.text for family in FAMILIES for line in guide.lines(family) if line.kind == TEXT]
        general = [text for text in questions if not any(" ".join(tokens(quote)) in said for quote in QUOTED.findall(text))]
        total, in_all = total + len(general), in_all + len(questions)
        print(f"{path.stem}: {len(general)} of {len(questions)} questions would suit any episode")
    print(f"all: {total / in_all:.0%}")


if __name__ == "__main__":
    main()
