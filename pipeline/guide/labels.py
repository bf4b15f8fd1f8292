"""The built-in texts of guides, by language: `pipeline/templates/guide/labels.*.toml` and `questions.*.toml`."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pipeline.templates import folder, labels

FAMILIES = ("understand", "relate", "debate", "imagine", "act")
Labels = dict[str, Any]  # tables of a label file; tomllib types their values as Any


def supported_language(language: str) -> str:
    """Return the code of the language when it has label files, otherwise `en`."""
    code = language.lower().partition("-")[0]
    return code if code in languages() else "en"


@cache
def languages() -> tuple[str, ...]:
    """Return the languages of guides: those that have both files."""
    codes = (path.name.split(".")[1] for path in folder("guide").glob("labels.*.toml"))
    return tuple(sorted(code for code in codes if (folder("guide") / f"questions.{code}.toml").is_file()))


def load_labels(language: str) -> Labels:
    """Load the headings, comments, facilitator's words and printed labels of a language."""
    return labels("guide", supported_language(language))


def question_templates(language: str) -> Labels:
    """Load the question templates by family, and the word lists used to rank quotes."""
    return labels("guide", supported_language(language), kind="questions")


@cache
def section_keys() -> dict[str, str]:
    """Map each section's folded heading, in every language, to the section's key."""
    return {fold(title): key for language in languages() for key, title in load_labels(language)["sections"].items()}


def fold(text: str) -> str:
    """Return a heading for comparison: no case, straight apostrophes, single spaces."""
    return " ".join(text.replace("’", "'").casefold().split())


def fill(template: str, **values: str) -> str:
    """Fill the template's `{placeholders}` in one pass: a value is never read as a placeholder."""
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), template)
