"""Render a guide: facilitator's guide and handout as PDF, Word and HTML with the same text, a large-print PDF, and a CSV to fill in.

Typst compiles the PDFs in PDF/UA-1 mode, which rejects a missing text alternative or a skipped heading level. Texts are passed to
it as data, never as source, so that nothing a user types is executed.
"""

from __future__ import annotations

import csv
import io
import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pipeline.engine import read_text, write_atomic
from pipeline.guide import docx_guide
from pipeline.guide.document import clip_quotes, parse_guide
from pipeline.guide.glyphs import extra_characters, refuse_missing_script, replace_missing_glyphs
from pipeline.guide.qr import qr_svg
from pipeline.guide.quotes import refuse_cut_quotes
from pipeline.guide.values import GuideView, SeriesView
from pipeline.guide.view_model import GuideContext, build_view
from pipeline.model import EpisodeInfo, GuideSettings, ShowInfo, font_family
from pipeline.templates import environment, folder
from pipeline.transcript import read_chapters, read_timed

if TYPE_CHECKING:
    import jinja2


def render_guide(
    text: Path,
    timed: Path,
    chapters: Path,
    uncut: Path | None = None,
    *,
    facilitator_pdf: Path,
    facilitator_docx: Path,
    handout_pdf: Path,
    handout_docx: Path,
    handout_html: Path,
    large_print_pdf: Path,
    harvest_csv: Path,
    show: ShowInfo,
    episode: EpisodeInfo,
    guide: GuideSettings,
    fonts: tuple[Path, ...] = (),
) -> None:
    """Write every document of a guide but the one for a screen; `CauserieError` for a quote that is not in the transcript.

    `fonts` are font files for the characters that the built-in one lacks; without them, a guide in another script is refused.
    Where the episode has cuts, `timed` is what is published, and `uncut` all of it.
    """
    value = load_view(text, timed, chapters, show=show, episode=episode, guide=guide, uncut=uncut)
    refuse_missing_script([value["clips"], value["families"], value["title"], value["goal"]], fonts, f"guides/{episode.slug}.md")
    stamp_s = int(episode.published.timestamp())
    write_atomic(handout_html, render_html("handout.html.j2", value))
    write_atomic(facilitator_docx, docx_guide.facilitator_document(value, episode.published))
    write_atomic(handout_docx, docx_guide.handout_document(value, episode.published))
    write_atomic(facilitator_pdf, render_pdf("guide.typ", value, stamp_s, fonts=fonts))
    write_atomic(handout_pdf, render_pdf("handout.typ", value, stamp_s, fonts=fonts))
    write_atomic(large_print_pdf, render_pdf("handout.typ", value, stamp_s, large_print=True, fonts=fonts))
    write_atomic(harvest_csv, harvest_table(value))


def load_view(
    text: Path, timed: Path, chapters: Path, *, show: ShowInfo, episode: EpisodeInfo, guide: GuideSettings, uncut: Path | None = None
) -> GuideView:
    """Return what the documents of a guide print; `CauserieError` for a quote that nobody says, or that was cut."""
    marks = tuple((chapter.start_s, chapter.title) for chapter in read_chapters(chapters))
    context = GuideContext(show, episode, guide, read_timed(timed), marks)
    location = f"guides/{episode.slug}.md"
    parsed = parse_guide(read_text(text, location), location)
    if uncut:
        refuse_cut_quotes(((line.number, line.text) for _, line in clip_quotes(parsed)), context.timed, read_timed(uncut), location)
    return build_view(parsed, context)


def harvest_table(value: GuideView) -> bytes:
    """Return the harvest sheet as CSV to fill in: one empty row per idea, with the episode's slug.

    UTF-8 with a byte order mark, and the separator that spreadsheets of the language expect (a semicolon where the comma is decimal).
    """
    stream = io.StringIO()
    columns = value["csv"].split(",")
    rows = csv.writer(stream, delimiter=value["labels"]["csv_separator"])
    rows.writerows([columns, *([value["slug"], *[""] * (len(columns) - 1)] for _ in range(value["harvest_rows"]))])
    return stream.getvalue().encode("utf-8-sig")


def render_pdf(
    template: str, value: GuideView | SeriesView, stamp_s: int, *, large_print: bool = False, fonts: tuple[Path, ...] = ()
) -> bytes:
    """Return the PDF/UA-1 file of a view. `stamp_s` is its date in Unix seconds: a fixed one makes builds reproducible.

    `fonts` are font files for the characters that the built-in one lacks.
    """
    import typst

    large = {"large": True} if large_print else {}
    drawable = replace_missing_glyphs(value, extra_characters(fonts))
    data = json.dumps(
        {**drawable, **large, "fonts": [*map(font_family, fonts)], "qr": {url: qr_svg(url) for url in _qr_urls(value)}}, ensure_ascii=False
    )
    return typst.compile(
        folder("guide") / template,
        root=folder("guide"),
        sys_inputs={"data": data},
        pdf_standards=["ua-1"],
        timestamp=stamp_s,
        font_paths=sorted({font.parent for font in fonts}),
        ignore_system_fonts=True,
    )


def render_html(template: str, value: GuideView | SeriesView, sounds: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the HTML page of a view: a single printable file without external requests.

    `sounds` are the clips to play, as `data:` URLs, by number.
    """
    return _environment().get_template(template).render(value, sounds=sounds)


@cache
def _environment() -> jinja2.Environment:
    """Return the template environment, which caches compiled templates."""
    import markupsafe

    guide_environment = environment("guide", keep_trailing_newline=True)
    guide_environment.globals["script"] = lambda name: markupsafe.Markup(_script(name))
    guide_environment.globals["script_digest"] = lambda name: b64encode(sha256(_script(name).encode()).digest()).decode("ascii")
    guide_environment.globals["qr"] = lambda url, title: markupsafe.Markup(qr_svg(url, title))
    return guide_environment


@cache
def _script(name: str) -> str:
    return (folder("guide") / name).read_text(encoding="utf-8")


def _qr_urls(value: GuideView | SeriesView) -> list[str]:
    """Return every URL drawn as a QR code, including those of a series' episodes."""
    urls = [value["contact_url"], value["url"]]
    if "session_clips" in value:
        urls += [page["url"] for page in value["episodes"]]
        clips = [*value["session_clips"], *(clip for page in value["episodes"] for clip in page["clips"])]
    else:
        clips = [*value["clips"]]
    urls += [clip["url"] for clip in clips]
    return [url for url in dict.fromkeys(urls) if url]
