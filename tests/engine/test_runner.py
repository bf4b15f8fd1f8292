"""Staleness, receipts, and the files a run leaves behind."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.engine.receipts import Receipt
from pipeline.engine.runner import preview, run_steps
from pipeline.engine.staleness import Snapshot, hand_edited, why_stale
from pipeline.engine.step import Step, dependency_graph, with_dependencies
from tests.support import little_steps

SHOUT = Step("a/shout", little_steps.to_upper, {"source": "raw.txt"}, {"loud": "loud.txt"})
STRIP = Step("a/strip", little_steps.strip, {"source": "raw.txt"}, {"bare": "bare.txt"})
AFTER = Step("a/after", little_steps.to_upper, {"source": "bare.txt"}, {"loud": "after.txt"})
DRAFT = Step("a/draft", little_steps.write_draft, {"source": "raw.txt"}, {"text": "text.md"}, is_draft=True)


@pytest.fixture
def show(tmp_path: Path) -> Path:
    (tmp_path / "raw.txt").write_text("bonjour")
    return tmp_path


def run(root: Path, *steps: Step, **options: object) -> dict[str, str]:
    with ThreadPoolExecutor(1) as pool:
        return {result.step.kind: result.status for result in run_steps(steps, root, lambda lane: pool, **options)}


FACTS = Snapshot(1, {"lufs": -16}, {"master": "aa"}, {"out": "bb"})
RECEIPT = Receipt("s", 1, {"lufs": -16}, {"master": "aa"}, {"out": "bb"})


def test_a_step_that_matches_its_receipt_is_current():
    assert why_stale(FACTS, RECEIPT) is None


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (replace(FACTS, revision=2), "built by revision 1 of this step; the current revision is 2"),
        (replace(FACTS, settings={"lufs": -19}), "lufs changed from -16 to -19"),
        (replace(FACTS, reads={"master": "cc"}), "master changed"),
        (replace(FACTS, writes={"out": None}), "out missing"),
    ],
)
def test_why_stale_says_what_changed(facts, sentence):
    assert why_stale(facts, RECEIPT) == sentence


def test_a_step_without_receipt_was_never_built():
    assert why_stale(FACTS, None) == "never built"


def test_a_raised_revision_makes_a_step_stale_and_a_moved_function_does_not(show):
    run(show, SHOUT)
    assert run(show, replace(SHOUT, run=little_steps.strip)) == {"shout": "current"}
    assert run(show, replace(SHOUT, revision=2)) == {"shout": "built"}


def test_a_nested_setting_is_named_by_its_path():
    old, new = (replace(FACTS, settings={"episode": {"title": title}}) for title in ("Avant", "Après"))
    assert why_stale(new, replace(RECEIPT, settings=old.settings)) == "episode.title changed from “Avant” to “Après”"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ([{"title": "Avant"}, {"title": "B"}], [{"title": "Après"}, {"title": "B"}], "episodes[1].title changed from “Avant” to “Après”"),
        ([{"title": "Avant"}], [{"title": "Avant"}, {"title": "B"}], "episodes changed from 1 entry to 2 entries"),
        (None, [{"title": "Avant"}], "episodes changed from nothing to 1 entry"),
    ],
)
def test_a_long_setting_is_described_by_its_differences(old, new, sentence):
    before, now = (replace(FACTS, settings={"episodes": value} if value else {}) for value in (old, new))
    assert why_stale(now, replace(RECEIPT, settings=before.settings)) == sentence


def test_an_output_with_another_digest_was_edited():
    assert hand_edited(replace(FACTS, writes={"out": "zz"}), RECEIPT) == ["out"]


def test_a_second_build_runs_nothing(show):
    assert run(show, SHOUT) == {"shout": "built"}
    assert run(show, SHOUT) == {"shout": "current"}


def test_a_step_whose_input_gives_the_same_output_stops_the_chain(show):
    run(show, STRIP, AFTER)
    (show / "raw.txt").write_text("  bonjour  ")
    assert run(show, STRIP, AFTER) == {"strip": "built", "after": "current"}


def test_a_changed_setting_runs_the_step(show):
    run(show, SHOUT)
    assert run(show, replace(SHOUT, settings={"mark": "?"})) == {"shout": "built"}
    assert (show / "loud.txt").read_text() == "BONJOUR?"


def test_a_hand_edited_output_is_left_unchanged(show):
    run(show, SHOUT)
    (show / "loud.txt").write_text("mine")
    assert run(show, SHOUT) == {"shout": "edited"}
    assert (show / "loud.txt").read_text() == "mine"


def test_a_hand_edited_output_is_backed_up_when_it_is_rebuilt(show):
    run(show, SHOUT)
    (show / "loud.txt").write_text("mine")
    (show / "raw.txt").write_text("bonsoir")
    run(show, SHOUT)
    assert (show / "loud.txt").read_text() == "BONSOIR!"
    assert [path.read_text() for path in (show / "kept").iterdir()] == ["mine"]


def test_an_unedited_draft_is_drafted_again(show):
    run(show, DRAFT)
    (show / "raw.txt").write_text("bonsoir")
    assert run(show, DRAFT) == {"draft": "built"}
    assert "bonsoir" in (show / "text.md").read_text()


def test_a_corrected_draft_is_never_overwritten_and_a_new_one_is_written_next_to_it(show):
    run(show, DRAFT)
    (show / "text.md").write_text("corrected")
    assert run(show, DRAFT) == {"draft": "edited"}
    (show / "raw.txt").write_text("bonsoir")
    assert run(show, DRAFT) == {"draft": "drafted"}
    assert (show / "text.md").read_text() == "corrected"
    assert "bonsoir" in (show / "text.draft.md").read_text()
    assert run(show, DRAFT) == {"draft": "edited"}


def test_a_corrected_text_without_any_receipt_counts_as_hand_edited(show):
    (show / "text.md").write_text("corrected")
    assert run(show, DRAFT) == {"draft": "edited"}
    assert not (show / "text.draft.md").exists()


def test_an_edited_new_draft_is_backed_up_when_a_newer_one_is_written(show):
    run(show, DRAFT)
    (show / "text.md").write_text("corrected")
    for heard in ("bonsoir", "bonne nuit"):
        (show / "raw.txt").write_text(heard)
        run(show, DRAFT)
        (show / "text.draft.md").write_text((show / "text.draft.md").read_text() + "mine too")
    assert [path.read_text().endswith("bonsoirmine too") for path in (show / "kept").iterdir()] == [True]


def test_a_damaged_intermediate_is_rebuilt(show):
    hidden = replace(SHOUT, writes={"loud": ".causerie/a/loud.txt"})
    run(show, hidden)
    (show / ".causerie/a/loud.txt").write_text("")
    assert run(show, hidden) == {"shout": "built"}


def test_a_rebuild_that_was_killed_between_two_outputs_is_finished(show):
    both = Step("a/both", little_steps.copy_twice, {"source": "raw.txt"}, {"one": "one.txt", "two": "two.txt"})
    run(show, both)
    journal = show / ".causerie/receipts.jsonl"
    promise = json.loads(journal.read_text().splitlines()[0])
    promise[5] = {"one": hashlib.sha256(b"new").hexdigest(), "two": hashlib.sha256(b"new too").hexdigest()}
    journal.write_text(journal.read_text() + json.dumps(promise) + "\n")
    (show / "one.txt").write_text("new")
    assert run(show, both) == {"both": "built"}
    assert (show / "one.txt").read_text() == (show / "two.txt").read_text() == "bonjour"
    assert not (show / "kept").exists()


def test_a_failure_is_reported_until_the_step_is_built(show):
    fails = Step("a/shout", little_steps.raise_user_error, {"source": "raw.txt"}, {"out": "loud.txt"})
    run(show, fails)
    assert [result.why for result in preview((fails,), show)] == ["its last run failed: raw.wav: is not a recording; export it again"]
    run(show, SHOUT)
    (show / "raw.txt").write_text("bonsoir")
    assert [result.why for result in preview((SHOUT,), show)] == ["source changed"]


def test_a_failure_blocks_what_follows_and_nothing_else(show):
    broken = Step("a/broken", little_steps.raise_user_error, {"source": "raw.txt"}, {"out": "x.txt"})
    after = Step("a/after", little_steps.to_upper, {"source": "x.txt"}, {"loud": "y.txt"})
    assert run(show, broken, after, SHOUT) == {"broken": "failed", "after": "blocked", "shout": "built"}
    assert not (show / "x.txt").exists()


def test_a_bug_keeps_its_traceback_and_does_not_stop_the_others(show):
    bug = Step("a/bug", little_steps.raise_bug, {"source": "raw.txt"}, {"out": "x.txt"})
    with ThreadPoolExecutor(1) as pool:
        failed, built = run_steps((bug, SHOUT), show, lambda lane: pool)
    assert "ZeroDivisionError" in failed.traceback
    assert built.status == "built"


def test_a_missing_input_is_one_sentence(show):
    (show / "raw.txt").unlink()
    with ThreadPoolExecutor(1) as pool:
        (result,) = run_steps((SHOUT,), show, lambda lane: pool)
    assert result.why == "raw.txt: is missing; restore it, or correct the key that names it"


def test_rebuild_runs_a_kind_that_is_current(show):
    run(show, SHOUT, STRIP)
    assert run(show, SHOUT, STRIP, rebuild=["shout"]) == {"shout": "built", "strip": "current"}


def test_a_truncated_journal_line_is_ignored(show):
    run(show, SHOUT)
    journal = show / ".causerie/receipts.jsonl"
    promise, done = journal.read_text().splitlines(keepends=True)
    journal.write_text(promise[:30])
    assert run(show, SHOUT) == {"shout": "built"}
    journal.write_text(promise + done[:30])
    assert run(show, SHOUT) == {"shout": "current"}


def test_a_kill_between_rename_and_receipt_redoes_nothing(show):
    run(show, SHOUT)
    journal = show / ".causerie/receipts.jsonl"
    journal.write_text("".join(line for line in journal.read_text().splitlines(keepends=True) if line.startswith('["promise"')))
    assert run(show, SHOUT) == {"shout": "current"}


def test_what_a_dry_run_says_is_what_a_build_does(show):
    assert [(result.status, result.why) for result in preview((STRIP, AFTER), show)] == [("stale", "never built")] * 2
    run(show, STRIP, AFTER)
    (show / "raw.txt").write_text("autre")
    assert [result.why for result in preview((STRIP, AFTER), show)] == ["source changed", "depends on strip, to be built"]
    assert (show / "bare.txt").read_text() == "bonjour"


def test_two_writers_of_one_file_are_refused():
    with pytest.raises(ValueError, match="both write"):
        dependency_graph((SHOUT, replace(SHOUT, name="a/other")))


def test_wanted_steps_come_with_their_dependencies():
    assert with_dependencies((SHOUT, STRIP, AFTER), lambda step: step.kind == "after") == (STRIP, AFTER)


def test_moving_a_show_makes_nothing_stale(show, tmp_path_factory):
    run(show, SHOUT)
    moved = tmp_path_factory.mktemp("else") / "show"
    show.rename(moved)
    assert run(moved, SHOUT) == {"shout": "current"}
