"""Reads `[site]` of show.toml and lists the show's `templates/`; colours without enough contrast are errors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.colours import LIGHT, READABLE, palettes, unreadable
from pipeline.errors import CauserieError
from pipeline.fields import ADDRESS, file_in
from pipeline.site_model import Named, SiteSettings
from pipeline.text import nearest, printable, slugify
from pipeline.toml import Table

OURS = Path(__file__).parent / "templates" / "site"
FOLDER = "templates"  # in the show's folder
_KINDS = {".j2", ".css", ".js", ".toml"}  # suffixes of templates; other files in the folder are ignored
_FONTS = {b"wOF2": ".woff2", b"wOFF": ".woff", b"OTTO": ".otf", b"\0\1\0\0": ".ttf"}  # W3C WOFF 1 and 2, OpenType 1.9


def site_settings(table: Table, root: Path) -> SiteSettings:
    """The settings of the pages; every mistake is added to the table's problems."""
    light, dark = (_colours(table.table(name)) for name in ("light", "dark"))
    _check_contrast(table, light, dark)
    settings = SiteSettings(
        light=tuple(light.items()),
        dark=tuple(dark.items()),
        font=_font(table, "font", root),
        title_font=_font(table, "title_font", root),
        subscribe=_links(table.table("subscribe")),
        templates=_templates(table, root),
    )
    table.end()
    return settings


def tags(table: Table) -> tuple[str, ...]:
    """An episode's themes without duplicates. Each gets a page, so each needs letters or digits for its URL."""
    found: dict[str, str] = {}
    for tag in table.texts("tags"):
        slug = slugify(tag)
        if not slug or len(tag) > 60 or not tag.isprintable():
            table.problem("tags", f"“{printable(tag)[:60]}” cannot be the name of a page", "use a word or two, in Latin letters or digits")
        else:
            found.setdefault(slug, tag)
    return tuple(found.values())


def _colours(table: Table) -> dict[str, str]:
    found = {name: table.matching(name, "#[0-9a-fA-F]{6}", LIGHT[name]).lower() for name in LIGHT}
    table.end()
    return {name: colour for name, colour in found.items() if colour}


def _check_contrast(table: Table, light: Mapping[str, str], dark: Mapping[str, str]) -> None:
    """Report every pair with too little contrast, under the colour that the show sets: the built-in pairs all have enough."""
    own = {"light": light, "dark": {**light, **dark}}
    for scheme, palette in palettes(light, dark).items():
        for text, ground, ratio in unreadable(palette):
            key, other = (text, ground) if text in own[scheme] else (ground, text)
            where = scheme if key in (dark if scheme == "dark" else light) else "light"
            seen = f"has a contrast of {int(ratio * 100) / 100}:1 with {other} ({palette[other]}) on {scheme} screens"
            hint = f"make it darker or lighter, or set {scheme}.{other} as well"
            table.table(where).problem(key, f"{seen}; text needs {READABLE}:1", hint)


def _font(table: Table, key: str, root: Path) -> str:
    """A font file; its suffix must match its content, because servers derive the media type from it."""
    name = file_in(table, key, root, root)
    if name and (root / name).is_file():
        with (root / name).open("rb") as stream:
            extension = _FONTS.get(stream.read(4), "")
        if not extension or not name.endswith(extension):
            table.problem(key, f"{printable(name)} is not a font", "name a .woff2, .woff, .otf or .ttf file")
    return name


def _links(table: Table) -> Named:
    return tuple((name, url) for name in table.values if (url := table.matching(name, ADDRESS, "https://podcasts.example.org/show")))


def _templates(table: Table, root: Path) -> tuple[str, ...]:
    """The show's own templates. One that overrides none of the built-in ones is an error, unless its name begins with `_`."""
    found = sorted(path.name for path in (root / FOLDER).glob("*") if path.suffix in _KINDS and path.is_file())
    ours = {path.name for path in OURS.iterdir()}
    for name in found:
        if name not in ours and not name.startswith("_"):
            hint = f"{nearest(name, ours)}; a template that others include begins with “_”"
            table.problems.append(CauserieError("is not the name of a template of the pages", printable(f"{FOLDER}/{name}"), hint))
        if not (root / FOLDER / name).resolve().is_relative_to(root.resolve()):  # any file of this machine could be published
            table.problems.append(
                CauserieError("is a link that leads out of the show", printable(f"{FOLDER}/{name}"), "put a copy in its place")
            )
    return tuple(f"{FOLDER}/{name}" for name in found)
