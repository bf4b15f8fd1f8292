"""Reads `[site]` of show.toml and lists the show's `templates/`; colours without enough contrast are errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pipeline.config.fields import URL, read_file
from pipeline.config.table import Table
from pipeline.model import (
    LIGHT,
    MIN_CONTRAST,
    CauserieError,
    NamePairs,
    SiteSettings,
    low_contrast_pairs,
    merge_palettes,
    slugify,
    suggest,
    terminal_safe,
)
from pipeline.templates import folder

TEMPLATES_FOLDER = "templates"  # in the show's folder
_TEMPLATE_SUFFIXES = {".j2", ".css", ".js", ".toml"}  # suffixes of templates; other files in the folder are ignored
_LABELS = re.compile(r"labels\.[a-z]{2,3}\.toml")  # of a language that has no built-in file, or another shape of one
_FONT_SIGNATURES = {b"wOF2": ".woff2", b"wOFF": ".woff", b"OTTO": ".otf", b"\0\1\0\0": ".ttf"}  # W3C WOFF 1 and 2, OpenType 1.9


def read_site_settings(table: Table, root: Path) -> SiteSettings:
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
    table.reject_unknown()
    return settings


def read_tags(table: Table) -> tuple[str, ...]:
    """An episode's themes without duplicates. Each gets a page, so each needs letters or digits for its URL."""
    tags_by_slug: dict[str, str] = {}
    for tag in table.strings("tags"):
        slug = slugify(tag)
        if not slug or len(tag) > 60 or not tag.isprintable():
            table.add_problem(
                "tags", f"“{terminal_safe(tag)[:60]}” cannot be the name of a page", "use a word or two, in Latin letters or digits"
            )
        else:
            tags_by_slug.setdefault(slug, tag)
    return tuple(tags_by_slug.values())


def _colours(table: Table) -> dict[str, str]:
    found = {name: table.matching(name, "#[0-9a-fA-F]{6}", LIGHT[name]).lower() for name in LIGHT}
    table.reject_unknown()
    return {name: colour for name, colour in found.items() if colour}


def _check_contrast(table: Table, light: Mapping[str, str], dark: Mapping[str, str]) -> None:
    """Report every pair with too little contrast, under the colour that the show sets: the built-in pairs all have enough."""
    configured = {"light": light, "dark": {**light, **dark}}
    for scheme, palette in merge_palettes(light, dark).items():
        for text, background, ratio in low_contrast_pairs(palette):
            key, other = (text, background) if text in configured[scheme] else (background, text)
            where = scheme if key in (dark if scheme == "dark" else light) else "light"
            message = f"has a contrast of {int(ratio * 100) / 100}:1 with {other} ({palette[other]}) on {scheme} screens"
            hint = f"make it darker or lighter, or set {scheme}.{other} as well"
            table.table(where).add_problem(key, f"{message}; text needs {MIN_CONTRAST}:1", hint)


def _font(table: Table, key: str, root: Path) -> str:
    """A font file; its suffix must match its content, because servers derive the media type from it."""
    name = read_file(table, key, root, root)
    if name and (root / name).is_file():
        with (root / name).open("rb") as stream:
            extension = _FONT_SIGNATURES.get(stream.read(4), "")
        if not extension or not name.endswith(extension):
            table.add_problem(key, f"{terminal_safe(name)} is not a font", "name a .woff2, .woff, .otf or .ttf file")
    return name


def _links(table: Table) -> NamePairs:
    return tuple((name, url) for name in table.values if (url := table.matching(name, URL, "https://podcasts.example.org/show")))


def _templates(table: Table, root: Path) -> tuple[str, ...]:
    """The show's own templates. One that overrides none of the built-in ones is an error, unless its name begins with `_`."""
    found = sorted(path.name for path in (root / TEMPLATES_FOLDER).glob("*") if path.suffix in _TEMPLATE_SUFFIXES and path.is_file())
    builtin_names = {path.name for path in folder("site").iterdir()}
    for name in found:
        if name not in builtin_names and not name.startswith("_") and not _LABELS.fullmatch(name):
            hint = f"{suggest(name, builtin_names)}; a template that others include begins with “_”"
            table.problems.append(
                CauserieError("is not the name of a template of the pages", terminal_safe(f"{TEMPLATES_FOLDER}/{name}"), hint)
            )
        if not (root / TEMPLATES_FOLDER / name).resolve().is_relative_to(root.resolve()):  # any file of this machine could be published
            table.problems.append(
                CauserieError(
                    "is a link that leads out of the show", terminal_safe(f"{TEMPLATES_FOLDER}/{name}"), "put a copy in its place"
                )
            )
    return tuple(f"{TEMPLATES_FOLDER}/{name}" for name in found)
