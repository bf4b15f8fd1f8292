"""Building blocks of Word files, with python-docx: styles, paragraphs, tables, links, pictures.

Every text is passed through `strip_forbidden_chars` into a plain run; the only fields are the page numbers in the footer.
"""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypedDict, Unpack

from pipeline.guide.glyphs import NON_PRINTING_CATEGORIES
from pipeline.guide.qr import qr_png
from pipeline.guide.values import GuideView

if TYPE_CHECKING:
    from docx.document import Document as DocxDocument
    from docx.oxml.xmlchemy import BaseOxmlElement
    from docx.text.paragraph import Paragraph
    from lxml.etree import _Element as Element

TEXT_COLOUR = "17345C"  # dark blue: contrast 12:1 on white, also in greyscale
BACKGROUND_COLOUR = "EEF1F5"
FONT = "Calibri"  # LibreOffice has a metric-compatible font
_ANCHOR = (  # at the right margin, aligned with the paragraph's top, text wrapped around it (ECMA-376, 20.4.2.3)
    '<wp:anchor {namespaces} distT="0" distB="0" distL="114300" distR="0" simplePos="0" relativeHeight="1" behindDoc="0" locked="0"'
    ' layoutInCell="1" allowOverlap="0"><wp:simplePos x="0" y="0"/>'
    '<wp:positionH relativeFrom="margin"><wp:align>right</wp:align></wp:positionH>'
    '<wp:positionV relativeFrom="paragraph"><wp:posOffset>0</wp:posOffset></wp:positionV>'
    '<wp:wrapSquare wrapText="left"/></wp:anchor>'
)
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can hold, for reproducible bytes


class RunFormat(TypedDict, total=False):
    """The character format of a run; see `add_run`."""

    bold: bool
    italic: bool
    size_pt: float


def new_document(value: GuideView, kind: str, date: datetime) -> DocxDocument:
    """Create an empty A4 document with language, styles, margins and a footer with page numbers."""
    from docx import Document
    from docx.shared import Mm

    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(20)
    _set_styles(document, value["labels"]["locale"])
    properties = document.core_properties
    properties.title, properties.author = (
        strip_forbidden_chars(f"{value['title']} – {kind}")[:255],
        strip_forbidden_chars(value["author"])[:255],
    )
    properties.language, properties.comments, properties.last_modified_by = value["labels"]["locale"], "", ""
    properties.created = properties.modified = date.astimezone(UTC).replace(tzinfo=None)
    words, footer = value["labels"], section.footer.paragraphs[0]
    add_run(footer, f"{value['title']} – {kind} – {words['version']} {value['version']}, {value['date']} – {words['page']} ", size_pt=9)
    _add_field(footer, "PAGE")
    add_run(footer, "/", size_pt=9)
    _add_field(footer, "NUMPAGES")
    return document


def _set_styles(document: DocxDocument, locale: str) -> None:
    """Set the styles of the default template: one font and colour, spacing, and the document language."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    sizes = {"Normal": 11, "Title": 24, "Heading 2": 14, "Heading 3": 12, "Heading 1": 20, "Quote": 11, "List Bullet": 11, "Caption": 9}
    for name, size_pt in sizes.items():
        style = document.styles[name]
        style.font.name, style.font.size = FONT, Pt(size_pt)
        fonts = style.element.rPr.rFonts
        for attribute in [each for each in fonts.attrib if each.endswith("Theme")]:
            del fonts.attrib[attribute]  # a theme's font would win over a named one
        if name.startswith("Heading"):
            style.font.color.rgb = RGBColor.from_string(TEXT_COLOUR)
            style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(12), Pt(4)
    document.styles["Normal"].paragraph_format.space_after = Pt(4)
    document.styles["Quote"].paragraph_format.left_indent = Pt(14)
    document.styles["Caption"].font.color.rgb, document.styles["Caption"].font.bold = RGBColor(0, 0, 0), False
    for lang in document.styles.element.iter(qn("w:lang")):
        lang.set(qn("w:val"), locale)


def add_section(document: DocxDocument, title: str, texts: Iterable[str], items: Iterable[str] = ()) -> None:
    """Add a heading with paragraphs and a list; nothing when both are empty."""
    texts, items = list(texts), list(items)
    if texts or items:
        add_heading(document, title, 2)
    for text in texts:
        add_text(document, text)
    for item in items:
        add_text(document, item, style="ListBullet")


def add_items(document: DocxDocument, title: str, items: Iterable[str]) -> None:
    """Add a list under a bold title; nothing when it is empty."""
    if items:
        add_text(document, title, bold=True).paragraph_format.keep_with_next = True
    for item in items:
        add_text(document, item, style="ListBullet")


def add_heading(document: DocxDocument, text: str, level: int) -> Paragraph:
    """Add a heading of level 1 to 3 in Word's built-in style, which navigation panes and screen readers list."""
    return add_text(document, text, style=f"Heading{level}")


def add_text(document: DocxDocument, text: str, *, style: str = "", **formatting: Unpack[RunFormat]) -> Paragraph:
    """Add a paragraph that is not split across pages; `style` is a style id (faster than its name), `formatting` as in `add_run`."""
    paragraph = document.add_paragraph()
    if style:
        paragraph._p.style = style
    paragraph.paragraph_format.keep_together = True
    add_run(paragraph, text, **formatting)
    return paragraph


