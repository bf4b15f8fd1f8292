"""Find the speakers of a free-form transcript: which words before a colon, a dash or in bold are names. No input or output."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.transcript import loose_labels as labels
from pipeline.transcript.loose_blocks import voice_key
from pipeline.transcript.loose_labels import fold
from pipeline.transcript.loose_lines import Line
from pipeline.transcript.loose_names import TITLES, merged

_START = r"(?P<label>[^\W\d_][^:«»\[\]()\n]{0,39}?)"
_COLON = re.compile(
    rf"{_START}\s*(?:\((?P<aside>[^()]{{1,60}})\)|\[(?P<sound>[^\[\]]{{1,60}})\])?\s*:"
    r"(?:\s+|$|(?=[«\[A-ZÀ-ÞŒŸ]))(?P<text>.*)$"
)
_DASHED = re.compile(rf"{_START}\s+[–—-]\s+(?P<text>\S.*)$")
_POINT = re.compile(rf"{_START}[.,;]?\s+(?P<text>[A-ZÀ-ÞŒŸ«\[].*)$")
_NAMELIKE = re.compile(r"[A-ZÀ-ÞŒŸ][\w’'.-]*(?: (?:[A-ZÀ-ÞŒŸ][\w’'.-]*|\d+|d[eu]s?|la|le|et|&|von|van|d[’']\w+)){0,3}")
_PERSON_WORDS = """
    homme femme enfant fille garcon voix journaliste animateur animatrice presentateur presentatrice conseiller conseillere agent agente
    medecin docteur docteure infirmier infirmiere directeur directrice client cliente patient patiente auditeur auditrice passant passante
    intervenant intervenante invite invitee interviewer enqueteur enquetrice etudiant etudiante retraite retraitee salarie salariee
    assistant assistante robot machine ordinateur professeur professeure maire mere pere maman papa fils soeur frere mamie papi voisin
    voisine ami amie collegue collegues tous toutes ensemble choeur foule public speaker locuteur locutrice personne temoin serveur serveuse
    facteur factrice standardiste guichetier guichetiere hotesse usager usagere juge avocat avocate monsieur madame mademoiselle mr mme
    question reponse q r narrateur narratrice technicien technicienne caissier caissiere chauffeur moderateur moderatrice
    dame touriste vacancier vacanciere passager passagere habitant habitante eleve citoyen citoyenne participant participante riverain
    riveraine commercant commercante visiteur visiteuse elu elue president presidente responsable chef cheffe ouvrier ouvriere soignant
    soignante policier policiere gendarme pompier formateur formatrice reporter benevole locataire proprietaire vendeur vendeuse employe
    employee syndicaliste delegue deleguee secretaire artiste ecolier ecoliere lyceen lyceenne collegien collegienne groupe inconnu
    inconnue interlocuteur interlocutrice correspondant correspondante boulanger boulangere adolescent adolescente ado couple promeneur
    promeneuse
"""
_PERSONS = frozenset(_PERSON_WORDS.split())
_ARTICLES = frozenset(
    "le la les l un une premier premiere deuxieme second seconde autre jeune vieux vieil vieille grand petite petit".split()
)
_NEVER_WORDS = """
    attention resultat resultats conclusion bilan note nota objectif exemple rappel verdict bref moralite mission episode chapitre alors
    donc enfin point bonjour bonsoir merci aujourd demain hier ici voici voila mais et ou car or oui non question reponse probleme solution
    excuses excuse errata erratum rectificatif correction suite fin debut pardon tel telephone adresse site date lieu titre sujet theme
    contexte alerte urgent bonus annonce message
    morale constat defi precision remarque important nb ps total info infos astuce conseil avis resume
"""
_NEVER = frozenset(_NEVER_WORDS.split())
_THINGS = frozenset("jour fois chose mot idee regle chiffre date detail fait seul seule remede histoire image lettre phrase place".split())
_ROLE = re.compile(r"(?:l[ea’']|les|une?|d[eu]|voix|en voix)\b", re.I)  # « (le chauffeur) », « (voix off) »: a role, not a manner of speech
_NARRATORS = frozenset(("narrateur", "narratrice", "narration", "voix off", "voix narrative", "recitant", "recitante", "voix of"))


@dataclass(frozen=True)
class Cast:
    """The folded names that open turns, mapped to voice keys. The narrator's key is an empty string."""

    keys: dict[str, str]
    doubtful: tuple[tuple[int, str], ...] = ()  # (line, label): words before a colon, read as text
    merged: tuple[tuple[str, str], ...] = ()  # (short form, full name)


@dataclass(frozen=True)
class Said:
    """A line split into voice and text; `sound` is the manner of speech, « rires »."""

    voice: str | None  # None when no voice is named, "" for the narrator
    text: str
    label: str = ""  # the full name, « Paul, assistant virtuel »
    sound: str = ""
    why: str = ""  # what to report about it


