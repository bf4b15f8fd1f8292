"""Quotes are found word for word, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.guide.quotes import (
    Excerpt,
    SpokenWord,
    expand_to_clip,
    locate,
    refuse_cut_quotes,
    split_sentences,
    spoken_words,
    tokens,
    without_doubts,
)
from pipeline.model.errors import CauserieError
from pipeline.model.transcript import TimedTranscript, Turn, Voice, Word
from tests.support.guide_sample import said, sample

SPOKEN = spoken_words(sample())
EVERY = split_sentences(SPOKEN)


@given(st.integers(0, len(SPOKEN) - 1), st.integers(2, 30))
@settings(max_examples=100)
def test_any_run_of_the_transcript_is_found_whatever_its_typography(first: int, count: int) -> None:
    quote = " ".join(one.word.text for one in SPOKEN[first : first + count])
    typed = quote.replace("'", "’").replace("\u202f", " ").replace(",", "").upper()
    found = locate(typed, SPOKEN, "x")
    assert tokens(found.text) == tokens(quote)


def test_a_quote_gets_the_voice_and_the_times_of_its_words() -> None:
    found = locate("les enfants et même les chiens", SPOKEN, "x")
    assert found.turn.voice == Voice("Guichetiere", "archive")
    assert (found.start_s, found.end_s) == (SPOKEN[found.start_index].word.start_s, SPOKEN[found.end_index - 1].word.end_s)


def test_a_quote_may_run_over_several_voices_and_over_sounds() -> None:
    sound = Turn(Voice(""), (Word("[rires]", 3.0, 4.0),))
    timed = TimedTranscript(20, "fr", (said("Bonjour Ava.", "Paul"), sound, said("Bonjour Paul.", "Ava", start_s=5)))
    found = locate("Bonjour Ava. Bonjour Paul.", spoken_words(timed), "x")
    assert [(voice.name, text) for voice, text in found.voice_lines()] == [("Paul", "Bonjour Ava."), ("Ava", "Bonjour Paul.")]


def test_a_missing_quote_names_the_line_and_gives_the_closest_passage() -> None:
    with pytest.raises(CauserieError) as caught:
        locate("Je connais leurs prénoms, leurs enfants et leurs chiens.", SPOKEN, "guides/x.md:12")
    assert caught.value.where == "guides/x.md:12"
    assert "Je connais les prénoms, les enfants, et même les chiens." in caught.value.hint


@pytest.mark.parametrize("quote", ["", "…", "🎉", "mairie Nous voici", "attent"])
def test_what_is_not_said_is_not_found(quote: str) -> None:
    with pytest.raises(CauserieError):
        locate(quote, SPOKEN, "x")


def test_an_empty_transcript_has_no_closest_passage() -> None:
    with pytest.raises(CauserieError) as caught:
        locate("Bonjour", (), "x")
    assert caught.value.hint


def test_sentences_stop_at_full_stops_and_turns_but_not_at_abbreviations() -> None:
    timed = TimedTranscript(20, "fr", (said("M. Paul arrive. Qui \u202f? Lui"), said("et elle.")))
    assert [one.text for one in split_sentences(spoken_words(timed))] == ["M. Paul arrive.", "Qui \u202f?", "Lui", "et elle."]


def test_a_short_clip_grows_inside_its_section_only() -> None:
    played = expand_to_clip(locate("Je leur apprendrai à dire bonjour.", SPOKEN, "x"), EVERY, SPOKEN)
    assert 10 <= played.duration_s <= 45
    assert {one.turn.section for one in played.words} == {"archive"}


def test_a_clip_leaves_the_other_quotes_alone() -> None:
    quote, other = locate("il n'y a plus personne", SPOKEN, "x"), locate("J'ai attendu deux heures", SPOKEN, "x")
    assert expand_to_clip(quote, EVERY, SPOKEN, (other,)).end_index <= other.start_index


def test_words_without_a_place_give_a_passage_without_times() -> None:
    spoken = spoken_words(TimedTranscript(9, "fr", (said("Personne ne sait quand.", start_s=None),)))
    found = expand_to_clip(locate("personne ne sait", spoken, "x"), split_sentences(spoken), spoken)
    assert (found.start_s, found.end_s) == (None, None)


def test_a_quote_whose_beginning_nothing_placed_has_no_times_rather_than_wrong_ones() -> None:
    words = (Word("Perdue"), Word("puis"), Word("entendue", 4.0, 4.5), Word("ici.", 4.6, 5.0))
    found = locate("Perdue puis entendue ici", spoken_words(TimedTranscript(20, "fr", (Turn(Voice("Ava"), words),))), "x")
    assert (found.start_s, found.end_s, found.duration_s) == (None, 5.0, 0.0)


@given(
    st.lists(st.tuples(st.floats(0, 60), st.floats(0, 9)), max_size=8),
    st.lists(st.tuples(st.floats(0, 60), st.floats(0, 5)), max_size=8),
)
def test_no_sentence_that_overlaps_a_doubt_is_sure_and_every_other_is(sentences, doubts):
    made = [Excerpt((SpokenWord(Word("mot", at, at + length), Turn(Voice(""), ()), 0),), 0) for at, length in sentences]
    spans = tuple((at, at + length) for at, length in doubts)
    expected = [one for one in made if all(one.end_s <= start_s or one.start_s >= end_s for start_s, end_s in spans)]
    assert list(without_doubts(made, spans)) == expected


def test_a_sentence_without_times_is_not_sure_where_there_are_doubts():
    untimed = Excerpt((SpokenWord(Word("mot"), Turn(Voice(""), ()), 0),), 0)
    assert without_doubts([untimed], ((1.0, 2.0),)) == ()
    assert without_doubts([untimed], ()) == (untimed,)


def test_a_quote_that_is_cut_says_so():
    words = tuple(Word(text, float(i), i + 1.0) for i, text in enumerate("Je leur apprendrai à dire bonjour.".split()))
    uncut = TimedTranscript(10.0, "fr", (Turn(Voice("Nora"), words),))
    left = TimedTranscript(8.0, "fr", (Turn(Voice("Nora"), words[:3]),))
    refuse_cut_quotes([(3, "Je leur apprendrai"), (4, "autre chose")], left, uncut, "guides/un.md")  # `locate` reports what nobody said
    with pytest.raises(
        CauserieError, match="guides/un.md:5: the quote “apprendrai à dire” is cut from this episode, or part of it is; remove"
    ):
        refuse_cut_quotes([(5, "apprendrai à dire")], left, uncut, "guides/un.md")
