"""Cues: line lengths, reading speed, and where they are split."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.transcripts import monologue, sample
from pipeline.model.transcript import TimedTranscript, Turn, Voice, Word
from pipeline.transcript.cues import split_cues

NARRATOR = Voice("", "récit")


def turn(text: str, *, start_s: float = 0.0, step_s: float = 0.3, timed: bool = True, voice: Voice = NARRATOR) -> Turn:
    """A turn of evenly spaced words; no-break spaces stay inside words."""
    words = text.split(" ")
    return Turn(
        voice, tuple(Word(word, start_s + i * step_s, start_s + (i + 1) * step_s) if timed else Word(word) for i, word in enumerate(words))
    )


def shown(*turns: Turn, line_chars: int = 42, duration_s: float = 60.0) -> list[list[str]]:
    made = split_cues(TimedTranscript(duration_s, "fr", turns), line_chars)
    return [[" ".join(word.text for word in line) for line in cue.lines] for cue in made]


def test_a_short_sentence_is_one_line():
    assert shown(turn("Je leur apprendrai à dire bonjour.")) == [["Je leur apprendrai à dire bonjour."]]


def test_lines_are_cut_after_punctuation():
    found = shown(turn("Mais le jour où ça coince vraiment, il n’y a plus personne."))
    assert found == [["Mais le jour où ça coince vraiment,", "il n’y a plus personne."]]


def test_sentences_are_not_mixed_when_each_fits():
    found = shown(
        turn("Elle riait, et pourtant les machines sont bien arrivées. Nous avons tendu le micro devant la mairie d’aujourd’hui.")
    )
    assert [" ".join(lines)[-1] for lines in found] == [".", "."]


@pytest.mark.parametrize("line_chars", [32, 42])
def test_no_line_ends_with_an_article_where_there_is_another_way(line_chars):
    text = "La mairie ouvre une nouvelle salle pour les enfants et leurs parents qui attendent depuis des heures dans le couloir du fond"
    for lines in shown(turn(text), line_chars=line_chars):
        assert not {line.split(" ")[-1] for line in lines} & {"la", "une", "les", "leurs", "des", "le", "du", "pour", "dans"}


def test_a_pause_is_a_cut():
    first, second = turn("Un deux trois"), turn("quatre cinq", start_s=8)
    both = Turn(NARRATOR, first.words + second.words)
    assert shown(both) == [["Un deux trois"], ["quatre cinq"]]


def test_no_pause_makes_a_cue_end_with_an_article():
    first, second = turn("Bienvenue à la"), turn("préfecture de l’Isère.", start_s=4)
    assert shown(Turn(NARRATOR, first.words + second.words)) == [["Bienvenue à la préfecture de l’Isère."]]


@pytest.mark.parametrize("timed", [True, False])
def test_a_sound_longer_than_a_line_is_on_two(timed):
    sound = Turn(Voice(""), (Word("[musique : Petit matin, Les Frères Smith]", *((2.0, 6.0) if timed else ())),))
    assert shown(sound, line_chars=32) == [["[musique : Petit matin,", "Les Frères Smith]"]]


def test_short_cues_stay_for_a_second_and_long_ones_never_more_than_seven():
    short, long = split_cues(TimedTranscript(60, "fr", (turn("Oui."), turn("[musique]", start_s=10, step_s=20))), 42)
    assert short.end_s - short.start_s == 1.0
    assert long.end_s - long.start_s == 7.0


def speeds(made) -> list[float]:
    return [cue.chars / (cue.end_s - cue.start_s) for cue in made]


def test_a_hurried_cue_takes_time_from_a_slower_neighbour_but_not_more_than_it_may():
    hurried = turn("Il parle beaucoup trop vite pour qu’on le lise.", start_s=4, step_s=0.2)
    slow = turn("Elle, non.", start_s=5.8, step_s=0.8)
    first, second = split_cues(TimedTranscript(9, "fr", (hurried, slow)), 42)
    assert 3.6 <= first.start_s < 4
    assert 5.8 < second.start_s <= 6.2
    assert first.end_s == second.start_s


def test_a_cue_that_has_time_starts_when_it_is_heard():
    made = split_cues(TimedTranscript(60, "fr", (turn("Bonjour.", start_s=4), turn("Bonsoir.", start_s=9))), 42)
    assert [cue.start_s for cue in made] == [4, 9]


@pytest.mark.parametrize("slug", ["01-la-file-d-attente", "02-une-voix-au-bout-du-fil"])
@pytest.mark.parametrize("line_chars", [32, 42])
def test_the_sample_can_be_read(slug, line_chars):
    made = split_cues(sample(slug), line_chars)
    assert max(speeds(made)) <= 20
    assert all(cue.end_s - cue.start_s <= 7.001 for cue in made)
    gaps = [after.start_s - before.end_s for before, after in zip(made, made[1:], strict=False)]
    assert len(made) > 20 and any(gap > 0 for gap in gaps)
    assert not [gap for gap in gaps if 0 < gap < 0.0795]


def test_a_hundred_and_seventy_words_a_minute_never_pass_twenty_characters_a_second():
    assert max(speeds(split_cues(monologue(170), 42))) <= 20


def test_no_line_of_the_sample_ends_between_words_that_belong_together():
    ends = [line[-1].text.lower() for cue in split_cues(sample("01-la-file-d-attente"), 42) for line in cue.lines]
    assert len(ends) > 50
    assert not {end.rsplit("’")[-1] for end in ends} & {
        "le",
        "la",
        "les",
        "un",
        "une",
        "je",
        "il",
        "ont",
        "sont",
        "est",
        "monsieur",
        "nora",
    }


def test_words_without_times_are_shown_between_their_neighbours():
    lost = turn("personne ne sait quand cela se dit mais il faut bien le montrer quelque part dans le temps", timed=False)
    made = split_cues(TimedTranscript(60, "fr", (turn("Avant."), lost, turn("Après.", start_s=20))), 42)
    assert " ".join(word.text for cue in made[1:-1] for line in cue.lines for word in line) == lost.text
    assert all(0.3 <= cue.start_s < cue.end_s <= 20 for cue in made[1:-1])


def test_a_transcript_without_a_single_time_is_spread_over_the_audio():
    made = split_cues(TimedTranscript(10, "fr", (turn("Un. " * 30 + "Fin.", timed=False),)), 42)
    assert made[0].start_s == 0
    assert made[-1].end_s <= 10


words = st.sampled_from(
    ["la", "file", "d’attente,", "[…]", "oui.", "non\u202f?", "«\u202fDites-moi\u202f»", "[rires]", "et", "1978", "interministériellement"]
)


@st.composite
def transcripts(draw) -> TimedTranscript:
    """Turns whose words go forward in time; some have none."""
    clock, turns = 0.0, []
    for said in draw(st.lists(st.lists(words, min_size=1, max_size=30), max_size=5)):
        placed = []
        for text in said:
            clock += draw(st.sampled_from((0.0, 0.0, 0.1, 1.5)))
            length_s = draw(st.sampled_from((0.0, 0.2, 0.4)))
            placed.append(Word(text, round(clock, 3), round(clock + length_s, 3)) if draw(st.integers(0, 5)) else Word(text))
            clock += length_s
        turns.append(Turn(NARRATOR, tuple(placed)))
    return TimedTranscript(round(clock + 1, 3), "fr", tuple(turns))


@given(transcripts(), st.sampled_from((32, 42)))
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost_nothing_overlaps_and_everything_fits(transcript, line_chars):
    made = split_cues(transcript, line_chars)
    assert [word for cue in made for line in cue.lines for word in line] == [word for each in transcript.turns for word in each.words]
    assert all(len(cue.lines) <= 2 and len(" ".join(word.text for word in line)) <= line_chars for cue in made for line in cue.lines)
    assert all(cue.start_s < cue.end_s for cue in made)
    assert all(before.end_s <= after.start_s for before, after in zip(made, made[1:], strict=False))
