"""What the pages share (style, script, fonts), the page of an address that leads nowhere, and what search engines read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from pipeline.colours import palettes
from pipeline.files import write_whole
from pipeline.release import read_release
from pipeline.site.linked import digest
from pipeline.site.pages import common
from pipeline.site.places import Frame, address
from pipeline.site.render import asset, own_templates, render
from pipeline.site_model import Named

_FAMILIES = {"font": "sans", "title_font": "serif"}  # the variables of style.css that each font comes first in


def style_files(
    templates: tuple[Path, ...] = (),
    fonts: tuple[Path, ...] = (),
    *,
    style: Path,
    script: Path,
    light: Named = (),
    dark: Named = (),
    names: tuple[str, ...] = (),
    **copies: Path,
) -> None:
    """Write the style sheet in the show's colours, the script, and in `copies` the `fonts`, which are for `names`."""
    own = own_templates(templates)
    faces = {name: f"fonts/{copies[name].name}" for name in names}
    write_whole(style, lettered(coloured(asset("style.css", own), light, dark), faces))
    write_whole(script, shortened(asset("page.js", own)))
    for name, font in zip(names, fonts, strict=True):
        write_whole(copies[name], font.read_bytes())


def found_pages(
    cover: Path,
    templates: tuple[Path, ...] = (),
    *,
    lost: Path,
    robots: Path,
    sitemap: Path | None = None,
    frame: Frame,
    keys: tuple[str, ...],
    light: Named = (),
    dark: Named = (),
) -> None:
    """Write the page of an address that leads nowhere, and what search engines may read: `keys` are the pages, without a sitemap nothing.

    A server sends that page for any address, so its style is in it and its links are whole.
    """
    own = own_templates(templates)
    style = coloured(asset("style.css", own), light, dark)
    values = common(frame, read_release(cover), "404.html", own)
    values |= {"title": values["words"]["lost"], "style": style, "bare_policy": digest(style)}
    write_whole(lost, render("lost.html.j2", values, own))
    if sitemap is None:
        write_whole(robots, "User-agent: *\nDisallow: /\n")
        return
    write_whole(robots, f"User-agent: *\nAllow: /\nSitemap: {address(frame.show, 'sitemap.xml')}\n")
    write_whole(sitemap, sitemap_text(address(frame.show, key) for key in keys))


def coloured(css: str, light: Named, dark: Named) -> str:
    """The style sheet with both palettes before it, as custom properties."""
    day, night = palettes(dict(light), dict(dark)).values()
    by_night = {name: colour for name, colour in night.items() if colour != day[name]}
    variables = ["".join(f" --{name}: {colour};" for name, colour in palette.items()) for palette in (day, by_night)]
    return f":root {{{variables[0]} }}\n@media (prefers-color-scheme: dark) {{ :root {{{variables[1]} }} }}\n{css}"


def lettered(css: str, faces: Mapping[str, str]) -> str:
    """The style sheet with the show's fonts first in their families, by name; the browser's own stand in until they are there."""
    rule = '@font-face {{ font-family: "{}"; src: url("{}"); font-weight: 100 900; font-display: swap; }}\n'
    for name in faces:
        css = css.replace(f"--{_FAMILIES[name]}: ", f'--{_FAMILIES[name]}: "{name}", ', 1)
    return "".join(rule.format(*face) for face in faces.items()) + css


def shortened(script: str) -> str:
    """The script without its comment lines and indentation: what a browser has no use for is not sent."""
    return re.sub(r"(?m)^[ \t]*(//.*)?\n|^[ \t]+", "", script)


def sitemap_text(urls: Iterable[str]) -> str:
    """Addresses as a sitemap (sitemaps.org, 0.9)."""
    lines = "".join(f"<url><loc>{escape(url)}</loc></url>\n" for url in urls)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{lines}</urlset>\n'
