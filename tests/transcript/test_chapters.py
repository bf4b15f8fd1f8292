"""Chapters: by hand, proposed, and their JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.errors import CauserieError
from pipeline.model.show import Chapter
from pipeline.model.transcript import TimedTranscript, Turn, Voice, Word
from pipeline.transcript.chapters import (
    MAX_TITLE_CHARS,
    MIN_CHAPTER_S,
    chapters_from_json,
    chapters_to_json,
    propose_chapters,
    read_chapters,
    truncate_title,
    validate_chapters,
    write_chapters,
)
from pipeline.transcript.timed_json import write_timed


def transcript(*sections: tuple[str, float], duration_s: float = 300.0, language: str = "fr") -> TimedTranscript:
    """A transcript with one turn for each section, from its start."""
    turns = (Turn(Voice(""), (Word("mot", start_s, start_s + 1),), section) for section, start_s in sections)
    return TimedTranscript(duration_s, language, tuple(turns))


def test_each_section_is_a_chapter_in_whole_seconds_after_an_opening() -> None:
    found = propose_chapters(transcript(("", 4.8), ("archive", 20.9), ("", 60.2), ("Micro-trottoir", 90.0)))
    assert found == (Chapter(0, "Ouverture"), Chapter(20, "Archive"), Chapter(60, "Récit"), Chapter(90, "Micro-trottoir"))


def test_english_shows_have_english_titles() -> None:
    found = propose_chapters(transcript(("archive", 20), ("", 60), language="en"))
    assert [chapter.title for chapter in found] == ["Opening", "Archive", "Narration"]


def test_a_short_section_belongs_to_the_one_before() -> None:
    found = propose_chapters(transcript(("récit", 0), ("archive", 40), ("récit", 50), ("fiction", 100)))
    assert found == (Chapter(0, "Récit"), Chapter(100, "Fiction"))


def test_a_short_beginning_belongs_to_the_section_after() -> None:
    assert propose_chapters(transcript(("récit", 5), ("archive", 40))) == (Chapter(0, "Récit"), Chapter(40, "Archive"))


def test_an_episode_without_sections_is_one_chapter() -> None:
    assert propose_chapters(transcript(("", 3))) == (Chapter(0, "Ouverture"),)
    assert propose_chapters(TimedTranscript(4.0, "fr", ())) == (Chapter(0, "Ouverture"),)


def test_turns_that_were_not_placed_do_not_start_a_chapter() -> None:
    unplaced = Turn(Voice(""), (Word("mot"),), "fiction")
    assert propose_chapters(TimedTranscript(60.0, "fr", (unplaced,))) == (Chapter(0, "Ouverture"),)


@given(st.lists(st.tuples(st.sampled_from(["", "archive", "récit", "fiction"]), st.floats(0, 290)), max_size=12))
@settings(max_examples=100)
def test_proposed_chapters_always_satisfy_the_players(sections: list[tuple[str, float]]) -> None:
    found = propose_chapters(transcript(*sorted(sections, key=lambda section: section[1])))
    ends = [chapter.start_s for chapter in found[1:]] + [300]
    assert found[0].start_s == 0
    assert all(end - chapter.start_s >= MIN_CHAPTER_S for chapter, end in zip(found, ends, strict=True))
    assert all(0 < len(chapter.title) <= MAX_TITLE_CHARS for chapter in found)


@given(st.text(min_size=1, max_size=80))
@settings(max_examples=100)
def test_a_shortened_title_fits_and_a_short_one_keeps_its_french_spaces(title: str) -> None:
    assert len(truncate_title(title)) <= MAX_TITLE_CHARS
    assert truncate_title("Qui parle\u202f?") == "Qui parle\u202f?"


def test_a_long_title_is_cut_after_a_word() -> None:
    assert truncate_title("La grand-mère, la file d’attente et tous les autres") == "La grand-mère, la file d’attente et…"


def test_chapters_by_hand_win_and_begin_at_zero(tmp_path: Path) -> None:
    write_timed(tmp_path / "timed.json", transcript(("archive", 20)))
    by_hand = (Chapter(12.9, "La file", "https://example.org/"), Chapter(80.0, "Le guichet"))
    write_chapters(tmp_path / "timed.json", chapters=tmp_path / "chapters.json", by_hand=by_hand, slug="un")
    assert json.loads((tmp_path / "chapters.json").read_text("utf-8")) == {
        "version": "1.2.0",
        "chapters": [
            {"startTime": 0, "title": "Ouverture"},
            {"startTime": 12.9, "title": "La file", "url": "https://example.org/"},
            {"startTime": 80, "title": "Le guichet"},
        ],
    }
    assert read_chapters(tmp_path / "chapters.json")[1] == Chapter(12.9, "La file", "https://example.org/")


def test_a_chapter_after_the_end_is_named_with_both_times() -> None:
    with pytest.raises(
        CauserieError, match="^episodes/un/episode.toml: chapters: chapter “Trop tard” starts at 1:23, but the audio ends at 1:00"
    ):
        validate_chapters((Chapter(0, "Début"), Chapter(83, "Trop tard")), transcript(duration_s=60.5), "un")


def test_chapters_out_of_order_are_named() -> None:
    with pytest.raises(CauserieError, match="“B” starts at 0:30, not after “A”, at 0:30"):
        validate_chapters((Chapter(30.2, "A"), Chapter(30.2001, "B")), transcript(), "un")


@given(
    st.lists(
        st.builds(
            Chapter, st.integers(0, 9_999_999).map(lambda ms: ms / 1000), st.text(min_size=1), st.text(max_size=9), st.text(max_size=9)
        ),
        max_size=5,
    ).map(tuple)
)
@settings(max_examples=50)
def test_chapters_survive_their_json(found: tuple[Chapter, ...]) -> None:
    assert chapters_from_json(json.loads(json.dumps(chapters_to_json(found)))) == found
