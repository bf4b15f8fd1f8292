"""URLs as QR codes, with error correction level M: up to 15 % can be damaged (ISO/IEC 18004)."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segno import QRCode


@cache
def qr_svg(url: str, title: str = "") -> str:
    """Return the code as SVG, one unit per module, with `title` as its text alternative."""
    import markupsafe

    stream = io.BytesIO()
    _code(url).save(stream, kind="svg", xmldecl=False, border=2, omitsize=True, svgclass=None, lineclass=None)
    svg = stream.getvalue().decode().strip()
    return svg.replace("<svg ", '<svg role="img" ', 1).replace(">", f"><title>{markupsafe.escape(title)}</title>", 1) if title else svg


@cache
def qr_png(url: str) -> bytes:
    """Return the code as PNG, eight pixels per module, for documents that do not support SVG."""
    stream = io.BytesIO()
    _code(url).save(stream, kind="png", scale=8, border=2)
    return stream.getvalue()


@cache
def _code(url: str) -> QRCode:
    """Make the code, cached by URL: choosing its mask takes longer than drawing it."""
    import segno

    return segno.make(url, error="m", micro=False)
