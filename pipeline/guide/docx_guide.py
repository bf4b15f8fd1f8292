"""The documents of a guide as Word files, for teams to adapt: the same values as the PDFs, in Word's built-in styles.

Texts become plain runs, never fields or markup: what looks like a field code is printed as typed. Edits in these files are not read
back; the source is `guides/<slug>.md`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.guide.docx import (
    add_box,
    add_heading,
    add_items,
    add_link,
    add_qr,
    add_ruled_lines,
    add_run,
    add_section,
    add_table,
    add_text,
    new_document,
    to_bytes,
)
from pipeline.guide.labels import Labels, fill
from pipeline.guide.values import ClipValues, GuideView

if TYPE_CHECKING:
    from docx.document import Document


def facilitator_document(value: GuideView, date: datetime) -> bytes:
    """Return the facilitator's guide as .docx bytes, dated `date`."""
    words, titles = value["labels"], value["headings"]
    document = new_document(value, words["facilitator"], date)
    _add_header(document, value, words["facilitator"])
    add_box(document, f"{titles['status']}{words['colon']}", value["status"])
    add_section(document, titles["goal"], value["goal"])
    add_items(document, words["outcomes"], value["outcomes"])
    add_section(document, titles["prepare"], (), value["prepare"])
    _add_formats(document, value)
    _add_running_order(document, value)
    add_section(document, titles["before"], [f"{words['framing']}{words['colon']}{text}" for text in value["framing"]])
    add_items(document, words["brief"], value["brief"])
    add_section(document, words["landmarks"], (), [f"{mark['at']} {mark['title']}" for mark in value["chapters"]])
    _add_clips(document, value)
    _add_questions(document, value, follow_ups=True)
    add_section(document, titles["stance"], (), value["stance"])
    add_section(document, titles["return"], (), value["return"])
    _add_credits(document, value)
    _add_harvest_sheet(document, value)
    return to_bytes(document)


def handout_document(value: GuideView, date: datetime) -> bytes:
    """Return the participants' handout as .docx bytes, dated `date`."""
    words, titles = value["labels"], value["headings"]
    document = new_document(value, words["handout"], date)
    _add_header(document, value, words["handout"])
    add_box(document, f"{titles['status']}{words['colon']}", value["status"])
    add_section(document, titles["before"], value["framing"])
    if value["handout_clips"]:
        add_heading(document, words["quotes"], 2)
        for clip in value["handout_clips"]:
            _add_quote(document, clip, words)
        add_ruled_lines(document, words["caught"], 3)
    _add_questions(document, value, follow_ups=False)
    add_heading(document, words["notes"], 2)
    add_ruled_lines(document, "", 10)
    return to_bytes(document)


def _add_header(document: Document, value: GuideView, kind: str) -> None:
    """Add the document kind, the episode's title and data, and where to listen."""
    words, colon = value["labels"], value["labels"]["colon"]
    add_qr(add_text(document, kind.upper(), bold=True), value["url"], words["qr_page"], 28)
    add_heading(document, value["title"], 1)
    if value["spoken_title"]:
        add_text(document, value["spoken_title"], italic=True)
    add_text(document, " · ".join(filter(None, (value["series"], value["number"]))))
    dates = f"{words['published']} {value['date']} · {words['version_long']}{colon}{value['version']}"
    add_text(document, f"{words['duration']}{colon}{value['duration']} · {dates}")
    add_link(add_text(document, f"{words['listen_at']}{colon}"), value["url"])


def _add_formats(document: Document, value: GuideView) -> None:
    """Add the table of formats: a row per part, a column per length; the chosen one is bold and marked."""
    words, formats = value["labels"], value["formats"]
    add_heading(document, words["formats"], 2)
    head = [words["part"], *(f"{row['total']} min{' ►' if row['chosen'] else ''}" for row in formats)]
    rows = [[part, *(row["minutes"][i] for row in formats)] for i, part in enumerate(value["parts"])]
    rows.append([words["listen_to"], *(words["played"] if row["whole"] else words["clips_only"] for row in formats)])
    chosen = {i for i, row in enumerate(formats, 1) if row["chosen"]}
    add_table(document, head, rows, (50, *([30] * len(formats))), bold=chosen)
    listen_before = "" if all(row["whole"] for row in formats) else f" {words['listen_before']}"
    add_text(document, f"► {words['chosen']}.{listen_before}", style="Caption")


