"""The codes of the languages Whisper was trained on: the same for both backends, available without importing either."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = frozenset(
    """
    af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu
    hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt
    ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh
    """.split()
)

_MIN_OTHER, _MAX_OWN = 0.8, 0.1  # probabilities; close languages, as Galician and Portuguese, share theirs


def other_language(probabilities: Mapping[str, float], language: str) -> str:
    """The language that is certainly spoken instead of `language`, by their probabilities; "" when it is not certain."""
    likeliest = max(probabilities, key=lambda code: probabilities[code], default=language)
    certain = probabilities.get(likeliest, 0.0) >= _MIN_OTHER and probabilities.get(language, 1.0) <= _MAX_OWN
    return likeliest if certain else ""
