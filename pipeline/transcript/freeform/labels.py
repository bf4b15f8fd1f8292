"""Match lines of a free-form transcript: part labels, credits, header fields, audio file markers. No input or output."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.model import slugify

_ANY_NAME = r"[A-ZÀ-ÞŒŸ][\w’'.-]*(?: (?:[A-ZÀ-ÞŒŸ][\w’'.-]*|d[eu]s?|la|le)){0,4}"
_PARTS = (
    r"g[ée]n[ée]riques?|archives?|(?:micros?|radio)[- ]?trottoirs?|vox[- ]?pop|extraits?|bande[- ]annonce|t[ée]moignages?|fictions?|jingle|"
    r"virgule|interviews?|entretiens?|reportages?|r[ée]cit|narration|d[ée]bat|chronique|publicit[ée]|flash[- ]?back|virgule sonore"
)
_PERSON_PART = re.compile(
    rf"(?i:t[ée]moignages?|interview|entretien|portrait|rencontre|paroles?|le mot)(?: d[e’']| avec) ?{_ANY_NAME}(?:, [^.:!?«»]{{2,60}})?"
)
_CREDITS_PART = re.compile(r"cr[ée]dits?(?: de l[’'][ée]pisode)?|distribution|remerciements", re.I)
_LONE_PARTS = r"introduction|intro|conclusion|sommaire|s[ée]quence|sc[èe]ne|partie|acte|plateau|outro|chapitre|transition|ouverture"
_PART_DETAIL = r"(?:\s+(?:sonores?|radio|t[ée]l[ée]vis[ée]es?|audio|ina|d[eu]s? \w+|d[’']\w+|n[o°º]?\s*\d+|\d[\d\s-]*|\([^()]*\)))*"
_PART_COLON = re.compile(rf"(?P<label>(?:{_PARTS})\b(?:[^:«»\[\]]|«[^«»:\[\]]*»){{0,80}}?)\s*:\s*(?P<rest>.*)$", re.I)
_PLAIN_PART = re.compile(rf"(?:{_PARTS}){_PART_DETAIL}", re.I)
_LONE_COLON = re.compile(rf"(?P<label>(?:{_LONE_PARTS})\b[^:«»\[\].!?]{{0,40}}?)\s*:$", re.I)
_RUBRIC_TOPICS = (
    r"sant[ée]|m[ée]t[ée]o|infos?|presse|route|trafic|culture|histoire|sciences?|sports?|emploi|droit|juridique|pratique|technique|"
    r"retraite|formation|nature|climat|environnement|s[ée]curit[ée]"
)
_RUBRIC = re.compile(rf"(?P<label>point (?:{_RUBRIC_TOPICS})|(?:rubrique|flash|bulletin)(?: [\w’'-]+){{1,3}})\s*:", re.I)
_BRACKETED_PART = re.compile(
    r"\[(?P<label>(?:archives?|micros?[- ]trottoirs?|t[ée]moignages?|fiction|extraits?|r[ée]cit|entretien|interview|reportage)\b"
    r"[^\[\]]*)\]$",
    re.I,
)
_ORDINAL = r"(?:premi[èe]re?|deuxi[èe]me|seconde?|troisi[èe]me|quatri[èe]me|cinqui[èe]me|derni[èe]re?|\d{1,2}(?:[èe]re|[èe]me|e))"
_RANK = r"(?:\d{1,2}|[ivx]{1,5}|premi[èe]re?|seconde?|derni[èe]re?|une?|deux|trois|quatre|cinq|six)"
_NUMBERED_PART = re.compile(
    rf"(?:{_ORDINAL} (?:partie|acte|volet|s[ée]quence|sc[èe]ne)|(?:partie|chapitre|acte|volet|s[ée]quence|sc[èe]ne) (?:n[o°º] ?)?{_RANK})"
    r"(?:\s*[:.–—-]\s+(?=\S)[^.:]{1,90})?",
    re.I,
)
_TITLED_PART = re.compile(
    rf"(?:(?i:prologue|[ée]pilogue|pr[ée]ambule)\s*[:–—-]\s+|(?i:{_LONE_PARTS})\s*[:–—-]\s+(?=[A-ZÀ-ÞŒŸ«]))"
    r"(?:[^.:!?«»]{1,80}|«[^«»:.]{1,80}»)"
)
_PART_END = re.compile(rf"[(\[]?\s*fin (?:du |de la |de l[’']|des? |d[’'])?(?:{_PARTS})\b[^:«»]{{0,40}}?[)\]]?\.?", re.I)
_SOUND_LABEL = re.compile(
    r"(?:ambiances?|bruits?|bruitages?|sons?|effets?|musiques?|transitions?|jingle|virgule)(?: sonores?)?\s*:"
    r"\s*(?P<what>[^\[\]«».!?:]{2,80})\.?",
    re.I,
)
_CREDITS_WITH_MUSIC = re.compile(r"(?P<label>g[ée]n[ée]rique[^:«»\[\]()]{0,40})(?P<rest>\([^()]{3,60}\))", re.I)
_CAPITALS_CHARS_MAX = 80
_ORNAMENTS = " =*#_~–—-"
_FILE_MARKER = re.compile(
    r"[(\[]?\s*(?P<what>d[ée]but|fin)\s+(?:du |de la |de l[’'])?"
    r"(?:fichier|enregistrement|transcription|bande|piste)\b[^«»\"()\[\]]{0,30}[«\"]?\s*(?P<id>[\w.-]*)\s*[»\"]?\s*[)\]]?\.?$",
    re.I,
)
_FILE_KEY = re.compile(r"(?:fichier|identifiant|r[ée]f[ée]rence|r[ée]f\.?|id)(?: audio)?\s*:\s*", re.I)
_IDENTIFIER = re.compile(r"(?=\w*_)(?=\w*[A-Z])[A-Z0-9]+(?:_[A-Za-z0-9]+)+")
_DURATION = re.compile(r"dur[ée]e(?: de l[’'][ée]pisode| totale)?\s*:?\s*(?P<time>\d.*)$", re.I)
_EPISODE = re.compile(
    r"(?:saison \d+\s*[,.:–—-]?\s*)?(?:[ée]pisode|[ée]p\.?)\s*(?:n[o°º]\s*)?(?P<number>\d{1,4})\b\s*(?:[.:–—-]\s*|$)(?P<title>.*)$", re.I
)
_KEYED_FIELD = re.compile(r"(?P<key>titre|r[ée]sum[ée]|chap[ôo]|pr[ée]sentation|description)\s*:\s*(?P<text>\S.*)$", re.I)
_SPEAKING_ROLES = r"journalistes?|pr[ée]sentation|animation|reportage|entretiens?|interviews?|propos recueillis par|"
_SPEAKING_ROLES += r"vous avez (?:entendu|[ée]cout[ée])|(?:l[’'])?[ée]quipe|invit[ée]e?s?|intervenante?s?|participante?s?"
_CREDIT = re.compile(
    r"(?P<role>(?:avec(?: la (?:participation|voix) d[e’']| les voix d[e’'])?|voix|distribution|com[ée]diens?|interpr[ée]tation|"
    r"(?:co)?production(?: sonore| d[ée]l[ée]gu[ée]e| ex[ée]cutive)?|r[ée]alisation(?: sonore)?|[ée]criture|texte|mixage|montage|"
    r"musiques?(?: originales?)?|prise de son|sons?|conception(?: sonore)?|enregistrement|sc[ée]nario|direction artistique|"
    r"coordination(?: [ée]ditoriale)?|r[ée]daction(?: en chef)?|habillage(?: sonore)?|post-?production|technique|illustration|"
    rf"remerciements?|cr[ée]dits?|{_SPEAKING_ROLES})"
    r"(?:\s*(?:et|,|&)\s*(?:mixage|montage|r[ée]alisation|production|[ée]criture|musique|prise de son|conception|texte|son|narration))*)"
    r"\s*:\s*(?P<who>[^\[\]]*)$",
    re.I,
)
_CAST_LIST = re.compile(r"(?P<role>avec(?: les voix d[e’']| la participation d[e’'])?)\s+(?P<who>.+)$", re.I)
_THANKS = re.compile(
    r"(?:un (?:grand|immense) )?merci (?:à|au|aux)\b|"
    r"(?:nous|l[’']équipe) (?:remercions|remercie|tenons à remercier)\b|remerciements?\b",
    re.I,
)
_MADE_BY = re.compile(
    r"(?P<role>(?i:(?:co)?production(?: sonore)?|r[ée]alisation(?: sonore)?|musique originale|mixage|montage))\s+"
    r"(?P<who>[A-ZÀ-ÞŒŸ].{0,60})$"
)
_NAME = r"(?:[A-ZÀ-ÞŒŸ][\w’'.-]*|d[eu]s?|la|le|d[’'][A-ZÀ-ÞŒŸ][\w-]*|von|van|di|el)"
NAME = re.compile(rf"[A-ZÀ-ÞŒŸ][\w’'.-]*(?: {_NAME}){{1,4}}")


@dataclass(frozen=True)
class CreditLine:
    """A line of credits: role and names."""

    kind: str  # cast | production | thanks | other
    role: str
    who: str


def match_part(text: str, heading: bool = False, capitals: bool = True) -> tuple[str, str] | None:
    """Return the label of the part a line opens and the rest of the line; None when it opens no part."""
    bare = text.strip(_ORNAMENTS)
    if _NUMBERED_PART.fullmatch(bare.rstrip(".")) and text.isupper():
        bare = bare.rstrip(".")  # « SCÈNE III. »
    if heading:
        return bare.rstrip(" :"), ""
    if found := _BRACKETED_PART.match(bare):
        return _sentence_case(found["label"]), ""
    if (found := _CREDITS_WITH_MUSIC.fullmatch(bare)) and bare[:1].isupper():
        return _sentence_case(found["label"].strip()), found["rest"]
    if _PLAIN_PART.fullmatch(bare.rstrip(" .")) and (bare != text or bare[:1].isupper()):
        return _sentence_case(bare.rstrip(" .")), ""
    if _PERSON_PART.fullmatch(bare.rstrip(" :")) or _CREDITS_PART.fullmatch(bare.rstrip(" :")):
        return (_sentence_case(bare.rstrip(" :")), "") if text[0].isupper() or bare != text else None
    if found := _LONE_COLON.match(bare):
        return _sentence_case(found["label"]), ""
    if found := _TITLED_PART.fullmatch(bare):
        return _sentence_case(bare), ""
    if _NUMBERED_PART.fullmatch(bare) and (text[0].isupper() or text[0].isdigit()):
        return _sentence_case(bare), ""
    if capitals and _is_capitals(bare):
        return _sentence_case(bare.rstrip(" :.")), ""
    found = _PART_COLON.match(bare)
    if not found or text[0].islower():
        return None
    label, rest = found["label"].strip(), found["rest"].strip()
    if re.fullmatch(r"«[^«»]{1,80}[^«».!?…]»", rest) and _PLAIN_PART.fullmatch(label):
        return f"{_sentence_case(label)} : {rest}", ""
    if not rest or rest[0] in "[«(":
        return _sentence_case(label), rest
    if not _PLAIN_PART.fullmatch(label):
        return None
    if len(rest.split()) <= 6 and not re.search(r"[.!?…»]$|[.!?] ", rest):
        return f"{_sentence_case(label)} : {rest}", ""
    return _sentence_case(label), rest


def match_rubric(text: str) -> str:
    """Return the rubric when the line holds nothing else, « Point santé : »; else an empty string."""
    found = _RUBRIC.fullmatch(text)
    return _sentence_case(found["label"]) if found and text[0].isupper() else ""


def is_part_end(text: str) -> bool:
    """Whether the line marks the end of a part, « (fin de l’archive) »."""
    return _PART_END.fullmatch(text) is not None


def match_sound(text: str) -> str:
    """Return the line when it describes a sound, « Ambiance : porte de bus »; else an empty string."""
    found = _SOUND_LABEL.fullmatch(text)
    return text.rstrip(".") if found and len(found["what"].split()) <= 8 and text[0].isupper() else ""


def _is_capitals(text: str) -> bool:
    """Whether the line is a title in capitals, rather than a shout, initials or a name before a colon."""
    bare = re.sub(r"^(?:[IVX]{1,5}|\d{1,2})\s*[.)–—-]\s*", "", text)
    letters = sum(map(len, re.findall(r"[^\W\d_]{2,}", bare)))
    return bare.isupper() and len(bare) <= _CAPITALS_CHARS_MAX and letters >= 6 and not re.search(r"[\[\]()_]|!$|[.…]$| ?: ", bare)


def _sentence_case(label: str) -> str:
    """Return a label in capitals in sentence case, keeping its leading number and quotation mark; others get an initial capital."""
    if not label.isupper():
        return label[:1].upper() + label[1:]
    lead = re.match(r"(?:(?:[IVX]{1,5}|\d{1,2})\s*[.)–—-]\s*)?(?:«\s*)?", label)
    start = lead.end() if lead else 0
    lower = label[: start + 1] + label[start + 1 :].lower()
    return re.sub(
        r"(?i)((?:acte|sc[èe]ne|partie|chapitre|volet|s[ée]quence) )([ivxlc]+)\b", lambda found: found[1] + found[2].upper(), lower
    )


def match_file_marker(text: str) -> tuple[str, str] | None:
    """Return `("start" or "end", identifier)` of a line that marks where the audio file starts or ends."""
    found = _FILE_MARKER.match(text)
    if not found:
        return None
    return ("end" if found["what"].lower() == "fin" else "start"), found["id"]


def match_identifier(text: str) -> str:
    """Return the audio file's identifier, `RADIO_EP2_VF`, when the line is one; else an empty string."""
    bare = _FILE_KEY.sub("", text, count=1)
    return bare if _IDENTIFIER.fullmatch(bare) else ""


