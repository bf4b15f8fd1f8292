"""Voice-overs inside a turn: « Il fallait deux jours [voix off] Jeanne Sauvage, factrice. Deux jours. » No input or output."""

from __future__ import annotations

import re

from pipeline.transcript.freeform.labels import NAME

VOICE_OFF = re.compile(r"[\[(]\s*voix[- ]off\s*:?\s*[\])]\s*:?\s*", re.I)
VOICE_OFF_AT_START = re.compile(rf"(?P<sounds>(?:\[[^\[\]]*\]\s*)*?){VOICE_OFF.pattern}", re.I)
VOICE_OFF_WITH_NAME = re.compile(r"\[\s*voix[- ]off\s*[:,–-]\s*(?P<who>[^\[\]]+)\]\s*", re.I)
ANNOUNCEMENT = re.compile(rf"(?P<name>{NAME.pattern})(?P<what>\s*[,(–-]\s*[^.!?«»]{{3,110}}?)?\s*(?:[.:…]|(?=\[)|$)\s*")
_END = re.compile(r"[\[(]\s*(?:fin (?:de )?(?:la )?voix[- ]off|voix[- ]in|retour)\s*[\])]\s*", re.I)
_SENTENCE = re.compile(r".+?[.!?…](?=\s+[A-ZÀ-ÞŒŸ«\[]|\s*$)")


def split_voice_over(text: str) -> tuple[str, str, str, str]:
    """Return what is said before a voice-over, the voice-over, the name that it gives the speaker, and what is said after it.

    It lasts to the mark of its end; else it is the announcement of a name, else one sentence, or a whole paragraph that it starts.
    """
    if mark := VOICE_OFF_WITH_NAME.search(text):
        found = ANNOUNCEMENT.match(mark["who"].strip() + ".")
        return text[: mark.start()].strip(), mark["who"].strip(), found["name"] if found else "", text[mark.end() :].strip()
    mark = VOICE_OFF.search(text)
    if not mark:
        return text, "", "", ""
    before, rest = text[: mark.start()].strip(), text[mark.end() :]
    found = ANNOUNCEMENT.match(rest)
    if end := _END.search(rest):
        over, after = rest[: end.start()], rest[end.end() :]
    elif found:
        over, after = found[0], rest[found.end() :]
    elif before and (sentence := _SENTENCE.match(rest)):
        over, after = sentence[0], rest[sentence.end() :]
    else:
        over, after = rest, ""
    return before, over.strip(), found["name"] if found else "", after.strip()
