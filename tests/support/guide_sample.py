"""The sample show's first episode, as the guide's steps meet it."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.engine.files import write_json
from pipeline.guide.render import render_guide
from pipeline.guide.screen import write_screen_guide
from pipeline.model.show import Credit, EpisodeInfo, GuideSettings, Person, ShowInfo
from pipeline.model.transcript import TimedTranscript, Turn, Voice, Word
from pipeline.transcript.timed_json import write_timed

ROOT = Path(__file__).parents[2]
SLUG = "01-la-file-d-attente"
GUIDE = ROOT / "guides" / f"{SLUG}.md"
NORA = Credit(Person("nora", "Nora Belkacem"), "Host", "Cast")
SHOW = ShowInfo("Demain, le guichet", "…", "Atelier", "https://guichet.example/", license="cc-by-4.0", status="Fiction.", credits=(NORA,))
EPISODE = EpisodeInfo(SLUG, "La file d'attente", "Attendre son tour, hier et demain.", datetime(2026, 9, 1, 6, tzinfo=UTC), number=1)
MARKS = [{"startTime": 0, "title": "Prologue"}, {"startTime": 20, "title": "Archive : 1978"}]
GUIDES = GuideSettings("guides@guichet.example")
FORMS = (
    "facilitator_pdf",
    "facilitator_docx",
    "facilitator_html",
    "handout_pdf",
    "handout_docx",
    "handout_html",
    "large_print_pdf",
    "harvest_csv",
)


def said(text: str, voice: str = "", role: str = "récit", start_s: float | None = 0.0, section: str = "") -> Turn:
    """A turn whose words last half a second each."""
    words = text.split(" ")
    times = [(None, None) if start_s is None else (start_s + i / 2, start_s + i / 2 + 0.5) for i in range(len(words))]
    return Turn(Voice(voice, role), tuple(Word(word, *time) for word, time in zip(words, times, strict=True)), section)


def sample() -> TimedTranscript:
    """Episode 1 from the truth of its recording: a turn a line."""
    lines = json.loads((ROOT / f"tests/data/sample_truth/{SLUG}.json").read_text(encoding="utf-8"))
    turns = []
    for line in lines:
        ends = "\u202f?" if line["text"].endswith("?") else ""
        *words, last = [Word(text, start_s, end_s) for text, start_s, end_s in line["words"]]
        voice = Voice("" if line["section"] == "recit" else line["voice"].capitalize(), line["section"].replace("recit", "récit"))
        turns.append(Turn(voice, (*words, Word(last.text + ends, last.start_s, last.end_s)), line["section"]))
    return TimedTranscript(lines[-1]["end_s"] + 6, "fr", tuple(turns))


def render(
    folder: Path,
    text: str,
    timed: TimedTranscript | None = None,
    show: ShowInfo = SHOW,
    episode: EpisodeInfo = EPISODE,
    guide: GuideSettings = GUIDES,
    fonts: tuple[Path, ...] = (),
    sound: bytes = b"ID3",
) -> dict[str, Path]:
    """Both documents of a guide, in a folder, by the step's own names."""
    folder.mkdir(exist_ok=True)
    (folder / "guide.md").write_text(text, encoding="utf-8")
    write_timed(folder / "timed.json", timed or sample())
    write_json(folder / "chapters.json", {"version": "1.2.0", "chapters": MARKS})
    made = {form: folder / form.replace("_", ".") for form in FORMS}
    inputs = (folder / "guide.md", folder / "timed.json", folder / "chapters.json")
    screen = made.pop("facilitator_html")
    render_guide(*inputs, **made, show=show, episode=episode, guide=guide, fonts=fonts)
    with zipfile.ZipFile(folder / "clips.zip", "w") as archive:
        archive.writestr("01 0m31 Nora.mp3", sound)
    write_screen_guide(*inputs, folder / "clips.zip", facilitator_html=screen, show=show, episode=episode, guide=guide)
    return {**made, "facilitator_html": screen}


def written(name: str, language: str = "fr", word_s: float = 0.36) -> TimedTranscript:
    """A transcript of `tests/data/guide` as if it were read aloud at an even pace."""
    from pipeline.transcript import parser
    from pipeline.transcript.turns import build_turns

    path = ROOT / f"tests/data/guide/{name}.md"
    now, placed = 1.0, []
    for each in build_turns(parser.parse_transcript(path.read_text(encoding="utf-8"), name), language):
        words = []
        for word in each.turn.words:
            words.append(Word(word.text, round(now, 3), round(now + 0.9 * word_s, 3)))
            now += word_s
        placed.append(replace(each.turn, words=tuple(words)))
        now += 0.6
    return TimedTranscript(round(now + 3, 3), language, tuple(placed))
