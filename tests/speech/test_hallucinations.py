"""Which of Whisper's words are removed as hallucinations, and how its pieces become words."""

from pipeline.model.transcript import Word
from pipeline.speech.hallucinations import Segment, filter_hallucinations, merge_word_pieces


def segment(text: str, *, no_speech: float = 0.1, sure: float = -0.2, start_s: float = 0.0, length_s: float = 0.3) -> Segment:
    words = tuple(Word(word, start_s + i * 0.3, start_s + i * 0.3 + length_s, 0.3) for i, word in enumerate(text.split()))
    return Segment(words, no_speech, sure)


def always_voice(_start_s: float, _end_s: float) -> bool:
    return True


def texts(*segments: Segment, voice=always_voice) -> list[str]:
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
    assert texts(segment("Merci d’avoir regardé"), segment("Bonjour", start_s=9), voice=lambda start_s, _: start_s > 5) == ["Bonjour"]


def test_a_word_without_length_is_refused_unless_it_is_sure():
    squeezed = Segment((Word("oui", 0, 1), Word("euh", 1, 1, 0.2), Word("à", 1, 1, 0.9)), 0.1, -0.2)
    assert texts(squeezed) == ["oui à"]


def test_a_loop_is_said_once_across_segments():
    assert texts(segment("avant merci à tous merci à tous"), segment("Merci à tous. merci à tous fin")) == ["avant merci à tous", "fin"]


def test_three_times_is_insistence_and_not_a_loop():
    said = "on y va on y va on y va enfin"
    assert texts(segment(said)) == [said]


def test_a_language_without_spaces_keeps_its_pieces():
    pieces = [Word(text, i, i + 1) for i, text in enumerate(["今日", "は", "天気", "。"])]
    assert [word.text for word in merge_word_pieces(pieces, "ja")] == ["今日", "は", "天気。"]
