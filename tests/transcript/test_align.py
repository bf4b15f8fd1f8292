"""Times for the corrected text."""

import json
import statistics
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.transcripts import errors_s, misheard, sentences, spoken
from pipeline.model.errors import CauserieError
from pipeline.transcript.align import align_turns, align_words
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


@pytest.mark.parametrize(("times_over", "p95_s"), [(1, 0.15), (11, 0.2)])
def test_one_word_in_five_misheard_leaves_nearly_all_the_others_in_place(times_over, p95_s):
    text = "\n\n".join([" ".join(sentences(8, 5))] * times_over)
    said = spoken(text.replace("\n\n", " "), 150, 1)
    far, lost = errors_s(said, align_turns(build_turns(parse_transcript(text), "fr"), misheard(said, 0.2, 2)))
    assert far[int(len(far) * 0.95)] <= p95_s
    assert lost <= len(said) * 0.01


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
    value = {"language": "fr", "duration_s": 94.1, "segments": [{"words": words}]}
    (tmp_path / "words.json").write_text(json.dumps(value), encoding="utf-8")
    align_words(ROOT / "transcripts" / f"{slug}.md", tmp_path / "words.json", timed=tmp_path / "timed.json", people=("nora",))
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
        align_words(tmp_path / "x.md", tmp_path / "words.json", timed=tmp_path / "timed.json", people=("nora",))
