"""What begins among words whose times are estimated is remarked on; what begins beside them is not."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.commands.estimates import estimated_starts
from pipeline.config import load_config
from pipeline.engine import write_json
from pipeline.model import Chapter, Cut, Episode, Removal, Soundbite, TimedTranscript, Turn, Voice, Word
from pipeline.transcript.chapters import chapters_to_json, propose_chapters, publish_chapters
from pipeline.transcript.edited import publish_transcript
from pipeline.transcript.timed_json import read_timed, write_timed
from tests.conftest import small_show


@pytest.fixture
def built(tmp_path: Path) -> tuple[Path, Episode]:
    """A show with an episode whose words 20 to 24, ten seconds of them, have estimated times, and begin a section."""
    small_show(tmp_path)
    words = tuple(Word(f"mot{i}", i * 2.0, i * 2.0 + 1.5, estimated=20 <= i < 25) for i in range(60))
    turns = (Turn(Voice("", "récit"), words[:20]), Turn(Voice("Ava"), words[20:], "Archive"))
    timed = TimedTranscript(120.0, "fr", turns)
    episode = load_config(tmp_path).episodes[0]
    (tmp_path / f".causerie/{episode.slug}").mkdir(parents=True, exist_ok=True)
    (tmp_path / "feeds").mkdir(exist_ok=True)
    write_timed(tmp_path / f".causerie/{episode.slug}/timed.json", timed)
    write_json(tmp_path / f"feeds/{episode.slug}.chapters.json", chapters_to_json(propose_chapters(timed)))
    return tmp_path, replace(episode, chapters=(), soundbites=())


def remarks(root: Path, episode: Episode) -> list[str]:
    return [finding.problem for finding in estimated_starts(root, episode)]


def test_a_chapter_proposed_at_an_estimated_time_is_remarked_on(built):
    (remark,) = remarks(*built)
    assert remark == "the chapter “Archive” begins at 0:40, among words whose times are estimated (0:40 to 0:50)"


def test_a_chapter_or_soundbite_set_by_hand_in_a_long_run_is_remarked_on_and_one_beside_it_is_not(built):
    root, episode = built
    chapters, bites = (
        (Chapter(0, "Un"), Chapter(45.0, "Deux"), Chapter(60.0, "Trois")),
        (Soundbite(44.0, 20.0, ""), Soundbite(80.0, 20.0, "")),
    )
    found = remarks(root, replace(episode, chapters=chapters, soundbites=bites))
    assert [remark.split(" begins")[0] for remark in found] == ["the chapter “Deux”", "the soundbite"]


def test_a_clip_of_the_guide_that_begins_with_an_estimated_word_is_remarked_on(built):
    root, episode = built
    (root / "guides").mkdir(exist_ok=True)
    quotes = "\n\n".join(f"> {' '.join(f'mot{i}' for i in range(first, first + 8))}" for first in (23, 40))
    (root / f"guides/{episode.slug}.md").write_text(f"## Extraits à réécouter\n\n{quotes}\n", encoding="utf-8")
    (_, clip) = remarks(root, episode)
    assert clip.startswith("the clip “mot23 mot24") and clip.endswith("begins at 0:45, an estimated time")


def test_nothing_is_said_before_a_build(tmp_path):
    small_show(tmp_path)
    assert remarks(tmp_path, load_config(tmp_path).episodes[0]) == []


def test_proposed_chapters_of_an_episode_with_cuts_are_looked_for_in_published_time(built):
    root, episode = built
    found = list(estimated_starts(root, episode))
    path = root / f".causerie/{episode.slug}/timed.json"
    removals = (Removal(0.0, 10.0),)
    write_timed(path.with_name("published.json"), publish_transcript(read_timed(path), removals))
    chapters = publish_chapters(propose_chapters(read_timed(path)), removals, 120.0)
    write_json(root / f"feeds/{episode.slug}.chapters.json", chapters_to_json(chapters))
    moved = list(estimated_starts(root, replace(episode, cuts=(Cut(0.0, 10.0),))))
    assert found and [each.problem for each in moved] == [
        each.problem.replace("0:40", "0:30").replace("0:41", "0:31").replace("0:50", "0:40").replace("0:51", "0:41") for each in found
    ]
