"""Which of Whisper's words are removed as hallucinations, and how its pieces become words."""

import numpy as np

from pipeline.model.transcript import Word
from pipeline.speech.hallucinations import Segment, filter_hallucinations, merge_word_pieces, remove_loops
from pipeline.speech.voice_activity import FRAME_S


def segment(text: str, *, no_speech: float = 0.1, sure: float = -0.2, start_s: float = 0.0, length_s: float = 0.3) -> Segment:
    words = tuple(Word(word, start_s + i * 0.3, start_s + i * 0.3 + length_s, 0.3) for i, word in enumerate(text.split()))
    return Segment(words, no_speech, sure)


def voice(probability: float = 1.0, from_s: float = 0.0) -> np.ndarray:
    """The probabilities of a voice over 20 s."""
    return np.where(np.arange(round(20 / FRAME_S)) * FRAME_S >= from_s, probability, 0.0).astype(np.float32)


def texts(*segments: Segment, voice=voice()) -> list[str]:  # noqa: B008
    return [each.text for each in filter_hallucinations(segments, voice)]


def test_pieces_of_a_word_are_glued_and_take_french_spaces():
    pieces = [Word(" l'", 0, 1, 0.9), Word("hiver", 1, 2, 0.4), Word(" rendez", 2, 3), Word("-vous", 3, 4), Word(" ?", 4, 4)]
    words = merge_word_pieces(pieces, "fr")
    assert [word.text for word in words] == ["l’hiver", "rendez-vous\u202f?"]
    assert (words[0].start_s, words[0].end_s, words[0].probability) == (0, 2, 0.4)


def test_an_opening_mark_belongs_to_the_word_after_it():
    words = merge_word_pieces([Word(" il", 0, 1), Word(" «", 1, 1), Word(" dit", 1, 2), Word(" »", 2, 2)], "fr")
    assert [word.text for word in words] == ["il", "«\u202fdit\u202f»"]


def test_a_segment_whisper_itself_doubts_twice_is_refused():
    assert texts(segment("Sous-titrage ST' 501", no_speech=0.9, sure=-1.3)) == []
    assert texts(segment("peu sûr mais parlé", no_speech=0.2, sure=-1.3)) == ["peu sûr mais parlé"]
    assert texts(segment("sûr et peut-être chanté", no_speech=0.9, sure=-0.2)) == ["sûr et peut-être chanté"]


def test_a_segment_where_no_voice_is_heard_is_refused():
    assert texts(segment("Merci d’avoir regardé"), segment("Bonjour", start_s=9), voice=voice(from_s=5)) == ["Bonjour"]


def test_an_improbable_segment_needs_more_than_a_hint_of_a_voice():
    assert texts(segment("c’est", sure=-1.9)) == []  # a laugh
    assert texts(segment("c’est le premier jour", sure=-1.9), voice=voice(0.55)) == ["c’est le premier jour"]
    laughter = voice(0.0)
    laughter[3:6] = 0.9
    assert texts(segment("c’est le premier jour", sure=-1.9), voice=laughter) == []
    assert texts(segment("c’est le premier jour", sure=-0.9), voice=laughter) == ["c’est le premier jour"]


def test_a_word_without_length_is_refused_unless_it_is_sure():
    squeezed = Segment((Word("oui", 0, 1), Word("euh", 1, 1, 0.2), Word("à", 1, 1, 0.9)), 0.1, -0.2)
    assert texts(squeezed) == ["oui à"]


def test_a_loop_faster_than_speech_is_said_once_across_segments_and_told():
    first, second = segment("avant merci à tous merci à tous"), segment("Merci à tous. merci à tous fin", start_s=2.1)
    fast = [Segment(tuple(w._replace(start_s=w.start_s / 4, end_s=w.end_s / 4) for w in part.words), 0.1, -0.2) for part in (first, second)]
    kept, loops = remove_loops(tuple(fast), "fr")
    assert [each.text for each in kept] == ["avant merci à tous", "fin"]
    assert [(loop.text, loop.times) for loop in loops] == [("merci à tous", 3)]


def test_a_repetition_at_the_pace_of_speech_is_kept():
    said = segment("bonjour " * 12)
    assert remove_loops((said,), "fr") == ((said,), ())


def test_three_times_is_insistence_and_not_a_loop():
    said = segment("on y va on y va on y va enfin")
    assert remove_loops((said,), "fr") == ((said,), ())


def test_a_word_of_hundreds_of_letters_is_removed_and_told():
    endless = segment("et " + "ha" * 323 + " voilà")
    kept, loops = remove_loops((endless,), "fr")
    assert [each.text for each in kept] == ["et voilà"]
    assert [(loop.text, loop.times) for loop in loops] == [("ha" * 323, 1)]


def test_a_language_without_spaces_keeps_its_pieces():
    pieces = [Word(text, i, i + 1) for i, text in enumerate(["今日", "は", "天気", "。"])]
    assert [word.text for word in merge_word_pieces(pieces, "ja")] == ["今日", "は", "天気。"]
