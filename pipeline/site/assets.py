"""What the pages share (style sheet, script, fonts), the 404 page, and what search engines read (sitemap, robots.txt)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from pipeline.engine import write_atomic
from pipeline.model import NamePairs, merge_palettes, public_url
from pipeline.publish import read_release
from pipeline.site.context import PageContext
from pipeline.site.episode_page import base_values
from pipeline.site.render import read_asset, read_overrides, render_page
from pipeline.site.structured_data import csp_hash

_FONT_VARIABLES = {"font": "sans", "title_font": "serif"}  # setting -> the font-family variable of style.css that the font is put first in


def write_style_files(
    templates: tuple[Path, ...] = (),
    fonts: tuple[Path, ...] = (),
    *,
    style: Path,
    script: Path,
    light: NamePairs = (),
    dark: NamePairs = (),
    names: tuple[str, ...] = (),
    **copies: Path,
) -> None:
    """Write the style sheet in the show's colours, the script, and a copy of each font.

    `names` are the settings that name the `fonts`, and the keys of `copies`, where they are written.
    """
    overrides = read_overrides(templates)
    font_urls = {name: f"fonts/{copies[name].name}" for name in names}
    write_atomic(style, with_fonts(with_palettes(read_asset("style.css", overrides), light, dark), font_urls))
    write_atomic(script, minify_script(read_asset("page.js", overrides)))
    for name, font in zip(names, fonts, strict=True):
        write_atomic(copies[name], font.read_bytes())


def write_discovery_files(
    cover: Path,
    templates: tuple[Path, ...] = (),
    *,
    lost: Path,
    robots: Path,
    sitemap: Path | None = None,
    frame: PageContext,
    keys: tuple[str, ...],
    light: NamePairs = (),
    dark: NamePairs = (),
) -> None:
    """Write the 404 page, robots.txt, and the sitemap of the pages in `keys`; without `sitemap`, robots.txt disallows everything.

    A server sends the 404 page for any path, so its style is inline and its links are absolute.
    """
    overrides = read_overrides(templates)
    style = with_palettes(read_asset("style.css", overrides), light, dark)
    values = base_values(frame, read_release(cover), "404.html", overrides)
    values |= {"title": values["words"]["lost"], "style": style, "bare_policy": csp_hash(style)}
    write_atomic(lost, render_page("lost.html.j2", values, overrides))
    if sitemap is None:
        write_atomic(robots, "User-agent: *\nDisallow: /\n")
        return
    write_atomic(robots, f"User-agent: *\nAllow: /\nSitemap: {public_url(frame.show, 'sitemap.xml')}\n")
    write_atomic(sitemap, render_sitemap(public_url(frame.show, key) for key in keys))


def with_palettes(css: str, light: NamePairs, dark: NamePairs) -> str:
    """The style sheet preceded by both palettes as custom properties."""
    light_palette, dark_palette = merge_palettes(dict(light), dict(dark)).values()
    dark_changes = {name: colour for name, colour in dark_palette.items() if colour != light_palette[name]}
    variables = ["".join(f" --{name}: {colour};" for name, colour in palette.items()) for palette in (light_palette, dark_changes)]
    return f":root {{{variables[0]} }}\n@media (prefers-color-scheme: dark) {{ :root {{{variables[1]} }} }}\n{css}"


def with_fonts(css: str, font_urls: Mapping[str, str]) -> str:
    """The style sheet with the show's fonts first in their font families; `font_urls` are their URLs by setting."""
    rule = '@font-face {{ font-family: "{}"; src: url("{}"); font-weight: 100 900; font-display: swap; }}\n'
    for name in font_urls:
        css = css.replace(f"--{_FONT_VARIABLES[name]}: ", f'--{_FONT_VARIABLES[name]}: "{name}", ', 1)
    return "".join(rule.format(*face) for face in font_urls.items()) + css


def minify_script(script: str) -> str:
    """The script without comment lines and indentation."""
    return re.sub(r"(?m)^[ \t]*(//.*)?\n|^[ \t]+", "", script)


def render_sitemap(urls: Iterable[str]) -> str:
    """Addresses as a sitemap (sitemaps.org, 0.9)."""
    lines = "".join(f"<url><loc>{escape(url)}</loc></url>\n" for url in urls)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{lines}</urlset>\n'
