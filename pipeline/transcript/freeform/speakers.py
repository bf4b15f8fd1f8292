"""Find the speakers of a free-form transcript: which words before a colon, a dash or in bold are names. No input or output."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.transcript.freeform import labels as labels
from pipeline.transcript.freeform.blocks import voice_key
from pipeline.transcript.freeform.labels import fold_name
from pipeline.transcript.freeform.name_variants import TITLES, merge_variants
from pipeline.transcript.freeform.source_lines import SourceLine

_LABEL_START = r"(?P<label>[^\W\d_][^:«»\[\]()\n]{0,39}?)"
_NAME_COLON = re.compile(
    rf"{_LABEL_START}\s*(?:\((?P<aside>[^()]{{1,60}})\)|\[(?P<sound>[^\[\]]{{1,60}})\])?\s*:"
    r"(?:\s+|$|(?=[«\[A-ZÀ-ÞŒŸ]))(?P<text>.*)$"
)
_NAME_DASH = re.compile(rf"{_LABEL_START}\s+[–—-]\s+(?P<text>\S.*)$")
_NAME_POINT = re.compile(rf"{_LABEL_START}[.,;]?\s+(?P<text>[A-ZÀ-ÞŒŸ«\[].*)$")
_NAMELIKE = re.compile(r"[A-ZÀ-ÞŒŸ][\w’'.-]*(?: (?:[A-ZÀ-ÞŒŸ][\w’'.-]*|\d+|d[eu]s?|la|le|et|&|von|van|d[’']\w+)){0,3}")
_PERSON_NOUN_LIST = """
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
    promeneuse apprenti apprentie auteur autrice artisan artisane ingenieur ingenieure chercheur chercheuse historien historienne sociologue
    geographe economiste astronome berger bergere paysan paysanne agriculteur agricultrice maraicher maraichere pecheur batelier bateliere
    passeur passeuse gardien gardienne bibliothecaire enseignant enseignante instituteur institutrice notaire architecte comedien comedienne
    musicien musicienne chanteur chanteuse conducteur conductrice controleur controleuse coordinateur coordinatrice redacteur redactrice
    ministre depute deputee senateur senatrice prefet prefete psychologue informaticien informaticienne mecanicien mecanicienne cuisinier
    cuisiniere libraire epicier epiciere eclusier eclusiere marinier forestier forestiere telephoniste
"""
_PERSON_NOUNS = frozenset(_PERSON_NOUN_LIST.split())
_ARTICLES = frozenset(
    "le la les l un une premier premiere deuxieme second seconde autre jeune vieux vieil vieille grand petite petit".split()
)
_NON_NAME_WORDS = """
    attention resultat resultats conclusion bilan note nota objectif exemple rappel verdict bref moralite mission episode chapitre alors
    donc enfin point bonjour bonsoir merci aujourd demain hier ici voici voila mais et ou car or oui non question reponse probleme solution
    excuses excuse errata erratum rectificatif correction suite fin debut pardon tel telephone adresse site date lieu titre sujet theme
    contexte alerte urgent bonus annonce message
    morale constat defi precision remarque important nb ps total info infos astuce conseil avis resume
"""
_NON_NAMES = frozenset(_NON_NAME_WORDS.split())
_THING_NOUNS = frozenset(
    "jour fois chose mot idee regle chiffre date detail fait seul seule remede histoire image lettre phrase place".split()
)
_ROLE = re.compile(r"(?:l[ea’']|les|une?|d[eu]|voix|en voix)\b", re.I)  # « (le chauffeur) », « (voix off) »: a role, not a manner of speech
_SELF_WORDS = re.compile(r"(?:je\b|j[’']|moi\b|nous\b|on\b)", re.I)
_PRONOUNS = frozenset(("lui", "elle", "moi", "toi", "eux", "elles"))
NARRATOR_LABELS = frozenset(("narrateur", "narratrice", "narration", "voix off", "voix narrative", "recitant", "recitante", "voix of"))


@dataclass(frozen=True)
class SpeakerTable:
    """The folded names that open turns, mapped to voice keys. The narrator's key is an empty string."""

    keys: dict[str, str]
    doubtful_labels: tuple[tuple[int, str], ...] = ()  # (line, label): words before a colon, read as text
    merged_names: tuple[tuple[str, str], ...] = ()  # (short form, full name)


