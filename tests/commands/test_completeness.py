"""`status`, `check` and `publish` beside a text that does not say what was heard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.alignment import heard_value
from benchmarks.transcripts import sentences, spoken
from pipeline.commands.completeness import completeness_advice, other_recording, pending_passages
from pipeline.commands.publish import _refuse_other_recordings
from pipeline.config import load_config
from pipeline.engine import FileCache, add_stamp
from pipeline.model import Episode, Problems
from tests.conftest import small_show

SENTENCES = sentences(2, 3)
SAID = spoken(" ".join(SENTENCES), 150, 1)


def show_with(root: Path, text: str, **more: object) -> tuple[Path, Episode, FileCache]:
    """A show whose first episode has this text, and was heard saying SENTENCES."""
    small_show(root)
    episode = load_config(root).episodes[0]
    (root / "transcripts").mkdir()
    (root / f"transcripts/{episode.slug}.md").write_text(text, encoding="utf-8")
    value = {**heard_value(SAID, SAID[-1][2] + 2), **more}
    (root / f"transcripts/{episode.slug}.words.json").write_text(json.dumps(value), encoding="utf-8")
    return root, episode, FileCache(root)


def test_a_text_that_lacks_a_sentence_is_told_by_status_and_check(tmp_path):
    root, episode, cache = show_with(tmp_path, "\n\n".join(SENTENCES[:4] + SENTENCES[5:]))
    (line,) = pending_passages(root, episode, cache)
    assert line.startswith("compare transcripts/un.md with the sound; heard, not in the text: 0:")
    (finding,) = completeness_advice(root, episode, cache)
    assert finding.problem in line and finding.where == "transcripts/un.md"


def test_the_result_is_kept_until_the_text_or_what_was_heard_changes(tmp_path):
    root, episode, cache = show_with(tmp_path, "\n\n".join(SENTENCES))
    assert list(pending_passages(root, episode, cache)) == []
    (root / "transcripts/un.md").write_text("\n\n".join(SENTENCES[1:]), encoding="utf-8")
    assert len(list(pending_passages(root, episode, cache))) == 1
    (root / "transcripts/un.words.json").write_text(json.dumps(heard_value(SAID[len(SENTENCES[0].split()) :], 200.0)), encoding="utf-8")
    assert list(pending_passages(root, episode, cache)) == []


def test_a_recording_replaced_under_a_corrected_text_is_a_mistake_and_not_published(tmp_path):
    root, episode, cache = show_with(tmp_path, "\n\n".join(sentences(2, 99)))
    error = other_recording(root, episode, cache)
    assert error and error.where == "transcripts/un.md" and "was replaced" in error.message
    with pytest.raises(Problems, match=r"causerie draft un.*--as-written"):
        _refuse_other_recordings(root, (episode,))
    (line,) = pending_passages(root, episode, cache)
    assert "was replaced" in line


def test_a_draft_nobody_corrected_is_not_compared_but_its_loops_and_voices_are_told(tmp_path):
    loop = {"start_s": 3.0, "end_s": 9.0, "text": "et voilà", "times": 7}
    text = add_stamp("\n\n".join(sentences(2, 99)), "la machine peut récrire ce brouillon")
    root, episode, cache = show_with(tmp_path, text, removed=[loop], wordless_voice=[{"start_s": 20.0, "end_s": 23.0}])
    assert other_recording(root, episode, cache) is None
    assert [finding.problem for finding in completeness_advice(root, episode, cache)] == [
        "a repetition was left out: 0:03 to 0:09, “et voilà” 7 times",
        "a voice, perhaps: 0:20 to 0:23",
    ]


def test_a_text_with_mistakes_and_an_episode_not_heard_yet_are_passed_over(tmp_path):
    root, episode, cache = show_with(tmp_path, "« jamais fermé\n\n" + "\n\n".join(SENTENCES))
    assert other_recording(root, episode, cache) is None
    (root / "transcripts/un.words.json").unlink()
    assert list(completeness_advice(root, episode, cache)) == list(pending_passages(root, episode, cache)) == []
