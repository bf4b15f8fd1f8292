"""Staleness, receipts, and the files a run leaves behind."""

import hashlib
import json
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import __version__
from pipeline.engine.drafts import add_stamp, is_unedited_draft
from pipeline.engine.forecast import preview
from pipeline.engine.receipts import Journal, Receipt
from pipeline.engine.runner import Result, run_steps
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


def results(root: Path, *steps: Step, **options: object) -> dict[str, tuple[str, str]]:
    """The status of each step, and why."""
    with ThreadPoolExecutor(1) as pool:
        return {one.step.kind: (one.status, one.why) for one in run_steps(steps, root, lambda lane: pool, **options)}


def kept(root: Path) -> dict[str, str]:
    """The texts in `kept/` by name."""
    return {path.name: path.read_text() for path in (root / "kept").glob("*")}


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
    assert results(show, DRAFT) == {"draft": ("edited", "hand-edited")}
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
    assert list(preview((both,), show)) == [Result(both, "stale", "interrupted before all outputs were in place")]
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


# An edit by a person is never lost.
BOTH = Step("a/both", little_steps.copy_twice, {"source": "raw.txt"}, {"one": "one.txt", "two": "two.txt"})
PARTLY_HIDDEN = replace(BOTH, writes={"one": ".causerie/a/one.txt", "two": "two.txt"})
MINE_SHA = hashlib.sha256(b"mine").hexdigest()


@pytest.mark.parametrize("is_built_before", [True, False])
def test_an_edit_made_while_the_step_runs_is_backed_up(show, is_built_before):
    if is_built_before:
        run(show, SHOUT)
        (show / "raw.txt").write_text("bonsoir")
    found = results(show, SHOUT, on_start=lambda step: (show / "loud.txt").write_text("mine"))
    name = f"loud-{MINE_SHA[:8]}.txt"
    assert found == {"shout": ("built", f"the hand-edited version is kept as kept/{name}")}
    assert kept(show) == {name: "mine"} and (show / "loud.txt").read_text() == ("BONSOIR!" if is_built_before else "BONJOUR!")


@pytest.mark.parametrize("is_built_before", [True, False])
def test_a_draft_corrected_while_the_step_runs_is_kept(show, is_built_before):
    if is_built_before:
        run(show, DRAFT)
        (show / "raw.txt").write_text("bonsoir")
    assert run(show, DRAFT, on_start=lambda step: (show / "text.md").write_text("corrected")) == {"draft": "drafted"}
    assert (show / "text.md").read_text() == "corrected" and is_unedited_draft((show / "text.draft.md").read_text())
    assert run(show, DRAFT) == {"draft": "edited"}


def test_an_output_that_is_removed_while_the_step_runs_is_written(show):
    run(show, SHOUT)
    (show / "raw.txt").write_text("bonsoir")
    assert results(show, SHOUT, on_start=lambda step: (show / "loud.txt").unlink()) == {"shout": ("built", "")}
    assert (show / "loud.txt").read_text() == "BONSOIR!" and not kept(show)


def test_a_text_that_no_receipt_knows_is_left_alone_until_a_new_draft_is_requested(show):
    (show / "text.md").write_text("+++\n+++\nby hand")
    for _ in range(2):
        assert results(show, DRAFT) == {"draft": ("edited", "hand-edited")}
        assert sorted(path.name for path in show.iterdir()) == [".causerie", "raw.txt", "text.md"]
    (show / ".causerie/receipts.jsonl").unlink()
    assert [(one.status, one.why) for one in preview((DRAFT,), show, ["draft"])] == [("stale", "requested with --rebuild")]
    assert results(show, DRAFT, rebuild=["draft"]) == {
        "draft": ("drafted", "your text is kept; the new draft is text.draft.md: 1 of its lines are not in your text")
    }
    assert (show / "text.md").read_text() == "+++\n+++\nby hand" and "bonjour" in (show / "text.draft.md").read_text()


def test_an_unedited_draft_stays_one_however_often_a_show_is_built(show):
    for _ in range(3):
        run(show, DRAFT)
    assert Journal(show / ".causerie/receipts.jsonl").receipts["a/draft"].tool == __version__
    (show / "raw.txt").write_text("bonsoir")
    assert run(show, DRAFT) == {"draft": "built"}


