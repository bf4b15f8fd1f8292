"""What is published of a transcript whose episode has cuts."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Chapter, Removal, TimedTranscript, Turn, Voice, Word
from pipeline.transcript.chapters import publish_chapters
from pipeline.transcript.edited import drop_removed, publish_cues, publish_transcript
from pipeline.transcript.timed_json import transcript_from_json, transcript_to_json

CUT = (Removal(2.0, 4.0), Removal(10.0, 11.0))


def transcript(*words, doubtful=()):
    return TimedTranscript(20.0, "fr", (Turn(Voice("Nora"), tuple(words)),), doubtful=doubtful)


def texts(timed):
    return [word.text for turn in timed.turns for word in turn.words]


def test_what_was_cut_is_not_written_and_what_is_left_moves():
    found = publish_transcript(transcript(Word("un", 1, 2), Word("deux", 2, 3), Word("trois", 3, 4), Word("quatre", 4, 4.5)), CUT)
    assert [(word.text, word.start_s, word.end_s) for word in found.turns[0].words] == [("un", 1, 2), ("quatre", 2, 2.5)]
    assert found.duration_s == 17.0


def test_a_turn_of_which_nothing_is_left_is_none():
    timed = TimedTranscript(20.0, "fr", (Turn(Voice("Nora"), (Word("un", 2, 3),)), Turn(Voice("Malik"), (Word("deux", 5, 6),))))
    assert [turn.voice.name for turn in publish_transcript(timed, CUT).turns] == ["Malik"]


def test_a_word_without_times_goes_with_its_neighbours():
    cut = transcript(Word("a", 1, 2), Word("?"), Word("b", 2, 3), Word("[rires]"), Word("c", 3, 4), Word("!"), Word("d", 5, 6), Word("."))
    assert texts(drop_removed(cut, CUT)) == ["a", "?", "!", "d", "."]


def test_quotation_marks_stay_in_pairs():
    timed = transcript(Word("«\u202fMoi,", 2, 3), Word("je", 4, 5), Word("fais", 6, 7), Word("tout.\u202f»", 10, 11))
    assert texts(drop_removed(timed, CUT)) == ["«\u202fje", "fais\u202f»"]


def test_doubtful_passages_move_or_go():
    found = publish_transcript(transcript(Word("un", 1, 2), doubtful=((2.5, 3.5), (5.0, 6.0))), CUT)
    assert found.doubtful == ((3.0, 4.0),)


def test_nothing_is_cut_and_nothing_changes():
    timed = transcript(Word("un", 1, 2), Word("deux"))
    assert publish_transcript(timed, ()) == timed


@given(
    st.lists(st.tuples(st.integers(0, 19_000), st.integers(0, 900)), max_size=40), st.lists(st.integers(0, 20_000), max_size=8, unique=True)
)
def test_published_words_stay_in_order_within_the_audio(times, edges):
    edges.sort()
    cut = tuple(Removal(first / 1000, end / 1000) for first, end in zip(edges[::2], edges[1::2], strict=False))
    words = [Word(str(i), start / 1000, (start + length) / 1000) for i, (start, length) in enumerate(sorted(times))]
    found = publish_transcript(transcript(*words), cut)
    starts = [word.start_s for turn in found.turns for word in turn.words]
    assert starts == sorted(starts) and all(0 <= start_s <= found.duration_s for start_s in starts)
    assert transcript_from_json(transcript_to_json(found)) == found


def test_chapters_move_and_those_of_which_nothing_is_left_go():
    chapters = (Chapter(0, "a"), Chapter(2.5, "b"), Chapter(3.0, "c"), Chapter(10.5, "d"))
    assert [(each.start_s, each.title) for each in publish_chapters(chapters, CUT, 20.0)] == [(0, "a"), (2, "c"), (8, "d")]


def test_cues_of_a_translation_move_or_go():
    text = "WEBVTT\n\nNOTE 00:00:01.000 --> later\n\n00:00:01.000 --> 00:00:02.500\nOne\n\n00:00:02.500 --> 00:00:03.500\nTwo\n\n01:00:00.000 --> 01:00:02.000\nThree\n"
    moved = "WEBVTT\n\nNOTE 00:00:01.000 --> later\n\n00:00:01.000 --> 00:00:02.000\nOne\n\n00:59:57.000 --> 00:59:59.000\nThree\n"
    assert publish_cues(text, CUT) == moved
    assert publish_cues(text, ()) == text
