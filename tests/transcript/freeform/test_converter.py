"""Texts typed elsewhere: everything finds its place, or is told."""

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.model.errors import CauserieError
from pipeline.transcript.document import Insert, Note, Paragraph, Section, format_transcript
from pipeline.transcript.freeform.converter import convert
from pipeline.transcript.freeform.import_text import convert_file
from pipeline.transcript.parser import parse_transcript

LOOSE = Path(__file__).parents[2] / "data/loose"
TEXTS = sorted(path for path in LOOSE.iterdir() if not path.name.endswith(".expected.md"))
PARTS = """
    «|»|- |– |Paul :|Léa :|Point santé :|PAUL :|Paul – |Archive : 1958|Archive :|Micro-trottoir :|[musique]|[voix off]|(Transition sonore)|[|]|(|"|“|”|[…]|
    Avec :|Avec Jean Roche, Anne Petit.|Production sonore : X.|Merci à tous|RADIO_EP2_VF|Durée : 00h07|Épisode 2 : La nuit|[00:12:31]|(12:31)|12:31|mot|Mot|
    il dit.|Anne Petit, directrice de la nuit|##|%%|+++|\\|@3:58|***|Générique de fin : [musique]|Fiction :|:|Narrateur :|Récit|\x0b|\u200b
"""
typed = st.lists(st.sampled_from([part.strip("\n ") or part for part in PARTS.split("|")] + ["\n"] * 12), max_size=40).map(" ".join)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_a_text_of_another_house_is_imported_as_a_reader_would(path):
    text, report = convert_file(path, path.stem, {"nora": "Nora Belkacem"})
    told = "".join(f"%%%% {line}\n" for line in report)
    assert f"{text}\n{told}" == path.with_name(f"{path.stem}.expected.md").read_text(encoding="utf-8")


@given(typed)
@example("« Nom : »\n\nNom :")
@settings(max_examples=150, deadline=None)
def test_whatever_was_typed_the_result_can_be_read_back(text):
    try:
        transcript = convert(text, people={"anne": "Anne Petit"}).transcript
    except CauserieError as error:
        assert error.message == "contains no text"
        return
    assert parse_transcript(format_transcript(transcript)) == transcript


@given(typed.map("Mot {}".format))
@example("Mot Paul : \x0b Paul : \x0b «")
@settings(max_examples=150, deadline=None)
def test_no_word_is_ever_dropped_in_silence(text):
    found = convert(text)
    kept = format_transcript(found.transcript) + " ".join(remark.text for remark in found.remarks)
    assert not words(text) - words(kept)


@pytest.mark.parametrize("dash", ["-", "--", "–", "—"])
def test_two_hyphens_are_a_dash_too(dash):
    assert "«\u202fEt ça suffit\u202f?\n- Souvent, oui.\u202f»" in format_transcript(
        convert(f"{dash} Et ça suffit ?\n{dash} Souvent, oui.\n").transcript
    )


def words(text: str) -> Counter[str]:
    """Every word but times and the marks that a voice off or the narrator speaks."""
    bare = re.sub(r"(?i)\[voix off\]|narrateur *:|\d+:\d\d(?::\d\d)?", " ", text)
    return Counter(re.findall(r"[^\W_]{2,}", bare.casefold()))


def blocks(text: str) -> tuple:
    return tuple(block for block in convert(text).transcript.blocks if not isinstance(block, Note))


def voices(text: str) -> list[str]:
    return [voice.key for voice in convert(text).transcript.voices]


@pytest.mark.parametrize(
    ("label", "section", "rest"),
    [
        ("Archive : 1965", "Archive : 1965", ""),
        ("ARCHIVE INA (1974) :", "Archive ina (1974)", ""),
        ("Extrait bande annonce film X : [bruitage]", "Extrait bande annonce film X", "[bruitage]"),
        ("=== Micro-trottoir ===", "Micro-trottoir", ""),
        ("[Archive, 1958]", "Archive, 1958", ""),
        ("Extrait du film « Les Ombres » : [bruitage]", "Extrait du film « Les Ombres »", "[bruitage]"),
    ],
)
def test_a_part_is_opened_by_its_label_and_closed_by_the_narrator(label, section, rest):
    found = blocks(f"{label}\n« Bonjour. »\nVoilà comment on parlait.\n")
    assert found[0] == Section(section)
    assert (found[1] == Paragraph(rest)) == bool(rest)
    assert found[-3:] == (Insert((Paragraph("Bonjour."),)), Section("Récit"), Paragraph("Voilà comment on parlait."))


