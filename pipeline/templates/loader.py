"""The folder of an area, its labels in one language, and its Jinja2 environment."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any  # Any: of what tomllib reads

from pipeline.model import CauserieError

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

    `language` is a BCP 47 tag. A file of the same name in `overrides` replaces single labels; those of another type than the built-in
    one are ignored. Raises `CauserieError` when it is not TOML. The result is cached and shared: do not change it.
    """
    code = language.lower().partition("-")[0]
    name = f"{kind}.{code}.toml"
    if not (folder(area) / name).is_file():
        name = f"{kind}.{_DEFAULT_LANGUAGE}.toml"
    builtin = tomllib.loads((folder(area) / name).read_text(encoding="utf-8"))
    return _merge_labels(builtin, _parse_override(name, dict(overrides).get(name, "")))


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
