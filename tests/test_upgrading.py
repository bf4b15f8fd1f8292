"""The files of version 0.1 are still valid: nothing is built, encoded or transcribed again because code has moved.

`data/show-0.1` was recorded with version 0.1 from the sample show: its hand-made texts, the receipts of its last build, the size and
digest of every file that build read or wrote, one publication, and one window of speech that was already heard.
"""

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from pipeline.model.transcript import Word
from pipeline.publish import history
from pipeline.speech.hallucinations import Segment
from pipeline.speech.recognition import Recogniser
from pipeline.speech.segmentation import Window
from pipeline.speech.transcribe import open_window_cache

LEFT = Path(__file__).parent / "data/show-0.1"
BUILT_NS = 1_790_000_000_000_000_000


@pytest.fixture
def show(tmp_path: Path) -> Path:
    """The show as version 0.1 left it; its sounds and pages are files of the right size, whose digests are cached."""
    shutil.copytree(LEFT, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("window", "files.json", "receipts.jsonl"))
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


def test_a_show_that_0_1_built_has_nothing_to_do(show):
    result = CliRunner().invoke(main, ["build", "--show", str(show), "--dry-run"])
    assert (result.exit_code, result.stderr.strip(), result.stdout) == (0, "Nothing to do.", ""), result.output


def test_a_receipt_of_0_1_still_has_the_old_settings(show):
    title = show / "episodes/01-la-file-d-attente/episode.toml"
    title.write_text(title.read_text().replace('title = "', 'title = "Encore : ', 1))
    result = CliRunner().invoke(main, ["build", "--show", str(show), "--dry-run"])
    assert "01-la-file-d-attente/tag: episode.title changed from" in result.stderr
    assert "encode" not in result.stderr and "transcribe" not in result.stderr


def test_words_that_0_1_recognised_are_not_recognised_again():
    recogniser = Recogniser(SimpleNamespace(name="faster-whisper", compute_type="int8"), "fr", "Nora Belkacem, Orvalle.")
    samples = (np.arange(16_000, dtype=np.float32) % 97 / 97 - 0.5).astype(np.float32)
    heard = open_window_cache(LEFT / "window/master.flac", recogniser, "m", LEFT / "window/model.pt", "chunks").get(
        Window(12.5, samples, 16_000)
    )
    assert heard == (Segment((Word("Bonjour", 0.25, 0.5, 0.875), Word("Orvalle.", 0.5, 1.0, 0.5)), 0.0625, -0.25),)


def test_a_publication_of_0_1_can_be_restored(show):
    (tree,) = history.load_trees(show / history.PUBLICATIONS, "public")
    assert (tree.number, tree.committed, tree.feed_key, len(tree.files)) == (1, True, "feed.xml", 77)
    assert tree.at < datetime(2027, 1, 1, tzinfo=UTC)