def test_a_fiction_lasts_to_its_last_named_turn():
    found = blocks("Fiction :\nLéa entre.\nLéa : Bonsoir.\nElle rit.\nLéa : Voilà.\nPlus tard, on a compris.")
    assert [getattr(block, "label", "") for block in found] == ["Fiction", "", "", "", "", "Récit", ""]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Paul : Oui.\nAva : Non.", ["Paul", "Ava"]),
        ("Alors voilà, notre défi est posé : tenir.", []),
        ("Point santé : dormir.", []),
        ("Attention : la marche.\nPaul : Oui.\nPaul : Non.", ["Paul"]),
        ("Paul : Oui.\nAva : Non.\nPaul. En effet, non.", ["Paul", "Ava"]),
        ("NORA BELKACEM : Oui.\nL'APPELANTE : Non.", ["Nora Belkacem", "L’appelante"]),
        ("Zoé – Oui.\nHugo – Non.\nZoé – Si.\nHugo – Bon.", ["Zoé", "Hugo"]),
        ("Toutes : Oui !", ["Toutes"]),
        ("Paul, assistant : Oui.\nPaul (rires) : Non.", ["Paul"]),
        ("Narratrice : Il était une fois.", []),
        ("« Bonjour.\n- Gilles : Bonsoir. »", ["Gilles"]),
        ("Paul\u00a0 0:03\nOui.\n\nAva  1:02:03\nNon.", ["Paul", "Ava"]),
    ],
)
def test_a_name_is_told_from_words_before_a_colon(text, expected):
    assert voices(text) == expected


def test_a_known_name_before_a_full_stop_is_a_turn_and_is_told():
    found = convert("Victoire : Oui.\nPaul : Non.\nVictoire. En effet, non.")
    assert found.transcript.blocks[-1] == Paragraph("En effet, non.", "Victoire")
    assert "a colon was probably meant" in found.remarks[-1].reason


def test_only_somebody_called_just_so_is_a_person_of_the_show():
    found = convert("Léa Roy : Oui.\nLéa : Non.\nLéa Roy : Si.\nLéa : Bon.", people={"lea": "Léa Roy"})
    assert [(voice.key, voice.person) for voice in found.transcript.voices] == [("Léa Roy", "lea"), ("Léa", "")]
    assert any("may be Léa Roy" in remark.reason for remark in found.remarks)


def test_a_voice_off_is_the_narrator_or_announces_who_is_next_or_interrupts():
    assert blocks("[voix off] Bonjour.") == (Paragraph("Bonjour."),)
    announced = blocks("[voix off] Anne Petit, directrice\n« Bonjour. »")
    assert announced == (Paragraph("Anne Petit, directrice"), Insert((Paragraph("Bonjour.", "Anne Petit"),)))
    assert blocks("« [voix off] Anne Petit, directrice.\nBonjour. »")[1] == Insert((Paragraph("Bonjour.", "Anne Petit"),))
    inside = blocks("« Bonjour [voix off] Anne Petit, directrice. Voilà. »")
    assert inside == (
        Insert((Paragraph("Bonjour", "Anne Petit"),)),
        Paragraph("Anne Petit, directrice."),
        Insert((Paragraph("Voilà.", "Anne Petit"),)),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("« Un.\n- Deux. » Trois.", [("Un.", "Deux."), "Trois."]),
        ("Il dit : « Un.\nDeux. »", ["Il dit\u00a0:", ("Un.", "Deux.")]),
        ('"Un."', [("Un.",)]),
        ("“Un.\nDeux.”", [("Un.", "Deux.")]),
        ("- Un.\n– Deux.\n-Trois.", [("Un.", "Deux.", "Trois.")]),
        ("« Un.\nVoilà, dit-il.\n\nDeux.", [("Un.", "Voilà, dit-il."), "Deux."]),
        ("Archive :\nUn. »\nDeux.", ["Archive", ("Un.",), "Récit", "Deux."]),
        ("« Archive :\nUn. »\nDeux.", ["Archive", ("Un.",), "Récit", "Deux."]),
        ("« Un », dit-il, « deux ».", ["«\u202fUn\u202f», dit-il, «\u202fdeux\u202f»."]),
    ],
)
def test_quotation_marks_make_inserts(text, said):
    def short(block):
        return tuple(each.text for each in block.paragraphs) if isinstance(block, Insert) else getattr(block, "text", None) or block.label

    assert [short(block) for block in blocks(text)] == said


