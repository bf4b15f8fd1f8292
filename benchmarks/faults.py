"""Every fault of publishing, many times: how often it ended published, how often not and with what sentence.

    python benchmarks/faults.py --tries 20 [--only NAME]

Needs the test requirements. After each try the bucket is looked at, a clean publication follows, and the bucket is looked at again;
a broken promise ends the run with its traceback.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from faulty_proxy import faulty_proxy  # noqa: E402
from publishing import s3_server  # noqa: E402
from publishing_faults import FAULTS, MUST_FAIL, MUST_PUBLISH, credentials, killed, no_waiting, one_try, two_at_once  # noqa: E402


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--only", default="", help="part of a fault's name")
    asked = parser.parse_args()
    os.environ.update(credentials())
    tries = {
        **{name: (lambda seed, proxy, root, name=name: one_try(name, seed, proxy, root)) for name in FAULTS},
        "two publishers at once": lambda seed, proxy, root: " | ".join(sorted(two_at_once(seed, proxy, root))),
        "killed at a random moment": killed,
    }
    for name, one in tries.items():
        if asked.only in name:
            ends = Counter(_tried(one, seed) for seed in range(asked.tries))
            assert not (name in MUST_FAIL and ends["published"]), name
            assert not (name in MUST_PUBLISH and len(ends) > 1), name
            print(f"{name}: {asked.tries} tries, {ends.pop('published', 0)} published", flush=True)
            for end, number in ends.most_common():
                print(f"  {number:3} × {end}", flush=True)


def _tried(one: object, seed: int) -> str:
    """One try on a server of its own; what differs from try to try is taken out of its sentence."""
    with tempfile.TemporaryDirectory() as root, s3_server() as server, faulty_proxy(server.url) as proxy, no_waiting():
        end = one(seed, proxy, Path(root))  # type: ignore[operator]
    return re.sub(r"s3://\w+/serie\S*|http://\S+?(?=[:;, ]|$)|after \d+", "…", end)


if __name__ == "__main__":
    main()