def _add_running_order(document: Document, value: GuideView) -> None:
    """Add the running order of the chosen format."""
    words = value["labels"]
    add_heading(document, fill(words["order"], minutes=value["format_min"]), 2)
    rows = [
        [row["at"], row["minutes"], row["part"], "\n".join((row["say"], *(f"→ {one}" for one in row["ask"])))] for row in value["order"]
    ]
    add_table(document, [words["start"], words["minutes"], words["part"], words["say"]], rows, (17, 19, 36, 98), bold={2})


def _add_clips(document: Document, value: GuideView) -> None:
    """Add each clip: introduction, quote, times, and its URL to scan or type."""
    words = value["labels"]
    if value["clips"]:
        add_heading(document, value["headings"]["clips"], 2)
    for clip in value["clips"]:
        intro = add_text(document, f"{clip['number']}. {clip['intro']}".strip(), bold=True)
        intro.paragraph_format.keep_with_next = True
        times = {"start": clip["start"], "end": clip["end"]}
        if clip["url"]:
            add_qr(intro, clip["url"], fill(words["qr_clip"], **times), 22)
        _add_quote(document, clip, words)
        if clip["url"]:
            add_link(add_text(document, f"{fill(words['play'], **times)} – "), clip["url"])
        else:
            add_text(document, words["unplaced"])


def _add_quote(document: Document, clip: ClipValues, words: Labels) -> None:
    for line in clip["lines"]:
        quote = add_text(document, "", style="Quote")
        quote.paragraph_format.keep_with_next = True
        if len(clip["lines"]) > 1:
            add_run(quote, f"{line['voice']}{words['colon']}", bold=True)
        add_run(quote, fill(words["quote"], text=line["text"]))
    attribution = add_text(document, "", style="Quote")
    add_run(attribution, clip["voice"], bold=True)
    attribution.paragraph_format.keep_with_next = clip["url"] != "" or None


def _add_questions(document: Document, value: GuideView, *, follow_ups: bool) -> None:
    """Add the questions by family; the handout has no follow-ups, and prints them on its second side."""
    words, families = (
        value["labels"],
        {family: family_questions for family, family_questions in value["families"].items() if family_questions},
    )
    if families:
        add_heading(document, words["questions"], 2).paragraph_format.page_break_before = None if follow_ups else True
    for family, asked in families.items():
        add_heading(document, value["headings"][family], 3)
        for one in asked:
            text = add_text(document, one["text"], bold=follow_ups)
            add_run(text, f" ({one['clip']})" if follow_ups and one["clip"] else "")
            for following in one["follow_ups"] if follow_ups else ():
                text.paragraph_format.keep_with_next = True
                text = add_text(document, f"{words['follow_up']}{words['colon']}{following}")


def _add_credits(document: Document, value: GuideView) -> None:
    words, colon = value["labels"], value["labels"]["colon"]
    rows = [f"{credit['role']}{colon}{credit['names']}" for credit in value["credits"]]
    rows.append(" · ".join(dict.fromkeys(filter(None, (value["author"], value["copyright"])))))
    rows += [f"{words[key]}{colon}{text}" for key, text in (("license", value["license"]), ("contact", value["contact"])) if text]
    add_section(document, words["credits"], rows)


def _add_harvest_sheet(document: Document, value: GuideView) -> None:
    """Add the harvest sheet to photocopy, on a page of its own."""
    from docx.enum.text import WD_BREAK

    words, colon = value["labels"], value["labels"]["colon"]
    document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    add_heading(document, words["harvest"], 2)
    add_text(document, f"{value['title']} – {value['slug']}", bold=True)
    blanks = {"harvest_date": 12, "harvest_present": 6, "harvest_team": 14}  # underscores to write on
    fields = [f"{words['harvest_format']}{colon}{value['format_min']} min", *(f"{words[key]}{colon}{'_' * n}" for key, n in blanks.items())]
    add_text(document, " · ".join(fields))
    add_text(document, words["harvest_how"])
    rows = [[str(i), "", "", "", ""] for i in range(1, value["harvest_rows"])]  # one fewer than the PDF's: Word's lines are taller
    add_table(document, words["harvest_columns"], rows, (11, 73, 17, 27, 42), row_mm=16)
    send_to = f"{words['harvest_send']}{colon}{value['contact']}. " if value["contact"] else ""
    add_text(document, f"{send_to}{words['csv']} {value['csv']}", style="Caption")
