"""What only the listening pages say of a show: frozen values, no input or output."""

from __future__ import annotations

from dataclasses import dataclass

Named = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SiteSettings:
    """What `[site]` says in show.toml, and the templates of the show's own."""

    light: Named = ()  # colours that differ from `pipeline.colours.LIGHT`, by name
    dark: Named = ()
    font: str = ""  # a font file of the show, for running text and labels
    title_font: str = ""
    subscribe: Named = ()  # where the show can be followed: a directory's name, its address there
    templates: tuple[str, ...] = ()  # files of the show's `templates/` that stand for ours of the same name