@dataclass(frozen=True)
class Utterance:
    """A line split into voice and text; `sound` is the manner of speech, « rires »."""

    voice: str | None  # None when no voice is named, "" for the narrator
    text: str
    label: str = ""  # the full name, « Paul, assistant virtuel »
    sound: str = ""
    remark: str = ""  # what to report about it


def find_speakers(lines: Sequence[SourceLine], known_names: Collection[str]) -> SpeakerTable:
    """Find every speaker named before their words. `known_names` are people who may speak: of the show, of the credits."""
    found = [(index, *_label_of(line)) for index, line in enumerate(lines) if not _is_not_speech(line)]
    found = [(index, label, sure) for index, label, sure in found if label]
    counts = Counter(fold_name(label) for _, label, _ in found)
    name_at = {index: fold_name(label) for index, label, _ in found if looks_like_name(label)}
    full_text = " ".join(line.text for line in lines)
    keys: dict[str, str] = {}
    for index, label, sure in found:
        neighbours = {name_at.get(index + step) for step in (-2, -1, 1, 2)} - {None}
        is_known = labels.is_name_of_any(label, known_names) or _is_mentioned(label, full_text)
        has_context = bool(neighbours) or lines[index].has_dash or is_known
        if not sure and counts[fold_name(label)] == 1 and not is_known and _continues_sentence(lines[index].text):
            continue
        if sure or _is_voice(label, counts[fold_name(label)], has_context) or (has_context and _follows_indefinite(label, counts)):
            keys[fold_name(label)] = _better_spelling(keys.get(fold_name(label), ""), label)
    keys = {folded: _spelling_in_text(key, full_text) for folded, key in keys.items()}
    keys = {folded: "" if folded in NARRATOR_LABELS else voice_key(key) for folded, key in keys.items() if folded}
    dashes = (_NAME_DASH.match(line.text) for line in lines)
    dash_counts = Counter(fold_name(each["label"]) for each in dashes if each and looks_like_name(each["label"]))
    for line in lines:
        if (each := _NAME_DASH.match(line.text)) and dash_counts[fold_name(each["label"])] > 1 and _NAMELIKE.fullmatch(each["label"]):
            keys.setdefault(fold_name(each["label"]), voice_key(_name_case(each["label"])))
    doubtful = tuple((lines[index].number, label) for index, label, _ in found if fold_name(label) not in keys and _may_be_name(label))
    full_names = _full_names(keys, known_names, lines)
    short_forms = tuple((keys[folded], name) for folded, name in full_names.items() if keys[folded] != name)
    return SpeakerTable({**keys, **full_names}, doubtful, short_forms)


def _full_names(keys: dict[str, str], known_names: Collection[str], lines: Sequence[SourceLine]) -> dict[str, str]:
    """Map short names to the full name of the same voice. Names used only in fiction are not merged."""
    spellings = {folded: key for folded, key in keys.items() if key and looks_like_name(key) and not _is_role_name(folded)}
    openings: list[tuple[str, bool]] = []
    is_fiction = False
    for line in lines:
        if found := labels.match_part(line.text, line.is_heading):
            is_fiction = fold_name(found[0]).startswith("fiction")
        openings.append((_opening_name(line, spellings), is_fiction))
    dialogue_pairs = {frozenset((one, other)) for (one, _), (other, _) in pairwise(openings) if one and other and one != other}
    non_fiction = {name for name, in_fiction in openings if not in_fiction}
    return merge_variants(spellings, known_names, dialogue_pairs, {name for name, inside in openings if inside and name not in non_fiction})


