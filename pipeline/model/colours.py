"""The named colours of the listening pages, and the contrast of text in them (WCAG 2.2, success criterion 1.4.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

MIN_CONTRAST = 4.5  # minimum contrast ratio of text with its background, level AA

# The colours of the sample cover: night blue, lamp yellow, cream, brick
LIGHT = {
    "paper": "#fdf9f0",
    "card": "#fffdf8",
    "ink": "#1c2733",
    "soft": "#52606c",
    "line": "#ded5c2",
    "link": "#1a4f78",
    "accent": "#8a3d1d",
    "current": "#fdeec8",
    "bar": "#c98a12",
    "band": "#173149",
    "on-band": "#fff5e1",
    "lamp": "#f7c766",
    "brick": "#b0633c",
}
DARK = {
    "paper": "#0e1a26",
    "card": "#14232f",
    "ink": "#ece5d6",
    "soft": "#a9b4bd",
    "line": "#2f4152",
    "link": "#f2c66d",
    "accent": "#f0a57c",
    "current": "#22364a",
    "bar": "#f7c766",
    "band": "#14293d",
}
# Every colour of text, with every background it is used on
TEXT_PAIRS = (*product(("ink", "soft", "link", "accent"), ("paper", "card", "current")), ("on-band", "band"), ("lamp", "band"))


def merge_palettes(light: Mapping[str, str], dark: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The light and dark palettes with a show's own colours; a colour missing from the dark one is that of the light one."""
    light_palette = {**LIGHT, **light}
    return {"light": light_palette, "dark": {**light_palette, **DARK, **dark}}


def low_contrast_pairs(palette: Mapping[str, str]) -> Iterator[tuple[str, str, float]]:
    """(text, background, contrast ratio) of each pair of a palette below the minimum contrast."""
    for text, background in TEXT_PAIRS:
        ratio = contrast_ratio(palette[text], palette[background])
        if ratio < MIN_CONTRAST:
            yield text, background, ratio


def contrast_ratio(first: str, second: str) -> float:
    """The contrast ratio of two colours `#rrggbb`, from 1 to 21 (WCAG 2.2, definition of contrast ratio)."""
    luminances = sorted(map(_relative_luminance, (first, second)))
    return (luminances[1] + 0.05) / (luminances[0] + 0.05)


def _relative_luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
