"""The parts of a Word file: styles, paragraphs, tables, links and pictures, through python-docx.

Every text goes through `clean` into a run of text; the only fields are the page numbers of the footer.
"""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pipeline.guide.glyphs import UNPRINTED
from pipeline.guide.qr import qr_png

INK = "17345C"  # dark blue: 12:1 on white, and as dark in grey
PALE = "EEF1F5"
FONT = "Calibri"  # LibreOffice has a metric twin of it
_ANCHOR = (  # at the right margin, from the paragraph's top, text around it (ECMA-376, 20.4.2.3)
    '<wp:anchor {namespaces} distT="0" distB="0" distL="114300" distR="0" simplePos="0" relativeHeight="1" behindDoc="0" locked="0"'
    ' layoutInCell="1" allowOverlap="0"><wp:simplePos x="0" y="0"/>'
    '<wp:positionH relativeFrom="margin"><wp:align>right</wp:align></wp:positionH>'
    '<wp:positionV relativeFrom="paragraph"><wp:posOffset>0</wp:posOffset></wp:positionV>'
    '<wp:wrapSquare wrapText="left"/></wp:anchor>'
)
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the first a zip can hold: the bytes are the same each time


def blank(value: dict[str, Any], kind: str, written: datetime) -> Any:
    """An empty A4 document: its language, styles, margins for a binder, and a footer that counts pages."""
    from docx import Document
    from docx.shared import Mm

    page = Document()
    section = page.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(20)
    _styles(page, value["labels"]["locale"])
    about = page.core_properties
    about.title, about.author = clean(f"{value['title']} – {kind}")[:255], clean(value["author"])[:255]
    about.language, about.comments, about.last_modified_by = value["labels"]["locale"], "", ""
    about.created = about.modified = written.astimezone(UTC).replace(tzinfo=None)
    words, footer = value["labels"], section.footer.paragraphs[0]
    add_run(footer, f"{value['title']} – {kind} – {words['version']} {value['version']}, {value['date']} – {words['page']} ", size_pt=9)
    _field(footer, "PAGE")
    add_run(footer, "/", size_pt=9)
    _field(footer, "NUMPAGES")
    return page


def _styles(page: Any, locale: str) -> None:
    """The template's styles, made one family: one font, one ink, room between things, and the language for every reader."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    sizes = {"Normal": 11, "Title": 24, "Heading 2": 14, "Heading 3": 12, "Heading 1": 20, "Quote": 11, "List Bullet": 11, "Caption": 9}
    for name, size_pt in sizes.items():
        style = page.styles[name]
        style.font.name, style.font.size = FONT, Pt(size_pt)
        fonts = style.element.rPr.rFonts
        for attribute in [each for each in fonts.attrib if each.endswith("Theme")]:
            del fonts.attrib[attribute]  # a theme's font would win over a named one
        if name.startswith("Heading"):
            style.font.color.rgb = RGBColor.from_string(INK)
            style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(12), Pt(4)
    page.styles["Normal"].paragraph_format.space_after = Pt(4)
    page.styles["Quote"].paragraph_format.left_indent = Pt(14)
    page.styles["Caption"].font.color.rgb, page.styles["Caption"].font.bold = RGBColor(0, 0, 0), False
    for lang in page.styles.element.iter(qn("w:lang")):
        lang.set(qn("w:val"), locale)


def add_section(page: Any, title: str, texts: Iterable[str], items: Iterable[str] = ()) -> None:
    """A heading with its lines and its list; nothing when there is nothing under it."""
    texts, items = list(texts), list(items)
    if texts or items:
        add_heading(page, title, 2)
    for text in texts:
        add_text(page, text)
    for item in items:
        add_text(page, item, style="ListBullet")


def add_items(page: Any, title: str, items: Iterable[str]) -> None:
    """A list under a line that says what it is; nothing when it is empty."""
    if items:
        add_text(page, title, bold=True).paragraph_format.keep_with_next = True
    for item in items:
        add_text(page, item, style="ListBullet")


def add_heading(page: Any, text: str, level: int) -> Any:
    """A heading of level 1 to 3, in Word's own style: it is what navigation panes and screen readers list."""
    return add_text(page, text, style=f"Heading{level}")


def add_text(page: Any, text: str, *, style: str = "", **look: Any) -> Any:
    """A paragraph that is not split across pages; `style` is a style's id (names are looked up, slowly), `look` as in `add_run`."""
    paragraph = page.add_paragraph()
    if style:
        paragraph._p.style = style
    paragraph.paragraph_format.keep_together = True
    add_run(paragraph, text, **look)
    return paragraph


