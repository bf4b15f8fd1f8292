"""Word documents, made by python-docx as people make them by hand."""

from pathlib import Path

import docx
import pytest
from docx.oxml import OxmlElement

from pipeline.model.errors import CauserieError
from pipeline.transcript.document import Note, Paragraph
from pipeline.transcript.freeform.import_text import convert_file, decode_text
from pipeline.transcript.parser import parse_transcript


def made(document, folder: Path):
    """The blocks imported from a document, and the report."""
    document.save(folder / "x.docx")
    text, report = convert_file(folder / "x.docx", "x", {})
    return parse_transcript(text).blocks, report


def test_names_in_bold_lists_and_soft_line_ends_make_turns(tmp_path):
    document = docx.Document()
    document.add_heading("L’accueil", 0)
    for name, said in (("Nora", " Bonjour."), ("Malik :", "\u00a0Oui,\non est là.")):
        paragraph = document.add_paragraph()
        paragraph.add_run(name).bold = True
        paragraph.add_run(said)
    document.add_heading("Micro-trottoir", 1)
    document.add_paragraph("Moi, oui.", style="List Bullet")
    document.add_paragraph("Moi, non.", style="List Bullet")
    document.add_paragraph("C’est important").runs[0].bold = True
    blocks, _ = made(document, tmp_path)
    assert blocks[0] == Note("L’accueil")
    assert blocks[1:3] == (Paragraph("Bonjour.", "Nora"), Paragraph("Oui, on est là.", "Malik"))
    assert [part.text for part in blocks[4].paragraphs] == ["Moi, oui.", "Moi, non."]
    assert blocks[-1] == Paragraph("C’est important")


def test_a_table_is_read_as_times_names_and_words(tmp_path):
    document = docx.Document()
    table = document.add_table(rows=0, cols=3)
    for row in (("TC", "Intervenant", "Texte"), ("00:05", "Nora", "Bonjour.\nÇa va ?"), ("00:09", "Malik :", "Oui."), ("", "", "[rires]")):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    blocks, _ = made(document, tmp_path)
    assert blocks[:2] == (Paragraph("Bonjour.", "Nora", anchor_s=5), Paragraph("Ça va\u202f?", "Nora"))
    assert blocks[2:] == (Paragraph("Oui.", "Malik", anchor_s=9), Paragraph("[rires]"))


def test_what_stands_outside_the_text_is_told_and_kept(tmp_path):
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Confidentiel"
    paragraph = document.add_paragraph("Bonjour à tous.")
    document.add_comment(paragraph.runs, text="À vérifier", author="N")
    blocks, report = made(document, tmp_path)
    assert blocks == (Paragraph("Bonjour à tous."), Note("? à placer : À vérifier"), Note("? à placer : Confidentiel"))
    assert sum("not placed" in line for line in report) == 2


def test_what_a_revision_inserted_is_there_and_what_it_deleted_is_not(tmp_path):
    document = docx.Document()
    paragraph = document.add_paragraph("Bonjour ")
    for tag, text in (("w:ins", "à tous."), ("w:del", "à toi.")):
        change = OxmlElement(tag)
        change.append(paragraph.add_run(text)._r)
        paragraph._p.append(change)
    assert made(document, tmp_path)[0] == (Paragraph("Bonjour à tous."),)


@pytest.mark.parametrize(
    ("name", "content", "message"), [("x.docx", b"PK", "as a Word"), ("x.odt", b"", "cannot be imported"), ("x.txt", b"a\0b", "not a text")]
)
def test_what_cannot_be_read_is_said_with_a_remedy(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CauserieError, match=message) as caught:
        convert_file(tmp_path / name, "x", {})
    assert caught.value.hint


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(CauserieError, match="cannot be read"):
        convert_file(tmp_path / "none.txt", "x", {})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_bytes_are_read_in_the_encoding_they_are_in(encoding):
    assert decode_text("Où est l’œuf ?".encode(encoding)) == "Où est l’œuf ?"


def test_italics_are_sounds_when_nobody_says_them(tmp_path):
    document = docx.Document()
    document.add_paragraph("Bonjour à vous.")
    document.add_paragraph().add_run("Cloche d’usine, au loin").italic = True
    document.add_paragraph().add_run("Je suis venu hier.").italic = True
    for name, said, sound in (("Nora :", " Le bruit ! ", "(elle imite la machine)"), ("N. C. –", " Moi, je sais. ", "Silence.")):
        paragraph = document.add_paragraph()
        paragraph.add_run(name).bold = True
        paragraph.add_run(said)
        paragraph.add_run(sound).italic = True
        paragraph.add_run(" Voilà.")
    blocks, _ = made(document, tmp_path)
    assert [block.text for block in blocks[1:3]] == ["[Cloche d’usine, au loin]", "Je suis venu hier."]
    assert blocks[3] == Paragraph("Le bruit\u202f! [elle imite la machine] Voilà.", "Nora")
    assert blocks[4] == Paragraph("Moi, je sais. [Silence] Voilà.", "N. C.")


def test_a_table_of_credits_is_the_head(tmp_path):
    document = docx.Document()
    document.add_heading("L’accueil", 0)
    table = document.add_table(0, 2)
    for role, who in (("Durée", "00h09"), ("Avec", "Ana Roy, Bo Petit"), ("Fichier", "MEM_EP2_VF")):
        for cell, text in zip(table.add_row().cells, (role, who), strict=True):
            cell.text = text
    document.add_paragraph("Bonjour à vous.")
    blocks, report = made(document, tmp_path)
    assert blocks[-1] == Paragraph("Bonjour à vous.")
    assert {"for episodes/x/episode.toml: (lasts: 9:00)", "for episodes/x/episode.toml: (cast: Ana Roy, Bo Petit)"} <= set(report)


def test_a_transcript_is_not_imported_as_a_loose_text(tmp_path):
    (tmp_path / "x.md").write_text("\n+++\n[voices.maud]\n+++\nMaud : Oui.\n", encoding="utf-8")
    with pytest.raises(CauserieError, match="has the front matter of a transcript already") as caught:
        convert_file(tmp_path / "x.md", "x", {})
    assert caught.value.where.endswith("x.md:2")


def test_a_sentence_broken_over_two_paragraphs_is_one(tmp_path):
    document = docx.Document()
    for text in (
        "Solène : Papi, c’est quoi un bac ?",
        "Papi : Une barque plate. Et du coup,",
        "tout le monde se parlait.",
        "Solène : Ah oui.",
    ):
        document.add_paragraph(text)
    document.add_paragraph("Papi : Sur la Vire, on l’appelait le")
    document.add_paragraph("Grand Bac.")
    blocks, report = made(document, tmp_path)
    assert [(block.voice, block.text) for block in blocks if isinstance(block, Paragraph)] == [
        ("Solène", "Papi, c’est quoi un bac\u202f?"),
        ("Papi", "Une barque plate. Et du coup, tout le monde se parlait."),
        ("Solène", "Ah oui."),
        ("Papi", "Sur la Vire, on l’appelait le Grand Bac."),
    ]
    assert any("go on with the sentence of the line before" in line for line in report)
