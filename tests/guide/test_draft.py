"""A first guide: quotes that are said, questions that ask, and never a broken file."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.engine.drafts import add_stamp, is_unedited_draft
from pipeline.guide.document import QUOTE, TEXT, clip_quotes, family_questions, format_guide, parse_guide
from pipeline.guide.draft import _load_background, draft_guide, propose_guide
from pipeline.guide.labels import FAMILIES, fill, question_templates
from pipeline.guide.question_rules import guide_warnings
from pipeline.guide.questions import episode_questions, question_text
from pipeline.guide.quotes import locate, split_sentences, spoken_words, tokens
from pipeline.guide.ranking import Topic, choose, is_claim, rank, voice_kind
from pipeline.model.show import ShowInfo
from pipeline.model.text import apply_typography
from pipeline.model.transcript import TimedTranscript, Voice
from pipeline.transcript.timed_json import write_timed
from tests.support.guide_sample import EPISODE, ROOT, SHOW, SLUG, render, said, sample, written

pytestmark = pytest.mark.slow

HOSTILE = "#panic(1) *gras* $m$ <script>alert(1)</script> {quote} {voice} 🎉 \\ HYPERLINK \"x\" '' ?"
TRANSCRIPTS = sorted((ROOT / "tests/data/guide").glob("*.md"))
ENGLISH = replace(SHOW, language="en", title="Tomorrow, the counter")


def drafted(timed: TimedTranscript, show: ShowInfo = SHOW, folder: Path | None = None) -> str:
    guide, notes = propose_guide(timed, show, EPISODE)
    return format_guide(guide, show.language, notes)


def test_a_title_with_guillemets_is_quoted_inside_them() -> None:
    goal = format_guide(propose_guide(sample(), SHOW, replace(EPISODE, title="L’accueil : «\u202fattendre\u202f» ?"))[0], "fr", {})
    assert "Partir de «\u202fL’accueil\u00a0: “attendre”\u202f?\u202f»" in goal


def test_a_narration_alone_is_not_announced() -> None:
    alone = TimedTranscript(60.0, "fr", (replace(sample().turns[1], voice=Voice("", "récit")),))
    assert "On y entend" in drafted(sample()) and "On y entend" not in drafted(alone)


def test_the_draft_is_the_machines_until_somebody_changes_it(tmp_path: Path) -> None:
    write_timed(tmp_path / "timed.json", sample())
    draft_guide(tmp_path / "timed.json", text=tmp_path / "guide.md", show=SHOW, episode=EPISODE)
    text = (tmp_path / "guide.md").read_text(encoding="utf-8")
    assert is_unedited_draft(text)
    assert not is_unedited_draft(text.replace("Débattre", "Debate"))
    assert parse_guide(text, "x") == propose_guide(sample(), SHOW, EPISODE)[0]


def test_every_quote_proposed_or_chosen_is_said() -> None:
    guide, notes = propose_guide(sample(), SHOW, EPISODE)
    others = [note.removeprefix("> ") for note in notes["+clips"] if note.startswith("> ")]
    assert len(guide.lines("clips", QUOTE)) == 4
    assert len(others) > 4
    for quote in [*guide.texts("clips", QUOTE), *others]:
        locate(quote, spoken_words(sample()), "x")


def test_each_kind_of_voice_has_a_clip_and_the_fiction_is_a_scene() -> None:
    spoken = spoken_words(sample())
    guide, _ = propose_guide(sample(), SHOW, EPISODE)
    found = [locate(line.text, spoken, "x") for _, line in clip_quotes(guide)]
    assert {voice_kind(one.turn.voice) for one in found} == {"recit", "archive", "usagers", "fiction"}
    assert max(found, key=lambda one: one.duration_s).turn.voice.role == "fiction"


def test_the_episodes_own_questions_come_first_and_the_fictions_are_left_out() -> None:
    own = [one.text for one in episode_questions(split_sentences(spoken_words(sample())))]
    assert own[0].startswith("Que faudrait-il garder de l'attente")
    assert any("machine" in one.text and "?" in one.text for one in split_sentences(spoken_words(sample())))  # the fiction's
    assert not any("machine" in text for text in own)
    assert propose_guide(sample(), SHOW, EPISODE)[0].texts("before")[0].startswith("Que faudrait-il garder de l’attente")


@pytest.mark.parametrize("show", [SHOW, ENGLISH])
@pytest.mark.parametrize("number", range(6))
def test_questions_keep_the_rules(show: ShowInfo, number: int) -> None:
    guide, _ = propose_guide(sample(), show, replace(EPISODE, number=number))
    asked = [one for family in FAMILIES for one in family_questions(guide, family)]
    assert 5 <= len(asked) <= 8
    assert all(family_questions(guide, family) for family in FAMILIES)
    assert all(len(re.findall(r"\w[\w’'-]*", one.text)) <= 25 and len(one.follow_ups) == 1 for one in asked)
    assert not any(re.search(r"\best-ce que\b", one.text, re.IGNORECASE) for one in asked)
    assert len({one.text for one in asked}) == len(asked)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_templates_ask_within_25_words_and_each_family_can_do_without_a_quote(language: str) -> None:
    for family in FAMILIES:
        models = question_templates(language)[family]
        assert any("about" not in model for model in models)
        assert all(len(model["text"].split()) <= 25 and model["follow_up"].endswith("?") for model in models)


def test_what_a_quote_holds_is_never_read_as_a_place() -> None:
    assert fill("{voice} : {quote}", voice="{quote}", quote="{voice}") == "{quote} : {voice}"


def test_the_shows_own_jingle_is_never_a_quote() -> None:
    every = split_sentences(spoken_words(sample()))
    ranked = rank(every, Topic("fr", "La file d'attente", SHOW.title))
    assert any("Demain, le guichet" in one.text for one in every) and len(ranked) > 10
    assert not any("Demain, le guichet" in one.passage.text for one in ranked)


def test_two_sentences_alike_are_not_both_chosen() -> None:
    same = "Mais la machine des formulaires remplace la voisine du guichet"
    turns = (said(f"{same}."), said(f"{same} enfin."), said("Pourtant le marché du printemps attend les chiens du quartier."))
    ranked = rank(split_sentences(spoken_words(TimedTranscript(60, "fr", turns))), Topic("fr"))
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
    assert all(path.stat().st_size > 1000 for path in made.values() if path.suffix != ".csv")
    assert "<script>alert" not in made["facilitator_html"].read_text(encoding="utf-8")


def test_a_fact_is_never_put_to_the_vote() -> None:
    every = {one.text: one for one in split_sentences(spoken_words(written("04-une-heure-de-route")))}
    facts = ["Le courrier, deux poules, les pensions, et Madame Guével qui va chez le notaire.", "Elle est là tous les mardis."]
    assert not any(is_claim(every[text], "fr") for text in facts)
    assert is_claim(every["Si le car ne passe pas, le village ne mange pas, alors le car passe toujours. »".removesuffix(" »")], "fr")


def test_there_are_other_shows() -> None:
    assert {"fr", "en"} <= {path.stem[:2] if path.stem.startswith("en") else "fr" for path in TRANSCRIPTS}


@pytest.mark.parametrize(("name", "language"), [(path.stem, "en" if path.stem.startswith("en") else "fr") for path in TRANSCRIPTS])
def test_drafts_of_other_shows_keep_the_rules(name: str, language: str) -> None:
    timed = written(name, language)
    guide, notes = propose_guide(timed, replace(SHOW, language=language, title="Au fil des droits"), EPISODE)
    assert list(guide_warnings(guide, language, EPISODE.summary)) == []
    intros = [intro for intro, _ in clip_quotes(guide)]
    assert 4 <= len(intros) <= 5 and len(set(intros)) == len(intros)
    quotes = guide.texts("clips", QUOTE)
    assert not any(quote.count("«") != quote.count("»") or "podcast" in quote for quote in quotes)
    ranks = [int(note.split(".")[0]) for note in notes["+clips"] if re.match(r"\d+\. ", note)]
    assert ranks == sorted(ranks) and max(ranks) <= 12 and any(re.search(r", \d:\d\d$", note) for note in notes["+clips"])


def test_a_question_to_a_guest_is_not_put_to_the_room() -> None:
    own = [one.text for one in episode_questions(split_sentences(spoken_words(written("03-l-algorithme-et-l-assistante"))))]
    assert own[0].startswith("Que saurions-nous de plus") and not any("Est-ce que" in text for text in own)


def test_somebody_with_a_name_and_no_role_is_introduced_by_name() -> None:
    turns = (
        said("Bonjour Malik, que faites-vous donc de vos journées ici ?", "Nora", ""),
        said("Il faut surtout laisser du silence aux gens.", "Malik", ""),
    )
    guide, _ = propose_guide(TimedTranscript(30, "fr", turns), SHOW, EPISODE)
    assert any(text.startswith("Malik. ") for text in guide.texts("clips")) and not any("Bonjour" in text for text in guide.texts("before"))


def test_what_other_corrected_episodes_say_counts_less(tmp_path: Path) -> None:
    shared = "Mais la machine du guichet ne remplace jamais la voisine, et pourtant il faudrait y croire"
    timed = TimedTranscript(60, "fr", (said(f"{shared}."), said("Pourtant il faut garder une chaise pour les voisines du quartier.")))
    (tmp_path / ".causerie/un").mkdir(parents=True)
    (tmp_path / "transcripts").mkdir()
    write_timed(tmp_path / ".causerie/un/timed.json", timed)
    (tmp_path / "transcripts/deux.md").write_text(f"{shared}.\n", encoding="utf-8")
    (tmp_path / "transcripts/cassé.md").write_text("+++\n", encoding="utf-8")
    others = ("transcripts/deux.md", "transcripts/cassé.md", "transcripts/absent.md")
    texts = {}
    for name, told in (("alone", ()), ("series", others)):
        draft_guide(tmp_path / ".causerie/un/timed.json", text=tmp_path / name, show=SHOW, episode=EPISODE, others=told)
        texts[name] = parse_guide((tmp_path / name).read_text(encoding="utf-8"), "x").texts("clips", QUOTE)
    assert f"{shared}." in texts["alone"] and texts["series"] == ("Pourtant il faut garder une chaise pour les voisines du quartier.",)


def test_a_machines_draft_of_another_episode_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "deux.md").write_text(add_stamp("+++\n+++\nBonjour à vous.\n"), encoding="utf-8")
    assert _load_background([tmp_path / "deux.md"], "fr").episodes == 0


def test_three_hours_are_drafted_and_printed(tmp_path: Path) -> None:
    episode, turns = written("01-le-premier-rendez-vous").turns, []
    for i in range(75):
        turns += [
            replace(turn, words=tuple(word._replace(start_s=word.start_s + i * 144, end_s=word.end_s + i * 144) for word in turn.words))
            for turn in episode
        ]
    last = [
        said(f"Il faut garder la chaise numéro {'x' * i} plutôt que la file.", "Paul", "entretien", 10_700 + 6 * i) for i in range(1, 9)
    ]
    timed = TimedTranscript(10_800, "fr", (*turns, *last))
    made = render(tmp_path, drafted(timed), timed)
    page = made["facilitator_html"].read_text(encoding="utf-8")
    assert "3:00:00" in page and "L’épisode a été écouté avant" in page


def test_the_same_transcript_gives_the_same_draft() -> None:
    assert drafted(sample()) == drafted(sample())
    assert SLUG not in drafted(sample())


def test_a_draft_quotes_nothing_that_is_still_marked_as_doubtful() -> None:
    quoted = [quote.text for _, quote in clip_quotes(propose_guide(sample(), SHOW, EPISODE)[0])]
    spoken = spoken_words(sample())
    found = locate(quoted[0], spoken, "")
    assert found.start_s is not None
    assert found.end_s is not None
    doubted = replace(sample(), doubtful=((found.start_s, found.start_s + 1.0),))
    text = drafted(doubted)
    assert tokens(quoted[0].split("\n")[0])
    assert " ".join(tokens(quoted[0])) not in " ".join(tokens(text))
    assert len(clip_quotes(parse_guide(text, ""))) > 1
    for _, quote in clip_quotes(parse_guide(text, "")):
        other = locate(quote.text, spoken, "")
        assert other.end_s is not None
        assert other.start_s is not None
        assert other.end_s <= found.start_s or other.start_s >= found.start_s + 1.0


def posed(*turns, language: str = "fr") -> list[str]:
    """The questions that an episode of these turns offers, as they are printed."""
    timed = TimedTranscript(60, language, turns)
    return [apply_typography(question_text(one), language) for one in episode_questions(split_sentences(spoken_words(timed)), language)]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Notre question pour demain est la suivante : que garder du guichet ?", "Que garder du guichet ?"),
        ("L’enjeu est donc clair : comment garder un accueil humain.", "Comment garder un accueil humain ?"),
        ("Voici une question à emporter. Qui vous a écouté ?", "Qui vous a écouté ?"),
    ],
)
def test_the_question_that_the_series_announces_comes_first(text, question):
    other = said("Comment les agents de ce guichet vivent-ils ces longues matinées d’attente ?", section="Récit")
    assert posed(other, said("Un silence."), said(text, section="Récit"))[0].replace("\u202f", " ") == question


def test_a_question_that_somebody_else_answers_is_not_offered():
    asked = said("Comment les agents de ce guichet vivent-ils ces longues matinées d’attente ?", "Nora", "entretien")
    assert posed(asked, said("Avec patience.", "Malik", "entretien")) == []
    assert len(posed(asked, said("Et voilà.", "Nora", "entretien"))) == 1


@pytest.mark.parametrize(
    ("text", "is_debatable"),
    [
        ("Il faut toujours laisser le choix aux gens.", True),
        ("Je ne sors jamais mon carnet avant le café.", False),
        ("Je préfère toujours le téléphone plutôt que la file.", True),
        ("Merci, il faut toujours laisser le choix aux gens.", False),
    ],
)
def test_a_vote_is_about_a_claim_and_no_memory_or_thanks(text, is_debatable):
    (sentence,) = split_sentences(spoken_words(TimedTranscript(9, "fr", (said(text, "Malik", "entretien"),))))
    assert is_claim(sentence, "fr") is is_debatable


def test_figures_and_turning_points_weigh_more():
    plain = "Les gens de la ville attendent au guichet chaque matin depuis des années."
    turns = (said(plain), said(plain.replace("Les gens", "60 % des gens")), said(plain.replace("depuis", "et désormais depuis")))
    ranked = rank(split_sentences(spoken_words(TimedTranscript(60, "fr", turns))), Topic("fr"))
    assert ranked[-1].passage.text == plain


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem[:12])
def test_two_questions_in_three_name_something_of_the_episode(path):
    language = "en" if path.stem.startswith("en-") else "fr"
    guide, _ = propose_guide(written(path.stem, language), replace(SHOW, language=language), EPISODE)
    questions = [line.text for family in FAMILIES for line in guide.lines(family) if line.kind == TEXT]
    named = [text for text in questions if re.search("[«“][^»”]+[»”]", text.partition("« Rien")[0]) or "fiction" in text]
    assert 3 * len(named) >= 2 * len(questions)
