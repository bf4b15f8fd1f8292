"""The notes and fixed texts of a draft, in French and English: doubts, gaps, corrections, help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypedDict

from pipeline.model import Correction, DoubtfulPassage, apply_typography, format_clock
from pipeline.transcript.document import Note
from pipeline.transcript.passage_notes import voice_sentence

_GAP_S = 4.0  # without words: music, silence or missed words
_ORDINAL = re.compile(r"\b(\d+)i?[èe]me(s?)\b")
_MAX_QUOTE_CHARS = 60  # of a doubtful passage: enough to find it


_STRIP_QUOTES = str.maketrans("", "", "«»“”")  # they would nest in the quotation marks of a note


class DraftTexts(TypedDict):
    """The fixed texts of a draft in one language."""

    stamp: str
    help: tuple[str, ...]
    voice: str
    gap: str
    quote: str
    glossary: str
    together: str
    reasons: dict[str, str]


_TEXTS: dict[str, DraftTexts] = {
    "fr": {
        "stamp": "tant que rien d’autre n’est changé, la machine peut récrire ce brouillon",
        "help": (
            "Ce que la machine a entendu : écoutez et corrigez. Les lignes qui commencent par %% ne sont jamais publiées.",
            "Un paragraphe simple : le narrateur. « Nom : texte » : une autre voix (deux fois au moins, ou déclarée ici).",
            "## Archive : 1978 ouvre une partie ; ## Récit rend la parole au narrateur. [musique], [rires] : ce qu’on entend.",
            "Entre « et », un extrait ; une ligne qui commence par - y change de voix. @1:05 au début d’un paragraphe en fixe l’heure.",
            "%% ? : à écouter d’abord, la machine doute. %% glossaire : ce qu’elle a corrigé d’après glossary.toml.",
        ),
        "voice": "Voix",
        "gap": "? [musique] ou silence",
        "quote": "« {} »",
        "glossary": "glossaire",
        "together": "? deux voix à la fois",
        "reasons": {
            "unsure words": "mots peu sûrs",
            "repetition": "répétition",
            "no voice": "peut-être personne ne parle",
            "odd rate": "débit étrange",
            "glossary": "un nom du glossaire, peut-être",
        },
    },
    "en": {
        "stamp": "this draft is rewritten automatically as long as nothing else is changed",
        "help": (
            "The machine’s transcription: listen and correct. Lines that begin with %% are never published.",
            "A plain paragraph: the narrator. “Name : text”: another voice (at least twice, or declared here).",
            "## Archive: 1978 opens a section; ## Narration returns to the narrator. [music], [laughter]: sounds.",
            "Between « and », an insert; a line that begins with a dash changes the speaker in it. @1:05 before a paragraph sets its time.",
            "%% ?: listen to this first, it is doubtful. %% glossary: corrected from glossary.toml.",
        ),
        "voice": "Voice",
        "gap": "? [music] or silence",
        "quote": "“{}”",
        "glossary": "glossary",
        "together": "? two voices at once",
        "reasons": {"no voice": "perhaps no speech", "glossary": "perhaps a name of the glossary"},
    },
}


def format_reasons(reasons: Iterable[str], language: str) -> str:
    """The reasons of a doubt, in the language of the draft."""
    return ", ".join(fixed_texts(language)["reasons"].get(reason, reason) for reason in reasons)


def fixed_texts(language: str) -> DraftTexts:
    """The texts of a draft, in the show's language or in English."""
    return _TEXTS.get(language.split("-")[0], _TEXTS["en"])


def gap_note(start_s: float, end_s: float, language: str, voices: Sequence[tuple[float, float]] = ()) -> tuple[Note, ...]:
    """A note for a long gap without words: music, silence, or words that were missed; where a voice was, one for each instead."""
    if within := [span for span in voices if start_s <= (span[0] + span[1]) / 2 <= end_s]:
        return tuple(note for _, note in voice_notes(within, language))
    if end_s - start_s < _GAP_S:
        return ()
    return (Note(f"{fixed_texts(language)['gap']} ({format_clock(start_s)}–{format_clock(end_s)})"),)


def voice_notes(voices: Sequence[tuple[float, float]], language: str) -> list[tuple[float, Note]]:
    """The start (s) and note of each voice without words, given as start and end in seconds."""
    return [(start_s, make_note(f"? {voice_sentence(start_s, end_s, language)}", language)) for start_s, end_s in voices]


def doubt_notes(passages: Sequence[DoubtfulPassage], language: str) -> list[tuple[float, Note]]:
    """The start (s) and note of each doubtful passage: its times, its words, the reasons."""
    texts = fixed_texts(language)
    notes: list[tuple[float, Note]] = []
    for each in passages:
        shown = each["text"] if len(each["text"]) <= _MAX_QUOTE_CHARS else f"{each['text'][:_MAX_QUOTE_CHARS].rsplit(' ', 1)[0]}…"
        quote = texts["quote"].format(shown.translate(_STRIP_QUOTES).strip(" .,;:!?\u00a0\u202f"))
        why = format_reasons(each["reasons"], language)
        when = f"{format_clock(each['start_s'])}–{format_clock(each['end_s'] + 0.999)}"
        notes.append((each["start_s"], make_note(f"? {when} {quote}{f' ({why})' if why else ''}", language)))
    return notes


def correction_notes(corrections: Sequence[Correction], language: str) -> list[tuple[float, Note]]:
    """The start (s) and note of each correction of the glossary, so that it can be undone."""
    name, quote = fixed_texts(language)["glossary"], fixed_texts(language)["quote"]
    return [
        (
            each.start_s,
            make_note(
                f"{name} : {quote.format(each.heard.translate(_STRIP_QUOTES))} → {each.written} ({format_clock(each.start_s)})", language
            ),
        )
        for each in corrections
    ]


def make_note(text: str, language: str) -> Note:
    """A note, on one line: line ends in the text become spaces."""
    return Note(apply_typography(re.sub(r"[ \r\n\t\v\f\x1c-\x1e\x85\u2028\u2029]+", " ", text).strip(), language))


def escape_markup(text: str, language: str) -> str:
    """Recognised text, made safe for the grammar: brackets become parentheses, and unbalanced quotation marks are removed.

    French ordinals are shortened as they are printed: « 3ème » is « 3e ».
    """
    plain = re.sub(r"[ \t\r\n]+", " ", text.translate(str.maketrans("[]", "()"))).strip()
    if language.startswith("fr"):
        plain = _ORDINAL.sub(r"\1e\2", plain)
    depth, broken = 0, False
    for char in plain:
        depth += (char == "«") - (char == "»")
        broken = broken or depth not in (0, 1)
    return apply_typography(re.sub(r"[«»] ?", "", plain) if broken or depth else plain, language).strip(" \u00a0\u202f")
