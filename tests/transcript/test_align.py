"""Times for the corrected text."""

import json
import statistics
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.transcripts import errors_s, misheard, sentences, spoken
from pipeline.model.errors import CauserieError
from pipeline.model.transcript import Word
from pipeline.transcript.align import align_tokens, align_turns, align_words, assign_times
from pipeline.transcript.certainty import TimedToken
from pipeline.transcript.normalisation import word_tokens
from pipeline.transcript.parser import parse_transcript
from pipeline.transcript.timed_json import UnalignedSpan, find_unaligned, link_time_s, read_timed
from pipeline.transcript.turns import build_turns

ROOT = Path(__file__).parents[2]


def recognition(text: str, *, start_s: float = 5.0, step_s: float = 0.5, share: float = 0.8, duration_s: float = 60.0) -> dict:
    """`words.json` with a word every `step_s`, each lasting a `share` of it; `_` is a step of silence."""
    words = [
        {"text": word, "start_s": start_s + i * step_s, "end_s": start_s + (i + share) * step_s, "probability": 0.9}
        for i, word in enumerate(text.split())
        if word != "_"
    ]
    return {"language": "fr", "duration_s": duration_s, "segments": [{"words": words}]}


def times(text: str, what: dict) -> dict[str, tuple[float | None, float | None]]:
    found = align_turns(build_turns(parse_transcript(text), "fr"), what)
    return {word.text: (word.start_s, word.end_s) for turn in found.turns for word in turn.words}


def test_words_that_agree_take_the_times_heard():
    assert times("Bonjour à tous.", recognition("bonjour a tous")) == {"Bonjour": (5.0, 5.4), "à": (5.5, 5.9), "tous.": (6.0, 6.4)}


def test_a_year_in_digits_takes_the_whole_time_of_its_words():
    assert times("en 1978 ici", recognition("en mille neuf cent soixante-dix-huit ici"))["1978"] == (5.5, 7.4)


def test_a_corrected_word_takes_the_time_of_what_was_heard_in_its_place():
    assert times("la Sécu augmentée demain", recognition("la c’est cul augmentée demain"))["Sécu"] == pytest.approx((5.5, 6.4))


def test_a_word_that_was_missed_shares_the_gap_by_letters():
    found = times("un deux trois quatre", recognition("un _ _ quatre"))
    assert found["deux"] == pytest.approx((5.4, 5.4 + 1.1 * 4 / 9), abs=0.001)
    assert found["trois"][1] == pytest.approx(6.5)


def test_a_missed_word_without_a_gap_takes_room_from_the_word_before():
    found = times("grande maison bleue", recognition("grande bleue", step_s=0.5) | {})
    assert 5.0 == found["grande"][0] < found["grande"][1] <= found["maison"][0] < found["maison"][1] <= found["bleue"][0]


def test_a_long_run_without_a_match_has_no_times():
    found = times("un alpha beta gamma deux", recognition("un " + "_ " * 12 + "deux"))
    assert found["alpha"] == found["gamma"] == (None, None)
    assert found["deux"][0] == 11.5


def test_a_paragraph_nobody_said_has_no_times_and_moves_nothing():
    added = (
        "Une phrase ajoutée après coup par quelqu’un qui préparait le texte, et que personne n’a jamais prononcée devant le moindre micro."
    )
    text = f"un deux trois\n\n{added}\n\nquatre cinq"
    found = align_turns(build_turns(parse_transcript(text), "fr"), recognition("un deux trois quatre cinq"))
    assert [word.start_s for word in found.turns[2].words] == [6.5, 7.0]
    assert find_unaligned(found) == (UnalignedSpan(1, 0, len(found.turns[1].words) - 1),)
    assert [link_time_s(turn) for turn in found.turns] == [5.0, None, 6.5]


