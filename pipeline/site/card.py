"""The picture that a link to an episode is shown with: 1200 × 630 pixels (Open Graph), drawn by Typst from text given as data."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

from pipeline.colours import palettes
from pipeline.errors import CauserieError
from pipeline.files import write_whole
from pipeline.pictures import image
from pipeline.site.wording import TEMPLATES, labels
from pipeline.site_model import Named
from pipeline.text import typographic

_ALPHABETS = ("LATIN", "GREEK", "CYRILLIC")  # what the font that comes with Typst draws


def card(cover: Path, *, card: Path, show: str, episode: str, number: int | None, language: str, colours: Named = ()) -> None:
    """Write the card of an episode: its title, the show's and its number, beside the cover, in the show's own `colours`.

    A title in letters that the font lacks leaves its place to the cover. Raises `CauserieError` for a cover that cannot be drawn.
    """
    import typst

    found = image(cover.read_bytes())
    day = palettes(dict(colours), {})["light"]
    label = f"{labels(language)['episode']} {number}" if number is not None else ""
    texts = [drawable(typographic(text, language)) for text in (show, episode, label)]
    data = {"texts": texts, "cover": f"/{cover.name}", "form": "png" if found and found.type == "png" else "jpg", "colours": day}
    source = (TEMPLATES / "card.typ").read_bytes()
    told = {"sys_inputs": {"data": json.dumps(data)}, "root": cover.parent, "ignore_system_fonts": True}
    try:
        drawn = typst.compile(source, format="png", ppi=72, **told)
    except RuntimeError as error:
        raise CauserieError(f"cannot be drawn: {error}", str(cover), "export it again as JPEG") from error
    write_whole(card, drawn)


def drawable(text: str) -> str:
    """The text as the font can draw it; empty when less than half of its letters are there."""
    kept = "".join(char for char in text if _has_glyph(char))
    return " ".join(kept.split()) if 2 * _letters(kept) >= _letters(text) else ""


def _letters(text: str) -> int:
    return sum(char.isalpha() for char in text)


def _has_glyph(char: str) -> bool:
    is_mark = char.isprintable() and not char.isalpha() and char < "\u2100"  # punctuation, figures, signs of money
    return is_mark or char.isspace() or unicodedata.name(char, "").startswith(_ALPHABETS)