def _opening_name(line: SourceLine, spellings: Collection[str]) -> str:
    """Return the folded name a line starts with, or an empty string."""
    found = None if line.label else _NAME_COLON.match(line.text) or _NAME_DASH.match(line.text)
    names = (
        [fold_name(line.label)]
        if line.label
        else [fold_name(found["label"]), fold_name(_name_stem(found["label"].strip()))]
        if found
        else []
    )
    return next((name for name in names if name in spellings), "")


def _is_role_name(folded: str) -> bool:
    words = folded.split(" ")
    return _is_person_noun(words) and words[0] not in TITLES or words[0] in _ARTICLES or any(word.isdigit() for word in words)


def _continues_sentence(text: str) -> bool:
    """Whether the sentence continues in lower case after its colon, which speech does not."""
    found = _NAME_COLON.match(text.lstrip("« "))
    return found is not None and found["text"][:1].islower()


def _follows_indefinite(label: str, counts: Mapping[str, int]) -> bool:
    """Whether « La passagère » was introduced as « Une passagère »."""
    article, _, rest = fold_name(label).partition(" ")
    return article in ("le", "la", "l") and bool(rest) and any(counts.get(f"{one} {rest}") for one in ("un", "une"))


def split_utterance(line: SourceLine, speakers: SpeakerTable) -> Utterance:
    """Split a line into the voice it names and the spoken text."""
    if line.label:
        return Utterance(speakers.keys.get(fold_name(_name_stem(line.label.rstrip(" :"))), voice_key(line.label)), line.text)
    if found := _NAME_COLON.match(line.text):
        label = found["label"].strip()
        stem = label if fold_name(label) in speakers.keys else _name_stem(label)
        if fold_name(stem) in speakers.keys:
            manner = label[len(stem) :].strip(" ,")
            is_manner = manner.startswith("en ")
            aside = found["aside"] or found["sound"] or ""
            role = aside if _ROLE.match(aside) or _is_person_noun(fold_name(aside).split(" ")[:1]) else ""
            sound = "" if role else aside or (manner if is_manner else "")
            name = speakers.keys[fold_name(stem)] or stem
            if fold_name(role) == "voix off":
                return Utterance(speakers.keys[fold_name(stem)], found["text"], remark=f"“{role}” after a name was left out")
            rest = f", {role}" if role else label[len(stem) :] if manner and not is_manner else ""
            start = name if role or stem.isupper() else stem
            return Utterance(speakers.keys[fold_name(stem)], found["text"], start + rest if rest else "", sound)
    if (found := _NAME_DASH.match(line.text)) and fold_name(found["label"]) in speakers.keys:
        return Utterance(speakers.keys[fold_name(found["label"])], found["text"])
    if (found := _NAME_POINT.match(line.text)) and line.text[found.end("label")] in ".;" and fold_name(found["label"]) in speakers.keys:
        if _SELF_WORDS.match(found["text"]):  # « Firmin. Je suis apprenti. »: the name is said
            return Utterance(speakers.keys[fold_name(found["label"])], line.text)
        remark = f"read as a turn of {found['label']}: a colon was probably meant"
        return Utterance(speakers.keys[fold_name(found["label"])], found["text"], remark=remark)
    return Utterance(None, line.text)


def _label_of(line: SourceLine) -> tuple[str, bool]:
    """Return the label before the colon, and whether the layout (bold type, a column) marks it as a name."""
    if line.label:
        return line.label.rstrip(" :"), True
    found = _NAME_COLON.match(line.text.lstrip("« "))
    return (_name_stem(found["label"].strip()), False) if found else ("", False)


def opening_label(text: str) -> str:
    """Return the folded name that starts a line, « Solène : … » or « Solène – … », when it looks like one; else an empty string."""
    found = _NAME_COLON.match(text) or _NAME_DASH.match(text)
    stem = _name_stem(found["label"].strip()) if found and found["text"] else ""
    return fold_name(stem) if stem and looks_like_name(stem) else ""


def _name_stem(label: str) -> str:
    """Return the part before a comma: « Paul » of « Paul, assistant virtuel »."""
    return label.split(",", 1)[0].strip()


