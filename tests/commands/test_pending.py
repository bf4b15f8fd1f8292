"""What waits for a person."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.commands.pending import pending_work
from pipeline.config import read_config

ROOT = Path(__file__).parents[2]
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def test_a_question_about_a_text_is_asked_with_its_line(tmp_path):
    show, _ = read_config(ROOT)
    episode = replace(show.episodes[0], info=replace(show.episodes[0].info, slug="bac"))
    (tmp_path / "transcripts").mkdir()
    text = tmp_path / "transcripts/bac.md"
    text.write_text("Il pleut.\n\n« Je vous écris. »\n", encoding="utf-8")
    (found,) = pending_work(tmp_path, episode, NOW)
    assert found.startswith("answer, transcripts/bac.md:3: who says “Je vous écris.”?")
    text.write_text("Il pleut.\n\n## Archive\n\n« Je vous écris. »\n", encoding="utf-8")
    assert [*pending_work(tmp_path, episode, NOW)] == []


def test_credits_and_the_title_of_the_episode_are_no_voices_to_check(tmp_path):
    show, _ = read_config(ROOT)
    episode = replace(show.episodes[0], info=replace(show.episodes[0].info, slug="bac"))
    (tmp_path / "transcripts").mkdir()
    text = "Épisode 4 : Le bac.\n\nIl pleut.\n\nPaul : Oui.\n\nRéalisation : Jean Roche.\n"
    (tmp_path / "transcripts/bac.md").write_text(text, encoding="utf-8")
    (found,) = pending_work(tmp_path, episode, NOW)
    assert found.startswith("check whether “Paul :” is a voice, transcripts/bac.md:5")
