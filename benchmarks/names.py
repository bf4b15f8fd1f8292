"""What correcting names by their sound does to what a Whisper heard: names it got right before and after, and every other word.

    python benchmarks/names.py FOLDER [--checkpoint base.pt] [--ids a,b]

FOLDER is that of `benchmarks/real_speech.py`. The glossary of a recording has the names of its own text and a hundred names nobody says:
what becomes one of those is an invention. The recogniser is never told any of them. A .pt file is heard by openai-whisper
(`python -m tests.support.ct2_to_pt` makes one of the same weights).
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import Counter
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from pipeline.model import Glossary, Term, apply_glossary
from pipeline.speech import transcribe_master
from pipeline.transcript.normalisation import word_tokens

_NAME = re.compile(r"(?<![.!?…:»] )(?<!^)\b[A-ZÀÂÉÈÊÎÔÇ][\w’'-]{3,}(?: (?:Le |La |de )?[A-ZÀÂÉÈÊÎÔÇ][\w’'-]+)*")
DECOYS = """Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefebvre Michel David Bertrand Roux Vincent
Fournier Morel Girard Mercier Dupont Lambert Bonnet Legrand Garnier Faure Rousseau Blanc Guérin Muller Henry Roussel Perrin Morin Mathieu
Clément Gauthier Dumont Fontaine Chevalier Robin Masson Sanchez Boyer Lemaire Duval Joly Roger Roche Meyer Lucas Meunier Marchand Dufour
Blanchard Barbier Brunet Schmitt Leroux Colin Renard Arnaud Rolland Caron Aubert Giraud Leclerc Vidal Bourgeois Renaud Lemoine Picard
Gaillard Olivier Hubert Charpentier Rivière Aurore Camille Claire Pierre Rose Nantes Nevers Grenoble Marseille Toulouse Angers Tours
Limoges Johnson Taylor Wilson Clark Wright Green Adams Walker Young Houston Manchester Leicester Grace Catherine Stephen""".split()


def hear(row: dict, checkpoint: Path | None, folder: Path) -> dict:
    """What is heard of a recording, kept in the folder until it is measured."""
    words = folder / "words.json"
    transcribe_master(Path(row["audio"]), words=words, model="base", language=row["lang"], checkpoint=checkpoint)
    return json.loads(words.read_text(encoding="utf-8"))


def text_of(recognition: dict) -> str:
    return " ".join(word["text"] for segment in recognition["segments"] for word in segment["words"])


def found(names: set[str], text: str, language: str) -> int:
    """How many times the names are in a text, at most as often as they are said."""
    tokens = " ".join(word_tokens(text, language))
    return sum(tokens.count(" ".join(word_tokens(name, language))) for name in names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--ids", default="")
    wanted = parser.parse_args()
    rows = [json.loads(line) for line in (wanted.folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    total: Counter[str] = Counter()
    for row in rows:
        if not row["text"] or (wanted.ids and row["id"] not in wanted.ids.split(",")):
            continue
        names = set(_NAME.findall(row["text"]))
        glossary = Glossary(tuple(Term(name) for name in dict.fromkeys([*sorted(names), *DECOYS])))
        with tempfile.TemporaryDirectory() as folder:
            before = hear(row, wanted.checkpoint, Path(folder))
        after, corrections = apply_glossary(before, glossary)
        said = word_tokens(row["text"], row["lang"])
        edits = [Levenshtein.distance(said, word_tokens(text_of(each), row["lang"])) for each in (before, after)]
        right = [found(names, text_of(each), row["lang"]) for each in (before, after)]
        invented = [each for each in corrections if each.written in DECOYS and each.written not in names]
        total.update({"said": found(names, row["text"], row["lang"]), "before": right[0], "after": right[1]})
        total.update({"edits before": edits[0], "edits after": edits[1], "words": len(said), "invented": len(invented)})
        changes = ", ".join(f"{each.heard} → {each.written}" for each in corrections)
        print(f"{row['id']:24} names {right[0]} → {right[1]}, wrong words {edits[0]} → {edits[1]}  {changes}", flush=True)
    print(", ".join(f"{name} {count}" for name, count in total.items()))


if __name__ == "__main__":
    main()
