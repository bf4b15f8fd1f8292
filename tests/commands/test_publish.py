"""`publish --due`, `rollback` and `publish --setup`, on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import main
from pipeline.transcript import add_check_off
from tests.support.publishing import names

pytestmark = pytest.mark.slow

BETWEEN, AFTER = "2026-01-01T12:00:00+0100", "2026-01-03T12:00:00+0100"


def causerie(command: str, *options: str, root: Path, status: int = 0) -> Result:
    result = CliRunner().invoke(main, [command, "--show", str(root), *options])
    assert result.exit_code == status, result.output
    return result


def test_a_timer_publishes_each_episode_when_its_date_has_come_and_nothing_before(built: Path) -> None:
    def due(at: str) -> str:
        return causerie("publish", "--due", "--at", at, root=built).stderr

    assert "nothing is due before 2026-01-01" in due("2025-12-31")
    assert not (built / "public").exists()
    assert "published to public" in due(BETWEEN)
    assert not [name for name in names(built / "public") if "deux" in name]
    assert "nothing is due before 2026-01-02" in due(BETWEEN)
    assert "published to public" in due(AFTER)
    feed = (built / "public/feed.xml").read_text()
    assert re.findall(r"<title>(Épisode \w+)</title>", feed) == ["Épisode deux", "Épisode un"]
    causerie("rollback", "--at", AFTER, root=built)
    held = causerie("publish", "--due", "--at", AFTER, root=built, status=1)
    assert "deux is due, but causerie rollback restored an earlier publication" in held.stderr


def test_a_timer_publishes_no_half_corrected_text(built: Path) -> None:
    causerie("publish", "--due", "--at", BETWEEN, root=built)
    text = built / "transcripts/deux.md"
    text.write_text(text.read_text() + "\nUne phrase de trop.\n")
    refused = causerie("publish", "--due", "--at", AFTER, root=built, status=1)
    assert "out of date; run causerie build first" in refused.stderr
    assert "deux" not in (built / "public/feed.xml").read_text()


def test_a_text_of_another_recording_is_refused_before_anything_is_sent_unless_it_is_wanted(built: Path) -> None:
    other = "Les moulins du canal tournaient encore quand le dernier meunier ferma sa porte et partit vers les collines du sud. " * 2
    (built / "transcripts/un.md").write_text(f"+++\n+++\n\n{other}\n")
    causerie("build", root=built)
    for options in ((), ("--dry-run",), ("--due",)):
        refused = causerie("publish", *options, "--at", AFTER, root=built, status=1)
        assert "transcripts/un.md: agrees with the recording in" in refused.stderr
    assert not (built / "public").exists()
    assert "was replaced" in causerie("check", root=built, status=1).stderr
    causerie("publish", "--as-written", "--at", AFTER, root=built)
    assert (built / "public/feed.xml").exists()


def test_going_back_is_one_command(built: Path) -> None:
    causerie("build", "--at", BETWEEN, root=built)
    causerie("publish", "--at", BETWEEN, root=built)
    first = (built / "public/feed.xml").read_bytes()
    causerie("build", root=built)
    causerie("publish", root=built)
    assert [line.split()[0] for line in causerie("rollback", "--list", root=built).stdout.splitlines()] == ["2", "1"]
    done = json.loads(causerie("rollback", "--json", "--quiet", root=built).stdout)
    assert (done["back_to"], done["sent"][-1]) == (1, "feed.xml")
    assert (built / "public/feed.xml").read_bytes() == first
    refused = causerie("rollback", "9", root=built, status=1)
    assert "publication 9 does not exist" in refused.stderr


def test_options_that_contradict_each_other_are_wrong_usage(built: Path) -> None:
    for options in (("--due", "--setup"), ("--due", "--prune"), ("--public-read",)):
        causerie("publish", *options, root=built, status=2)
    assert "nothing to set up" in causerie("publish", "--setup", root=built).stderr


def test_a_machines_text_is_not_published_where_the_show_wants_it_checked(built: Path) -> None:
    show = built / "show.toml"
    show.write_text(show.read_text("utf-8") + "\n[publish]\nrequire_corrected = true\n", "utf-8")
    refused = causerie("publish", "--at", AFTER, root=built, status=1)
    assert refused.stderr.count("a machine's text that nobody has checked, and 1 other transcript") == 1
    assert not (built / "public").exists()
    for slug in ("un", "deux"):
        path = built / f"transcripts/{slug}.md"
        path.write_text(add_check_off(path.read_text("utf-8"), "2026-10-05", "H. Marchand"), "utf-8")
    causerie("build", "--at", AFTER, root=built)
    causerie("publish", "--at", AFTER, root=built)
    assert "relue le 5\u00a0octobre 2026 par H. Marchand" in (built / "public/un/index.html").read_text("utf-8")
