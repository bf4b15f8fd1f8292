"""The folder of an area, its labels in one language, and its Jinja2 environment."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any  # Any: of what tomllib reads

from pipeline.model import CauserieError, language_data

if TYPE_CHECKING:
    import jinja2

_ROOT = Path(__file__).parent
_DEFAULT_LANGUAGE = "en"
Overrides = tuple[tuple[str, str], ...]  # (name, text) of files of a show that override the built-in ones; a tuple, to be a cache key


def folder(area: str) -> Path:
    """The folder that holds the files of an area."""
    return _ROOT / area


@lru_cache(128)  # bounded: while somebody edits the show's labels, every change is a new key
def labels(area: str, language: str, overrides: Overrides = (), *, kind: str = "labels") -> dict[str, Any]:
    """What `<kind>.<code>.toml` of an area says: French for `fr` and `fr-CA`, English for a language without a file.

    A language may also be one file of the model, `languages/es.toml`, with a table for each area; what it leaves out is in English.
    `language` is a BCP 47 tag. A file of the same name in `overrides` replaces single labels; those of another type than the built-in
    one are ignored. Raises `CauserieError` when it is not TOML. The result is cached and shared: do not change it.
    """
    code, own = language.lower().partition("-")[0], dict(overrides)
    name = f"{kind}.{code}.toml"
    is_builtin = (folder(area) / name).is_file()
    translated = language_data(language).get(area, {}) if kind == "labels" and not is_builtin else {}
    if not (is_builtin or translated or name in own):
        name = f"{kind}.{_DEFAULT_LANGUAGE}.toml"
    builtin = folder(area) / (name if is_builtin else f"{kind}.{_DEFAULT_LANGUAGE}.toml")
    known = _merge_labels(tomllib.loads(builtin.read_text(encoding="utf-8")), translated)
    return _merge_labels(known, _parse_override(name, own.get(name, "")))


def environment(area: str, overrides: Overrides = (), *, keep_trailing_newline: bool = False) -> jinja2.Environment:
    """A new environment for the templates of an area: variables escaped, unknown ones an error, lines of block tags left out.

    Templates in `overrides` come first and run in Jinja's sandbox; errors show them as `templates/<name>`. `ours/episode.html.j2` is
    always the built-in template, so that one of the show can extend it. Compiling costs more than rendering: keep the environment.
    """
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    builtin = jinja2.FileSystemLoader(folder(area))
    sources = {name: (text, f"templates/{name}", None) for name, text in overrides}
    environment_class = ImmutableSandboxedEnvironment if overrides else jinja2.Environment
    return environment_class(
        loader=jinja2.ChoiceLoader([jinja2.FunctionLoader(sources.get), builtin, jinja2.PrefixLoader({"ours": builtin})]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=keep_trailing_newline,
        auto_reload=False,  # built-in templates never change, the show's own are passed as text
    )


def _parse_override(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CauserieError(f"is not valid TOML: {error}", f"templates/{name}", "correct that line") from error


def _merge_labels(builtin: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """The built-in labels with those of the override that have the same type; tables are merged one level deep."""
    merged = dict(builtin)
    for key, value in override.items():
        if isinstance(value, type(builtin.get(key))):
            merged[key] = {**builtin[key], **value} if isinstance(value, dict) else value
    return merged
