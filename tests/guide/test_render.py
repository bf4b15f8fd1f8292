"""What a team lead prints: read back with somebody else's reader."""

from __future__ import annotations

import csv
import html.parser
import io
import os
import re
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest

from pipeline.guide.agenda import FORMATS_MIN
from pipeline.guide.qr import qr_svg
from pipeline.model.errors import CauserieError
from pipeline.model.show import GuideSettings
from pipeline.model.transcript import TextReview, TimedTranscript
from tests.support.guide_sample import EPISODE, GUIDE, MARKS, SHOW, SLUG, render, said, sample

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden" / "guide"
TEXT = GUIDE.read_text(encoding="utf-8")
SMALL = """## But de la rencontre
Parler de l'attente : <b>vite</b> !
## Extraits à réécouter
> je m'occupe de vous
## Agir
Qui ?
- Quand ?
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return render(tmp_path_factory.mktemp("guide"), TEXT)


def pdf_text(path: Path) -> str:
    return "\n".join(printed(page) for page in pypdf.PdfReader(path).pages)


def printed(page: pypdf.PageObject) -> str:
    """A page's text without the places where Typst may break a line."""
    return page.extract_text().replace("\u200b", "")


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(("form", "pages"), [("facilitator_pdf", 5), ("handout_pdf", 2), ("large_print_pdf", 6)])
def test_pdfs_are_tagged_titled_in_french_and_fit_their_pages(made: dict[str, Path], form: str, pages: int) -> None:
    reader = pypdf.PdfReader(made[form])
    root = reader.trailer["/Root"]
    assert len(reader.pages) <= pages
    assert root["/Lang"] == "fr-FR"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert "/StructTreeRoot" in root
    assert reader.metadata.title.startswith("La file d’attente")
    assert b"pdfuaid:part" in root["/Metadata"].get_data()


def test_pages_are_a4_and_say_their_number_and_version(made: dict[str, Path]) -> None:
    reader = pypdf.PdfReader(made["facilitator_pdf"])
    for number, page in enumerate(reader.pages, start=1):
        assert (round(page.mediabox.width), round(page.mediabox.height)) == (595, 842)
        assert f"page {number}/{len(reader.pages)}" in printed(page)
        assert "version 2" in printed(page)


def test_every_image_has_an_alternative(made: dict[str, Path]) -> None:
    kinds = structure(pypdf.PdfReader(made["facilitator_pdf"]).trailer["/Root"]["/StructTreeRoot"])
    figures = [one for one in kinds if one.get("/S") == "/Figure"]
    assert len(figures) == 6  # the page, four clips, the address to send the sheet to
    assert all("QR code" in one["/Alt"] for one in figures)
    assert sum(one.get("/S") == "/H1" for one in kinds) == 1
    assert sum(one.get("/S") == "/TH" for one in kinds) >= 14


def test_both_versions_of_the_guide_say_the_same(made: dict[str, Path]) -> None:
    page, paper = made["facilitator_html"].read_text(encoding="utf-8"), squeezed(pdf_text(made["facilitator_pdf"]))
    for words in ("Repères", "Prologue", "Posture", "Feuille de récolte", "Déroulé en 30 minutes", "Nora Belkacem", "CC-BY-4.0"):
        assert words in page and words in paper


def test_clips_have_their_times_voices_and_addresses(made: dict[str, Path]) -> None:
    page = made["facilitator_html"].read_text(encoding="utf-8")
    ranges = [(int(a), int(b)) for a, b in re.findall(rf'href="https://guichet.example/{SLUG}/#t=(\d+),(\d+)"', page)]
    assert len(ranges) == 4
    assert all(a < b <= sample().duration_s for a, b in ranges)
    assert "Guichetiere (archive)" in page


def test_the_handout_has_neither_times_nor_advice(made: dict[str, Path]) -> None:
    for text in (made["handout_html"].read_text(encoding="utf-8"), pdf_text(made["handout_pdf"])):
        assert "Je connais les prénoms" in text
        assert "Relance" not in text and "Posture" not in text and "#t=" not in text


@pytest.mark.parametrize(
    ("language", "columns", "mark"),
    [("fr", "episode seance participants idee votes theme suite", ";"), ("en", "episode session participants idea votes theme next", ",")],
)
def test_the_table_for_ideas_opens_as_columns(tmp_path: Path, language: str, columns: str, mark: str) -> None:
    data = render(tmp_path, SMALL, show=replace(SHOW, language=language))["harvest_csv"].read_bytes()
    head, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=mark)
    assert data.startswith(b"\xef\xbb\xbf") and head == columns.split()
    assert len(rows) > 5 and all(row == [SLUG, "", "", "", "", "", ""] for row in rows)


