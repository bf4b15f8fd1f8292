"""Every word of a source is in the transcript, or in the report; what is said is published."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.errors import CauserieError
from pipeline.transcript.document import Insert, Note, Paragraph, Section
from pipeline.transcript.freeform.converter import Conversion, convert
from pipeline.transcript.freeform.word_audit import split_words

WORDS = "bac rive amarre fleuve passeur quai brume lanterne écluse œuvre naïf aujourd'hui l'eau demi-heure 1958 Saint-Arbre partons".split()
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(lambda words: " ".join(words).capitalize() + ".")
FORMS = (
    "{}",
    "Maud : {}",
    "MAUD : {}",
    "Tancrède (le passeur) : {}",
    "Maud (en riant) : {}",
    "JEAN PETIT — {}",
    "[Maud] {}",
    "MAUD. - {}",
    "TANCRÈDE, à part. — {}",
    "MAUD\n{}",
    "« {} »",
    "« {}",
    "- {}",
    "— {} »",
    "[voix off] {}",
    "« {} [voix off] Anne Petit, gardienne. Et puis voilà. »",
    "Maud : {} [voix off] Il pleuvait. Et alors ?",
    "[musique] {}",
    "(rires) {}",
    "(Le rideau tombe) {}",
    "Archive : 1958\n« {} »",
    "Micro-trottoir :\n« {}\n- Moi aussi. »",
    "Fiction :\n{}",
    "Générique d'introduction : [musique]\n{}",
    "Générique de fin : [musique]\n{}",
    "Merci à tous ceux qui {}",
    "Avec les voix de Anne Petit, Jean Roche et {}",
    "Réalisation : Studio {}",
    "Production sonore, mixage : {}",
    "Épisode 2 : {}",
    "C'était « Le bac », un podcast écrit par {}",
    "Narratrice : {}",
    "Voix off : {}",
    "Anne Petit, directrice du port, nous explique :\n« {} »",
    "Et là... {}",
    "Il dit (...) {}",
    "{} (...)",
    "Point santé :\n{}",
    "Partager, {}",
    "Script de {}",
    "FIN DU MONDE {}",
)


def texts(forms: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Loose texts of lines of these forms."""
    lines = st.lists(st.tuples(st.sampled_from(forms), sentences), min_size=1, max_size=14)
    return lines.map(lambda parts: "\n".join(form.format(sentence) for form, sentence in parts))


loose = texts(FORMS)
delimited = texts(tuple(form for form in FORMS if "le passeur" not in form)).map(  # a full name is given once
    "Titre du bac\nBAC_EP2_VF\n(début fichier audio « BAC_EP2_VF »)\n{}\n(fin fichier audio « BAC_EP2_VF »)".format
)


def published(found: Conversion) -> Counter[str]:
    """The words that the transcript publishes: speech, sounds, names and headings, without notes."""
    texts = []
    for block in found.transcript.blocks:
        match block:
            case Section(label):
                texts.append(label)
            case Insert(paragraphs):
                texts += [f"{each.voice} {each.text}" for each in paragraphs]
            case Paragraph(text, voice):
                texts.append(f"{voice} {text}")
    texts += [voice.label for voice in found.transcript.voices]
    return Counter(word for text in texts for word in split_words(text))


@given(loose)
@settings(max_examples=80, deadline=None)
def test_every_word_is_in_the_transcript_or_in_the_report(text):
    try:
        found = convert(text)
    except CauserieError:
        return
    notes = [block.text for block in found.transcript.blocks if isinstance(block, Note)]
    told = [remark.text for remark in (*found.remarks, *found.unplaced)]
    kept = published(found) + Counter(word for each in (*notes, *told) for word in split_words(each))
    assert not Counter(split_words(text)) - kept
    assert found.words.read == len(split_words(text))


@given(delimited)
@settings(max_examples=80, deadline=None)
def test_what_stands_between_the_marks_of_the_audio_is_published(text):
    found = convert(text)
    said = text.split("\n", 3)[3].rsplit("\n", 1)[0]
    unsaid = re.compile(r"(?im)^\W*(narratrice|voix off)(?= *:)")  # labels of the narrator, whose words are plain paragraphs
    told = Counter(word for remark in found.remarks if remark.reason.endswith("left out") for word in split_words(remark.text))
    assert not Counter(split_words(unsaid.sub("", said))) - published(found) - told


def test_the_counter_says_how_many_words_are_only_in_the_report():
    found = convert("Titre\n\nNarratrice : Il pleut.\nMaud : Oui.\nMaud : Non.").words
    assert (found.read, found.kept) == (8, 7)


@pytest.mark.parametrize(
    "line",
    [
        "Merci à toutes celles et ceux qui ont prêté leur voix.",
        "Réalisation : Studio des Quais.",
        "Avec : Inès Maurel, Théo Lagarde.",
        "Avec les voix de Inès Maurel et Théo Lagarde.",
        "C’était « Un pont sur la Vire », écrit par les habitants.",
        "Un podcast produit par la mairie, mixé par Léa Roy.",
        "Musique originale : Orso Nello",
        "Mixage et montage Léa Roy",
    ],
)
def test_spoken_credits_are_facts_and_speech(line):
    found = convert(
        f"Titre\nDurée : 00h08\n(début fichier audio « A »)\nBonjour.\nGénérique de fin : [musique]\n{line}\n(fin fichier audio « A »)"
    )
    assert Paragraph(line) in [
        Paragraph(block.text.replace("\u00a0", " ").replace("\u202f", " "))
        for block in found.transcript.blocks
        if isinstance(block, Paragraph)
    ]


def test_spoken_thanks_and_producers_are_facts_too():
    head = convert("(début fichier audio « A »)\nBonjour.\nProduction sonore : Studio X\nMerci à tous.\n(fin fichier audio « A »)").header
    assert (head.production, head.thanks) == ("Studio X", ("Merci à tous.",))


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("Et là... rien.", "three full stops"),
        ("L'eau.", "apostrophes"),
        ("Il dit (...) oui.", "three full stops or an ellipsis in brackets"),
        ("Oui (rires) non.", "square brackets"),
        ('Il dit "oui" fort.', "quotation marks"),
        ("Il  pleut.", "several spaces"),
        ("Le bac passe, et\nla rive attend.", "goes on with the sentence"),
    ],
)
def test_no_text_is_altered_without_a_remark(typed, reason):
    assert any(reason in remark.reason for remark in convert(f"Bonjour.\n{typed}").remarks)
    assert not any(reason in remark.reason for remark in convert("Bonjour.\nIl pleut.").remarks)


def test_a_voice_off_inside_a_turn_makes_three_turns():
    blocks = convert("Archive :\n« Deux jours de marche [voix off] Jeanne Sauvage, factrice. Et la soupe. »\nVoilà.").transcript.blocks
    assert blocks == (
        Section("Archive"),
        Insert((Paragraph("Deux jours de marche", "Jeanne Sauvage"),)),
        Paragraph("Jeanne Sauvage, factrice."),
        Insert((Paragraph("Et la soupe.", "Jeanne Sauvage"),)),
        Section("Récit"),
        Paragraph("Voilà."),
    )
    turns = convert("Maud : Oui.\nPaul : Non.\nMaud : Si. [voix off] Il pleut. Et alors ?").transcript.blocks[-3:]
    assert turns == (Paragraph("Si.", "Maud"), Paragraph("Il pleut."), Paragraph("Et alors\u202f?", "Maud"))