def test_a_text_in_another_encoding_is_left_alone_too(show):
    (show / "text.md").write_bytes("déjà".encode("latin-1"))
    assert run(show, DRAFT) == {"draft": "edited"}
    assert run(show, DRAFT, rebuild=["draft"]) == {"draft": "drafted"}
    assert (show / "text.md").read_bytes() == "déjà".encode("latin-1")


def test_a_text_written_by_hand_gets_a_new_draft_beside_it_when_its_source_changes(show):
    (show / "text.md").write_text("by hand")
    run(show, DRAFT)
    digest = {name: hashlib.sha256((show / name).read_bytes()).hexdigest() for name in ("raw.txt", "text.md")}
    receipt = Receipt("a/draft", 1, {}, {"source": digest["raw.txt"]}, {"text": digest["text.md"]}, "by hand")
    assert Journal(show / ".causerie/receipts.jsonl").receipts == {"a/draft": receipt}
    (show / "raw.txt").write_text("bonsoir")
    assert [(one.status, one.why) for one in preview((DRAFT,), show)] == [("stale", "source changed")]
    assert run(show, DRAFT) == {"draft": "drafted"}
    assert (show / "text.md").read_text() == "by hand" and "bonsoir" in (show / "text.draft.md").read_text()


def test_an_unedited_draft_that_no_receipt_knows_is_drafted_again_in_its_place(show):
    (show / "text.md").write_text(add_stamp("+++\n+++\nolder"))
    assert results(show, DRAFT) == {"draft": ("built", "")} and not kept(show)
    assert "bonjour" in (show / "text.md").read_text() and not (show / "text.draft.md").exists()


def test_of_two_drafts_of_a_step_one_correction_keeps_both(show):
    both = replace(BOTH, run=little_steps.draft_twice, is_draft=True)
    run(show, both)
    (show / "two.txt").write_text("corrected")
    (show / "raw.txt").write_text("bonsoir")
    assert run(show, both) == {"both": "drafted"}
    assert "bonjour" in (show / "one.txt").read_text() and (show / "two.txt").read_text() == "corrected"


def test_a_new_draft_like_the_one_before_is_not_written_again(show):
    run(show, DRAFT)
    (show / "text.md").write_text("corrected")
    why = "hand-edited; a new draft would be the same as before"
    assert results(show, DRAFT, rebuild=["draft"]) == {"draft": ("edited", why)}
    assert not (show / "text.draft.md").exists()


def test_lines_that_a_person_need_not_compare_are_not_counted_in_a_new_draft(show):
    (show / "text.md").write_text("+++\nsame\n")
    (show / "raw.txt").write_text("# a remark\n%% another\n\nsame\nnew\nnewer\n")
    (found,) = results(show, DRAFT, rebuild=["draft"]).values()
    assert found[1].endswith("the new draft is text.draft.md: 2 of its lines are not in your text")


def test_a_damaged_intermediate_file_is_built_again_and_the_rest_is_not_taken_for_edited(show):
    run(show, PARTLY_HIDDEN)
    (show / ".causerie/a/one.txt").write_text("damage")
    assert list(preview((PARTLY_HIDDEN,), show)) == [Result(PARTLY_HIDDEN, "stale", "one damaged")]
    run(show, PARTLY_HIDDEN)
    assert (show / ".causerie/a/one.txt").read_text() == "bonjour"
    assert run(show, PARTLY_HIDDEN) == {"both": "current"}


@pytest.mark.parametrize(("damage", "keys"), [(False, "two"), (True, "one, two")])
def test_one_edit_among_several_outputs_is_left_unchanged(show, damage, keys):
    run(show, PARTLY_HIDDEN)
    (show / "two.txt").write_text("mine")
    if damage:
        (show / ".causerie/a/one.txt").write_text("damage")
    assert results(show, PARTLY_HIDDEN) == {"both": ("edited", f"{keys} hand-edited; left unchanged")}
    assert (show / "two.txt").read_text() == "mine" and not kept(show)


def test_of_several_outputs_only_the_edited_one_is_backed_up(show):
    run(show, BOTH)
    (show / "two.txt").write_text("mine")
    (show / "raw.txt").write_text("bonsoir")
    name = f"two-{MINE_SHA[:8]}.txt"
    assert results(show, BOTH) == {"both": ("built", f"the hand-edited version is kept as kept/{name}")}
    assert kept(show) == {name: "mine"}
    assert (show / "one.txt").read_text() == (show / "two.txt").read_text() == "bonsoir"


