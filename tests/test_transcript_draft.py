"""The machine's draft."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.drafts import untouched
from pipeline.transcript.draft import draft, drafted
from pipeline.transcript.grammar import parse
from pipeline.transcript.text import Declared, Note, Paragraph, write

NAMES = {"nora": "Nora Belkacem", "malik": "Malik Aubry", "nora2": "Nora Petit"}
ONE_TRACK = {"tracks": [], "hop_s": 0.05}


def heard(*parts: tuple[str, float], doubt: str = "", duration_s: float = 20.0) -> dict:
    """Sentences and when they begin; a word lasts 0.3 s. Words of `doubt` are improbable."""
    words = [
        {"text": word, "start_s": start_s + i * 0.3, "end_s": start_s + (i + 1) * 0.3, "probability": 0.2 if word in doubt.split() else 0.9}
        for text, start_s in parts
        for i, word in enumerate(text.split())
    ]
    return {"duration_s": duration_s, "segments": [{"words": words}]}


def tracks(*voices: str, loud: str, hop_s: float = 0.5) -> dict:
    """One letter every `hop_s` says which track is loud; the second is recorded 20 dB lower than the first."""
    levels = [[(-20.0 if letter == str(i) else -50.0) - 20.0 * i for letter in loud] for i in range(len(voices))]
    return {"hop_s": hop_s, "tracks": [{"voice": voice, "levels_db": level} for voice, level in zip(voices, levels, strict=True)]}


def blocks(what: dict, activity: dict = ONE_TRACK, language: str = "fr") -> tuple:
    return drafted(what, activity, NAMES, language).blocks


def test_one_recording_gives_bare_paragraphs_cut_at_pauses():
    what = heard(("Bonjour à tous.", 0.5), ("Voici la suite.", 1.5), ("Plus tard.", 4.0), duration_s=5)
    assert blocks(what) == (Paragraph("Bonjour à tous. Voici la suite."), Paragraph("Plus tard."))


def test_a_track_each_gives_the_voices_whatever_their_levels():
    what = heard(("Bonjour Malik.", 0.0), ("Bonjour Nora.", 1.0), ("Allons-y.", 2.0), duration_s=3)
    found = drafted(what, tracks("nora", "malik", loud="001100"), NAMES, "fr")
    assert [(block.voice, block.text) for block in found.blocks] == [
        ("Nora", "Bonjour Malik."),
        ("Malik", "Bonjour Nora."),
        ("Nora", "Allons-y."),
    ]
    assert found.voices[0] == Declared("Nora", person="nora", label="Nora Belkacem")


def test_two_people_with_one_first_name_keep_their_full_names():
    found = drafted(heard(("Oui.", 0.0)), tracks("nora", "nora2", loud="00"), NAMES, "fr")
    assert [voice.key for voice in found.voices] == ["Nora Belkacem", "Nora Petit"]


def test_a_track_of_nobody_known_is_a_numbered_voice():
    found = drafted(heard(("Yes.", 0.0)), tracks("", "malik", loud="00"), NAMES, "en")
    assert [voice.key for voice in found.voices] == ["Voice 1", "Malik"]


def test_a_long_place_without_words_is_a_note_and_not_a_claim():
    assert blocks(heard(("Bonjour.", 5.0), duration_s=12)) == (
        Note("? [musique] ou silence (0:00–0:05)"),
        Paragraph("Bonjour."),
        Note("? [musique] ou silence (0:05–0:12)"),
    )
    assert blocks(heard(duration_s=10)) == (Note("? [musique] ou silence (0:00–0:10)"),)


def test_doubtful_words_are_gathered_after_their_paragraph():
    what = heard(("Voici ma grande sœur, demain.", 1.0), doubt="grande sœur, demain.", duration_s=3)
    assert blocks(what)[1] == Note("? «\u202fgrande sœur, demain\u202f» (0:01)")


def test_the_file_is_a_stamped_draft_that_tells_how_to_correct_it(tmp_path):
    (tmp_path / "words.json").write_text(json.dumps(heard(("Bonjour.", 1.0))), encoding="utf-8")
    (tmp_path / "activity.json").write_text(json.dumps(ONE_TRACK), encoding="utf-8")
    draft(tmp_path / "words.json", tmp_path / "activity.json", text=tmp_path / "x.md", names=NAMES, language="fr")
    text = (tmp_path / "x.md").read_text(encoding="utf-8")
    assert untouched(text)
    assert "# Ce que la machine a entendu" in text
    assert parse(text, people=NAMES).blocks[0] == Paragraph("Bonjour.")


@given(st.lists(st.sampled_from(["«", "»", "[", "]", "-", "##", "%%", "@1:00", "Nora", ":", "\\", "+++", "oui.", "<b>"]), max_size=12))
@settings(max_examples=100, deadline=None)
def test_whatever_the_machine_heard_the_draft_can_be_read_back(words):
    found = drafted(heard((" ".join(words), 0.0)), tracks("nora", "malik", loud="01" * 9), NAMES, "fr")
    assert parse(write(found), people=NAMES) == found
