"""French text as the phonemes Kokoro reads, by espeak-ng, with what espeak-ng reads badly put right.

espeak-ng comes as a wheel (`espeakng-loader`); it is a tool of the maker and ships with nothing.
"""

from __future__ import annotations

import ctypes
import re
from functools import cache

AUDIO_OUTPUT_SYNCHRONOUS, CHARS_UTF8, PHONEMES_IPA = 2, 1, 2  # espeak-ng's speak_lib.h
FRENCH = b"roa/fr"
PAUSE_MARKS = ",;:.!?…—“”"

# Words espeak-ng 1.52 reads badly, spelt so that it reads them well.
RESPELT = (
    (r"\bd'aujourd'hui\b", "daujourdui"),  # read in English otherwise
    (r"\broues\b", "roux"),  # only two consonants otherwise
    (r"(\w+[dt])-(ils?|elles?|on)\b", r"\1-t\2"),  # répond-on: the liaison is forgotten
    (r"\btout le monde\b", "tou le monde"),  # one word of three otherwise, which spoils the times
    (r"\bfils\b", "fisse"),
    (r"\bM\. (?=[A-Z])", "Monsieur "),
)
# What is put right in its phonemes.
REPAIRED = (
    (r"\([a-z-]+\)", ""),  # "(en)", where espeak-ng changes language
    ("-", ""),
    ("vˈɛ̃ttʁwˈa", "vɛ̃tʁwˈa"),  # quatre-vingt-trois
    (r"(?<=[ˈˌ]in)z (?=a)", " "),  # les machines arriveront: a plural noun and its verb are not linked
    (r"(?<=pjˈe)z (?=ɑ̃)", " "),  # les papiers ensuite
    (r" +", " "),
)


def phonemes(text: str) -> str:
    """The phonemes of a French sentence, words parted by spaces, with its punctuation. Numbers are read best in letters."""
    plain = text.replace("’", "'").replace("«", "“").replace("»", "”")
    for pattern, better in RESPELT:
        plain = re.sub(pattern, better, plain)
    pieces = re.split(rf"\s*([{PAUSE_MARKS}]+)\s*", plain)  # clauses and, between them, marks
    said = (piece + " " if n % 2 else _clause(piece) for n, piece in enumerate(pieces) if piece.strip())
    return "".join(said).strip()


def words(text: str) -> list[str]:
    """The words of a text as they are written, without marks that stand alone."""
    return [word for word in text.split() if any(char.isalnum() for char in word)]


def word_spans(sounds: str) -> list[tuple[int, int]]:
    """The first and past-the-end index of each word in a string of phonemes."""
    return [match.span() for match in re.finditer(rf"[^\s{PAUSE_MARKS}()]+", sounds)]


@cache
def _library() -> ctypes.CDLL:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    if library.espeak_SetVoiceByName(FRENCH):
        raise SystemExit("espeak-ng has no French voice: install espeakng-loader again")
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    return library


def _clause(text: str) -> str:
    """The phonemes of a clause without punctuation: espeak-ng drops the marks, and with them the pauses."""
    pointer = ctypes.c_char_p(text.encode())
    said = []
    while pointer.value:
        said.append(_library().espeak_TextToPhonemes(ctypes.byref(pointer), CHARS_UTF8, PHONEMES_IPA).decode())
    sounds = " ".join(said)
    for pattern, better in REPAIRED:
        sounds = re.sub(pattern, better, sounds)
    return sounds.strip()
