"""The Word files of a guide: read back with python-docx and with what the format itself says."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from docx import Document
from lxml import etree

from pipeline.guide.agenda import FORMATS_MIN
from pipeline.guide.docx import strip_forbidden_chars
from pipeline.model.show import GuideSettings
from pipeline.model.transcript import TimedTranscript
from tests.support.guide_sample import EPISODE, GUIDE, SHOW, SLUG, render, said

pytestmark = pytest.mark.slow

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
TEXT = GUIDE.read_text(encoding="utf-8")
HOSTILE = 'HYPERLINK "file:///x" { PAGE \\* MERGEFORMAT } #panic() *gras* <script>alert(1)</script> =1+1 \x1b \u202e'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return render(tmp_path_factory.mktemp("word"), TEXT)


def xml(path: Path, name: str = "word/document.xml") -> etree._Element:
    return etree.fromstring(zipfile.ZipFile(path).read(name))


@pytest.mark.parametrize("form", ["facilitator_docx", "handout_docx"])
def test_the_file_has_a_title_a_language_a_date_and_a4_pages(made: dict[str, Path], form: str) -> None:
    page = Document(str(made[form]))
    about, section = page.core_properties, page.sections[0]
    assert about.title.startswith("La file d’attente") and about.language == "fr-FR" and about.created.year == 2026
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    langs = {lang.get(f"{W}val") for lang in xml(made[form], "word/styles.xml").iter(f"{W}lang")}
    assert langs == {"fr-FR"}


def test_headings_are_styles_and_none_skips_a_level(made: dict[str, Path]) -> None:
    styles = [paragraph.style.name for paragraph in Document(str(made["facilitator_docx"])).paragraphs]
    levels = [int(name.split()[-1]) for name in styles if name.startswith("Heading")]
    assert levels[0] == 1 and levels.count(1) == 1 and len(levels) > 12
    assert all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False))
    assert styles.count("List Bullet") > 15 and styles.count("Quote") >= 4


def test_tables_repeat_their_head_keep_rows_whole_and_have_widths(made: dict[str, Path]) -> None:
    tables = Document(str(made["facilitator_docx"])).tables
    assert len(tables) > 1
    for table in tables:
        rows = list(table._tbl.iter(f"{W}tr"))
        assert rows[0].find(f"{W}trPr/{W}tblHeader") is not None
        assert all(row.find(f"{W}trPr/{W}cantSplit") is not None for row in rows)
        widths = [round(column.width.mm) for column in table.columns]
        assert sum(widths) == 170 and len(set(widths)) > 1


@pytest.mark.parametrize("format_min", FORMATS_MIN)
def test_the_running_order_adds_up(tmp_path: Path, format_min: int) -> None:
    file = render(tmp_path, TEXT, guide=GuideSettings(format_min=format_min))["facilitator_docx"]
    order = Document(str(file)).tables[1]
    assert sum(int(row.cells[1].text.split()[0]) for row in order.rows[1:]) == format_min


def test_each_qr_code_says_what_it_is_and_its_address_stands_written(made: dict[str, Path]) -> None:
    tree = xml(made["facilitator_docx"])
    alts = [one.get("descr") for one in tree.iter() if one.tag.endswith("}docPr")]
    assert len(alts) == 5 and all(alt.startswith("QR code") for alt in alts)
    text = "\n".join(paragraph.text for paragraph in Document(str(made["facilitator_docx"])).paragraphs)
    assert len(re.findall(rf"https://guichet\.example/{SLUG}/#t=\d+,\d+", text)) == 4


def test_word_and_paper_say_the_same(made: dict[str, Path]) -> None:
    page = Document(str(made["facilitator_docx"]))
    words = " ".join([*(paragraph.text for paragraph in page.paragraphs), *(cell.text for table in page.tables for cell in table._cells)])
    for text in ("Je connais les prénoms", "Repères", "Posture", "Feuille de récolte", "Nora Belkacem", "CC-BY-4.0", "Relance"):
        assert text in words
    assert "Relance" not in " ".join(paragraph.text for paragraph in Document(str(made["handout_docx"])).paragraphs)


def test_hostile_text_is_text_and_only_page_numbers_are_fields(tmp_path: Path) -> None:
    timed = TimedTranscript(40, "fr", (said(f"{HOSTILE} une phrase", HOSTILE),))
    guide = f"## But de la rencontre\n{HOSTILE}\n## Extraits à réécouter\n> une phrase\n## Débattre\n{HOSTILE} ?\n- {HOSTILE}\n"
    file = render(tmp_path, guide, timed, replace(SHOW, title=HOSTILE), replace(EPISODE, title=HOSTILE))["facilitator_docx"]
    parts = [name for name in zipfile.ZipFile(file).namelist() if name.endswith(".xml")]
    fields = [one.get(f"{W}instr") for name in parts for one in xml(file, name).iter(f"{W}fldSimple")]
    assert sorted(fields) == ["NUMPAGES", "PAGE"]
    assert not [one for name in parts for one in xml(file, name).iter(f"{W}instrText", f"{W}fldChar")]
    assert strip_forbidden_chars(HOSTILE).rstrip() in "\n".join(paragraph.text for paragraph in Document(str(file)).paragraphs)


def test_the_bytes_are_the_same_twice(tmp_path: Path, made: dict[str, Path]) -> None:
    again = render(tmp_path / "elsewhere", TEXT)
    assert all(made[form].read_bytes() == again[form].read_bytes() for form in ("facilitator_docx", "handout_docx"))
    assert {entry.date_time[0] for entry in zipfile.ZipFile(made["facilitator_docx"]).infolist()} == {1980}


def test_english_shows_have_english_word_files(tmp_path: Path) -> None:
    file = render(tmp_path, TEXT, show=replace(SHOW, language="en"))["handout_docx"]
    assert Document(str(file)).core_properties.language == "en-GB"


def test_a_tab_still_separates_words(tmp_path: Path) -> None:
    path = render(tmp_path, "## But de la rencontre\nAvant\taprès\n")["facilitator_docx"]
    assert any("Avant\taprès" in one.text for one in Document(str(path)).paragraphs)