def test_wrapped_lines_are_joined_and_paragraphs_are_not():
    assert blocks("Le chat dort\nsur le banc.\nLe chien non.") == (Paragraph("Le chat dort sur le banc."), Paragraph("Le chien non."))


def test_times_become_anchors_when_they_go_forward():
    found = convert("[00:00:05] Un.\n(1:02) Deux.\n[00:00:30] Trois [00:00:31] quatre.\n00:02:00\nCinq.")
    assert [block.anchor_s for block in found.transcript.blocks] == [5, 62, None, 120]
    assert [remark.line for remark in found.remarks] == [3, 3]


def test_the_head_and_the_credits_are_facts():
    head = convert(
        "Titre long\nUn résumé.\nA_EP3_VF\nDurée : 8'30\n(début fichier audio « A_EP3_VF»)\nÉpisode 3 : Dit.\n"
        "Avec Léa Roy, Jo Bo et Al Du.\nProduction sonore : Z.\nMixage : Q R\nMerci à tous."
    ).header
    assert (head.title, head.summary, head.file_id, head.duration_s, head.number) == ("Titre long", "Un résumé.", "A_EP3_VF", 510, 3)
    assert (head.spoken_title, head.cast, head.production) == ("Dit.", ("Léa Roy", "Jo Bo", "Al Du"), "Z")
    assert (head.credits, head.thanks) == ((("Mixage", "Q R"),), ("Merci à tous.",))


@pytest.mark.parametrize(("time", "seconds"), [("00h08", 480), ("8 min", 480), ("8 min 30", 510), ("00:08:30", 510), ("1h02", 3720)])
def test_a_duration_is_read_however_it_is_written(time, seconds):
    assert convert(f"Titre\nDurée : {time}\nBonjour.").header.duration_s == seconds


def test_a_second_episode_in_the_file_is_not_mixed_with_the_first():
    found = convert("(début fichier audio « A »)\nUn.\n(fin fichier audio « A »)\n(début fichier audio « B »)\nDeux.")
    assert [block.text for block in found.transcript.blocks if isinstance(block, Paragraph)] == ["Un."]
    assert [remark.text for remark in found.unplaced][-1] == "Deux."


def test_stage_directions_are_sounds_and_lost_brackets_are_mended():
    texts = [block.text for block in blocks("(Transition sonore)\nOui (rires) non.\nFin [musique\nUn ] deux […] (trois).")]
    assert texts == ["[Transition sonore]", "Oui [rires] non.", "Fin [musique]", "Un) deux […] (trois)."]


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("II. LE FEU ET NOUS", "II. Le feu et nous"),
        ("« VOUS ÊTES AU BON GUICHET ? »", "« Vous êtes au bon guichet ? »"),
        ("Première partie – Les mains invisibles", "Première partie – Les mains invisibles"),
        ("Chapitre 2 : La digue", "Chapitre 2 : La digue"),
        ("Épilogue – Dix ans après", "Épilogue – Dix ans après"),
        ("Fiction : « La fin du monde »", "Fiction : « La fin du monde »"),
    ],
)
def test_titles_of_parts_are_told_by_their_form(line, label):
    assert blocks(f"Paul : Oui.\nAva : Non.\n\n{line}\n\nPaul : Si.\nAva : Bon.")[2] == Section(label)


@pytest.mark.parametrize(
    "line", ["AU FEU !", "La SNCF.", "ONU", "Première partie de ma vie, à Brest.", "PAUL : NON, JAMAIS", "Partie hier."]
)
def test_what_is_shouted_or_said_is_no_title(line):
    found = blocks(f"Paul : Oui.\nAva : Non.\n\n{line}\n\nPaul : Si.\nAva : Bon.")
    assert {block.label for block in found if isinstance(block, Section)} <= {"Fiction", "Récit"}  # proposed; not titles