def cast(lines: Sequence[Line], named: Collection[str]) -> Cast:
    """Find every speaker named before their words. `known_names` are people who may speak: of the show, of the credits."""
    found = [(index, *_labelled(line)) for index, line in enumerate(lines) if not _is_other(line)]
    found = [(index, label, sure) for index, label, sure in found if label]
    counts = Counter(fold(label) for _, label, _ in found)
    at = {index: fold(label) for index, label, _ in found if looks_like_name(label)}
    everything = " ".join(line.text for line in lines)
    keys: dict[str, str] = {}
    for index, label, sure in found:
        neighbours = {at.get(index + step) for step in (-2, -1, 1, 2)} - {None}
        is_known = labels.is_any(label, named) or _is_mentioned(label, everything)
        is_met = bool(neighbours) or lines[index].dash or is_known
        if not sure and counts[fold(label)] == 1 and not is_known and _goes_on(lines[index].text):
            continue
        if sure or _is_voice(label, counts[fold(label)], is_met) or (is_met and _was_met(label, counts)):
            keys[fold(label)] = _better(keys.get(fold(label), ""), label)
    keys = {folded: _as_said(key, everything) for folded, key in keys.items()}
    keys = {folded: "" if folded in _NARRATORS else voice_key(key) for folded, key in keys.items() if folded}
    dashes = (_DASHED.match(line.text) for line in lines)
    twice = Counter(fold(each["label"]) for each in dashes if each and looks_like_name(each["label"]))
    for line in lines:
        if (each := _DASHED.match(line.text)) and twice[fold(each["label"])] > 1 and _NAMELIKE.fullmatch(each["label"]):
            keys.setdefault(fold(each["label"]), voice_key(_spelt(each["label"])))
    doubtful = tuple((lines[index].number, label) for index, label, _ in found if fold(label) not in keys and _might(label))
    full = _full_names(keys, named, lines)
    shorts = tuple((keys[folded], name) for folded, name in full.items() if keys[folded] != name)
    return Cast({**keys, **full}, doubtful, shorts)


def _full_names(keys: dict[str, str], named: Collection[str], lines: Sequence[Line]) -> dict[str, str]:
    """Map short names to the full name of the same voice. Names used only in fiction are not merged."""
    spelt = {folded: key for folded, key in keys.items() if key and looks_like_name(key) and not _is_part_word(folded)}
    told: list[tuple[str, bool]] = []
    is_fiction = False
    for line in lines:
        if found := labels.part(line.text, line.heading):
            is_fiction = fold(found[0]).startswith("fiction")
        told.append((_named_by(line, spelt), is_fiction))
    answering = {frozenset((one, other)) for (one, _), (other, _) in pairwise(told) if one and other and one != other}
    outside = {name for name, inside in told if not inside}
    return merged(spelt, named, answering, {name for name, inside in told if inside and name not in outside})


def _named_by(line: Line, spelt: Collection[str]) -> str:
    """Return the folded name a line starts with, or an empty string."""
    found = None if line.label else _COLON.match(line.text) or _DASHED.match(line.text)
    names = [fold(line.label)] if line.label else [fold(found["label"]), fold(_stem(found["label"].strip()))] if found else []
    return next((name for name in names if name in spelt), "")


def _is_part_word(folded: str) -> bool:
    words = folded.split(" ")
    return _is_person(words) and words[0] not in TITLES or words[0] in _ARTICLES or any(word.isdigit() for word in words)


def _goes_on(text: str) -> bool:
    """Whether the sentence continues in lower case after its colon, which speech does not."""
    found = _COLON.match(text.lstrip("« "))
    return found is not None and found["text"][:1].islower()


def _was_met(label: str, counts: Mapping[str, int]) -> bool:
    """Whether « La passagère » was introduced as « Une passagère »."""
    article, _, rest = fold(label).partition(" ")
    return article in ("le", "la", "l") and bool(rest) and any(counts.get(f"{one} {rest}") for one in ("un", "une"))


def said(line: Line, known: Cast) -> Said:
    """Split a line into the voice it names and the spoken text."""
    if line.label:
        return Said(known.keys.get(fold(_stem(line.label.rstrip(" :"))), voice_key(line.label)), line.text)
    if found := _COLON.match(line.text):
        label = found["label"].strip()
        stem = label if fold(label) in known.keys else _stem(label)
        if fold(stem) in known.keys:
            manner = label[len(stem) :].strip(" ,")
            is_manner = manner.startswith("en ")
            aside = found["aside"] or found["sound"] or ""
            who = aside if _ROLE.match(aside) else ""
            sound = "" if who else aside or (manner if is_manner else "")
            name = known.keys[fold(stem)] or stem
            if fold(who) == "voix off":
                return Said(known.keys[fold(stem)], found["text"], why=f"“{who}” after a name was left out")
            rest = f", {who}" if who else label[len(stem) :] if manner and not is_manner else ""
            start = name if who or stem.isupper() else stem
            return Said(known.keys[fold(stem)], found["text"], start + rest if rest else "", sound)
    if (found := _DASHED.match(line.text)) and fold(found["label"]) in known.keys:
        return Said(known.keys[fold(found["label"])], found["text"])
    if (found := _POINT.match(line.text)) and line.text[found.end("label")] in ".;" and fold(found["label"]) in known.keys:
        why = f"read as a turn of {found['label']}: a colon was probably meant"
        return Said(known.keys[fold(found["label"])], found["text"], why=why)
    return Said(None, line.text)


