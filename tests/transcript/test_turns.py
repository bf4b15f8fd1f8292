"""Speaker turns, and their words as printed."""

import pytest

from pipeline.model.transcript import Voice
from pipeline.transcript.parser import parse_transcript
from pipeline.transcript.turns import build_turns, is_placeholder_name, printed_words, section_role


def voices(text: str, language: str = "fr") -> list[tuple[str, str]]:
    return [(each.turn.voice.name, each.turn.voice.role) for each in build_turns(parse_transcript(text), language)]


def words(text: str, language: str = "fr") -> list[str]:
    return [word.text for word in printed_words(text, language)]


def test_a_bare_paragraph_is_the_narrator_in_the_shows_language():
    assert voices("Bonjour.") == [("", "récit")]
    assert voices("Hello.", "en") == [("", "narration")]


def test_the_narrator_is_the_one_person_declared_with_that_role():
    text = "+++\n[voices.Nora]\nrole = 'récit'\nperson = 'nora'\n+++\nBonjour."
    assert build_turns(parse_transcript(text), "fr")[0].turn.voice == Voice("", "récit", "nora")


def test_a_declared_voice_keeps_its_role_and_a_section_gives_one_to_others():
    text = "+++\n[voices]\nAva = { role = 'fiction', label = 'Ava, agente', person = 'a' }\n+++\n"
    text += "## Archive : 1978\n\nAva : Un.\n\nGil : Deux.\n\nGil : Trois."
    found = [each.turn.voice for each in build_turns(parse_transcript(text), "fr")]
    assert found == [Voice("Ava", "fiction", "a", "Ava, agente"), Voice("Gil", "archive"), Voice("Gil", "archive")]


def test_two_unnamed_voices_answer_each_other():
    assert [name for name, _ in voices("## Archive\n\n« Un.\n- Deux.\n- Trois.\n- Quatre. »")] == [
        *("Archive, voix 1", "Archive, voix 2") * 2
    ]


def test_passers_by_follow_each_other():
    names = [name for name, _ in voices("## Micro-trottoir\n\n« Un.\n- Deux.\n- Trois. »\n\n« Quatre. »")]
    assert names == ["Passant 1", "Passant 2", "Passant 3", "Passant 4"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("fr", ["Passant 1", "Archive, voix 1", "Voix 1", "Passant 2", "Archive, voix 2", "Témoin 1"]),
        ("en", ["Passer-by 1", "Archive, voice 1", "Voice 1", "Passer-by 2", "Archive, voice 2", "Witness 1"]),
    ],
)
def test_no_two_unnamed_people_of_an_episode_have_the_same_name(language, expected):
    labels = ("Micro-trottoir", "Archive : 1958", "Récit", "Micro-trottoir", "Archive : 1978", "Témoignage")
    names = [name for name, _ in voices("\n\n".join(f"## {label}\n\n« Un. »" for label in labels), language)]
    assert names == expected
    assert all(is_placeholder_name(name) for name in names)
    assert not any(is_placeholder_name(name) for name in ("Nora", "Archive", "Paul 2", "Voix", "Passante 2"))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("« [musique] Oui. »", "[musique] «\u202fOui.\u202f»"),
        ("« Oui. [rires] »", "«\u202fOui.\u202f» [rires]"),
        ("« Oui. […] »", "«\u202fOui. […]\u202f»"),
        ("« [musique] »", "[musique]"),
        ("« Il dit : « Un. » »", "«\u202fIl dit\u00a0: «\u202fUn.\u202f»\u202f»"),
    ],
)
def test_an_insert_keeps_one_space_and_its_sounds_stand_outside_its_marks(typed, said):
    assert " ".join(each.turn.text for each in build_turns(parse_transcript(typed), "fr")) == said


def test_a_named_change_of_voice_in_an_insert_stays_until_the_next():
    assert [name for name, _ in voices("« Un.\n- Gil : Deux.\n\nTrois.\n- Quatre.\n- Gil : Cinq. »")] == [
        "Voix 1",
        "Gil",
        "Gil",
        "Voix 2",
        "Gil",
    ]


def test_an_insert_keeps_its_quotation_marks_its_section_and_its_anchor():
    first, last = build_turns(parse_transcript("## Archive : 1978\n\n@0:20 « Un.\n- Deux. »"), "fr")
    assert (first.turn.text, last.turn.text) == ("«\u202fUn.", "Deux.\u202f»")
    assert (first.turn.section, first.turn.insert, first.anchor_s) == ("Archive : 1978", True, 20.0)


def test_a_sound_alone_belongs_to_nobody_and_a_note_is_never_published():
    assert voices("[musique]\n\n%% secret\n\nBonjour [rires] à tous.") == [("", ""), ("", "récit")]


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Archive : 1978", "archive"),
        ("Micro-trottoir", "micro-trottoir"),
        ("Fiction", "fiction"),
        ("Récit", "récit"),
        ("Chez le boulanger", ""),
    ],
)
def test_a_section_is_of_a_known_kind_or_of_none(label, kind):
    assert section_role(label) == kind


def test_words_carry_their_punctuation_and_their_no_break_spaces():
    assert words("« Dites-moi » : c'est 10 % ?") == ["«\u202fDites-moi\u202f»\u00a0:", "c’est", "10\u00a0%\u202f?"]
    assert words("Bonjour – dit-il … – fin") == ["Bonjour\u00a0–", "dit-il\u00a0…\u00a0–", "fin"]


def test_a_sound_is_one_word_and_an_ellipsis_is_not_a_sound():
    found = printed_words("Oui[bruit de pas] alors […] fin", "fr")
    assert [word.text for word in found] == ["Oui", "[bruit de pas]", "alors", "[…]", "fin"]
    assert [word.is_sound for word in found] == [False, True, False, False, False]


def test_characters_that_reorder_or_hide_text_are_dropped():
    assert words("gui\u202echet\u200b \x1b[31m]") == ["guichet", "[31m]"]