def test_a_paragraph_taken_out_moves_nothing():
    assert times("un deux\n\nhuit neuf", recognition("un deux trois quatre cinq six sept huit neuf"))["huit"] == (8.5, 8.9)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("le 21e jour", "le vingt et unième jour"),
        ("vingt-et-un œufs", "21 oeufs"),
        ("au XXIe siècle", "au vingt-et-unième siècle"),
        ("12 300 voix", "douze mille trois cents voix"),
        ("0,5 % oui", "zéro virgule cinq pour cent oui"),
        ("l’œuvre dite-moi", "l' oeuvre dite-moi"),
        ("aujourd’hui là", "aujourd hui là"),
        ("8 h 30 pile", "huit heures trente pile"),
    ],
)
def test_spellings_of_the_same_words_agree(written, said):
    last = len(said.split()) - 1
    found = align_turns(build_turns(parse_transcript(written), "fr"), recognition(said)).turns[0].words
    assert all(word.start_s is not None for word in found)
    assert (found[0].start_s, found[-1].start_s) == (5.0, 5.0 + 0.5 * last)
    assert found[-1].end_s == pytest.approx(5.4 + 0.5 * last)


@pytest.mark.parametrize("times_over", [1, 11])
def test_one_word_in_five_misheard_leaves_nearly_all_the_others_in_place(times_over):
    text = "\n\n".join([" ".join(sentences(8, 5))] * times_over)
    said = spoken(text.replace("\n\n", " "), 150, 1)
    found = align_turns(build_turns(parse_transcript(text), "fr"), misheard(said, 0.2, 2))
    far, lost = errors_s(said, found)
    assert far[int(len(far) * 0.95)] <= 0.2
    assert lost <= len(said) * 0.01
    certain = sorted(
        abs(word.start_s - start_s)
        for word, (_, start_s, _) in zip((word for turn in found.turns for word in turn.words), said, strict=True)
        if word.start_s is not None and not word.estimated
    )
    assert len(certain) >= 0.6 * len(said)
    assert certain[int(len(certain) * 0.99)] <= 0.2
    assert certain[-1] <= 2.0


def test_what_was_heard_and_removed_moves_nothing():
    assert times("un deux", recognition("un euh euh deux"))["deux"] == (6.5, 6.9)


def test_a_sound_fills_the_room_around_it():
    text = "[musique]\n\nun deux\n\n[rires]\n\ntrois\n\n[générique]"
    found = times(text, recognition("un deux _ _ trois"))
    assert (found["[musique]"], found["[rires]"], found["[générique]"]) == ((0.0, 5.0), (5.9, 7.0), (7.4, 60.0))


def test_a_word_lost_beside_a_sound_stays_on_its_own_side():
    found = times("un deux [musique] trois quatre", recognition("un " + "_ " * 8 + "quatre"))
    assert found["deux"][0] - 5.5 < 0.5
    assert 9.5 - found["trois"][1] < 0.5


def test_an_anchor_chooses_between_two_places_and_starts_what_nobody_heard():
    what = recognition("oui non _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ oui non")
    assert times("@0:14 Oui non", what)["Oui"] == (14.0, 14.4)
    assert times("Alpha beta gamma delta\n\n@0:40 Epsilon zeta", recognition("un deux"))["Epsilon"][0] == 40.0


def recognised(**times_s: tuple[float, float]) -> list[TimedToken]:
    """Recognised tokens; what follows `_` in a name only tells equal ones apart."""
    return [TimedToken(name.split("_")[0], *span) for name, span in times_s.items()]


def aligned(written: str, tokens: list[TimedToken], *, anchors=(), pauses=()) -> list[tuple[float, float] | None]:
    parts = written.split()
    found = align_tokens(parts, pauses or [0] * len(parts), tokens, anchors, 60.0, "fr")
    return [time and (time.start_s, time.end_s) for time in found]