def _labelled(line: Line) -> tuple[str, bool]:
    """Return the label before the colon, and whether the layout (bold type, a column) marks it as a name."""
    if line.label:
        return line.label.rstrip(" :"), True
    found = _COLON.match(line.text.lstrip("« "))
    return (_stem(found["label"].strip()), False) if found else ("", False)


def _stem(label: str) -> str:
    """Return the part before a comma: « Paul » of « Paul, assistant virtuel »."""
    return label.split(",", 1)[0].strip()


def _is_other(line: Line) -> bool:
    """Whether the line is a part label, a credit or a header field, whatever comes before its colon."""
    text = line.text.lstrip("« ")
    if line.label or not text:
        return not line.label
    narrator = _COLON.match(text)
    if narrator and fold(narrator["label"]) in _NARRATORS and narrator["text"]:
        return False
    return bool(
        line.heading
        or labels.part(text)
        or labels.marker(text)
        or labels.credit(text, False)
        or labels.episode(text)
        or labels.keyed(text)
        or labels.duration_s(text) is not None
    )


def _might(label: str) -> bool:
    """Whether a label could be a name: worth reporting."""
    return len(label.split()) <= 3 and not re.search(r"[.!?,]", label)


def looks_like_name(label: str) -> bool:
    """Whether a label looks like a name: capitalised words, or a role."""
    words = fold(label).split(" ")
    return bool(_NAMELIKE.fullmatch(label) and words[0] not in _NEVER) or _is_person(words)


def _is_person(words: list[str]) -> bool:
    """Whether the words name a role: « Homme », « La standardiste », « Première passante », « Voix 2 »."""
    rest = [word for word in words if word not in _ARTICLES]
    return len(words) <= 5 and bool(rest) and rest[0] in _PERSONS


def _is_voice(label: str, count: int, is_met: bool) -> bool:
    """Whether a label is a voice: one occurrence must look like a name and have context, two need only look like a person."""
    words = fold(label).split(" ")
    if fold(label) in _NARRATORS:
        return True
    if _is_person(words) and (words[0] not in _NEVER or count > 1):
        return True
    if "," in label or len(words) > 5 or words[0] in _NEVER:
        return False
    if _NAMELIKE.fullmatch(label):
        return count > 1 or is_met
    if words[0] in ("un", "une") and 1 < len(words) <= 4 and words[1] not in _NEVER | _THINGS:
        return is_met and label[:1].isupper()
    return count > 1 and is_met and label[:1].isupper() and words[0] in _ARTICLES


def _is_mentioned(label: str, everything: str) -> bool:
    """Whether the name also occurs inside a sentence."""
    return re.search(rf"[\w,] {re.escape(label)}\b(?! ?:)", everything) is not None


def _better(known: str, label: str) -> str:
    """Return the spelling that is not all capitals and has the most accents; the first of equals."""
    return max(known, _spelt(label), key=lambda name: (not name.isupper(), _accents(name))) if known else _spelt(label)


def _as_said(key: str, everything: str) -> str:
    """Return « ÈVE » as « Ève » when the text writes it so elsewhere; otherwise a short name in capitals may be initials."""
    spelt = key.capitalize()
    return spelt if key.isalpha() and len(key) <= 3 and re.search(rf"\b{re.escape(spelt)}\b", everything) else key


def _accents(name: str) -> int:
    return sum(not char.isascii() for char in name)


def _spelt(label: str) -> str:
    """Return « NORA BELKACEM » as « Nora Belkacem », « L’APPELANTE » as « L’appelante »; initials stay."""
    if not label.isupper() or len(label.replace(".", "")) <= 3:
        return label
    words = label.lower().split(" ")
    if (_is_person(fold(label).split(" ")) or words[0] in _ARTICLES) and words[0] not in ("monsieur", "madame"):
        return " ".join(words).capitalize()
    small = ("de", "du", "des", "la", "le", "et")
    return " ".join(word if index and word in small else _capitalised(word) for index, word in enumerate(words))


def _capitalised(word: str) -> str:
    return "-".join(part[:1].upper() + part[1:] for part in word.split("-"))