@pytest.mark.parametrize("line", ["3", "- 3 -", "5/5", "Les ondes - S2E4 - page 2/5", "--- page 2 ---", "© La maison, 2023", "FIN"])
def test_page_numbers_and_footers_are_not_said_and_are_told(line):
    found = convert(f"Paul : Oui.\nAva : Non.\n\n{line}\n\nPaul : Si.\nAva : Bon.")
    assert [remark.text for remark in found.unplaced] == [line]


def test_a_number_that_somebody_says_is_no_page_number():
    (insert,) = blocks("« Combien ?\n- 18\n- 20. »")
    assert [part.text for part in insert.paragraphs] == ["Combien\u202f?", "18", "20."]


def test_the_end_of_a_part_may_be_told():
    found = blocks("Archive :\n« Un.\n- Deux. »\n(fin de l’archive)\nPaul : Oui.\nAva : Non.")
    assert [getattr(block, "label", "") for block in found] == ["Archive", "", "Récit", "", ""]


def test_several_credits_stand_on_a_line_and_in_forms_of_their_own():
    head = convert(
        "La radio\nÉpisode n° 5 – L’accueil\nAvec : Ana Roy, agente ; Bo Petit, usager\nEntretien : Eva Roy / Montage : Éric N’Diaye\n"
        "Présentation : Léa Œuvrard\n[musique]\nBonjour."
    ).header
    assert (head.number, head.title, head.cast) == (5, "L’accueil", ("Ana Roy", "Bo Petit"))
    assert head.credits == (("Entretien", "Eva Roy"), ("Montage", "Éric N’Diaye"), ("Présentation", "Léa Œuvrard"))


def test_what_is_heard_may_be_announced_or_stand_in_parentheses():
    texts = [block.text for block in blocks("Paul : Oui. (elle rit) Non.\nAva : Si.\nAmbiance : porte de bus\n(freins) (silence)")]
    assert texts == ["Oui. [elle rit] Non.", "Si.", "[Ambiance\u00a0: porte de bus]", "[freins] [silence]"]


def test_a_word_cut_at_the_end_of_a_line_is_whole_again():
    found = convert("Une fois par se-\nmaine, peut-\nêtre.")
    assert found.transcript.blocks == (Paragraph("Une fois par semaine, peut-être."),)
    assert [remark.text for remark in found.remarks] == ["se- maine,", "peut- être."]


def test_a_list_is_said_by_one_voice():
    found = blocks("Paul : On compte deux causes :\n- la foudre ;\n- l’homme.\nAva : Non.")
    assert [(block.voice, block.text[-8:]) for block in found] == [("Paul", "l’homme."), ("Ava", "Non.")]


def test_who_somebody_is_differs_from_how_it_is_said():
    found = convert("Dédé (le chauffeur) : Oui.\nAva (moqueuse) : Non.\nDédé (voix off) : Si.")
    assert [block.text for block in found.transcript.blocks] == ["Oui.", "[moqueuse] Non.", "Si."]
    assert found.transcript.voices[0].label == "Dédé, le chauffeur"


def test_a_passer_by_who_speaks_once_is_a_voice():
    assert voices("Paul : Oui.\nUne promeneuse de nuit : Pardon ?\nPaul : Non.\nUne chose : il pleut.")[:2] == [
        "Paul",
        "Une promeneuse de nuit",
    ]


def test_a_rubric_alone_on_its_line_is_a_part_and_is_told():
    found = convert("Le journal\n\nBonjour.\n\nPoint santé :\n\nIl faut boire.\n\nRubrique nature :\nLes oiseaux chantent.\n")
    assert [block.label for block in found.transcript.blocks if isinstance(block, Section)] == ["Point santé", "Rubrique nature"]
    assert [(remark.line, remark.reason) for remark in found.remarks if remark.line > 1] == [
        (line, "a rubric alone on its line: read as the title of a part") for line in (5, 9)
    ]


@pytest.mark.parametrize(
    "text", ["Alors voilà, notre défi est posé :\n\nOn y va.", "Point final :\n\nNous y sommes.", "Point santé : dormir."]
)
def test_a_sentence_that_announces_something_is_no_part(text):
    assert not any(isinstance(block, Section) for block in blocks(f"Titre\n\nBonjour.\n\n{text}\n"))


