"""The Podcasting 2.0 taxonomy of roles, with French labels for pages and guides.

Source: podcast-namespace, `taxonomy.json` and `taxonomy-fr.json`. “Editor” is in two groups, so a role may be written
`Editor (Video Post-Production)`.
"""

from __future__ import annotations

from pipeline.model.language import language_data
from pipeline.model.text import suggest

# group -> role -> French label
TAXONOMY: dict[str, dict[str, str]] = {
    "Creative Direction": {
        "Director": "Réalisation",
        "Assistant Director": "Assistance à la réalisation",
        "Executive Producer": "Production exécutive",
        "Senior Producer": "Production principale",
        "Producer": "Production",
        "Associate Producer": "Production associée",
        "Development Producer": "Développement",
        "Creative Director": "Direction artistique",
    },
    "Cast": {
        "Host": "Présentation",
        "Co-Host": "Coprésentation",
        "Guest Host": "Présentation invitée",
        "Guest": "Avec",
        "Voice Actor": "Interprétation",
        "Narrator": "Narration",
        "Announcer": "Annonces",
        "Reporter": "Reportage",
    },
    "Writing": {
        "Author": "Texte",
        "Editorial Director": "Direction éditoriale",
        "Co-Writer": "Coécriture",
        "Writer": "Écriture",
        "Songwriter": "Paroles et musique",
        "Guest Writer": "Écriture invitée",
        "Story Editor": "Conseil au récit",
        "Managing Editor": "Rédaction en chef",
        "Script Editor": "Révision du texte",
        "Script Coordinator": "Coordination des textes",
        "Researcher": "Recherche",
        "Editor": "Édition",
        "Fact Checker": "Vérification des faits",
        "Translator": "Traduction",
        "Transcriber": "Transcription",
        "Logger": "Dérushage",
    },
    "Audio Production": {
        "Studio Coordinator": "Coordination du studio",
        "Technical Director": "Direction technique",
        "Technical Manager": "Responsabilité technique",
        "Audio Engineer": "Prise de son",
        "Remote Recording Engineer": "Prise de son à distance",
        "Post Production Engineer": "Postproduction",
    },
    "Audio Post-Production": {
        "Audio Editor": "Montage",
        "Sound Designer": "Création sonore",
        "Foley Artist": "Bruitage",
        "Composer": "Composition",
        "Theme Music": "Générique",
        "Music Production": "Production musicale",
        "Music Contributor": "Musique additionnelle",
    },
    "Administration": {
        "Production Coordinator": "Coordination de production",
        "Booking Coordinator": "Programmation des invités",
        "Production Assistant": "Assistance de production",
        "Content Manager": "Gestion des contenus",
        "Marketing Manager": "Communication",
        "Sales Representative": "Relations commerciales",
        "Sales Manager": "Direction commerciale",
    },
    "Visuals": {"Graphic Designer": "Graphisme", "Cover Art Designer": "Couverture"},
    "Community": {"Social Media Manager": "Réseaux sociaux"},
    "Misc.": {"Consultant": "Conseil", "Intern": "Stage"},
    "Video Production": {
        "Camera Operator": "Image",
        "Lighting Designer": "Lumière",
        "Camera Grip": "Machinerie",
        "Assistant Camera": "Assistance à l’image",
    },
    "Video Post-Production": {"Editor": "Montage vidéo", "Assistant Editor": "Assistance au montage vidéo"},
}

ROLES = {role for roles in TAXONOMY.values() for role in roles}


def find_role(text: str) -> tuple[str, str]:
    """The `(role, group)` that `text` names, case-insensitively, with an optional group in parentheses.

    Raises `ValueError` with the closest known role.
    """
    role_wanted, _, group_wanted = text.partition("(")
    for group, roles in TAXONOMY.items():
        if group_wanted and group.lower() != group_wanted.rstrip(") ").lower():
            continue
        for role in roles:
            if role.lower() == role_wanted.strip().lower():
                return role, group
    raise ValueError(suggest(role_wanted.strip(), ROLES))


def role_label(role: str, group: str, language: str) -> str:
    """The label of a role in a language (a BCP 47 tag): French, that of the language's file, or the taxonomy's English."""
    if language.lower().partition("-")[0] == "fr":
        return TAXONOMY[group][role]
    label: str = language_data(language).get("roles", {}).get(role, role)
    return label