def parse_duration_s(text: str) -> float | None:
    """Return the seconds of « Durée : 00h08 », « 8 min 30 », « 8'30 » or « 00:08:30 »; None when the line gives no duration."""
    found = _DURATION.match(text)
    if not found:
        return None
    time = found["time"].strip(" .").lower().replace(" ", "")
    if clock := re.fullmatch(r"(?:(\d+):)?(\d+):(\d\d)", time):
        hours, minutes, seconds = (int(each or 0) for each in clock.groups())
        return float(hours * 3600 + minutes * 60 + seconds)
    units = re.fullmatch(r"(?:(\d+)h(?:eures?)?)?(?:(\d+)(?:mn|min(?:utes?)?|m|['’′])?)?(?:(\d+)(?:s(?:ec(?:ondes?)?)?|\"|''|″|»)?)?", time)
    if not units or not any(units.groups()):
        return None
    hours, minutes, seconds = (int(each or 0) for each in units.groups())
    return float(hours * 3600 + minutes * 60 + seconds)


def match_episode(text: str) -> tuple[int, str] | None:
    """Return the number and the title of « Épisode 2 : … »."""
    found = _EPISODE.match(text)
    return (int(found["number"]), found["title"].strip()) if found else None


def match_keyed_field(text: str) -> tuple[str, str] | None:
    """Return `("title" or "summary", text)` of a header line that names its field."""
    found = _KEYED_FIELD.match(text)
    return ("title" if found["key"].lower() == "titre" else "summary", found["text"]) if found else None


