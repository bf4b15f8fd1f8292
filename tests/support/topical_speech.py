"""An interview made by a seed: topics one after the other, each with words of its own among words that all have."""

from __future__ import annotations

import random

from pipeline.model.transcript import TimedTranscript, Turn, Voice, Word

TOPICS = {
    "la file d’attente": "ticket guichet chaise attente numéro patience salle file affluence matinée",
    "le marché couvert": "marché légumes étal fromage panier maraîcher halle vendeur pesée camion",
    "la gare de triage": "gare train wagon aiguillage cheminot quai rail locomotive triage horaire",
    "le jardin partagé": "jardin compost semis tomate arrosoir parcelle bêche haie récolte limace",
    "la bibliothèque": "bibliothèque livre roman étagère lecture prêt album conte lecteur rayon",
    "la station d’épuration": "épuration station rivière boue bassin filtre pompe débit égout analyse",
    "le stade municipal": "stade pelouse vestiaire entraîneur match tribune ballon licence tournoi arbitre",
    "la cantine scolaire": "cantine cuisine menu plateau écolier potage recette dessert service allergie",
    "la forêt communale": "forêt chêne sentier bûcheron coupe clairière gibier lisière sapin garde",
}
COMMON = "avec une personne du quartier qui revient chaque semaine raconter son histoire à voix basse".split()
WORD_S = 0.4


def interview(seed: int, topic_s: float = 400.0, topics: int = 9) -> tuple[TimedTranscript, list[float]]:
    """The transcript, Nora asking and Malik answering, and the start of each topic in seconds. No topic begins with music or a silence."""
    chance = random.Random(seed)
    time_s, turns, starts = 1.0, [], []

    def say(name: str, text: str) -> None:
        nonlocal time_s
        words = []
        for part in text.split():
            words.append(Word(part, round(time_s, 3), round(time_s + WORD_S * 0.9, 3)))
            time_s += WORD_S
        turns.append(Turn(Voice(name), tuple(words)))
        time_s += 0.5

    for phrase in chance.sample(sorted(TOPICS), topics):
        starts.append(time_s)
        own = TOPICS[phrase].split()
        while time_s < starts[-1] + topic_s:
            say("Nora", f"Comment avez-vous rencontré {phrase} {chance.choice(own)} {' '.join(chance.sample(COMMON, 5))} ?")
            for _ in range(chance.randint(2, 4)):
                spoken = [chance.choice(own if chance.random() < 0.3 else COMMON) for _ in range(chance.randint(8, 16))]
                say("Malik", f"On regarde {phrase} et {' '.join(spoken)}.")
    return TimedTranscript(round(time_s + 2, 3), "fr", tuple(turns)), starts
