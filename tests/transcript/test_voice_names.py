"""A person of the show is called as show.toml says, everywhere."""

import pytest

from pipeline.transcript.document import Transcript, VoiceDeclaration
from pipeline.transcript.parser import parse_transcript
from pipeline.transcript.turns import build_turns
from pipeline.transcript.voice_names import published_name, stale_names

PEOPLE = {"nora": "Nora Diallo"}


@pytest.mark.parametrize(
    ("voice", "published"),
    [
        (VoiceDeclaration("Nora", person="nora"), ("Nora", "Nora Diallo")),
        (VoiceDeclaration("Nora Belkacem", person="nora"), ("Nora Diallo", "")),
        (VoiceDeclaration("Nora", person="nora", label="Nora Belkacem"), ("Nora", "Nora Diallo")),
        (VoiceDeclaration("Nora", person="nora", label="Nora Diallo, factrice"), ("Nora", "Nora Diallo, factrice")),
        (VoiceDeclaration("Mimi", person="nora"), ("Nora Diallo", "")),
        (VoiceDeclaration("Mimi", name="Mimi", person="nora"), ("Mimi", "Nora Diallo")),
        (VoiceDeclaration("Ava", label="Ava, agente"), ("Ava", "Ava, agente")),
        (VoiceDeclaration("Ava", person="unknown"), ("Ava", "")),
    ],
)
def test_a_renamed_person_is_renamed_in_the_transcript(voice, published):
    name, label = published_name(voice, PEOPLE)
    assert (name, label) == published


def test_the_turns_of_a_person_have_the_name_of_show_toml():
    text = '+++\n[voices."Nora Belkacem"]\nperson = "nora"\n+++\nNora Belkacem : Oui.'
    (found,) = build_turns(parse_transcript(text), "fr", PEOPLE)
    assert found.turn.voice.name == "Nora Diallo"


@pytest.mark.parametrize(
    ("voice", "message"),
    [
        (VoiceDeclaration("Nora Belkacem", person="nora"), "is published as “Nora Diallo”"),
        (VoiceDeclaration("Nora", name="Nora Belkacem", person="nora"), "name “Nora Belkacem” is not the name of nora"),
        (VoiceDeclaration("Nora", person="nora", label="Nora Belkacem, factrice"), "label “Nora Belkacem, factrice” is not the name"),
    ],
)
def test_what_disagrees_with_show_toml_is_told(voice, message):
    ((key, said, hint),) = stale_names(Transcript((), (voice,)), PEOPLE)
    assert key == voice.key
    assert message in said
    assert hint


def test_what_agrees_or_names_nobody_is_left_alone():
    voices = (VoiceDeclaration("Nora", person="nora", label="Nora Diallo, factrice"), VoiceDeclaration("Ava", label="Ava, agente"))
    assert [*stale_names(Transcript((), voices), PEOPLE)] == []