def test_a_missing_output_is_built_again_and_the_edited_one_beside_it_backed_up(show):
    run(show, BOTH)
    (show / "one.txt").unlink()
    (show / "two.txt").write_text("mine")
    assert [one.why for one in preview((BOTH,), show)] == ["one missing"]
    assert run(show, BOTH) == {"both": "built"}
    assert list(kept(show).values()) == ["mine"] and (show / "one.txt").read_text() == "bonjour"


def test_two_edits_of_one_step_are_both_named_where_they_are_kept(show):
    run(show, BOTH)
    for name in ("one", "two"):
        (show / f"{name}.txt").write_text(f"my {name}")
    (show / "raw.txt").write_text("bonsoir")
    ((_, why),) = results(show, BOTH).values()
    assert sorted(kept(show).values()) == ["my one", "my two"]
    assert sorted(why.removeprefix("the hand-edited version is kept as ").split(", ")) == sorted(f"kept/{name}" for name in kept(show))


def test_what_a_killed_run_had_prepared_is_not_taken_for_an_edit(show):
    run(show, SHOUT)
    journal = Journal(show / ".causerie/receipts.jsonl")
    journal.prepare(replace(journal.receipts["a/shout"], writes={"loud": MINE_SHA}))
    journal.close()
    (show / "loud.txt").write_text("mine")
    (show / "raw.txt").write_text("bonsoir")
    assert run(show, SHOUT) == {"shout": "built"} and not kept(show)


# The journal after a run.
def test_a_receipt_holds_what_a_step_read_and_wrote(show):
    steps = (replace(SHOUT, reads={"source": "raw.txt"}, settings={"mark": "?"}, revision=3), replace(DRAFT, settings={}))
    run(show, *steps)
    digest = {name: hashlib.sha256((show / name).read_bytes()).hexdigest() for name in ("raw.txt", "loud.txt", "text.md")}
    journal = Journal(show / ".causerie/receipts.jsonl")
    assert journal.receipts == {
        "a/shout": Receipt("a/shout", 3, {"mark": "?"}, {"source": digest["raw.txt"]}, {"loud": digest["loud.txt"]}, __version__),
        "a/draft": Receipt("a/draft", 1, {}, {"source": digest["raw.txt"]}, {"text": digest["text.md"]}, __version__),
    }
    assert journal.prepared == journal.failures == {}


@pytest.mark.parametrize("empty", [None, "", (), {}])
def test_an_empty_setting_is_like_none_at_all(show, empty):
    step = Step("a/loose", little_steps.take_anything, {"source": "raw.txt"}, {"out": "out.txt"})
    run(show, step)
    assert run(show, replace(step, settings={"more": empty})) == {"loose": "current"}
    assert run(show, replace(step, settings={"more": 0})) == {"loose": "built"}


def test_a_hint_makes_nothing_stale(show):
    step = Step("a/loose", little_steps.take_anything, {"source": "raw.txt"}, {"out": "out.txt"})
    run(show, step)
    assert run(show, replace(step, hints={"names": ("Nora",)})) == {"loose": "current"}


def test_a_step_that_reads_several_files_sees_each(show):
    (show / "more.txt").write_text("one")
    step = Step("a/loose", little_steps.take_anything, {"source": "raw.txt", "others": ("raw.txt", "more.txt")}, {"out": "out.txt"})
    run(show, step)
    (show / "more.txt").write_text("two, longer")
    assert [one.why for one in preview((step,), show)] == ["others changed"]
    assert run(show, step) == {"loose": "built"}


def test_of_a_step_killed_before_its_receipt_the_receipt_is_written_later(show):
    run(show, SHOUT)
    journal = show / ".causerie/receipts.jsonl"
    prepared = journal.read_text().splitlines(keepends=True)[0]
    journal.write_text(prepared)
    run(show, SHOUT)
    again = Journal(journal)
    assert list(again.receipts) == ["a/shout"] and not again.prepared
    assert journal.read_text() == prepared + prepared.replace("promise", "done")


