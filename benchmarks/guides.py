"""How long a guide takes: its draft, and all its documents, each in a fresh process, without the process's start.

    python benchmarks/guides.py

Times are of the processor, so that what else the machine does counts little; the budget is 0.3 s for a draft and 1.0 s for all documents.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNS = 3
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


if __name__ == "__main__":
    main()