def assigned(words: list[Word], *said: tuple[str, float, float]) -> list[tuple[float | None, float | None]]:
    segment = {"words": [{"text": text, "start_s": start_s, "end_s": end_s, "probability": 0.9} for text, start_s, end_s in said]}
    found = assign_times(words, (), {"language": "fr", "duration_s": 60.0, "segments": [segment]})
    assert [word.text for word in found] == [word.text for word in words]
    return [(word.start_s, word.end_s) for word in found]


def test_an_anchor_belongs_to_its_own_turn_however_many_are_before_it():
    found = times("un deux\n\ntrois quatre\n\n@0:40 Epsilon zeta", recognition("un deux trois quatre"))
    assert (found["trois"][0], found["Epsilon"][0]) == (6.0, 40.0)


def test_an_anchor_after_the_last_word_is_passed_over():
    assert times("un deux\n\n@0:50 [rires]", recognition("un deux"))["[rires]"] == (5.9, 60.0)


def test_the_result_has_the_language_and_the_duration_of_the_recognition():
    found = align_turns(build_turns(parse_transcript("un"), "fr"), recognition("un", duration_s=42.0))
    assert (found.language, found.duration_s) == ("fr", 42.0)


@pytest.mark.parametrize(
    ("anchor_s", "start_s"),
    [
        (9.1, 10.0),  # players show whole seconds: 0:09 may be up to a second early
        (10.9, 10.0),
        (11.0, 10.0),
        (11.1, 13.0),  # none within a second: the first after it
        (13.7, 13.6),  # the nearer of two
        (13.2, 13.0),
    ],
)
def test_an_anchor_points_at_the_nearest_equal_word_within_a_second_else_at_the_next(anchor_s, start_s):
    tokens = recognised(non=(9, 9.5), oui_a=(10, 10.4), oui_b=(13, 13.4), oui_c=(13.6, 13.9))
    assert aligned("non oui", tokens, anchors=[(1, anchor_s)])[1][0] == start_s


def test_an_anchor_prefers_its_own_word_to_a_nearer_other_one():
    assert aligned("oui", recognised(oui=(10, 10.4), non=(10.5, 10.9)), anchors=[(0, 10.5)]) == [(10, 10.4)]


def test_an_anchor_in_the_first_second_counts():
    assert aligned("oui", recognised(oui_a=(0.1, 0.2), oui_b=(0.6, 0.8)), anchors=[(0, 0.6)]) == [(0.6, 0.8)]
    assert aligned("ah oui", recognised(oui_a=(0, 0.2), oui_b=(5, 5.2)), anchors=[(1, 0.0)])[1] == (0, 0.2)


def test_an_anchor_earlier_than_the_one_before_it_is_passed_over():
    tokens = recognised(un=(1, 1.4), deux=(10, 10.4), trois=(11, 11.4))
    assert aligned("un deux trois", tokens, anchors=[(1, 10.0), (2, 5.0)]) == [(1, 1.4), (10, 10.4), (11, 11.4)]
    assert aligned("un deux trois", tokens, anchors=[(1, 10.0), (0, 20.0)]) == [(1, 1.4), (10, 10.4), (11, 11.4)]


def test_a_second_anchor_counts_though_much_more_was_recognised_before_it_than_written():
    more = {f"euh_{i}": (1 + i, 1.5 + i) for i in range(5)}
    tokens = recognised(**more, deux=(10, 10.4), trois_a=(12, 12.4), trois_b=(20, 20.4))
    assert aligned("un deux trois", tokens, anchors=[(1, 10.0), (2, 20.0)])[1:] == [(10, 10.4), (20, 20.4)]


@pytest.mark.parametrize(("gap_s", "span"), [(5.0, (1.0, 6.0)), (5.01, None)])
def test_a_lost_word_gets_times_in_a_gap_of_at_most_five_seconds(gap_s, span):
    assert aligned("un perdu deux", recognised(un=(0, 1), deux=(1 + gap_s, 8)))[1] == span
    (_, lost, _) = assigned([Word("un"), Word("perdu"), Word("deux")], ("un", 0, 1), ("deux", 1 + gap_s, 2 + gap_s))
    assert lost == (span or (None, None))


