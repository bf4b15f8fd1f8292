"""Roles that no heading gives: proposed with a reason, or asked."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.transcript.document import Insert, Paragraph, Section, format_transcript
from pipeline.transcript.freeform.converter import convert
from pipeline.transcript.freeform.questions import open_questions
from pipeline.transcript.parser import parse_transcript
from pipeline.transcript.turns import build_turns

TALK = "Maud : À quelle heure ?\nTancrède : Quand vous voulez.\nMaud : Partons.\nTancrède : Larguez l’amarre."
names = st.lists(st.sampled_from(["Maud", "Tancrède", "Une passante", "Jean Petit", ""]), min_size=1, max_size=12)


def headings(text: str) -> list[str]:
    return [block.label for block in convert(text).transcript.blocks if isinstance(block, Section)]


def roles(text: str) -> list[tuple[str, str]]:
    return [(each.turn.voice.name, each.turn.voice.role) for each in build_turns(parse_transcript(text), "fr")]


@pytest.mark.parametrize("heading", ["Récit", "Générique de fin", "Narration"])
def test_only_unnamed_paragraphs_outside_inserts_are_the_narrator_s(heading):
    assert roles(f"## {heading}\n\nIl pleut.\n\nMaud : Oui.\n\nMaud : Non.\n\n« Ah bon ?\n- Maud : Si. »") == [
        ("", "récit"),
        ("Maud", ""),
        ("Maud", ""),
        ("Voix 1", ""),
        ("Maud", ""),
    ]


@given(names)
@settings(max_examples=60, deadline=None)
def test_nobody_with_a_name_is_ever_the_narrator(speakers):
    text = "Titre\n\nIl était une fois.\n\n" + "\n".join(
        f"{who} : Voilà {n}." if who else f"Il pleut {n}." for n, who in enumerate(speakers)
    )
    transcript = convert(text).transcript
    assert {turn.turn.voice.role for turn in build_turns(transcript, "fr") if turn.turn.voice.name}.isdisjoint({"récit", "générique"})


def test_turns_of_voices_that_nobody_introduces_are_proposed_as_a_fiction_and_told():
    found = convert(f"Et si le bac revenait ? Écoutez.\n{TALK}\n[musique] Et vous, que feriez-vous ?")
    assert headings(f"Et si le bac revenait ? Écoutez.\n{TALK}\n[musique] Et vous, que feriez-vous ?") == ["Fiction", "Récit"]
    assert found.transcript.blocks[-1] == Paragraph("[musique] Et vous, que feriez-vous\u202f?")
    (remark,) = [each for each in found.remarks if "proposed as a fiction" in each.reason]
    assert (remark.line, remark.text) == (2, "Maud, Tancrède")


def test_the_paragraph_that_sets_the_scene_belongs_to_the_fiction():
    found = convert(f"Il pleut depuis trois jours.\n[sonnerie] 8 h. Maud se lève.\n{TALK}").transcript.blocks
    assert found[1:3] == (Section("Fiction"), Paragraph("[sonnerie] 8\u00a0h. Maud se lève."))


@pytest.mark.parametrize(
    "text",
    [
        "Maud : Oui.\nTancrède : Non.\nMaud : Si.",
        "Bonjour, je suis Maud et voici Tancrède.\n" + TALK.replace("Tancrède :", "Tancrède Riou :"),
        TALK.replace("Maud", "Journaliste"),
        TALK.replace("Maud", "Q").replace("Tancrède", "R"),
        "Aujourd’hui, je reçois Maud.\n" + TALK,
        "Maud Riou : Oui.\nJean Petit : Non.\nMaud Riou : Si.\nJean Petit : Bon.",
        "\n".join(f"{who} : {'Je vais vous raconter. ' * 10}" for who in ("Maud", "Tancrède") * 3),
    ],
)
def test_people_who_are_introduced_and_interviews_are_no_fiction(text):
    assert "Fiction" not in headings(text)


def test_an_insert_and_a_paragraph_inside_a_fiction_belong_to_it():
    first, last = TALK.split("\n", 1)
    text = f"Il pleut.\nMaud explique.\n{first}\n« Ici la radio. »\nLe poste grésille.\n{last}\nVoilà."
    assert headings(text) == ["Fiction", "Récit"]


def test_somebody_real_ends_a_fiction():
    text = f"Titre\n\nPrésentatrice : Bonjour.\n{TALK}\nPrésentatrice : C’était « Le bac ». \nPrésentatrice : À demain."
    found = convert(text).transcript.blocks
    assert [block.label for block in found if isinstance(block, Section)] == ["Fiction", "Récit"]
    assert found.index(Section("Récit")) < found.index(Paragraph("À demain.", "Présentatrice"))


def test_in_a_part_with_a_title_of_its_own_the_voices_get_the_role():
    voices = convert(f"Titre\n\nIl pleut.\n\nÉpilogue : le bac en 2060\n\n{TALK}").transcript.voices
    assert [(voice.key, voice.role) for voice in voices] == [("Maud", "fiction"), ("Tancrède", "fiction")]


def test_an_insert_with_a_name_is_proposed_as_a_testimony_and_told():
    found = convert("Voici.\nPaul Guillot, responsable des bacs, nous explique :\n« On a compté. »")
    (voice,) = found.transcript.voices
    assert (voice.key, voice.role, voice.label) == ("Paul Guillot", "témoignage", "Paul Guillot, responsable des bacs")
    assert any("proposed as témoignage" in each.reason for each in found.remarks)


def test_a_voice_that_an_archive_has_already_keeps_the_archive_s_role():
    voices = convert(
        "Archive :\n« Paul Guillot : Oui.\n- Moi non.\n- Paul Guillot : Si. »\nVoici.\nPaul Guillot se souvient :\n« Non. »"
    ).transcript.voices
    assert [(voice.key, voice.role) for voice in voices] == [("Paul Guillot", "")]


def test_the_name_stays_in_the_words_of_whoever_says_it():
    (insert,) = (
        block
        for block in convert(
            "Micro-trottoir :\n« Je m’appelle Odile.\n- Firmin. Je suis apprenti.\n- Firmin : Moi aussi. »"
        ).transcript.blocks
        if isinstance(block, Insert)
    )
    assert [(part.voice, part.text) for part in insert.paragraphs] == [
        ("Odile", "Je m’appelle Odile."),
        ("Firmin", "Firmin. Je suis apprenti."),
        ("Firmin", "Moi aussi."),
    ]


def test_the_narrator_s_own_name_is_declared():
    (voice,) = convert("Titre\n\nJe m’appelle Inès et, avec six collègues, nous avons cherché.\nIl pleut.").transcript.voices
    assert (voice.key, voice.role) == ("Inès", "récit")


@pytest.mark.parametrize(
    ("text", "line", "question"),
    [
        ("Il pleut.\n\n« Je vous écris. »", 3, "who says"),
        ("Il pleut.\n\nMaud : Oui.\n\nMaud : Non.", 3, "what is “Maud” here"),
        ("Je m’appelle Inès, oui.\n\nJe m’appelle Paul, non.", 3, "is it another voice"),
        ("Il pleut.\n\nAnne Petit, responsable du port. Nous avons compté.", 3, "is it another voice"),
    ],
)
def test_what_is_open_is_asked_once_by_line(text, line, question):
    (found,) = open_questions(text)
    assert found.line == line
    assert question in found.message
    assert found.hint


@pytest.mark.parametrize(
    "text",
    [
        "Il pleut.\n\n## Archive\n\n« Je vous écris. »",
        "Il pleut.\n\n« Maud : Je vous écris. »\n\n« Maud : Encore. »",
        '+++\n[voices.Maud]\nrole = "témoignage"\n+++\nIl pleut.\n\nMaud : Oui.',
        "Il pleut.\n\n## Entretien\n\nMaud : Oui.\n\nMaud : Non.",
        "Maud : Oui.\n\nMaud : Non.",
        "« Jamais fermé.",
    ],
)
def test_what_the_text_answers_is_not_asked(text):
    assert open_questions(text) == ()


def test_a_proposal_answers_its_question():
    text = format_transcript(convert(f"Et si ?\n{TALK}\nVoilà.").transcript)
    assert open_questions(text) == ()


def test_the_first_line_may_be_a_turn_and_a_broken_line_is_one_sentence():
    found = convert("Solène : Papi, c’est quoi ?\nPapi : Une barque, et du coup,\ntout le monde parlait.\nSolène : Ah oui.\nPapi : Voilà.")
    assert found.header.title == ""
    assert [(block.voice, block.text) for block in found.transcript.blocks if isinstance(block, Paragraph)][:2] == [
        ("Solène", "Papi, c’est quoi\u202f?"),
        ("Papi", "Une barque, et du coup, tout le monde parlait."),
    ]