def match_credits(text: str) -> tuple[CreditLine, ...]:
    """Return several credits from one line, « Entretien : Nom / Montage : Nom »; empty when it holds anything else."""
    for separator in (r" [/|•·–—] ", r"(?<=\w{2})\. (?=[A-ZÀ-ÞŒŸ])"):
        found = tuple(match_credit(each.strip(), False) for each in re.split(separator, text))
        if len(found) > 1 and all(found):
            return tuple(each for each in found if each)
    return ()


def match_credit(text: str, after_credits: bool) -> CreditLine | None:
    """Return the credit on a line. Thanks are usually spoken, so they count only after other credits."""
    if (found := _CREDIT.match(text)) and _is_credit(found["role"], found["who"]):
        return CreditLine(_credit_kind(found["role"]), found["role"], _strip_name(found["who"]))
    if (
        (found := _CAST_LIST.match(text))
        and len(split_names(found["who"])) > 1
        and all(NAME.fullmatch(name) for name in split_names(found["who"]))
    ):
        return CreditLine("cast", found["role"], found["who"].strip(" ."))
    if found := _MADE_BY.match(text):
        return CreditLine(_credit_kind(found["role"]), found["role"], found["who"].strip(" ."))
    if after_credits and _THANKS.match(text):
        return CreditLine("thanks", "", text)
    return None