def test_the_large_print_is_large_and_says_what_the_handout_says(made: dict[str, Path]) -> None:
    sizes: set[float] = set()
    for page in pypdf.PdfReader(made["large_print_pdf"]).pages:
        page.extract_text(visitor_text=lambda text, cm, tm, font, size: sizes.add(round(size * abs(tm[3]))) if text.strip() else None)
    assert min(sizes) >= 18
    words = squeezed(pdf_text(made["handout_pdf"]))
    assert (
        all(one in squeezed(pdf_text(made["large_print_pdf"])) for one in ("Je connais les prénoms", "La phrase qui m’arrête"))
        and "Mes notes" in words
    )


@pytest.mark.parametrize("format_min", FORMATS_MIN)
def test_the_chosen_formats_running_order_is_printed(tmp_path: Path, format_min: int) -> None:
    page = render(tmp_path, TEXT, guide=GuideSettings(format_min=format_min))["facilitator_html"].read_text(encoding="utf-8")
    order = page.split(f"Déroulé en {format_min}")[1].split("</table>")[0]
    assert sum(map(int, re.findall(r"<td>(\d+)\s+min</td>", order))) == format_min
    assert "Gardez votre ticket" in order  # the guide's own words


def test_a_full_guide_keeps_to_its_pages(tmp_path: Path) -> None:
    scene = "\n".join(f"> {line.text}" for line in sample().turns if line.voice.role == "fiction")
    clip = "Une ligne qui dit d’où vient la voix, et pourquoi on la réécoute ensemble.\n\n"
    more = TEXT.replace("## Comprendre\n", f"{clip}{scene}\n\n{clip}> Moi, je fais tout sur mon téléphone, dans le bus.\n\n## Comprendre\n")
    made = render(tmp_path, more, guide=GuideSettings("guides@guichet.example", 90))
    assert len(pypdf.PdfReader(made["facilitator_pdf"]).pages) <= 6  # one to hold, one to prepare with, twelve points
    assert len(pypdf.PdfReader(made["handout_pdf"]).pages) == 2


def test_a_long_episode_is_heard_before(tmp_path: Path) -> None:
    page = render(tmp_path, TEXT, replace(sample(), duration_s=3600.0))["facilitator_html"].read_text(encoding="utf-8")
    assert "L’épisode a été écouté avant" in page


def test_what_a_person_wrote_for_the_listening_is_printed_however_long_the_episode_is(tmp_path: Path) -> None:
    own = "## Mots à dire\nÉcoute : Fermez les yeux, la lampe reste allumée.\n"
    page = render(tmp_path, own, replace(sample(), duration_s=3600.0))["facilitator_html"].read_text(encoding="utf-8")
    assert "la lampe reste allumée" in page and "a été écouté avant" in page


def test_a_quote_that_is_no_longer_said_stops_the_guide(tmp_path: Path) -> None:
    number = TEXT[: TEXT.index("> Je connais")].count("\n") + 1
    with pytest.raises(CauserieError) as caught:
        render(tmp_path, TEXT.replace("> Je connais", "> Je reconnais"))
    assert caught.value.where == f"guides/{SLUG}.md:{number}"
    assert "Je connais les prénoms" in caught.value.hint


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CauserieError, match="format_min is 45"):
        render(tmp_path, TEXT, guide=GuideSettings(format_min=45))


def test_two_builds_give_the_same_bytes(tmp_path: Path, made: dict[str, Path]) -> None:
    again = render(tmp_path / "elsewhere", TEXT)
    assert all(path.read_bytes() == again[form].read_bytes() for form, path in made.items())


def test_an_empty_guide_still_prints_what_is_known(tmp_path: Path) -> None:
    text = pdf_text(render(tmp_path, "", guide=GuideSettings())["facilitator_pdf"])
    assert "Feuille de récolte" in text and MARKS[0]["title"] in text


def test_english_shows_have_english_guides(tmp_path: Path) -> None:
    made = render(tmp_path, TEXT, show=replace(SHOW, language="en"))
    assert 'lang="en"' in made["handout_html"].read_text(encoding="utf-8")
    assert pypdf.PdfReader(made["facilitator_pdf"]).trailer["/Root"]["/Lang"] == "en-GB"
    assert "Harvest sheet" in pdf_text(made["facilitator_pdf"])


@pytest.mark.parametrize("form", ["facilitator_html", "handout_html"])
def test_pages_are_self_contained_and_in_order(made: dict[str, Path], form: str) -> None:
    page = made[form].read_text(encoding="utf-8")
    outline = Outline()
    outline.feed(page)
    assert not re.search(r"\b(?:src|srcset)=(?!\"data:audio/mpeg;base64,)|<link|<script src|@import|url\(", page)
    assert page.count("<script") == (form == "facilitator_html")
    assert outline.levels[0] == 1 and outline.levels.count(1) == 1
    assert all(b <= a + 1 for a, b in zip(outline.levels, outline.levels[1:], strict=False))
    assert page.count("<svg") == page.count('<svg role="img"') == page.count("<title>") - 1  # one is the page's own