def _is_not_speech(line: SourceLine) -> bool:
    """Whether the line is a part label, a credit or a header field, whatever comes before its colon."""
    text = line.text.lstrip("« ")
    if line.label or not text:
        return not line.label
    narrator = _NAME_COLON.match(text)
    if narrator and fold_name(narrator["label"]) in NARRATOR_LABELS and narrator["text"]:
        return False
    return bool(
        line.is_heading
        or labels.match_part(text)
        or labels.match_file_marker(text)
        or labels.match_credit(text, False)
        or labels.match_episode(text)
        or labels.match_keyed_field(text)
        or labels.parse_duration_s(text) is not None
    )


def _may_be_name(label: str) -> bool:
    """Whether a label could be a name: worth reporting."""
    return len(label.split()) <= 3 and not re.search(r"[.!?,]", label)


def looks_like_name(label: str) -> bool:
    """Whether a label looks like a name: capitalised words, or a role."""
    words = fold_name(label).split(" ")
    return bool(_NAMELIKE.fullmatch(label) and words[0] not in _NON_NAMES) or _is_person_noun(words)


def _is_person_noun(words: list[str]) -> bool:
    """Whether the words name a role: « Homme », « La standardiste », « Première passante », « Voix 2 »."""
    rest = [word for word in words if word not in _ARTICLES]
    return len(words) <= 5 and bool(rest) and rest[0] in _PERSON_NOUNS


def _is_voice(label: str, count: int, has_context: bool) -> bool:
    """Whether a label is a voice: one occurrence must look like a name and have context, two need only look like a person."""
    words = fold_name(label).split(" ")
    if fold_name(label) in NARRATOR_LABELS:
        return True
    if _is_person_noun(words) and (words[0] not in _NON_NAMES or count > 1):
        return True
    if "," in label or len(words) > 5 or words[0] in _NON_NAMES:
        return False
    if _NAMELIKE.fullmatch(label):
        return count > 1 or has_context
    if words[0] in ("un", "une") and 1 < len(words) <= 4 and words[1] not in _NON_NAMES | _THING_NOUNS:
        return has_context and label[:1].isupper()
    return count > 1 and has_context and label[:1].isupper() and words[0] in _ARTICLES


def _is_mentioned(label: str, full_text: str) -> bool:
    """Whether the name also occurs inside a sentence."""
    return re.search(rf"[\w,] {re.escape(label)}\b(?! ?:)", full_text) is not None


def _better_spelling(current: str, label: str) -> str:
    """Return the spelling that is not all capitals and has the most accents; the first of equals."""
    return max(current, _name_case(label), key=lambda name: (not name.isupper(), _count_accents(name))) if current else _name_case(label)


def _spelling_in_text(key: str, full_text: str) -> str:
    """Return « ÈVE » as « Ève » when the text writes it so elsewhere; otherwise a short name in capitals may be initials."""
    spelt = key.capitalize()
    return spelt if key.isalpha() and len(key) <= 3 and re.search(rf"\b{re.escape(spelt)}\b", full_text) else key


def _count_accents(name: str) -> int:
    return sum(not char.isascii() for char in name)


def _name_case(label: str) -> str:
    """Return « NORA BELKACEM » as « Nora Belkacem », « L’APPELANTE » as « L’appelante »; initials stay."""
    if fold_name(label) in _PRONOUNS:
        return label.capitalize()
    if not label.isupper() or len(label.replace(".", "")) <= 3:
        return label
    words = label.lower().split(" ")
    if (_is_person_noun(fold_name(label).split(" ")) or words[0] in _ARTICLES) and words[0].rstrip(".") not in TITLES:
        return " ".join(words).capitalize()
    particles = ("de", "du", "des", "la", "le", "et")
    return " ".join(word if index and word in particles else _capitalised(word) for index, word in enumerate(words))


def _capitalised(word: str) -> str:
    return "-".join(part[:1].upper() + part[1:] for part in word.split("-"))
