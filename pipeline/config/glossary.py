"""`glossary.toml` to the model: terms, and the spellings that are corrected to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipeline.config.table import Table
from pipeline.model import MAX_TERM_CHARS, MIN_LAST_NAME_LETTERS, Glossary, Person, Term, fold_name, terminal_safe


def read_glossary(table: Table | None, people: Mapping[str, Person]) -> Glossary:
    """The terms of a `glossary.toml`, then the names of the show's people; mistakes are added to the table's problems.

    `terms` is a list of strings, of tables, or of both.
    """
    people_terms = {name: Term(name) for name in _person_names(people.values()) if fold_name(name)}  # not « … »: it has no letters
    if table is None:
        return Glossary(tuple(people_terms.values()))
    listed: dict[str, Term] = {}
    owners: dict[tuple[str, ...], str] = {}
    for index, value in enumerate(table.get("terms", list, []), 1):
        each = Table(value if isinstance(value, dict) else {"say": value}, table.file, table.problems, f"terms[{index}]")
        term = _read_term(each)
        if term.say in listed:
            each.add_problem("say", f"“{terminal_safe(term.say)}” is listed twice", "keep one of the two entries")
        elif term.say:
            listed[term.say] = term
            _register_misspellings(each, term, owners)
    table.reject_unknown()
    for say in (*listed, *people_terms):
        if (owner := owners.get(fold_name(say), say)) != say:
            message = f"“{terminal_safe(say)}” is both a term and a wrong spelling of “{terminal_safe(owner)}”"
            table.add_problem("terms", message, "remove one of the two")
    return Glossary((*listed.values(), *(term for name, term in people_terms.items() if name not in listed)))


def _read_term(table: Table) -> Term:
    term = Term(table.string("say", ..., MAX_TERM_CHARS), table.strings("heard"), table.string("note", max_length=400))
    table.reject_unknown()
    if term.say and not fold_name(term.say):
        table.add_problem("say", "contains no letters", "write the name as it should be spelt")
        return Term("")
    return term


def _register_misspellings(table: Table, term: Term, owners: dict[tuple[str, ...], str]) -> None:
    """Record in `owners` the term of each wrong spelling; a spelling may belong to one term only."""
    for spelling in term.heard:
        form = fold_name(spelling)
        if not form or len("".join(form)) < 2:
            table.add_problem(
                "heard", f"“{terminal_safe(spelling)[:40]}” is too short to be recognised", "write a whole word, or remove it"
            )
        elif owners.setdefault(form, term.say) != term.say:
            owner = terminal_safe(owners[form])
            table.add_problem(
                "heard", f"“{terminal_safe(spelling)[:40]}” is also a wrong spelling of “{owner}”", "remove it from one of the two"
            )


def _person_names(people: Iterable[Person]) -> Iterator[str]:
    """Full names; then last names alone, if they are unique and long enough not to be ordinary words."""
    people = tuple(people)
    yield from (person.name for person in people)
    named = [person.name.split() for person in people]
    lasts = [parts[-1] for parts in named if len(parts) in (2, 3) and all(part[:1].isupper() for part in parts)]
    yield from (last for last in lasts if len(last) >= MIN_LAST_NAME_LETTERS and lasts.count(last) == 1)
