"""The files of version 0.1 are still valid: nothing is built or encoded again because code has moved; only recordings are heard again.

`data/show-0.1` was recorded with version 0.1 from the sample show: its hand-made texts, the receipts of its last build, the size and
digest of every file that build read or wrote, and one publication.
"""

import json
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from pipeline.publish import history

LEFT = Path(__file__).parent / "data/show-0.1"
BUILT_NS = 1_790_000_000_000_000_000


@pytest.fixture
def show(tmp_path: Path) -> Path:
    """The show as version 0.1 left it; its sounds and pages are files of the right size, whose digests are cached."""
    shutil.copytree(LEFT, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("files.json", "receipts.jsonl"))
    digests = {}
    for path, size, digest in json.loads((LEFT / "files.json").read_text()):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        with (tmp_path / path).open("wb") as stream:
            stream.truncate(size)
        os.utime(tmp_path / path, ns=(BUILT_NS, BUILT_NS))
        digests[path] = [size, BUILT_NS, digest]
    (tmp_path / ".causerie").mkdir(exist_ok=True)
    (tmp_path / ".causerie/digests.json").write_text(json.dumps(digests))
    shutil.copy(LEFT / "receipts.jsonl", tmp_path / ".causerie")
    return tmp_path


def test_a_show_that_0_1_built_is_mixed_and_heard_again_and_its_texts_are_made_again(show):
    """Revision 2 of `ingest` looks at channels, that of `transcribe` hears better, that of texts and pages says who has checked them."""
    result = CliRunner().invoke(main, ["build", "--show", str(show), "--dry-run"])
    causes = [line for line in result.stderr.splitlines() if "depends on" not in line]
    kinds = {line.split(": ")[0].split("/")[-1] for line in causes}
    assert kinds == {
        "align",
        "captions",
        "card",
        "chapters",
        "doubts",
        "feed",
        "found",
        "guide",
        "guide-screen",
        "index",
        "ingest",
        "page",
        "people",
        "style",
        "themes",
        "transcribe",
        "transcripts",
    }
    known = [line for line in causes if "/guide-screen:" not in line]  # a new step
    assert all(re.search(r"built by revision 1 of this step; the current revision is [23]$", line) for line in known)
    assert not [line for line in result.stderr.splitlines() if "/tag" in line and "depends on" not in line]
    assert not kinds & {"encode", "light"}  # only because of `ingest`, whose master is the same where no channel is changed


def test_a_receipt_of_0_1_still_has_the_old_settings(show):
    title = show / "episodes/01-la-file-d-attente/episode.toml"
    title.write_text(title.read_text().replace('title = "', 'title = "Encore : ', 1))
    result = CliRunner().invoke(main, ["build", "--show", str(show), "--dry-run"])
    assert "01-la-file-d-attente/tag: episode.title changed from" in result.stderr
    assert not [line for line in result.stderr.splitlines() if "/encode" in line and "depends on ingest" not in line]


def test_a_publication_of_0_1_can_be_restored(show):
    (tree,) = history.load_trees(show / history.PUBLICATIONS, "public")
    assert (tree.number, tree.committed, tree.feed_key, len(tree.files)) == (1, True, "feed.xml", 77)
    assert tree.at < datetime(2027, 1, 1, tzinfo=UTC)
