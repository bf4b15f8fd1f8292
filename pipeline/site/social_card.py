"""The social card of an episode: a 1200 × 630 pixel image (Open Graph) that Typst draws from text passed as data."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

from pipeline.engine import write_atomic
from pipeline.model import CauserieError, NamePairs, apply_typography, font_characters, font_family, merge_palettes, parse_header
from pipeline.templates import folder, labels

_FONT_ALPHABETS = ("LATIN", "GREEK", "CYRILLIC")  # alphabets that the font bundled with Typst covers


def draw_card(
    cover: Path,
    *,
    card: Path,
    show: str,
    episode: str,
    number: int | None,
    language: str,
    colours: NamePairs = (),
    fonts: tuple[Path, ...] = (),
) -> None:
    """Write the card of an episode: its title, the show's title and its number next to the cover, in the show's `colours`.

    A title in an alphabet that the built-in font and the files `fonts` lack is left out, and the cover takes its place. Raises
    `CauserieError` when the cover cannot be drawn.
    """
    import typst

    cover_image = parse_header(cover.read_bytes())
    palette = merge_palettes(dict(colours), {})["light"]
    label = f"{labels('site', language)['episode']} {number}" if number is not None else ""
    more = frozenset[str]().union(*map(font_characters, fonts))
    texts = [drawable_text(apply_typography(text, language), more) for text in (show, episode, label)]
    data = {
        "texts": texts,
        "cover": f"/{cover.name}",
        "form": "png" if cover_image and cover_image.type == "png" else "jpg",
        "colours": palette,
        "fonts": [*map(font_family, fonts)],
    }
    source = (folder("site") / "card.typ").read_bytes()
    inputs, font_paths = {"data": json.dumps(data)}, sorted({font.parent for font in fonts})
    try:
        # typst's stubs ask for `root` in the type of the source; the compiler takes bytes and a path
        png = typst.compile(
            source, format="png", ppi=72, sys_inputs=inputs, root=cover.parent, font_paths=font_paths, ignore_system_fonts=True
        )  # type: ignore[call-overload]
    except RuntimeError as error:
        raise CauserieError(f"cannot be drawn: {error}", str(cover), "export it again as JPEG") from error
    write_atomic(card, png)


def drawable_text(text: str, more: frozenset[str] = frozenset()) -> str:
    """The text without the characters that neither the font nor `more` has; empty when more than half of its letters are missing."""
    drawable_chars = "".join(char for char in text if char in more or _has_glyph(char))
    return " ".join(drawable_chars.split()) if 2 * _letters(drawable_chars) >= _letters(text) else ""


def _letters(text: str) -> int:
    return sum(char.isalpha() for char in text)


def _has_glyph(char: str) -> bool:
    is_mark = char.isprintable() and not char.isalpha() and char < "\u2100"  # punctuation, digits, currency signs
    return is_mark or char.isspace() or unicodedata.name(char, "").startswith(_FONT_ALPHABETS)
