"""The draft made from the recognised words."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engine.drafts import is_unedited_draft
from pipeline.model.show import Glossary, Term
from pipeline.transcript.align import align_turns
from pipeline.transcript.document import Note, Paragraph, VoiceDeclaration, format_transcript
from pipeline.transcript.draft import build_draft, draft_transcript
from pipeline.transcript.parser import parse_transcript
from pipeline.transcript.turns import build_turns

NAMES = {"nora": "Nora Belkacem", "malik": "Malik Aubry", "nora2": "Nora Petit"}
ONE_TRACK = {"tracks": [], "hop_s": 0.05}
NO_DOUBTS = {"passages": []}


def recognition(*parts: tuple[str, float], duration_s: float = 20.0) -> dict:
    """`words.json` of sentences with their starts; a word lasts 0.3 s."""
    words = [
        {"text": word, "start_s": start_s + i * 0.3, "end_s": start_s + (i + 1) * 0.3, "probability": 0.9}
        for text, start_s in parts
        for i, word in enumerate(text.split())
    ]
    return {"language": "fr", "duration_s": duration_s, "segments": [{"words": words}]}


def tracks(*voices: str, loud: str, hop_s: float = 0.5) -> dict:
    """One letter every `hop_s` says which track is loud; the second is recorded 20 dB lower than the first."""
    levels = [[(-20.0 if letter == str(i) else -50.0) - 20.0 * i for letter in loud] for i in range(len(voices))]
    told = [{"voice": voice, "reference_db": -20.0 - 20.0 * i, "levels_db": levels[i]} for i, voice in enumerate(voices)]
    return {"hop_s": hop_s, "tracks": told}


def blocks(what: dict, activity: dict = ONE_TRACK, language: str = "fr") -> tuple:
    """The blocks of a draft without doubtful passages."""
    return build_draft(what, activity, NO_DOUBTS, NAMES, language).blocks


def turns(what: dict, activity: dict) -> list[tuple[str, str]]:
    """The voices and texts of the draft."""
    return [(block.voice, block.text) for block in blocks(what, activity) if isinstance(block, Paragraph)]


def test_one_recording_gives_bare_paragraphs_cut_at_pauses():
    what = recognition(("Bonjour à tous.", 0.5), ("Voici la suite.", 1.5), ("Plus tard.", 4.0), duration_s=5)
    assert blocks(what) == (Paragraph("Bonjour à tous. Voici la suite."), Paragraph("Plus tard."))


def test_a_track_each_gives_the_voices_whatever_their_levels():
    what = recognition(("Bonjour Malik.", 0.0), ("Bonjour Nora.", 1.0), ("Allons-y.", 2.0), duration_s=3)
    found = build_draft(what, tracks("nora", "malik", loud="001100"), NO_DOUBTS, NAMES, "fr")
    assert [(block.voice, block.text) for block in found.blocks] == [
        ("Nora", "Bonjour Malik."),
        ("Malik", "Bonjour Nora."),
        ("Nora", "Allons-y."),
    ]
    assert found.voices[0] == VoiceDeclaration("Nora", person="nora")  # show.toml has her full name


def test_two_people_with_one_first_name_keep_their_full_names():
    found = build_draft(recognition(("Oui.", 0.0)), tracks("nora", "nora2", loud="00"), NO_DOUBTS, NAMES, "fr")
    assert [voice.key for voice in found.voices] == ["Nora Belkacem", "Nora Petit"]


def test_a_track_of_nobody_known_is_a_numbered_voice():
    found = build_draft(recognition(("Yes.", 0.0)), tracks("", "malik", loud="00"), NO_DOUBTS, NAMES, "en")
    assert [voice.key for voice in found.voices] == ["Voice 1", "Malik"]


def test_a_long_place_without_words_is_a_note_and_not_a_claim():
    assert blocks(recognition(("Bonjour.", 5.0), duration_s=12)) == (
        Note("? [musique] ou silence (0:00–0:05)"),
        Paragraph("Bonjour."),
        Note("? [musique] ou silence (0:05–0:12)"),
    )
    assert blocks(recognition(duration_s=10)) == (Note("? [musique] ou silence (0:00–0:10)"),)


GLOSSARY = Glossary((Term("Oui-Non", ("oui",)),))


def doubts_of(text: str, *reasons: str, start_s: float = 0.0) -> dict:
    """`doubts.json` with one passage."""
    return {"passages": [{"start_s": start_s, "end_s": start_s + 1.5, "text": text, "score": 0.5, "reasons": list(reasons)}]}


def test_a_doubtful_passage_is_noted_after_its_paragraph_with_its_reasons():
    what = recognition(("Voici ma grande sœur.", 1.0), ("Demain.", 5.0), duration_s=8)
    found = build_draft(what, ONE_TRACK, doubts_of("Voici ma grande sœur.", "unsure words", "repetition", start_s=1.0), NAMES, "fr").blocks
    assert found[1] == Note("? 0:01–0:03 «\u202fVoici ma grande sœur\u202f» (mots peu sûrs, répétition)")
    assert isinstance(found[2], Paragraph)


def test_what_the_glossary_corrects_is_written_and_noted():
    found = build_draft(recognition(("Alors oui, demain.", 1.0), duration_s=4), ONE_TRACK, NO_DOUBTS, NAMES, "fr", GLOSSARY).blocks
    assert found == (Paragraph("Alors Oui-Non, demain."), Note("glossaire\u00a0: «\u202foui\u202f» → Oui-Non (0:01)"))


def test_a_voice_that_changes_inside_a_sentence_is_another_turn():
    what = recognition(("Vous venez demain oui volontiers demain.", 0.0), duration_s=3)
    assert turns(what, tracks("nora", "malik", loud="000111", hop_s=0.3)) == [
        ("Nora", "Vous venez demain"),
        ("Malik", "oui volontiers demain."),
    ]


def test_a_moment_of_the_other_is_no_turn():
    what = recognition(("Vous venez tous demain.", 0.0), duration_s=3)
    assert turns(what, tracks("nora", "malik", loud="001000", hop_s=0.2)) == [("Nora", "Vous venez tous demain.")]


def test_two_who_speak_at_once_are_told_and_bleed_is_not():
    what = recognition(("Un deux trois quatre cinq six sept.", 0.0), duration_s=3)
    loud = tracks("nora", "malik", loud="0" * 60 + "1" * 30, hop_s=0.05)
    assert not [block for block in blocks(what, loud) if isinstance(block, Note)]
    loud["tracks"][1]["levels_db"][10:30] = [-41.0] * 20
    assert Note("? deux voix à la fois (0:00–0:01)") in blocks(what, loud)


def test_the_file_is_a_stamped_draft_that_tells_how_to_correct_it(tmp_path):
    (tmp_path / "words.json").write_text(json.dumps(recognition(("Bonjour.", 1.0))), encoding="utf-8")
    (tmp_path / "activity.json").write_text(json.dumps(ONE_TRACK), encoding="utf-8")
    (tmp_path / "doubts.json").write_text(json.dumps(NO_DOUBTS), encoding="utf-8")
    draft_transcript(
        *(tmp_path / f"{name}.json" for name in ("words", "activity", "doubts")), text=tmp_path / "x.md", names=NAMES, language="fr"
    )
    text = (tmp_path / "x.md").read_text(encoding="utf-8")
    assert is_unedited_draft(text)
    assert "# Ce que la machine a entendu" in text
    assert parse_transcript(text, people=NAMES).blocks[0] == Paragraph("Bonjour.")


@given(st.lists(st.sampled_from(["«", "»", "[", "]", "-", "##", "%%", "@1:00", "Nora", ":", "\\", "+++", "oui.", "<b>"]), max_size=12))
@settings(max_examples=100, deadline=None)
def test_whatever_the_machine_heard_the_draft_can_be_read_back(words):
    found = build_draft(
        recognition((" ".join(words), 0.0)), tracks("nora", "malik", loud="01" * 9), doubts_of(" ".join(words)), NAMES, "fr", GLOSSARY
    )
    assert parse_transcript(format_transcript(found), people=NAMES) == found


def test_two_microphones_of_one_person_are_one_voice_that_can_be_read_again():
    said = recognition(("Oui, bonjour.", 0.0), ("Et vous ?", 3.0))
    found = build_draft(said, tracks("nora", "nora", "malik", loud="0" * 5 + "2" * 5), NO_DOUBTS, NAMES, "fr")
    assert [voice.key for voice in found.voices] == ["Nora", "Malik"]
    assert parse_transcript(format_transcript(found)).voices == found.voices


def test_japanese_is_drafted_without_spaces_and_every_character_has_its_time():
    said = "今日はニュースです。"
    words = [{"text": char, "start_s": index * 0.5, "end_s": index * 0.5 + 0.5, "probability": 0.9} for index, char in enumerate(said)]
    what = {**recognition(("x", 0.0)), "language": "ja", "segments": [{"text": said, "words": words, "average_log_probability": -0.2}]}
    (paragraph,) = (block for block in blocks(what, language="ja") if isinstance(block, Paragraph))
    assert paragraph.text == said
    (turn,) = align_turns(build_turns(parse_transcript(f"{said}\n"), "ja"), what).turns
    assert turn.text == said
    assert [(word.text, word.start_s) for word in turn.words][:3] == [("今", 0.0), ("日", 0.5), ("は", 1.0)]


def test_a_space_that_a_person_put_between_japanese_words_stays():
    (turn,) = align_turns(build_turns(parse_transcript("気が 実際 iPhone を\n"), "ja"), recognition(("x", 0.0))).turns
    assert turn.text == "気が 実際 iPhone を"


def test_french_ordinals_are_drafted_as_they_are_printed():
    (paragraph,) = (block for block in blocks(recognition(("le 3ème et les 2èmes", 1.0))) if isinstance(block, Paragraph))
    assert paragraph.text == "le 3e et les 2es"
