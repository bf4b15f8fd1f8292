"""What the pages share (style sheet, script, fonts), the 404 page, and what search engines read (sitemap, robots.txt)."""

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

_FAMILIES = {"font": "sans", "title_font": "serif"}  # setting -> the font-family variable of style.css that the font is put first in


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
    """Write the style sheet in the show's colours, the script, and a copy of each font.

    `names` are the settings that name the `fonts`, and the keys of `copies`, where they are written.
    """
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
    """Write the 404 page, robots.txt, and the sitemap of the pages in `keys`; without `sitemap`, robots.txt disallows everything.

    A server sends the 404 page for any path, so its style is inline and its links are absolute.
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
    """The style sheet preceded by both palettes as custom properties."""
    day, night = palettes(dict(light), dict(dark)).values()
    by_night = {name: colour for name, colour in night.items() if colour != day[name]}
    variables = ["".join(f" --{name}: {colour};" for name, colour in palette.items()) for palette in (day, by_night)]
    return f":root {{{variables[0]} }}\n@media (prefers-color-scheme: dark) {{ :root {{{variables[1]} }} }}\n{css}"


def lettered(css: str, faces: Mapping[str, str]) -> str:
    """The style sheet with the show's fonts first in their font families; `faces` are their URLs by setting."""
    rule = '@font-face {{ font-family: "{}"; src: url("{}"); font-weight: 100 900; font-display: swap; }}\n'
    for name in faces:
        css = css.replace(f"--{_FAMILIES[name]}: ", f'--{_FAMILIES[name]}: "{name}", ', 1)
    return "".join(rule.format(*face) for face in faces.items()) + css


def shortened(script: str) -> str:
    """The script without comment lines and indentation."""
    return re.sub(r"(?m)^[ \t]*(//.*)?\n|^[ \t]+", "", script)


def sitemap_text(urls: Iterable[str]) -> str:
    """Addresses as a sitemap (sitemaps.org, 0.9)."""
    lines = "".join(f"<url><loc>{escape(url)}</loc></url>\n" for url in urls)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{lines}</urlset>\n'
