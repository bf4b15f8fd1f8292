"""An address as a QR code: error correction M, which a stained sheet can lose 15 % of (ISO/IEC 18004)."""

from __future__ import annotations

import io
from functools import cache
from typing import Any


@cache
def qr_svg(url: str, title: str = "") -> str:
    """As SVG, one unit a module, with `title` as its text alternative."""
    import markupsafe

    stream = io.BytesIO()
    _code(url).save(stream, kind="svg", xmldecl=False, border=2, omitsize=True, svgclass=None, lineclass=None)
    svg = stream.getvalue().decode().strip()
    return svg.replace("<svg ", '<svg role="img" ', 1).replace(">", f"><title>{markupsafe.escape(title)}</title>", 1) if title else svg


@cache
def qr_png(url: str) -> bytes:
    """As PNG, eight pixels a module, for documents that take no SVG."""
    stream = io.BytesIO()
    _code(url).save(stream, kind="png", scale=8, border=2)
    return stream.getvalue()


@cache
def _code(url: str) -> Any:
    """Choosing a code's mask takes longer than drawing it: once an address."""
    import segno

    return segno.make(url, error="m", micro=False)
