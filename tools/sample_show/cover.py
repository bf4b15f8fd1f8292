"""Draws the sample show's cover: a lit counter window at night, and a voice in it.

    python -m tools.sample_show.cover [--out episodes/cover.jpg]

Needs Pillow and the DejaVu fonts, which the pipeline itself does not. The bottom fifth holds nothing that matters:
players put their buttons there.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIDE = 3000  # px; Apple asks for 1400 to 3000, square
SCALE = 2  # drawn larger, then reduced: smooth edges
NIGHT, DEEP, LAMP, PAPER, CORAL, WOOD, WOOD_DARK = (
    "#16324A",
    "#0F2538",
    "#F6C667",
    "#FFF6E3",
    "#E4572E",
    "#8C4A2F",
    "#74391F",
)
SERIF = "DejaVuSerif-Bold.ttf"
SANS = "DejaVuSans.ttf"
WINDOW = (760, 1010, 2240, 2330)  # left, top of the straight part's arch, right, counter top
COUNTER_TOP = 2330

Box = tuple[float, float, float, float]


class Sheet:
    """A drawing surface measured in final pixels."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (SIDE * SCALE, SIDE * SCALE), NIGHT)
        self._draw = ImageDraw.Draw(self.image)

    def box(self, box: Box, colour: str, radius: float = 0) -> None:
        """A rectangle, with round corners if ``radius``."""
        self._draw.rounded_rectangle([v * SCALE for v in box], radius * SCALE, fill=colour)

    def disc(self, x: float, y: float, radius: float, colour: str) -> None:
        """A filled circle."""
        self._draw.ellipse([(v) * SCALE for v in (x - radius, y - radius, x + radius, y + radius)], fill=colour)

    def shape(self, points: list[tuple[float, float]], colour: str) -> None:
        """A filled polygon."""
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=colour)

    def text(self, x: float, y: float, words: str, size: float, colour: str, font: str) -> None:
        """Words centred on ``x``, their baseline at ``y``."""
        face = ImageFont.truetype(font, round(size * SCALE))
        self._draw.text((x * SCALE, y * SCALE), words, fill=colour, font=face, anchor="ms")


def _arch(sheet: Sheet, box: Box, colour: str) -> None:
    """A window with a round top: ``box`` reaches from the top of the arch to the sill."""
    left, top, right, bottom = box
    radius = (right - left) / 2
    sheet.disc((left + right) / 2, top + radius, radius, colour)
    sheet.box((left, top + radius, right, bottom), colour)


def _window(sheet: Sheet) -> None:
    left, top, right, bottom = WINDOW
    for grow, colour in ((70, DEEP), (0, LAMP)):
        _arch(sheet, (left - grow, top - grow, right + grow, bottom), colour)


def _voice(sheet: Sheet) -> None:
    """A speech bubble whose words are a sound wave."""
    left, top, right, bottom = 920, 1320, 2080, 1980
    sheet.shape([(1230, bottom - 20), (1530, bottom - 20), (1190, bottom + 210)], PAPER)
    sheet.box((left, top, right, bottom), PAPER, radius=150)
    count, step, width = 9, 104, 62
    for index in range(count):
        away = (index - (count - 1) / 2) / (count / 2)
        height = 110 + 380 * math.cos(away * math.pi / 2) ** 2 * (0.62 + 0.38 * math.cos(index * 2.4))
        x = 1500 + (index - (count - 1) / 2) * step
        sheet.box((x - width / 2, 1650 - height / 2, x + width / 2, 1650 + height / 2), CORAL, radius=width / 2)


def _counter(sheet: Sheet) -> None:
    sheet.box((0, COUNTER_TOP + 90, SIDE, SIDE), WOOD_DARK)
    for index in range(10):
        sheet.box((index * 300 + 12, COUNTER_TOP + 150, index * 300 + 288, SIDE), WOOD, radius=24)
    sheet.box((0, COUNTER_TOP, SIDE, COUNTER_TOP + 110), "#B5683F")
    sheet.box((0, COUNTER_TOP + 110, SIDE, COUNTER_TOP + 135), "#5B2C17")


def _bell(sheet: Sheet) -> None:
    """The bell one taps to be served."""
    x, base = 2570, COUNTER_TOP
    sheet.disc(x, base - 40, 150, LAMP)
    sheet.box((x - 160, base - 62, x + 160, base), NIGHT)
    sheet.disc(x, base - 196, 26, PAPER)
    sheet.box((x - 185, base - 62, x + 185, base - 22), PAPER, radius=18)
    sheet.box((x - 150, base - 22, x + 150, base), WOOD_DARK)


def _title(sheet: Sheet) -> None:
    sheet.text(1500, 420, "Demain,", 360, PAPER, SERIF)
    sheet.text(1500, 770, "le guichet", 360, LAMP, SERIF)


def draw() -> Image.Image:
    """The cover, 3000 px square, RGB."""
    sheet = Sheet()
    _window(sheet)
    _voice(sheet)
    _bell(sheet)
    _counter(sheet)
    _title(sheet)
    return sheet.image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def main() -> None:
    """Draw and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "episodes" / "cover.jpg")
    draw().save(parser.parse_args().out, quality=88, optimize=True, progressive=True, dpi=(72, 72))


if __name__ == "__main__":
    main()
