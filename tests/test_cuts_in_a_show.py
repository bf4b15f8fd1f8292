"""Cuts from `episode.toml` to everything that is published, on real audio and with a real model."""

import json
import re
from datetime import UTC, datetime

import pytest

from pipeline.audio.probe import probe_fully
from pipeline.commands.workspace import load_show
from pipeline.model import published, removals_from_json
from pipeline.plan import plan_steps
from tests.conftest import build, causerie

FAR = datetime(2030, 1, 1, tzinfo=UTC)
BITE = '[[soundbites]]\nstart = 4\nduration = 3\ntitle = "Là"\n[[chapters]]\nstart = 0\ntitle = "Un"\n[[chapters]]\nstart = 4\ntitle = "Deux"\n'


def with_cuts(root, *rows):
    path = root / "episodes/un/episode.toml"
    path.write_text(path.read_text().replace("[[recordings]]", f"cuts = [{', '.join(rows)}]\n[[recordings]]", 1))


def seconds(clock):
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def test_without_cuts_no_step_knows_of_them(built):
    steps = plan_steps(load_show(built), FAR)
    assert not [step.name for step in steps if "edit" in step.name or "edits" in step.reads or "edited" in step.settings]


@pytest.mark.slow
def test_everything_published_moves_to_the_millisecond(built):
    path = built / "episodes/un/episode.toml"
    path.write_text(path.read_text() + BITE)
    build(built, "un")
    starts = [seconds(each) for each in re.findall(r"(?m)^(\S+) -->", (built / "transcripts/un.vtt").read_text())]
    with_cuts(built, "{ start = 1.0, end = 2.6 }")
    assert set(build(built).values()) <= {"built", "current"}
    edits = json.loads((built / ".causerie/un/edits.json").read_text())
    removals = removals_from_json(edits)
    removed_s = sum(each.end_s - each.start_s for each in removals)
    assert removed_s > 0.5

    def moved(time_s):
        return round(published(time_s, removals), 3)

    length_s = (edits["samples"] - sum(each["end"] - each["first"] for each in edits["removed"])) / edits["rate_hz"]
    assert probe_fully(built / "episodes/un/un.mp3").duration_s == pytest.approx(length_s, abs=0.001)
    chapters = json.loads((built / "feeds/un.chapters.json").read_text())["chapters"]
    assert [each["startTime"] for each in chapters] == [0, moved(4)]
    feed = (built / "feeds/feed.xml").read_text()
    assert f'<podcast:soundbite startTime="{moved(4):g}" duration="{round(moved(7) - moved(4), 3):g}">' in feed
    assert f'start="00:00:0{moved(4):.3f}"' in feed
    now = [seconds(each) for each in re.findall(r"(?m)^(\S+) -->", (built / "transcripts/un.vtt").read_text())]
    assert now == sorted(now) and {moved(each) for each in starts} >= set(now[1:]) and max(now) < length_s
    assert "cuts" in json.loads(causerie("report", "un", "--json", root=built).stdout)


@pytest.mark.slow
def test_the_words_that_were_cut_are_published_nowhere(built):
    words = [word for segment in json.loads((built / "transcripts/un.words.json").read_text())["segments"] for word in segment["words"]]
    kept = json.loads((built / ".causerie/un/activity.json").read_text())["kept"][0]
    secret = max(words[1:-1], key=lambda word: len(word["text"]))
    shift_s = kept["from_s"] - kept["start_s"]
    with_cuts(built, f"{{ start = {secret['start_s'] + shift_s:.3f}, end = {secret['end_s'] + shift_s:.3f} }}")
    (built / "guides/un.md").unlink()  # its quotes may hold the word
    build(built)
    causerie("publish", root=built)
    name = secret["text"].strip(".,!?")
    texts = [path for path in (built / "public").rglob("*") if path.suffix in (".vtt", ".srt", ".json", ".html", ".txt", ".xml")]
    assert texts and not [path.name for path in texts if name in path.read_text()]


@pytest.mark.slow
def test_cuts_taken_back_give_the_bytes_there_were(built):
    before = {path.name: path.read_bytes() for path in (built / "episodes/un").glob("un.*")}
    original = (built / "episodes/un/episode.toml").read_text()
    with_cuts(built, "{ start = 1.0, end = 2.6 }")
    build(built)
    assert {path.name: path.read_bytes() for path in (built / "episodes/un").glob("un.*")} != before
    (built / "episodes/un/episode.toml").write_text(original)
    build(built)
    assert {path.name: path.read_bytes() for path in (built / "episodes/un").glob("un.*")} == before


def test_overlapping_cuts_are_told_by_check_with_file_line_and_key(built):
    with_cuts(built, "{ start = 1, end = 3 }", "{ start = 2, end = 4 }")
    done = causerie("check", root=built, check=False)
    assert done.returncode == 1
    assert re.search(r"^episodes/un/episode\.toml:\d+: cuts\[2\]: overlaps cuts\[1\], .+; make one cut of the two", done.stderr, re.M)