def _is_credit(role: str, who: str) -> bool:
    """Whether it is a credit: « Musique : Jean Roche » is one, « Musique : douce » or a sentence is not."""
    if re.fullmatch(_SPEAKING_ROLES, role, re.I):  # these words may also name a voice or a part
        return all(NAME.fullmatch(each) for each in split_names(who))
    if slugify(role).split("-")[0] in ("avec", "voix", "musique", "musiques", "son", "texte", "montage"):
        names = split_names(who)  # « Avec : Anne Petit, et les passants »
        return bool(
            not names or (names[0][:1].isupper() and (len(names) > 1 or NAME.match(names[0]) or who.isupper() or " " not in who))
        ) and not re.search(r"\w{3,}[.!?] \w", who)
    return not re.search(r"[a-zà-ÿœ]{3,}[.!?] [A-ZÀ-ÞŒŸ]", who) or slugify(role).startswith(("remerciement", "credit"))


def is_never_voice(label: str) -> bool:
    """Whether the words before a colon name a role of the credits or an episode, « Réalisation », « Épisode 4 »."""
    return match_credit(f"{label} : Anne Petit", False) is not None or match_episode(label) is not None


def split_names(text: str) -> tuple[str, ...]:
    """Return the people in a list, without the roles they play."""
    bare = re.sub(r"\([^()]*\)", "", text).strip()
    if ";" in bare:  # « Nom, qualité ; Nom, qualité »
        return tuple(name for each in bare.split(";") if (name := _strip_name(each.split(",", 1)[0])))
    return tuple(_strip_name(name) for name in re.split(r",|/|\bet\b|&", bare) if name.strip(" ."))