# The order of a run, and what is reported.
def test_results_come_in_the_order_of_the_plan_and_reports_in_the_order_of_the_work(show):
    started, finished, order = [], [], []
    with ThreadPoolExecutor(1) as pool:
        found = run_steps(
            (AFTER, STRIP, replace(SHOUT, pool="model")),
            show,
            lambda lane: order.append(lane) or pool,
            finished.append,
            lambda step: started.append(step.kind),
        )
    assert [one.step.kind for one in found] == ["after", "strip", "shout"]
    assert sorted(started) == ["after", "shout", "strip"] and started.index("strip") < started.index("after")
    assert sorted(order) == ["cpu", "cpu", "model"]
    assert sorted(finished, key=id) == sorted(found, key=id)
    assert all(0 < one.seconds < 60 for one in found)
    finished.clear()
    assert run(show, STRIP, on_start=pytest.fail, on_finish=finished.append) == {"strip": "current"}
    assert [(one.status, one.why, one.seconds) for one in finished] == [("current", "", 0.0)]


def test_what_a_killed_run_left_is_removed_and_a_run_leaves_nothing(show):
    (show / ".causerie/work/old").mkdir(parents=True)
    at_work = []
    run(show, SHOUT, on_start=lambda step: at_work.extend((show / ".causerie/work").glob("*")))
    assert at_work == [] and not (show / ".causerie/work").exists()
    fails = Step("a/fails", little_steps.raise_bug, {"source": "raw.txt"}, {"out": "out.txt"})
    run(show, fails)
    assert not (show / ".causerie/work").exists()


def test_what_is_blocked_says_by_what_and_so_does_what_follows_it(show):
    broken = [Step(f"a/broken{i}", little_steps.raise_user_error, {"source": "raw.txt"}, {"out": f"{i}.txt"}) for i in (2, 1)]
    after = Step("a/after", little_steps.take_anything, {"source": "1.txt", "other": "2.txt"}, {"out": "y.txt"})
    last = Step("b/last", little_steps.to_upper, {"source": "y.txt"}, {"loud": "z.txt"})
    found = results(show, last, after, *broken)
    assert found["after"] == ("blocked", "needs a/broken1, a/broken2, not built")
    assert found["last"] == ("blocked", "needs a/after, not built")
    assert set(Journal(show / ".causerie/receipts.jsonl").failures) == {"a/broken1", "a/broken2"}


def test_an_input_that_cannot_be_read_fails_its_step(show):
    (show / "raw.txt").unlink()
    (show / "raw.txt").mkdir()
    why = f"{show}/raw.txt: cannot be read (Is a directory); check its permissions"
    assert results(show, SHOUT, STRIP) == {"shout": ("failed", why), "strip": ("failed", why)}


def test_a_bug_is_named_by_its_type(show):
    bug = Step("a/bug", little_steps.raise_bug, {"source": "raw.txt"}, {"out": "x.txt"})
    finished = []
    assert results(show, bug, on_finish=finished.append) == {"bug": ("failed", "ZeroDivisionError: one over nothing")}
    assert [one.seconds for one in finished] == [0.0]


class Frail(Executor):
    """Workers that are killed by the first `kills` tasks whose step is named, and run the others here."""

    def __init__(self, name: str, kills: int) -> None:
        self.name, self.kills, self.asked = name, kills, []

    def submit(self, fn, /, step, *args):
        self.asked.append(step.kind)
        future = Future()
        if step.kind == self.name and self.kills:
            self.kills -= 1
            future.set_exception(BrokenProcessPool())
        else:
            future.set_result(fn(step, *args))
        return future


@pytest.mark.parametrize(("kills", "status"), [(1, "built"), (2, "failed")])
def test_a_step_whose_worker_was_killed_is_tried_once_more_alone(show, kills, status):
    pool = Frail("shout", kills)
    killed, other = run_steps((SHOUT, STRIP), show, lambda lane: pool)
    assert pool.asked == ["shout", "strip", "shout"] and (killed.status, other.status) == (status, "built")
    if status == "failed":
        assert killed.why == "its worker process was killed twice; the machine may have too little memory for this step"