@pytest.mark.parametrize(
    ("lost", "before", "span"),
    [
        ("abcd", (5.0, 5.4), (5.4, 5.5)),  # four letters in 100 ms: fast, but possible
        ("abcdef", (5.0, 5.125), (5.125, 5.5)),  # six: the time of the word before is divided too
        ("a" * 80, (5.0, 5.0 + 0.5 * 2 / 82), (5.0 + 0.5 * 2 / 82, 5.5)),
        ("a" * 81, (5.0, 5.4), None),  # a sentence that was never spoken
    ],
)
def test_letters_faster_than_20_ms_are_squeezed_into_the_word_before_up_to_80_of_them(lost, before, span):
    tokens = recognised(zut=(1, 2), un=(5.0, 5.4), deux=(5.5, 5.9))
    pause = 0 if span == (5.4, 5.5) else 8  # where there is no room for the letters there is none for pauses
    found = aligned(f"zut un {lost} deux", tokens, pauses=(5, 0, pause, 0))
    assert (found[0], found[3]) == ((1, 2), (5.5, 5.9))
    assert found[1] == pytest.approx(before)
    assert found[2] == (pytest.approx(span) if span else None)


def test_a_lost_word_is_apart_from_its_neighbours_by_the_pauses_around_it():
    found = aligned("zut un deux trois", recognised(zut=(0, 0.5), un=(0.5, 1), trois=(2.4, 3)), pauses=(1, 8, 2, 5))
    assert found[2] == pytest.approx((1.8, 2.2))  # 8 + 4 + 2 letters in 1.4 s


def test_words_recognised_as_fewer_others_have_their_whole_time_and_the_pauses_between_them():
    found = aligned("un deux trois six", recognised(un=(0, 0.5), zut=(1, 2), six=(3, 3.5)), pauses=(8, 1, 8, 8))
    assert found[1:3] == [pytest.approx((1.0, 1.4)), pytest.approx((1.5, 2.0))]


@pytest.mark.parametrize(
    ("after", "letters"),
    [*((mark, 8) for mark in (".", "?", "!", "…", ".\u00a0»", ".\u202f»", ".”", '."', ".)", ". »"))]
    + [*((mark, 3) for mark in (",", ";", ":", "–", "—", ",\u00a0»")), ("", 0), ("\u00a0»", 0), ("'", 0)],
)  # fmt: skip
def test_a_sentence_is_followed_by_a_pause_and_a_comma_by_a_shorter_one(after, letters):
    found = assigned(
        [Word(f"un{after}"), Word("deux"), Word("trois")], ("un", 0, 1), ("trois", 1 + 0.1 * (4 + letters), 2 + 0.1 * (4 + letters))
    )
    assert found[1][0] == pytest.approx(1 + 0.1 * letters)


def test_a_sound_after_a_sentence_makes_its_pause_longer():
    words = [Word("un."), Word("[rires]"), Word("deux"), Word("trois")]
    assert assigned(words, ("un", 0, 1), ("trois", 3.6, 4))[1:3] == [(1.0, 3.4), (3.4, 3.6)]  # 8 + 40 + 4 letters in 2.6 s


def test_there_is_no_pause_inside_a_word():
    found = assigned([Word("un"), Word("quatre-vingt"), Word("trois")], ("un", 0, 1), ("six", 1, 2), ("trois", 2.5, 3))
    assert found[1] == (1, 2)
    alone = aligned("un quatre vingt trois", recognised(un=(0, 1), trois=(2.1, 3)))
    whole = assigned([Word("un"), Word("quatre-vingt,"), Word("trois")], ("un", 0, 1), ("trois", 2.4, 3))
    assert (alone[1][0], alone[2][1]) == pytest.approx(whole[1])


