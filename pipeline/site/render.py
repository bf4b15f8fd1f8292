"""Jinja2 for the pages: the built-in templates, the show's own which override them, and the filters of both."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Any  # Any: of Jinja2's variables and of labels
from urllib.parse import urlsplit

from pipeline.engine import read_text
from pipeline.model import (
    CauserieError,
    apply_typography,
    format_clock,
    format_date,
    format_size,
    relative_link,
    terminal_safe,
    text_direction,
)
from pipeline.templates import environment, folder, labels

if TYPE_CHECKING:
    import jinja2

_OVERRIDES_FOLDER = "templates/"
_ENCODED_BRACKETS = str.maketrans({"[": "%5B", "]": "%5D"})
TemplateOverrides = tuple[tuple[str, str], ...]  # (name, text) of the show's templates, which override the built-in ones


def read_overrides(paths: tuple[Path, ...]) -> TemplateOverrides:
    """The name and text of the show's own templates."""
    return tuple((path.name, read_text(path, f"templates/{path.name}")) for path in paths)


def render_page(template: str, values: dict[str, Any], overrides: TemplateOverrides = ()) -> str:
    """The HTML of a page; `values["folder"]` is its folder in the tree.

    Raises `CauserieError` with file and line when one of the show's own templates fails.
    """
    import jinja2

    try:
        return _environment(values["show"].language, overrides).get_template(template).render(values)
    except jinja2.TemplateSyntaxError as error:
        reason = terminal_safe(str(error.message))
        raise CauserieError(f"cannot be read: {reason}", f"templates/{error.name}:{error.lineno}", "correct that line") from error
    except Exception as error:
        if not overrides or isinstance(error, CauserieError):
            raise
        raise CauserieError(f"fails: {terminal_safe(str(error))}", _failing_template(error), "correct it, or delete it") from error


def read_asset(name: str, overrides: TemplateOverrides = ()) -> str:
    """The text of a style sheet or script: the show's own, else the built-in one."""
    return dict(overrides).get(name) or (folder("site") / name).read_text(encoding="utf-8")


def page_labels(language: str, overrides: TemplateOverrides = ()) -> dict[str, Any]:
    """The labels of a language; those in the show's own file override the built-in ones."""
    return labels("site", language, overrides)


def safe_href(url: str) -> str:
    """The URL when its scheme is http or https, with brackets percent-encoded; "" for any other, which could run a script."""
    try:
        return url.translate(_ENCODED_BRACKETS) if urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:  # an unclosed bracket
        return ""


@lru_cache(16)  # bounded: while somebody edits the show's templates, every change is a new key
def _environment(language: str, overrides: TemplateOverrides) -> jinja2.Environment:
    """The environment of a language and set of templates, with the filters of the pages; cached, since compiling costs the most."""
    import jinja2
    from markupsafe import Markup

    filters: dict[str, Callable[..., object]] = {
        "typographic": lambda text, spoken="": apply_typography(text, spoken or language),
        "lang": lambda spoken: Markup(' lang="{}"').format(spoken) if spoken and spoken != language else "",
        "direction": _direction,
        "weight": lambda size: format_size(size, language),
        "day": lambda moment: format_date(moment, language),
        "paragraphs": lambda text: [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()],
        "hms": format_clock,
        "web": safe_href,
        "link": jinja2.pass_context(lambda context, key: relative_link(key, context["folder"])),
    }
    page_environment = environment("site", overrides)
    page_environment.filters.update(filters)
    return page_environment


def _direction(spoken: str) -> str:
    """The attribute `dir` of a page in that language; none where it is the default."""
    from markupsafe import Markup

    return Markup(' dir="rtl"') if text_direction(spoken) == "rtl" else Markup()


def _failing_template(error: BaseException) -> str:
    """Name and line of the innermost of the show's own templates in the traceback."""
    code_locations = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    in_overrides = [f"{name}:{line}" for name, line in code_locations if name.startswith(_OVERRIDES_FOLDER)]
    return in_overrides[-1] if in_overrides else _OVERRIDES_FOLDER