def test_a_rubric_that_somebody_announces_in_a_fiction_is_said():
    found = blocks("Fiction :\n\nAva : Bonjour, Paul.\n\nPaul : Oui ?\n\nPoint santé :\n\nAva : Vous avez bien dormi.\n\nPaul : Merci.\n")
    assert Paragraph("Point santé\u00a0:") in found


@pytest.mark.parametrize("opening", ["Archive : 1965\n\n", ""])
def test_capitals_inside_a_quotation_do_not_cut_it_in_two(opening):
    said = f"Titre\n\nBonjour.\n\n{opening}« Tout changeait.\n\nLES ANNÉES SOIXANTE\n\nEt personne ne le savait. »\n\nVoilà.\n"
    inserts = [block for block in blocks(said) if isinstance(block, Insert)]
    assert [each.text for each in inserts[0].paragraphs] == ["Tout changeait.", "LES ANNÉES SOIXANTE", "Et personne ne le savait."]
    assert len(inserts) == 1


def test_a_title_after_a_quotation_that_is_never_closed_is_a_title():
    found = blocks("Titre\n\nBonjour.\n\n« Tout changeait.\n\nLES ANNÉES SOIXANTE\n\nPersonne ne le savait. « Non », disait-on.\n")
    assert Section("Les années soixante") in found


def test_a_quotation_mark_that_closes_nothing_makes_no_insert_of_a_dialogue():
    found = convert("Générique : [musique]\nRien. Puis un homme.\nHomme : Il y a quelqu’un ?\nLéa : Oui. »\nHomme : Enfin.\nLéa : Bon.")
    assert not any(isinstance(block, Insert) for block in found.transcript.blocks)
    assert any("quotation marks that do not match" in remark.reason for remark in found.remarks)


def test_the_line_before_dashes_opens_an_insert_that_they_close():
    found = convert("Titre\n\nOn m’a dit oui.\nMoi, je suis né ici.\n- Moi aussi. »\nVoilà.")
    assert found.transcript.blocks[1:] == (
        Paragraph("On m’a dit oui."),
        Insert((Paragraph("Moi, je suis né ici."), Paragraph("Moi aussi.", dash=True))),
        Paragraph("Voilà."),
    )
    assert any("« was added before the line that its dashes answer" in remark.reason for remark in found.remarks)


def test_lines_of_the_page_before_the_title_are_told():
    found = convert("Les transcriptions de la série\nGarder le fil\nComment on s’écoute.\nFIL_EP1_VF\nBonjour.")
    assert (found.header.title, found.header.summary) == ("Garder le fil", "Comment on s’écoute.")
    assert [remark.text for remark in found.unplaced] == ["Les transcriptions de la série"]


@pytest.mark.parametrize(
    "line", ["Partager, c’est notre métier.", "Enregistré au bord du canal, ce reportage commence.", "Script ou pas, on y va !", "Fin"]
)
def test_in_the_audio_nothing_is_page_text(line):
    found = convert(f"(début fichier audio « A »)\nBonjour.\n{line}\nVoilà.\n(fin fichier audio « A »)")
    assert line in [block.text.replace("\u202f", " ") for block in found.transcript.blocks if isinstance(block, Paragraph)]


def test_without_marks_what_is_said_at_the_start_is_no_header():
    lines = [
        "L’atelier présente : « Un pont ».",
        "Épisode 2. Le bac",
        "Bonjour, je suis la voix du récit.",
        "Merci à Odile.",
        "Mixage : Paul Li",
    ]
    found = convert("\n".join(lines))
    assert [block.text.replace("\u202f", " ").replace("\u00a0", " ") for block in found.transcript.blocks] == lines
    assert (found.header.number, found.header.spoken_title, found.header.credits) == (2, "Le bac", (("Mixage", "Paul Li"),))


def test_a_profession_in_parentheses_is_who_somebody_is():
    found = convert("MME LEROUX (maraîchère) : Oui.\nLUI : Non.\nMme Leroux (rires) : Si.\nLUI : Bon.").transcript
    assert [(voice.key, voice.label) for voice in found.voices] == [("Mme Leroux", "Mme Leroux, maraîchère"), ("Lui", "")]


def test_a_credit_with_two_roles_keeps_both():
    assert convert("Titre\n\nBonjour.\n\nPrise de son et mixage : Paul Li").header.credits == (("Prise de son et mixage", "Paul Li"),)
