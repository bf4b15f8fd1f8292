"""Jinja2 for the pages: the built-in templates, the show's own which override them, and the filters of both."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Any  # Any: of Jinja2's variables and of labels
from urllib.parse import urlsplit

from pipeline.errors import CauserieError
from pipeline.files import read_text
from pipeline.site.places import link
from pipeline.site.wording import TEMPLATES, day, labels, weight
from pipeline.text import hms, printable, typographic

if TYPE_CHECKING:
    import jinja2

_THEIRS = "templates/"
_BRACKETS = str.maketrans({"[": "%5B", "]": "%5D"})
Own = tuple[tuple[str, str], ...]  # (name, text) of the show's templates, which override the built-in ones


def own_templates(paths: tuple[Path, ...]) -> Own:
    """The name and text of the show's own templates."""
    return tuple((path.name, read_text(path, f"templates/{path.name}")) for path in paths)


def render(template: str, values: dict[str, Any], own: Own = ()) -> str:
    """The HTML of a page; `values["folder"]` is its folder in the tree.

    Raises `CauserieError` with file and line when one of the show's own templates fails.
    """
    import jinja2

    try:
        return _environment(values["show"].language, own).get_template(template).render(values)
    except jinja2.TemplateSyntaxError as error:
        said = printable(str(error.message))
        raise CauserieError(f"cannot be read: {said}", f"templates/{error.name}:{error.lineno}", "correct that line") from error
    except Exception as error:
        if not own or isinstance(error, CauserieError):
            raise
        raise CauserieError(f"fails: {printable(str(error))}", _failing(error), "correct it, or delete it") from error


def asset(name: str, own: Own = ()) -> str:
    """The text of a style sheet or script: the show's own, else the built-in one."""
    return dict(own).get(name) or (TEMPLATES / name).read_text(encoding="utf-8")


def words_of(language: str, own: Own = ()) -> dict[str, Any]:
    """The labels of a language; those in the show's own file override the built-in ones."""
    return labels(language, dict(own).get(f"labels.{'fr' if language.startswith('fr') else 'en'}.toml", ""))


def web(url: str) -> str:
    """The URL when its scheme is http or https, with brackets percent-encoded; "" for any other, which could run a script."""
    try:
        return url.translate(_BRACKETS) if urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:  # an unclosed bracket
        return ""


@lru_cache(16)  # bounded: while somebody edits the show's templates, every change is a new key
def _environment(language: str, own: Own) -> jinja2.Environment:
    """The environment of a language and set of templates, cached: compiling costs more than rendering a page.

    The show's own templates run in Jinja's sandbox. `ours/episode.html.j2` is always the built-in template, so that the show's own
    can extend it.
    """
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from markupsafe import Markup

    ours = jinja2.FileSystemLoader(TEMPLATES)
    theirs = {name: (text, f"{_THEIRS}{name}", None) for name, text in own}  # under the name that errors show
    loader = jinja2.ChoiceLoader([jinja2.FunctionLoader(theirs.get), ours, jinja2.PrefixLoader({"ours": ours})])
    kind = ImmutableSandboxedEnvironment if own else jinja2.Environment
    environment = kind(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # built-in templates never change, the show's own are passed as text
    )
    filters: dict[str, Callable[..., object]] = {
        "typographic": lambda text, spoken="": typographic(text, spoken or language),
        "lang": lambda spoken: Markup(' lang="{}"').format(spoken) if spoken and spoken != language else "",
        "weight": lambda size: weight(size, language),
        "day": lambda moment: day(moment, language),
        "paragraphs": lambda text: [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()],
        "hms": hms,
        "web": web,
        "link": jinja2.pass_context(lambda context, key: link(key, context["folder"])),
    }
    environment.filters.update(filters)
    return environment


def _failing(error: BaseException) -> str:
    """Name and line of the innermost of the show's own templates in the traceback."""
    running = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    theirs = [f"{name}:{line}" for name, line in running if name.startswith(_THEIRS)]
    return theirs[-1] if theirs else _THEIRS