def test_a_hostile_address_or_title_stays_text_in_a_qr_code() -> None:
    assert "<title>&lt;b&gt; &amp;</title>" in qr_svg("https://x.example/?a=<b>&", "<b> &")


@pytest.mark.parametrize("form", ["facilitator_html", "handout_html"])
def test_small_guides_are_as_they_were(tmp_path: Path, form: str) -> None:
    """`GOLDEN=1 pytest` writes them anew, to be read before they are committed."""
    page = render(tmp_path, SMALL, guide=GuideSettings(), episode=replace(EPISODE, spoken_title="La queue"))[form].read_text(
        encoding="utf-8"
    )
    page = re.sub(r"<style>.*?</style>|<script>.*?</script>|<path [^>]*>|(?<='sha256-)[^']*", "", page, flags=re.DOTALL)
    golden = GOLDEN / f"small.{form.replace('_', '.')}"
    if os.environ.get("GOLDEN"):
        golden.write_text(page, encoding="utf-8")
    assert page == golden.read_text(encoding="utf-8")


def structure(node: object) -> list[dict]:
    """Every element of a PDF's structure, parents first."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        return [one for child in node for one in structure(child)]
    return [node, *structure(node["/K"])] if isinstance(node, dict) and "/K" in node else [node] if isinstance(node, dict) else []


class Outline(html.parser.HTMLParser):
    """The levels of a page's headings, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.levels: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))


def test_guide_and_handout_warn_of_quotes_from_a_text_that_nobody_has_checked(tmp_path: Path) -> None:
    made = render(tmp_path, SMALL, replace(sample(), review=TextReview("draft")))
    for form in ("facilitator_html", "handout_html"):
        assert "Transcription automatique, non relue." in made[form].read_text(encoding="utf-8")
    for form in ("facilitator_pdf", "handout_pdf", "large_print_pdf"):
        assert "Transcription automatique, non relue." in squeezed(pdf_text(made[form]))


ARABIC = "مرحبا بكم في الحلقة الأولى من ينتظر هنا اليوم عند الشباك"
ARABIC_GUIDE = f"## Aim of the meeting\n{ARABIC}\n## Clips to replay\n> {ARABIC}\n## Act\n{ARABIC}\n"
ARABIC_FONT = Path(__file__).parents[1] / "data/fonts/arabic.ttf"


def render_arabic(folder: Path, *fonts: Path) -> dict[str, Path]:
    timed = TimedTranscript(60.0, "ar", (said(ARABIC, "a"),))
    show, episode = replace(SHOW, language="ar"), replace(EPISODE, title=ARABIC, summary=ARABIC)
    return render(folder, ARABIC_GUIDE, timed, show, episode, fonts=fonts)


def test_a_guide_in_a_script_without_a_font_is_refused_with_the_sentence_that_says_how_to_give_one(tmp_path: Path) -> None:
    with pytest.raises(CauserieError, match=r"are in no font of the PDFs.*put a \.ttf or \.otf file.*fonts = \[.*\] in \[guide\]"):
        render_arabic(tmp_path)
    assert not list(tmp_path.glob("*.pdf"))


def test_with_a_font_it_is_printed_from_right_to_left_with_every_letter(tmp_path: Path) -> None:
    made = render_arabic(tmp_path, ARABIC_FONT)
    for form in ("facilitator_pdf", "handout_pdf", "large_print_pdf"):
        text = pdf_text(made[form])
        assert "□" not in text
        assert "الحلقة" in text
        fonts = {
            str(font["/BaseFont"])
            for page in pypdf.PdfReader(made[form]).pages
            for font in (each.get_object() for each in page["/Resources"]["/Font"].values())
        }
        assert any("DejaVuSans" in name and "Mono" not in name for name in fonts)


def test_a_name_in_another_script_does_not_refuse_a_guide(tmp_path: Path) -> None:
    made = render(tmp_path, SMALL.replace("Parler de", "漢字 : parler de"))
    assert "□□" in pdf_text(made["facilitator_pdf"])


def test_the_first_page_is_enough_to_hold_the_meeting(made: dict[str, Path]) -> None:
    page = printed(pypdf.PdfReader(made["facilitator_pdf"]).pages[0])
    for part in ("La question d’avant", "Déroulé en 30 minutes", "Clôture", "Posture", "Extraits à réécouter", "Mes notes"):
        assert part in page
