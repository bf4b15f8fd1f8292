"""Chapters: by hand, proposed, and their JSON."""

from __future__ import annotations

import json
from dataclasses import replace
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
    are_proposed,
    chapters_from_json,
    chapters_to_json,
    has_topics,
    propose_chapters,
    read_chapters,
    truncate_title,
    validate_chapters,
    write_chapters,
)
from pipeline.transcript.timed_json import write_timed
from tests.support.topical_speech import TOPICS, interview


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


@pytest.mark.parametrize("seed", [1, 2])
def test_an_hour_of_talk_has_a_chapter_for_each_topic_titled_with_its_words(seed: int) -> None:
    spoken, starts = interview(seed)
    found = propose_chapters(spoken)
    assert 6 <= len(found) <= 12
    assert [min(abs(chapter.start_s - start_s) for chapter in found) < 5 for start_s in starts] == [True] * len(starts)
    assert {chapter.title.lower() for chapter in found} == set(TOPICS)
    assert has_topics(found, spoken)


def test_short_episodes_keep_their_sections_and_are_not_labelled() -> None:
    spoken = transcript(("archive", 20), ("", 60))
    assert not has_topics(propose_chapters(spoken), spoken)


def test_music_divides_better_than_a_silence_as_long() -> None:
    def spoken(*gaps: tuple[float, str]) -> TimedTranscript:
        words, at = [], 0.0
        while at < 860:
            sound = dict(gaps).get(at)
            if sound is not None:
                words += [Word(sound, at, at + 10)] if sound else []
                at += 10
                continue
            words.append(Word("fin." if at % 10 == 9 else "mot", at, at + 0.9))
            at += 1
        return TimedTranscript(860.0, "fr", (Turn(Voice("Nora"), tuple(words)),))

    for gaps in (((400.0, ""), (450.0, "[musique]")), ((400.0, "[musique]"), (450.0, ""))):
        music_s = next(at for at, sound in gaps if sound)
        assert [chapter.start_s for chapter in propose_chapters(spoken(*gaps))] == [0, music_s + 10]


def test_a_question_that_opens_a_passage_is_its_title_when_it_fits() -> None:
    spoken, _ = interview(3)
    ask = Turn(Voice("Nora"), tuple(Word(text, 2.0, 2.2) for text in "Et vous, que faites-vous là\u202f?".split(" ")))
    found = propose_chapters(replace(spoken, turns=(ask, *spoken.turns)))
    assert found[0].title == "Et vous, que faites-vous là\u202f?"


def test_no_title_is_used_twice_where_the_words_give_another() -> None:
    texts = {
        "archive": "la mairie annexe la mairie annexe",
        "": "le vieux moulin le vieux moulin",
        "récit": "une grande fête une grande fête",
    }
    turns = [
        Turn(Voice(""), tuple(Word(text, start_s + i, start_s + i + 0.5) for i, text in enumerate(texts[section].split())), section)
        for section, start_s in (("récit", 0), ("archive", 60), ("récit", 120))
    ]
    turns[2] = replace(
        turns[2], words=tuple(word._replace(text=text) for word, text in zip(turns[2].words, texts[""].split(), strict=True))
    )
    assert [chapter.title for chapter in propose_chapters(TimedTranscript(300.0, "fr", tuple(turns)))] == [
        "Récit",
        "Archive",
        "Le vieux moulin",
    ]


def test_a_long_episode_of_many_sections_has_twelve_chapters_an_hour_at_most() -> None:
    found = propose_chapters(transcript(*((f"archive {i}", i * 100.0) for i in range(36)), duration_s=3600.0))
    assert len(found) == 12


def test_proposed_chapters_are_labelled_and_those_by_hand_are_not(tmp_path: Path) -> None:
    write_timed(tmp_path / "timed.json", interview(1)[0])
    for by_hand in ((), (Chapter(0, "Début"),)):
        write_chapters(tmp_path / "timed.json", chapters=tmp_path / "chapters.json", by_hand=by_hand, slug="a")
        assert are_proposed(tmp_path / "chapters.json") == (not by_hand)


@given(
    st.floats(0, 5000),
    st.lists(st.sampled_from(["[musique]", "Oui.", "mot", "Quoi ?", "file", "d’attente,"]), max_size=200),
    st.floats(0.1, 60),
)
@settings(max_examples=60)
def test_whatever_is_said_chapters_are_in_order_and_long_enough(first_s: float, texts: list[str], step_s: float) -> None:
    words = tuple(Word(text, first_s + i * step_s, first_s + i * step_s + step_s / 2) for i, text in enumerate(texts))
    duration_s = first_s + len(texts) * step_s + 1
    found = propose_chapters(TimedTranscript(duration_s, "fr", (Turn(Voice("a"), words[:50]), Turn(Voice(""), words[50:]))))
    starts = [chapter.start_s for chapter in found]
    assert starts[0] == 0
    assert all(after - before >= MIN_CHAPTER_S for before, after in zip(starts, starts[1:], strict=False))
    assert all(0 < len(chapter.title) <= MAX_TITLE_CHARS for chapter in found)
