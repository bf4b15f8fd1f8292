"""The words a guide brings with it, by language: `pipeline/templates/guide/labels.*.toml` and `questions.*.toml`."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "templates" / "guide"
FAMILIES = ("understand", "relate", "debate", "imagine", "act")


def known(language: str) -> str:
    """The language of the words to use: the show's when there are files for it, otherwise English."""
    code = language.lower().partition("-")[0]
    return code if code in languages() else "en"


@cache
def languages() -> tuple[str, ...]:
    """The languages a guide can be in: those that have both files."""
    codes = (path.name.split(".")[1] for path in FOLDER.glob("labels.*.toml"))
    return tuple(sorted(code for code in codes if (FOLDER / f"questions.{code}.toml").is_file()))


@cache
def labels(language: str) -> dict[str, Any]:
    """Headings, comments, words to say and printed labels."""
    return _read(f"labels.{known(language)}.toml")


@cache
def templates(language: str) -> dict[str, Any]:
    """Question templates by family, and the word lists that help to choose quotes."""
    return _read(f"questions.{known(language)}.toml")


@cache
def headings() -> dict[str, str]:
    """Each section's heading in every language, folded, to the section's key."""
    return {fold(title): key for language in languages() for key, title in labels(language)["sections"].items()}


def fold(text: str) -> str:
    """A heading as compared: no case, straight apostrophes, single spaces."""
    return " ".join(text.replace("’", "'").casefold().split())


def fill(template: str, **values: str) -> str:
    """The template with its `{places}` filled in one pass: nothing inside a value is read as a place."""
    return re.sub(r"\{(\w+)\}", lambda place: values.get(place[1], place[0]), template)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))