def test_a_word_in_the_first_second_keeps_its_time_and_every_word_its_probability():
    word = {"text": "un", "start_s": 0.2, "end_s": 0.4, "probability": 0.9}
    recognition = {"language": "fr", "duration_s": 60.0, "segments": [{"words": [word]}]}
    assert assign_times([Word("un", probability=0.5)], (), recognition)[0][:4] == ("un", 0.2, 0.4, 0.5)


@pytest.mark.parametrize(("gap_s", "span"), [(0.3, (0.0, 0.3)), (0.29, (None, None))])
def test_a_sound_has_times_from_three_tenths_of_a_second(gap_s, span):
    assert assigned([Word("[rires]"), Word("un")], ("un", gap_s, 1))[0] == span
    between = [Word("un"), Word("[rires]"), Word("deux")]
    late = assigned(between, ("un", 7, 8), ("deux", 8 + gap_s, 9))[1]
    assert late == ((8, 8.3) if span[0] is not None else (None, None))


@given(
    st.lists(st.sampled_from(["un", "deux", "trois", "1978", "l’eau", "[rires]", "[…]", "@0:07"]), min_size=1, max_size=20),
    st.lists(st.sampled_from(["un", "deux", "trois", "mille", "eau"]), max_size=20),
)
@settings(max_examples=100, deadline=None)
def test_times_never_go_back_nor_leave_the_audio(said, listened):
    text = " ".join(said).replace(" @0:07", "\n\n@0:07")
    found = align_turns(build_turns(parse_transcript(text), "fr"), recognition(" ".join(listened), share=1.4, duration_s=16.0))
    flat = [time for turn in found.turns for word in turn.words for time in (word.start_s, word.end_s) if time is not None]
    assert flat == sorted(flat)
    assert all(0 <= time <= 16 for time in flat)


def test_the_sample_transcript_lands_on_the_truth_through_a_hearing_with_mistakes(tmp_path):
    """Every seventh word misrecognised and every eleventh missed: half the words stay within 50 ms, nine in ten within 300 ms."""
    slug = "02-une-voix-au-bout-du-fil"
    truth = [
        word
        for line in json.loads((ROOT / "tests/data/sample_truth" / f"{slug}.json").read_text(encoding="utf-8"))
        for word in line["words"]
    ]
    words = [
        {"text": "zut" if i % 7 == 3 else text, "start_s": a, "end_s": b, "probability": 1}
        for i, (text, a, b) in enumerate(truth)
        if i % 11 != 5
    ]
    value = {"language": "fr", "duration_s": truth[-1][2] + 4, "segments": [{"words": words}]}
    (tmp_path / "words.json").write_text(json.dumps(value), encoding="utf-8")
    align_words(
        ROOT / "transcripts" / f"{slug}.md", tmp_path / "words.json", timed=tmp_path / "timed.json", people={"nora": "Nora Belkacem"}
    )
    placed = [word for turn in read_timed(tmp_path / "timed.json").turns for word in turn.words if not word.is_sound]
    starts = [(token, word.start_s) for word in placed for token in word_tokens(word.text, "fr")]
    expected = [(token, start_s if i == 0 else None) for text, start_s, _ in truth for i, token in enumerate(word_tokens(text, "fr"))]
    assert [token for token, _ in starts] == [token for token, _ in expected]
    errors = sorted(abs(a - b) for (_, a), (_, b) in zip(starts, expected, strict=True) if b is not None)
    assert statistics.median(errors) < 0.05
    assert errors[len(errors) * 9 // 10] < 0.3


def test_a_person_nobody_knows_is_told_with_the_file_and_line(tmp_path):
    (tmp_path / "x.md").write_text("+++\n[voices.Nora]\nperson = 'nara'\n+++\nBonjour.\n", encoding="utf-8")
    (tmp_path / "words.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CauserieError, match=r"x\.md:3: .*nara"):
        align_words(tmp_path / "x.md", tmp_path / "words.json", timed=tmp_path / "timed.json", people={"nora": "Nora Belkacem"})
