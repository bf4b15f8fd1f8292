"""Every fault of publishing, many times: how often it ended published, how often not and with what sentence.

    python benchmarks/faults.py --tries 20 [--jobs 2] [--only NAME]

Needs the test requirements. After each try the bucket is looked at, a clean publication follows, and the bucket is looked at again;
a broken promise is told with its traceback, and the exit status is then 1.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.faulty_proxy import faulty_proxy  # noqa: E402
from tests.support.publishing import s3_server  # noqa: E402
from tests.support.publishing_faults import (  # noqa: E402
    FAULTS,
    MUST_FAIL,
    MUST_PUBLISH,
    credentials,
    fast_retries,
    run_fault,
    run_killed,
    run_killed_into_folder,
    run_two_publishers,
)

OTHERS = {
    "two publishers at once": lambda seed, proxy, root: " | ".join(sorted(run_two_publishers(seed, proxy, root))),
    "killed at a random moment": run_killed,
    "killed while publishing into a folder": run_killed_into_folder,
}
BROKEN = "a broken promise"


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2, help="tries at the same time, each in a process and on a server of its own")
    parser.add_argument("--only", default="", help="part of a fault's name")
    asked = parser.parse_args()
    os.environ.update(credentials())
    broken = 0
    with ProcessPoolExecutor(asked.jobs) as pool:
        for name in (name for name in (*FAULTS, *OTHERS) if asked.only in name):
            ends = Counter(pool.map(partial(tried, name), range(asked.tries)))
            violations = sum(number for end, number in ends.items() if end.startswith(BROKEN))
            broken += violations
            print(f"{name}: {asked.tries} tries, {ends.pop('published', 0)} published, {violations} broken promises", flush=True)
            for end, number in ends.most_common():
                print(f"  {number:3} × {end}", flush=True)
    sys.exit(broken > 0)


def tried(name: str, seed: int) -> str:
    """One try on a server of its own: how it ended, without what differs from try to try, or the promise that was broken."""
    one = OTHERS.get(name) or partial(run_fault, name)
    with tempfile.TemporaryDirectory() as root, s3_server() as server, faulty_proxy(server.url) as proxy, fast_retries():
        try:
            end = one(seed, proxy, Path(root))
            assert end != "published" or name not in MUST_FAIL, name
            assert end == "published" or name not in MUST_PUBLISH, end
        except Exception:
            return f"{BROKEN} (try {seed})\n{traceback.format_exc()}"
    return re.sub(r"s3://\w+/serie\S*|http://\S+?(?=[;, ]|: )( and \d+ more)?|after \d+", "…", end)


if __name__ == "__main__":
    main()