def test_a_dry_run_says_that_a_step_waits_for_several_others(show):
    one, two = (replace(STRIP, name=f"{name}/{name}", writes={"bare": f"{name}.txt"}) for name in ("one", "two"))
    join = Step("a/join", little_steps.take_anything, {"source": "two.txt", "other": "one.txt"}, {"out": "out.txt"})
    last = Step("a/last", little_steps.take_anything, {"source": "out.txt"}, {"out": "last.txt"})
    run(show, one, two, join, last)
    assert {result.status for result in preview((last, join, two, one), show)} == {"current"}
    (show / "raw.txt").write_text("bonsoir")
    said = {result.step.kind: (result.status, result.why) for result in preview((last, join, two, one), show)}
    assert said["join"] == ("stale", "depends on one, two, to be built")
    assert said["last"] == ("stale", "depends on join, to be built")
    assert [result.status for result in preview((one, SHOUT), show, ["shout"])] == ["stale", "stale"]


def test_a_dry_run_changes_nothing_but_remembers_digests(show):
    run(show, SHOUT)
    (show / "raw.txt").write_text("bonsoir")
    before = {path: path.read_bytes() for path in show.rglob("*") if path.is_file() and path.name != "digests.json"}
    list(preview((SHOUT, STRIP), show))
    assert before == {path: path.read_bytes() for path in show.rglob("*") if path.is_file() and path.name != "digests.json"}
    assert hashlib.sha256(b"bonsoir").hexdigest() in (show / ".causerie/digests.json").read_text()


def test_a_run_remembers_digests_even_when_a_callback_fails(show):
    def fail(result: Result) -> None:
        raise RuntimeError("the terminal is gone")

    with pytest.raises(RuntimeError, match="the terminal is gone"):
        run(show, SHOUT, on_finish=fail)
    assert (show / ".causerie/digests.json").exists() and not (show / ".causerie/work").exists()
    assert run(show, SHOUT) == {"shout": "current"}


SIDE = Step("a/side", little_steps.raise_user_error, {"source": "raw.txt"}, {"out": "side.txt"}, is_optional=True)
SIDE_TAG = Step("a/side-tag", little_steps.to_upper, {"source": "side.txt"}, {"loud": "tagged.txt"}, is_optional=True)
WHOLE = Step("a/whole", little_steps.take_anything, {"source": "raw.txt", "side": "tagged.txt"}, {"out": "whole.txt"})


def test_what_is_optional_and_fails_is_left_out_and_its_readers_do_without_it(show):
    found = results(show, SIDE, SIDE_TAG, WHOLE)
    assert found["side"] == ("omitted", "raw.wav: is not a recording; export it again")
    assert found["side-tag"] == ("omitted", "needs a/side, left out")
    assert found["whole"][0] == "built" and (show / "whole.txt").read_text() == "bonjour"


def test_what_was_left_out_is_tried_again_and_taken_in_once_it_can_be_made(show):
    run(show, SIDE, SIDE_TAG, WHOLE)
    assert run(show, SIDE, SIDE_TAG, WHOLE) == {"side": "omitted", "side-tag": "omitted", "whole": "current"}
    mended = replace(SIDE, run=little_steps.take_anything)
    assert run(show, mended, SIDE_TAG, WHOLE) == {"side": "built", "side-tag": "built", "whole": "built"}
    assert results(show, mended, SIDE_TAG, WHOLE)["whole"] == ("current", "")


def test_a_preview_does_not_call_the_rest_out_of_date_for_what_was_left_out(show):
    run(show, SIDE, SIDE_TAG, WHOLE)
    assert [result.status for result in preview((SIDE, SIDE_TAG, WHOLE), show)] == ["omitted", "omitted", "current"]


def test_an_old_file_of_what_fails_now_is_not_taken(show):
    mended = replace(SIDE, run=little_steps.take_anything)
    run(show, mended, SIDE_TAG, WHOLE)
    (show / "raw.txt").write_text("bonsoir")
    assert run(show, SIDE, SIDE_TAG, WHOLE) == {"side": "omitted", "side-tag": "omitted", "whole": "built"}


def test_an_optional_step_whose_source_fails_is_blocked_like_any_other(show):
    fails = Step("a/fails", little_steps.raise_user_error, {"source": "raw.txt"}, {"out": "side.txt"})
    assert run(show, fails, SIDE_TAG, WHOLE) == {"fails": "failed", "side-tag": "blocked", "whole": "blocked"}
