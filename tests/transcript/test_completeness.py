"""What only the text or only the sound has is found, and words that were only recognised wrong are not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.alignment import KINDS, Spoken, heard_value, perturb
from benchmarks.transcripts import misheard, sentences, spoken
from pipeline.transcript.completeness import Comparison, compare_with_heard, voice_spans
from pipeline.transcript.document import Note
from pipeline.transcript.draft import build_draft
from pipeline.transcript.parser import parse_transcript
from pipeline.transcript.passage_notes import completeness_notes, removed_loops

SENTENCES = sentences(4, 3)
TEXT = "\n\n".join(SENTENCES)
SAID = spoken(" ".join(SENTENCES), 150, 1)
LAST_S = SAID[-1][2] + 2


def beside(text: str, heard: list[Spoken], **more: object) -> Comparison:
    return compare_with_heard(parse_transcript(text), {**heard_value(heard, LAST_S), **more})


def test_a_text_that_says_what_was_heard_has_nothing_to_compare():
    found = beside(TEXT, SAID)
    assert (found.heard, found.written, found.agreement, found.is_other_recording) == ((), (), 1.0, False)


@pytest.mark.parametrize("share", [0.08, 0.2])
def test_words_recognised_wrong_are_no_passage(share):
    found = compare_with_heard(parse_transcript(TEXT), misheard(SAID, share, 4))
    assert (found.heard, found.written, found.is_other_recording) == ((), (), False)


@given(st.integers(1, 20))
@settings(max_examples=20, deadline=None)
def test_a_sentence_taken_out_of_the_text_is_heard_and_not_in_it(place):
    (passage,) = beside("\n\n".join(SENTENCES[:place] + SENTENCES[place + 1 :]), SAID).heard
    count = len(SENTENCES[place].split())
    before = sum(len(sentence.split()) for sentence in SENTENCES[:place])
    assert abs(passage.words - count) <= 2
    assert abs(passage.start_s - SAID[before][1]) <= 1.0
    assert abs(passage.end_s - SAID[before + count - 1][2]) <= 1.0


@given(st.integers(10, 300), st.integers(8, 40))
@settings(max_examples=30, deadline=None)
def test_words_the_recogniser_lost_are_in_the_text_and_not_heard(first, count):
    (passage,) = beside(TEXT, perturb(SAID, "delete", first, count, SAID, 0)).written
    assert abs(passage.words - count) <= 3
    assert abs(passage.near_s - SAID[first - 1][2]) <= 1.5


@given(st.sampled_from(KINDS), st.integers(0, 400), st.integers(1, 3))
@settings(max_examples=50, deadline=None)
def test_a_few_words_raise_no_alarm(kind, first, count):
    heard = SAID if kind.startswith("repeat") else perturb(SAID, kind, first, count, SAID, first)
    found = beside(TEXT, heard)
    assert (found.heard, found.written) == ((), ())


def test_another_recording_is_noticed_and_half_a_one_is_not():
    others = sentences(4, 99)
    other = spoken(" ".join(others), 150, 2)
    assert beside(TEXT, other).is_other_recording
    half = [*SAID[: len(SAID) // 2], *(word for word in other if word[1] > SAID[len(SAID) // 2][2])]
    found = beside(TEXT, half)
    assert not found.is_other_recording
    assert found.heard and found.written
    assert beside(TEXT, []).is_other_recording
    assert not beside("Trois mots seulement.", other).is_other_recording


def test_a_voice_without_words_is_told_until_the_text_has_words_there():
    lost = perturb(SAID, "delete", 100, 12, SAID, 0)
    span = {"start_s": SAID[101][1], "end_s": SAID[110][2]}
    assert beside(TEXT, lost, wordless_voice=[span]).voices == ()
    assert beside(TEXT, lost, wordless_voice=[span]).written == ()  # the person wrote what the machine missed
    words = TEXT.split()
    without = " ".join(words[:100] + words[112:])
    assert beside(without, lost, wordless_voice=[span]).voices == ((span["start_s"], span["end_s"]),)


def test_a_file_without_the_optional_keys_has_neither_loops_nor_voices():
    assert (removed_loops(heard_value(SAID, LAST_S)), voice_spans(heard_value(SAID, LAST_S))) == ((), ())
    assert voice_spans({**heard_value([], 9.0), "wordless_voice": None}) == ()


def test_the_sentences_are_quantified_the_longest_first_and_in_both_languages():
    loop = {"start_s": 63.0, "end_s": 70.0, "text": "merci \x1b[2Jbeaucoup", "times": 13}
    comparison = Comparison(voices=((20.0, 40.0),))
    french, english = (completeness_notes(comparison, [loop], language) for language in ("fr", "en"))
    assert [note.sentence for note in english] == [
        "a voice, perhaps: 0:20 to 0:40",
        "a repetition was left out: 1:03 to 1:10, “merci ?[2Jbeaucoup” 13 times",
    ]
    assert french[0].sentence.replace("\u00a0", " ") == "une voix, peut-être : 0:20 à 0:40"
    assert "«\u202fmerci" in french[1].sentence and french[1].sentence.endswith("13 fois")


def test_a_voice_in_a_pause_within_a_paragraph_is_noted_too():
    words = [(f"mot{i}", i * 0.5, i * 0.5 + 0.4) for i in range(10)] + [(f"fin{i}", 6.5 + i * 0.5, 6.9 + i * 0.5) for i in range(4)]
    heard = {**heard_value(words, 9.0), "wordless_voice": [{"start_s": 5.0, "end_s": 6.4}]}
    doubts = {"version": 1, "duration_s": 9.0, "doubtful_s": 0.0, "passages": [], "corrections": []}
    tracks = [{"voice": name, "reference_db": -20.0, "levels_db": [level_db] * 180} for name, level_db in (("a", -20.0), ("b", -60.0))]
    draft = build_draft(heard, {"tracks": tracks, "hop_s": 0.05}, doubts, {}, "fr")
    assert len([block for block in draft.blocks if isinstance(block, Note) and "une voix, peut-être" in block.text]) == 1


def test_a_draft_notes_a_voice_where_it_would_say_music_or_silence():
    heard = {**heard_value([("Bonjour.", 1.0, 1.5), ("Merci.", 30.0, 30.5)], 32.0), "wordless_voice": [{"start_s": 10.0, "end_s": 17.0}]}
    doubts = {"version": 1, "duration_s": 32.0, "doubtful_s": 0.0, "passages": [], "corrections": []}
    draft = build_draft(heard, {"tracks": [], "hop_s": 0.05}, doubts, {}, "fr")
    assert [block.text.replace("\u00a0", " ") for block in draft.blocks if isinstance(block, Note)] == [
        "? une voix, peut-être : 0:10 à 0:17"
    ]
