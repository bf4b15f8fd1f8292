"""The settings of the listening pages: frozen values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass

NamePairs = tuple[tuple[str, str], ...]  # (name, value) pairs


@dataclass(frozen=True)
class SiteSettings:
    """`[site]` of show.toml, and the show's own templates."""

    light: NamePairs = ()  # colours that differ from `pipeline.model.show.colours.LIGHT`, by name
    dark: NamePairs = ()
    font: str = ""  # a font file of the show, for body text and labels
    title_font: str = ""
    subscribe: NamePairs = ()  # where the show can be followed: a directory's name, its URL there
    templates: tuple[str, ...] = ()  # files of the show's `templates/` that override built-in ones of the same name
