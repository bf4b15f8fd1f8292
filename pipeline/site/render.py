"""Jinja2 around the pages: our templates, the show's own over them, and what both may call."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Any
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
Own = tuple[tuple[str, str], ...]  # name and text of the show's templates


def own_templates(paths: tuple[Path, ...]) -> Own:
    """The show's templates, read."""
    return tuple((path.name, read_text(path, f"templates/{path.name}")) for path in paths)


def render(template: str, values: dict[str, Any], own: Own = ()) -> str:
    """The page's HTML; `values["folder"]` is where it lies in the tree. A `CauserieError` names a template of the show's that fails."""
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
    """The text of a style sheet or script: the show's, or ours."""
    return dict(own).get(name) or (TEMPLATES / name).read_text(encoding="utf-8")


def words_of(language: str, own: Own = ()) -> dict[str, Any]:
    """The labels of a language, those of the show's own file over ours."""
    return labels(language, dict(own).get(f"labels.{'fr' if language.startswith('fr') else 'en'}.toml", ""))


def web(url: str) -> str:
    """The address as HTML writes it when it is a page of the web; nothing when following it could run something."""
    try:
        return url.translate(_BRACKETS) if urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:  # a bracket that is never closed
        return ""


@lru_cache(16)  # a show whose templates are being written has new ones every moment
def _environment(language: str, own: Own) -> jinja2.Environment:
    """One for each language and set of templates: compiling them costs more than a page. A show's own run in Jinja's sandbox.

    `ours/episode.html.j2` is ours even where the show has its own, so that one can extend the other.
    """
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from markupsafe import Markup

    ours = jinja2.FileSystemLoader(TEMPLATES)
    theirs = {name: (text, f"{_THEIRS}{name}", None) for name, text in own}  # by the name that errors tell
    loader = jinja2.ChoiceLoader([jinja2.FunctionLoader(theirs.get), ours, jinja2.PrefixLoader({"ours": ours})])
    kind = ImmutableSandboxedEnvironment if own else jinja2.Environment
    written = {"trim_blocks": True, "lstrip_blocks": True, "auto_reload": False}  # ours do not change, theirs come as text
    environment = kind(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, **written)
    environment.filters.update(
        typographic=lambda text, spoken="": typographic(text, spoken or language),
        lang=lambda spoken: Markup(' lang="{}"').format(spoken) if spoken and spoken != language else "",
        weight=lambda size: weight(size, language),
        day=lambda moment: day(moment, language),
        paragraphs=lambda text: [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()],
        hms=hms,
        web=web,
        link=jinja2.pass_context(lambda context, key: link(key, context["folder"])),
    )
    return environment


def _failing(error: BaseException) -> str:
    """Name and line of the innermost template of the show's that was running."""
    running = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    theirs = [f"{name}:{line}" for name, line in running if name.startswith(_THEIRS)]
    return theirs[-1] if theirs else _THEIRS