def add_run(paragraph: Paragraph, text: str, *, bold: bool = False, italic: bool = False, size_pt: float = 0) -> None:
    """Append text to a paragraph; `size_pt` 0 keeps the style's size."""
    from docx.shared import Pt

    run = paragraph.add_run(strip_forbidden_chars(text))
    run.bold, run.italic = bold or None, italic or None
    if size_pt:
        run.font.size = Pt(size_pt)


def add_box(document: DocxDocument, title: str, texts: Iterable[str]) -> None:
    """Add a paragraph with a light background and a bar on its left, readable in greyscale."""
    if texts:
        paragraph = document.add_paragraph()
        _add_shading(paragraph._p.get_or_add_pPr(), bar=True)
        add_run(paragraph, title, bold=True)
        add_run(paragraph, " ".join(texts))


def add_table(
    document: DocxDocument, head: list[str], rows: list[list[str]], widths_mm: tuple[int, ...], *, bold: Iterable[int] = (), row_mm: int = 0
) -> None:
    """Add a table: header row repeated on each page, rows not split across pages, fixed column widths."""
    from docx.oxml import OxmlElement
    from docx.shared import Mm

    table = document.add_table(rows=0, cols=len(widths_mm), style="Table Grid")
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
                _add_shading(cell._tc.get_or_add_tcPr())
    document.add_paragraph()


def _add_shading(properties: BaseOxmlElement, *, bar: bool = False) -> None:
    """Add a light background to a cell or paragraph, optionally with a bar on its left."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    if bar:
        properties.append(
            parse_xml(f'<w:pBdr {nsdecls("w")}><w:left w:val="single" w:sz="18" w:space="6" w:color="{TEXT_COLOUR}"/></w:pBdr>')
        )
    properties.append(parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="{BACKGROUND_COLOUR}"/>'))


def add_ruled_lines(document: DocxDocument, label: str, lines: int) -> None:
    """Add ruled lines to write on."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls
    from docx.shared import Mm

    if label:
        add_text(document, label, bold=True).paragraph_format.keep_with_next = True
    for i in range(lines):
        line = document.add_paragraph()
        edge = f'<w:bottom w:val="single" w:sz="{4 + i % 2}" w:space="1" w:color="6B7788"/>'  # Word draws identical borders as one frame
        _append(line._p.get_or_add_pPr(), parse_xml(f"<w:pBdr {nsdecls('w')}>{edge}</w:pBdr>"))  # before spacing: the schema's order
        line.paragraph_format.space_before, line.paragraph_format.space_after = Mm(4), Mm(0)


def add_link(paragraph: Paragraph, url: str) -> None:
    """Add a hyperlink whose text is its URL, readable on paper."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    paragraph.add_run()
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), paragraph.part.relate_to(url, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    add_run(paragraph, url, size_pt=9)
    link.append(paragraph.runs[-1]._r)
    _append(paragraph._p, link)


def add_qr(paragraph: Paragraph, url: str, alt: str, size_mm: int) -> None:
    """Add the URL as a QR code at the right margin, beside the paragraph, with its text alternative."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls
    from docx.shared import Mm

    inline = paragraph.add_run().add_picture(io.BytesIO(qr_png(url)), width=Mm(size_mm))._inline
    inline.docPr.set("descr", strip_forbidden_chars(alt))
    inline.docPr.set("name", "QR")
    anchor: Element = parse_xml(_ANCHOR.format(namespaces=nsdecls("wp")))
    wrap = anchor[-1]
    old: Element = inline
    for part in list(old):  # extent, docPr, cNvGraphicFramePr, graphic: the anchor has the same, around its wrapping
        (wrap.addprevious if str(part.tag).endswith("}extent") else anchor.append)(part)
    drawing = old.getparent()
    assert drawing is not None  # python-docx puts each inline picture in a w:drawing
    drawing.replace(old, anchor)


def _append(parent: Element, child: Element) -> None:
    parent.append(child)


def _add_field(paragraph: Paragraph, code: str) -> None:
    """Add a field that Word computes: `PAGE` or `NUMPAGES`, never text of the guide."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    field = f'<w:fldSimple {nsdecls("w")} w:instr="{code}"><w:r><w:rPr><w:sz w:val="18"/></w:rPr><w:t>1</w:t></w:r></w:fldSimple>'
    _append(paragraph._p, parse_xml(field))


def strip_forbidden_chars(text: str) -> str:
    """Return the text without characters that XML forbids or that reorder a line; newlines and tabs stay."""
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in NON_PRINTING_CATEGORIES)


def to_bytes(document: DocxDocument) -> bytes:
    """Return the file's bytes, reproducible: the dates in its zip archive are fixed."""
    unstamped, stamped = io.BytesIO(), io.BytesIO()
    document.save(unstamped)
    with zipfile.ZipFile(unstamped) as source, zipfile.ZipFile(stamped, "w") as archive:
        for name in source.namelist():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), source.read(name), zipfile.ZIP_DEFLATED)
    return stamped.getvalue()
