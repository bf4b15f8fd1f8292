"""A first guide: quotes that are said, questions that ask, and never a broken file."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from guide_sample import EPISODE, SHOW, SLUG, render, said, sample

from pipeline.drafts import untouched
from pipeline.guide.draft import draft_guide, own_questions, propose
from pipeline.guide.labels import FAMILIES, fill, templates
from pipeline.guide.quotes import locate, sentences, spoken_words
from pipeline.guide.score import Topic, choose, kind, rank
from pipeline.guide.text import QUOTE, clips, parse, questions, write
from pipeline.model import ShowInfo, TimedTranscript
from pipeline.transcript.timed import write_timed

HOSTILE = "#panic(1) *gras* $m$ <script>alert(1)</script> {quote} {voice} 🎉 \\ HYPERLINK \"x\" '' ?"
ENGLISH = replace(SHOW, language="en", title="Tomorrow, the counter")


def drafted(timed: TimedTranscript, show: ShowInfo = SHOW, folder: Path | None = None) -> str:
    guide, notes = propose(timed, show, EPISODE)
    return write(guide, show.language, notes)


def test_the_draft_is_the_machines_until_somebody_changes_it(tmp_path: Path) -> None:
    write_timed(tmp_path / "timed.json", sample())
    draft_guide(tmp_path / "timed.json", text=tmp_path / "guide.md", show=SHOW, episode=EPISODE)
    text = (tmp_path / "guide.md").read_text(encoding="utf-8")
    assert untouched(text)
    assert not untouched(text.replace("Débattre", "Debate"))
    assert parse(text, "x") == propose(sample(), SHOW, EPISODE)[0]


def test_every_quote_proposed_or_chosen_is_said() -> None:
    guide, notes = propose(sample(), SHOW, EPISODE)
    others = [note.removeprefix("> ") for note in notes["+clips"] if note.startswith("> ")]
    assert len(guide.lines("clips", QUOTE)) == 4
    for quote in [*guide.texts("clips", QUOTE), *others]:
        locate(quote, spoken_words(sample()), "x")


def test_each_kind_of_voice_has_a_clip_and_the_fiction_is_a_scene() -> None:
    spoken = spoken_words(sample())
    guide, _ = propose(sample(), SHOW, EPISODE)
    found = [locate(line.text, spoken, "x") for _, line in clips(guide)]
    assert {kind(one.turn.voice.role) for one in found} == {"recit", "archive", "usagers", "fiction"}
    assert max(found, key=lambda one: one.duration_s).turn.voice.role == "fiction"


def test_the_episodes_own_questions_come_first_and_the_fictions_are_left_out() -> None:
    own = [one.text for one in own_questions(sentences(spoken_words(sample())))]
    assert own[0].startswith("Que faudrait-il garder de l'attente")
    assert not any("machine" in text for text in own)
    assert propose(sample(), SHOW, EPISODE)[0].texts("before")[0].startswith("Que faudrait-il garder de l’attente")


@pytest.mark.parametrize("show", [SHOW, ENGLISH])
@pytest.mark.parametrize("number", range(6))
def test_questions_keep_the_rules(show: ShowInfo, number: int) -> None:
    guide, _ = propose(sample(), show, replace(EPISODE, number=number))
    asked = [one for family in FAMILIES for one in questions(guide, family)]
    assert 5 <= len(asked) <= 8
    assert all(questions(guide, family) for family in FAMILIES)
    assert all(len(re.findall(r"\w[\w’'-]*", one.text)) <= 25 and len(one.follow_ups) == 1 for one in asked)
    assert not any(re.search(r"\best-ce que\b", one.text, re.IGNORECASE) for one in asked)
    assert len({one.text for one in asked}) == len(asked)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_templates_ask_within_25_words_and_each_family_can_do_without_a_quote(language: str) -> None:
    for family in FAMILIES:
        models = templates(language)[family]
        assert any("about" not in model for model in models)
        assert all(len(model["text"].split()) <= 25 and model["follow_up"].endswith("?") for model in models)


def test_what_a_quote_holds_is_never_read_as_a_place() -> None:
    assert fill("{voice} : {quote}", voice="{quote}", quote="{voice}") == "{quote} : {voice}"


def test_the_shows_own_jingle_is_never_a_quote() -> None:
    every = sentences(spoken_words(sample()))
    ranked = rank(every, Topic("fr", "La file d'attente", SHOW.title))
    assert not any("Demain, le guichet" in one.passage.text for one in ranked)


def test_two_sentences_alike_are_not_both_chosen() -> None:
    same = "Mais la machine des formulaires remplace la voisine du guichet"
    turns = (said(f"{same}."), said(f"{same} enfin."), said("Pourtant le marché du printemps attend les chiens du quartier."))
    ranked = rank(sentences(spoken_words(TimedTranscript(60, "fr", turns))), Topic("fr"))
    assert sum(same in one.passage.text for one in choose(ranked, 2, {})) == 1


@pytest.mark.parametrize(
    "turns",
    [
        (),
        (said("Oui."),),
        (said("Bonjour à tous et à toutes, je parle seul pendant une demi-minute entière.", "Paul", "entretien"),),
        (said(HOSTILE, HOSTILE, HOSTILE), said("## titre > citation %% note", "x", "fiction"), said("+++", "y", "archive")),
        (said("Personne ne sait quand cette phrase est dite dans le fichier.", start_s=None),),
    ],
    ids=["empty", "one word", "one speaker", "hostile", "unplaced"],
)
@pytest.mark.parametrize("show", [SHOW, ENGLISH], ids=["fr", "en"])
def test_little_or_strange_material_gives_a_shorter_guide_that_prints(tmp_path: Path, turns: tuple, show: ShowInfo) -> None:
    timed = TimedTranscript(30.0, "fr", turns)
    made = render(tmp_path, drafted(timed, show), timed, show, replace(EPISODE, title=HOSTILE, summary=HOSTILE))
    assert all(path.stat().st_size > 1000 for path in made.values())
    assert "<script>" not in made["facilitator_html"].read_text(encoding="utf-8")


def test_the_same_transcript_gives_the_same_draft() -> None:
    assert drafted(sample()) == drafted(sample())
    assert SLUG not in drafted(sample())
