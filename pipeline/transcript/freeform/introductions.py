"""Find who is introduced in the words of a text: « Je m’appelle Odile », « Anne Petit, directrice, nous raconte : ». No input or output."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipeline.transcript.freeform.labels import NAME, fold_name

_WORD = r"[A-ZÀ-ÞŒŸ][a-zà-ÿœ’'][\w’'-]*"
_FULL = rf"{_WORD}(?: (?:d[eu]s? |la |le |d[’'])?{_WORD}){{0,3}}"
_SURE_SELF = re.compile(
    rf"(?i:\bje m[’']appelle|\bje me nomme|\bmon nom est|\bje me pr[ée]sente ?[,:]|\bmoi,? c[’']est|\bmy name is)\s+(?P<name>{_FULL})"
)
_GREETING_SELF = re.compile(
    r"(?i:\b(?:bonjour|bonsoir|salut|hello|hi)\b[^.!?]{0,30}?[,!.]?\s*(?:moi,? )?(?:je suis|c[’']est|ici|i am|i[’']m))\s+"
    rf"(?P<name>{_FULL})"
)
_I_AM = re.compile(rf"(?i:^|[.!?] )(?i:je suis|i am|i[’']m)\s+(?P<name>{_FULL})(?=[,.!]| et je)")
_NAME_FIRST = re.compile(
    rf"(?P<name>{_FULL})(?:\.|, (?:\d+ ans|[a-zà-ÿ][^.!?:«»]{{2,70}}?)[,.]) (?:[Jj]e |[Jj][’']|[Mm]oi\b|[Nn]ous |[Oo]n )"
)
_DEMONYM = re.compile(r"(?:ais|aise|ois|oise|ien|ienne|éen|éenne|ain|aine|ton|tonne|and|ande|iste|ique)$")
_VERBS = (
    r"racont|expliqu|t[ée]moign|souv(?:ient|enait)|r[ée]pond|confi|d[ée]cri[tv]|ajout|pr[ée]cis|di(?:t|sait)\b|poursui|r[ée]sum|insist|rappel|parl|"
    r"pr[ée]sent|observ|constat|analys|estim|tell|explain|remember|sa(?:ys|id)\b|describ"
)
_PRESENTED = re.compile(
    rf"(?P<name>{_FULL})(?P<what>, [^.:!?«»\[\]]{{3,140}}?)?(?:,)? (?:(?:nous|vous|lui|leur|en|y|se|s[’']en|a|l[’']a) ?){{0,3}}(?:{_VERBS})"
    r"[^.!?«»]{0,120}[:.…]$"
)
_GIVEN_THE_FLOOR = re.compile(
    rf"(?i:\b(?:[ée]cout(?:ons|ez)|la parole (?:est )?[àa]|le t[ée]moignage d[e’]|au micro,?|voici|listen to)) ?(?P<name>{_FULL})"
    r"(?P<what>, [^.:!?«»\[\]]{3,140})?[:.…]?$"
)
_IN_LABEL = re.compile(rf"(?i:t[ée]moignage|interview|entretien|portrait|paroles?)(?: d[e’']| avec) ?(?P<name>{_FULL})(?P<what>, .+)?$")
_WELCOMED = re.compile(
    rf"(?i:\b(?:je re[çc]ois|nous recevons|avec nous,?|j[’']accueille|nous accueillons|bienvenue,?|(?:notre|mon) invit[ée]e?,?|"
    rf"au micro d[e’]|en compagnie d[e’]|rencontr[ée]e?|rejoint|we meet|welcome,?|our guest,?)) ?(?P<name>{_FULL})"
)


def self_introduction(text: str) -> str:
    """Return the name that the speaker of these words gives, « Odile » for « Je m’appelle Odile »; else an empty string."""
    return name_before_words(text) or name_in_words(text)


def name_before_words(text: str) -> str:
    """Return the name that starts these words, « Firmin » for « Firmin. Je suis apprenti. »; else an empty string."""
    found = _NAME_FIRST.match(text)
    return found["name"] if found and not _is_sentence_start(found["name"]) else ""


def name_in_words(text: str) -> str:
    """Return the name that the speaker gives in a sentence, « Odile » for « Je m’appelle Odile »; else an empty string."""
    if found := _SURE_SELF.search(text) or _GREETING_SELF.search(text):
        return found["name"]
    found = _I_AM.search(text)
    return found["name"] if found and (" " in found["name"] or not _DEMONYM.search(found["name"])) else ""


def presented_next(text: str) -> tuple[str, str]:
    """Return the name and the description of who speaks next, « Anne Petit, directrice, nous raconte : »; empty strings for nobody."""
    for sentence in (re.split(r"(?<=[.!?…]) ", text.strip())[-1],):
        found = _PRESENTED.search(sentence) or _GIVEN_THE_FLOOR.search(sentence)
        if found and not _is_sentence_start(found["name"]):
            what = (found["what"] or "").strip(" ,:.")
            return found["name"], f"{found['name']}, {what}" if what else ""
    return "", ""


def named_in_label(label: str) -> tuple[str, str]:
    """Return the name and the description in the label of a part, « Témoignage de Paulette, 81 ans »; empty strings for none."""
    found = _IN_LABEL.match(label)
    if not found:
        return "", ""
    what = (found["what"] or "").strip(" ,")
    return found["name"], f"{found['name']}, {what}" if what else ""


def introduced_names(texts: Iterable[str]) -> Iterator[str]:
    """Yield the folded names of everybody who is introduced in these texts: by themselves, or as a guest.

    A name with a description, « Firmin, apprenti au port, … », is an introduction too.
    """
    texts = tuple(texts)
    yield from welcomed_names(texts)
    for text in texts:
        if name := self_introduction(text):
            yield fold_name(name)
        yield from (fold_name(found[0].partition(",")[0]) for found in _DESCRIBED.finditer(text))


def welcomed_names(texts: Iterable[str]) -> Iterator[str]:
    """Yield the folded names of guests: « je reçois Marc », « bienvenue Anne »."""
    for text in texts:
        yield from (fold_name(found["name"]) for found in _WELCOMED.finditer(text))


_DESCRIBED = re.compile(rf"{NAME.pattern}, (?:le |la |l[’']|une? |notre |votre )?[a-zà-ÿœ]{{4,}}")
_COMMON_STARTS = frozenset(
    """
    alors aujourd bon bonjour bonsoir ca car ce cela ces cette chaque comme comment d dans de depuis des donc du elle elles en encore enfin
    ensuite est et hier ici il ils j je l la le les leur lui ma mais maintenant merci mes moi mon mais non nos notre nous on or ou oui
    parce parfois pas pendant plus plusieurs pour pourquoi puis quand que quelques qui sa sans se ses si soixante soudain souvent sur ta
    toi demain ton tous tout toute toutes tres tu un une vers voici voila votre vous y the this that and but so he she they we it
    """.split()
)


def _is_sentence_start(name: str) -> bool:
    """Whether the word has its capital only because it starts a sentence."""
    return fold_name(name).split(" ")[0] in _COMMON_STARTS