def add_run(paragraph: Any, text: str, *, bold: bool = False, italic: bool = False, size_pt: float = 0) -> None:
    """Text at the end of a paragraph; `size_pt` 0 is its style's size."""
    from docx.shared import Pt

    run = paragraph.add_run(clean(text))
    run.bold, run.italic = bold or None, italic or None
    if size_pt:
        run.font.size = Pt(size_pt)


def add_box(page: Any, title: str, texts: Iterable[str]) -> None:
    """A paragraph on a pale ground with a bar, readable in grey."""
    if texts:
        paragraph = page.add_paragraph()
        _shade(paragraph._p.get_or_add_pPr(), bar=True)
        add_run(paragraph, title, bold=True)
        add_run(paragraph, " ".join(texts))


def add_table(
    page: Any, head: list[str], rows: list[list[str]], widths_mm: tuple[int, ...], *, bold: Iterable[int] = (), row_mm: int = 0
) -> None:
    """A table whose first row is repeated on each page, whose rows are not cut, and whose columns have their widths."""
    from docx.oxml import OxmlElement
    from docx.shared import Mm

    table = page.add_table(rows=0, cols=len(widths_mm), style="Table Grid")
    table.autofit = False
    for i, width_mm in enumerate(widths_mm):
        table.columns[i].width = Mm(width_mm)
    for number, texts in enumerate([head, *rows]):
        row = table.add_row()
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        if number == 0:
            row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
        elif row_mm:
            row.height = Mm(row_mm)
        for i, (cell, text) in enumerate(zip(row.cells, texts, strict=True)):
            cell.width = Mm(widths_mm[i])
            add_run(cell.paragraphs[0], text, bold=number == 0 or i in bold)
            if number == 0:
                _shade(cell._tc.get_or_add_tcPr())
    page.add_paragraph()


def _shade(properties: Any, *, bar: bool = False) -> None:
    """A pale ground for a cell or a paragraph, with a bar on its left when asked."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    if bar:
        properties.append(parse_xml(f'<w:pBdr {nsdecls("w")}><w:left w:val="single" w:sz="18" w:space="6" w:color="{INK}"/></w:pBdr>'))
    properties.append(parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="{PALE}"/>'))


def add_lines(page: Any, label: str, lines: int) -> None:
    """Lines to write on."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls
    from docx.shared import Mm

    if label:
        add_text(page, label, bold=True).paragraph_format.keep_with_next = True
    for i in range(lines):
        line = page.add_paragraph()
        edge = f'<w:bottom w:val="single" w:sz="{4 + i % 2}" w:space="1" w:color="6B7788"/>'  # two alike would be drawn as one frame
        line._p.get_or_add_pPr().append(parse_xml(f"<w:pBdr {nsdecls('w')}>{edge}</w:pBdr>"))  # before spacing: the schema's order
        line.paragraph_format.space_before, line.paragraph_format.space_after = Mm(4), Mm(0)


def add_link(paragraph: Any, url: str) -> None:
    """An address that can be followed, and read on paper."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    paragraph.add_run()
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), paragraph.part.relate_to(url, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    add_run(paragraph, url, size_pt=9)
    link.append(paragraph.runs[-1]._r)
    paragraph._p.append(link)


def add_qr(paragraph: Any, url: str, alt: str, size_mm: int) -> None:
    """The address as a QR code at the right margin, beside the paragraph, with its text alternative."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls
    from docx.shared import Mm

    inline = paragraph.add_run().add_picture(io.BytesIO(qr_png(url)), width=Mm(size_mm))._inline
    inline.docPr.set("descr", clean(alt))
    inline.docPr.set("name", "QR")
    anchor = parse_xml(_ANCHOR.format(namespaces=nsdecls("wp")))
    wrap = anchor[-1]
    for part in list(inline):  # extent, docPr, cNvGraphicFramePr, graphic: the anchor has the same, around its wrapping
        (wrap.addprevious if part.tag.endswith("}extent") else anchor.append)(part)
    inline.getparent().replace(inline, anchor)


def _field(paragraph: Any, code: str) -> None:
    """A number that Word works out: `PAGE` or `NUMPAGES`, never a text of the guide."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    field = f'<w:fldSimple {nsdecls("w")} w:instr="{code}"><w:r><w:rPr><w:sz w:val="18"/></w:rPr><w:t>1</w:t></w:r></w:fldSimple>'
    paragraph._p.append(parse_xml(field))


def clean(text: str) -> str:
    """The text without what XML refuses and what reorders a line; line ends and tabs stay."""
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in UNPRINTED)


def saved(page: Any) -> bytes:
    """The file's bytes, the same each time: Word files are zips, and zips carry dates."""
    first, again = io.BytesIO(), io.BytesIO()
    page.save(first)
    with zipfile.ZipFile(first) as made, zipfile.ZipFile(again, "w") as archive:
        for name in made.namelist():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), made.read(name), zipfile.ZIP_DEFLATED)
    return again.getvalue()