def _strip_name(text: str) -> str:
    """Return a name without a final full stop, unless it ends with an initial."""
    bare = re.sub(r"^(?:l[ea] |l[’'])(?=[A-ZÀ-ÞŒŸ])", "", text.strip(" ."))
    return f"{bare}." if re.search(r" [A-ZÀ-ÞŒŸ]$", bare) and f"{bare}." in text else bare


def _credit_kind(role: str) -> str:
    first = slugify(role).split("-")[0]
    if first.startswith(("vous", "invit", "interven", "particip")) or first in (
        "avec",
        "voix",
        "distribution",
        "comedien",
        "comediens",
        "interpretation",
    ):
        return "cast"
    if first in ("production", "coproduction"):
        return "production"
    return "thanks" if first.startswith("remerciement") else "other"


def fold_name(name: str) -> str:
    """Return a name for comparison: no case, no accents."""
    return slugify(name).replace("-", " ")


def find_person(name: str, people: Mapping[str, str]) -> str:
    """Return the key of the show's person with that full name; else an empty string."""
    return next((key for key, full_name in people.items() if fold_name(full_name) == fold_name(name)), "")


def is_name_of_any(name: str, others: Iterable[str]) -> bool:
    """Whether a name equals another, or one of its words."""
    folded = fold_name(name)
    return any(folded in (fold_name(other), *fold_name(other).split(" ")) for other in others)
