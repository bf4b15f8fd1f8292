"""A show from recordings to a published tree, through the command line, on real audio and with a real model."""

import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.audio.loudness import measure_loudness
from pipeline.audio.probe import probe_file, probe_fully
from pipeline.commands.workspace import load_show
from pipeline.engine.receipts import Journal
from pipeline.plan import plan_steps
from tests.conftest import REPOSITORY, build, built_steps, causerie, cut_audio, small_show

pytestmark = pytest.mark.slow

FAR = "2030-01-01"


def outputs(root: Path) -> dict[str, str]:
    """The digest of every existing file that the plan writes."""
    from datetime import UTC, datetime

    paths = [path for step in plan_steps(load_show(root), datetime(2030, 1, 1, tzinfo=UTC)) for path in step.writes.values()]
    return {path: hashlib.sha256((root / path).read_bytes()).hexdigest() for path in paths if (root / path).exists()}


def replace(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def kinds(names: set[str]) -> set[str]:
    return {name.rpartition("/")[2] for name in names}


def test_nothing_changed_and_no_step_runs(built):
    assert set(build(built).values()) == {"current"}


def test_nothing_changed_and_nothing_is_decoded(built, monkeypatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/bin/false")
    assert set(build(built).values()) == {"current"}


def test_aac_and_soundbites_are_built_when_configured(built):
    replace(built / "show.toml", "[audio]", "[audio]\nm4a_kbps = 96")
    replace(built / "episodes/un/episode.toml", "[[recordings]]", '[[soundbites]]\nstart = 1\nduration = 2.5\ntitle = "Là"\n[[recordings]]')
    ran = built_steps(build(built))
    assert {"un/m4a", "deux/m4a", "un/tag-m4a", "un/soundbites", "show/feed"} <= ran and "un/encode" not in ran
    assert probe_file(built / "episodes/un/un.m4a").codec == "aac"
    assert probe_fully(built / "episodes/un/un.clip-01.mp3").audio_streams[0].duration_s == pytest.approx(2.5, abs=0.05)
    assert (built / "feeds/feed.xml").read_text().count('type="audio/mp4"') == 2


def test_the_report_gives_the_figures_of_the_published_file(built):
    figures = json.loads(causerie("report", "un", "--json", root=built).stdout)
    page = Path(causerie("report", "un", root=built).stdout.strip())
    assert page == built / ".causerie/reports/un.html" and "<svg" in page.read_text()
    assert measure_loudness(built / "episodes/un/un.mp3").integrated_lufs == pytest.approx(figures["after"]["integrated_lufs"], abs=0.1)


def test_a_report_needs_no_transcript(built):
    (built / ".causerie/un/timed.json").unlink()
    assert causerie("report", "un", root=built).returncode == 0


def test_a_title_change_rebuilds_tags_feed_pages_and_guide_and_no_audio(built):
    replace(built / "episodes/un/episode.toml", "Épisode un", "Un autre titre")
    ran = built_steps(build(built))
    assert {"un/tag", "un/tag-light", "un/guide", "un/page", "show/feed", "show/index"} <= ran
    assert not kinds(ran) & {"ingest", "measure", "encode", "light", "transcribe", "align", "captions"}
    assert "Un autre titre" in (built / "feeds/feed.xml").read_text()


def test_a_loudness_change_encodes_again_and_does_not_run_whisper_again(built):
    replace(built / "show.toml", "-16.0", "-18.0")
    ran = kinds(built_steps(build(built)))
    assert {"encode", "light", "tag", "tag-light", "release", "feed"} <= ran
    assert not ran & {"ingest", "measure", "transcribe", "draft", "align", "captions", "guide"}


def test_a_corrected_transcript_rebuilds_captions_page_and_guide_and_no_audio(built):
    text = built / "transcripts/un.md"
    text.write_text(text.read_text() + "\nMot ajouté à la main.\n")
    statuses = build(built)
    assert statuses["un/draft"] == "edited"
    assert {"un/align", "un/captions", "un/page"} <= built_steps(statuses)
    assert not kinds(built_steps(statuses)) & {"ingest", "encode", "light", "transcribe", "tag", "tag-light"}
    assert "ajouté" in (built / "transcripts/un.txt").read_text()


def test_the_same_samples_exported_again_run_ingest_and_nothing_after(built):
    raw = built / "episodes/un/raw.flac"
    cut_audio(raw, built / "episodes/un/again.flac", 0, 100, "-compression_level", "0", "-metadata", "title=exported again")
    assert raw.read_bytes() != (built / "episodes/un/again.flac").read_bytes()
    os.replace(built / "episodes/un/again.flac", raw)
    assert built_steps(build(built)) == {"un/ingest"}


def test_one_broken_recording_fails_alone_and_the_feed_is_not_written(built):
    feed = (built / "feeds/feed.xml").read_bytes()
    (built / "episodes/un/raw.flac").write_bytes(b"this is not audio" * 100)
    replace(built / "episodes/deux/episode.toml", "Épisode deux", "Encore deux")
    done = causerie("build", "--json", root=built, check=False)
    statuses = {f"{value['episode']}/{value['step']}": value["status"] for value in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    assert statuses["un/ingest"] == "failed"
    assert statuses["deux/tag"] == "built"
    assert statuses["show/feed"] == "blocked"
    assert (built / "feeds/feed.xml").read_bytes() == feed
    assert re.search(r"un/ingest: failed: episodes/un/raw\.flac: .+", done.stderr)
    assert "Traceback" not in done.stderr


def test_two_builds_from_scratch_give_the_same_bytes(built_once, tmp_path):
    again = small_show(tmp_path / "again")
    build(again, "--jobs", "1")
    assert outputs(again) == outputs(built_once)


def test_losing_the_hidden_folder_costs_a_rebuild_and_nothing_else(built):
    before = outputs(built)
    (built / "transcripts/un.md").write_text((built / "transcripts/un.md").read_text() + "\nÀ moi.\n")
    mine = (built / "transcripts/un.md").read_text()
    shutil.rmtree(built / ".causerie")
    build(built)
    assert (built / "transcripts/un.md").read_text() == mine
    assert not (built / "transcripts/un.draft.md").exists()
    assert outputs(built)["episodes/deux/deux.mp3"] == before["episodes/deux/deux.mp3"]


def test_an_episode_of_tomorrow_is_built_and_not_shown(built):
    replace(built / "episodes/deux/episode.toml", "2026-01-02", "2031-01-02")
    build(built)
    causerie("publish", root=built)
    assert (built / "episodes/deux/deux.mp3").exists()
    shown = "".join(path.read_text() for path in (built / "public").rglob("*") if path.suffix in (".xml", ".html"))
    assert "Épisode un" in shown
    assert "Épisode deux" not in shown and "deux/" not in shown
    assert not [path for path in (built / "public").rglob("*") if "deux" in path.as_posix()]


def test_publishing_twice_sends_nothing_the_second_time(built):
    causerie("publish", root=built)
    before = {path: path.stat().st_mtime_ns for path in (built / "public").rglob("*")}
    assert "nothing to send" in causerie("publish", root=built).stderr
    assert {path: path.stat().st_mtime_ns for path in (built / "public").rglob("*")} == before


def test_what_is_out_of_date_is_not_published(built):
    replace(built / "episodes/un/episode.toml", "Épisode un", "Un autre titre")
    done = causerie("publish", root=built, check=False)
    assert done.returncode == 1
    assert "run causerie build first" in done.stderr
    assert not (built / "public").exists()


def test_a_dry_run_writes_nothing(tmp_path):
    root = small_show(tmp_path / "show")
    before = sorted(root.rglob("*"))
    assert "would build un/ingest: never built" in causerie("build", "--dry-run", root=root).stderr
    assert [path for path in sorted(root.rglob("*")) if ".causerie" not in path.parts] == before


def test_two_builds_at_once_are_refused(built):
    from pipeline.commands.workspace import show_lock

    with show_lock(built):
        done = causerie("build", root=built, check=False)
    assert done.returncode == 1
    assert "another causerie command is running" in done.stderr


@pytest.mark.parametrize("seed", [1, 2])
def test_a_kill_at_any_moment_loses_nothing(built_once, tmp_path, seed):
    """Thirty-two kills, in two halves: most during a rebuild of everything but Whisper's steps, some from scratch."""
    chance, expected = random.Random(seed), outputs(built_once)
    root, kills = tmp_path / "show", 0
    while kills < 16:
        shutil.rmtree(root, ignore_errors=True)
        _start_over(built_once, root, scratch=kills >= 13)
        for _ in range(12):
            if kills == 16 or _killed_build(root, chance.uniform(0.3, 8 if kills >= 13 else 4)):
                break
            kills += 1
            there = outputs(root)
            assert {path: expected[path] for path in there} == there, "a file that is neither absent nor whole is visible"
        build(root)
        assert outputs(root) == expected
        done = [json.loads(line)[1] for line in (root / ".causerie/receipts.jsonl").read_text().splitlines() if line.startswith('["done"')]
        assert len(done) == len(set(done)), "a finished step was done again"
        assert set(build(root).values()) <= {"current"}


def _start_over(built_once: Path, root: Path, scratch: bool) -> None:
    """A show without outputs, or with only those of Whisper."""
    small_show(root)
    if not scratch:
        keep = Journal(built_once / ".causerie/receipts.jsonl")
        journal = Journal(root / ".causerie/receipts.jsonl")
        for slug in ("un", "deux"):
            (root / "transcripts").mkdir(exist_ok=True)
            shutil.copyfile(built_once / f"transcripts/{slug}.words.json", root / f"transcripts/{slug}.words.json")
            journal.commit(keep.receipts[f"{slug}/transcribe"])
        journal.close()


def _killed_build(root: Path, after_s: float) -> bool:
    """Start a build and kill it; returns whether it had finished before."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = subprocess.Popen([sys.executable, REPOSITORY / "cli.py", "build", "--show", root], **quiet)
    time.sleep(after_s)
    ended = running.poll() is not None
    running.send_signal(signal.SIGKILL)
    running.wait()
    return ended
