"""`timed.json`: any transcript survives writing and reading, and the file has one turn per line."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.transcript import TextReview, TimedTranscript, Turn, Voice, Word
from pipeline.transcript.timed_json import read_timed, write_timed

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
TIME_S = st.integers(0, 10**7).map(lambda milliseconds: milliseconds / 1000)
TIMED_WORD = st.builds(Word, TEXT, TIME_S, TIME_S, st.just(1.0), st.booleans())
WORD = st.tuples(TEXT).map(lambda said: Word(*said)) | TIMED_WORD
TURN = st.builds(Turn, st.builds(Voice, TEXT, TEXT, TEXT, TEXT), st.lists(WORD, max_size=4).map(tuple), TEXT, st.booleans())
REVIEW = st.builds(TextReview, st.sampled_from(["draft", "edited", "reviewed"]), TEXT, TEXT) | st.just(TextReview())
DOUBTFUL = st.lists(st.tuples(TIME_S, TIME_S), max_size=3).map(tuple)
TRANSCRIPT = st.builds(TimedTranscript, TIME_S, st.sampled_from(["fr", "en"]), st.lists(TURN, max_size=4).map(tuple), REVIEW, DOUBTFUL)


@given(TRANSCRIPT)
def test_what_is_written_is_read_again(tmp_path_factory, transcript: TimedTranscript) -> None:
    path = tmp_path_factory.mktemp("timed") / "timed.json"
    write_timed(path, transcript)
    assert read_timed(path) == transcript


def test_each_turn_is_a_line(tmp_path) -> None:
    said = Turn(Voice("Nora", "récit"), (Word("Bon\njour,", 0.0, 0.4), Word("là.")))
    write_timed(tmp_path / "timed.json", TimedTranscript(2.0, "fr", (said, said)))
    _, first, second, _ = (tmp_path / "timed.json").read_text(encoding="utf-8").splitlines()
    assert json.loads(first.rstrip(","))["words"] == json.loads(second)["words"] == [["Bon\njour,", 0.0, 0.4], ["là."]]
