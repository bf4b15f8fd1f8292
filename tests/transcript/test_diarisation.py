"""Speaker diarisation of one recording, from another program's RTTM file."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.audio import DiarisationSource
from pipeline.model.errors import CauserieError, Problems
from pipeline.transcript.diarisation import (
    MAX_SPEAKERS,
    DiarisedTurn,
    parse_rttm,
    speaker_labels,
    to_published_spans,
    unknown_speakers,
    unnamed_speakers,
    with_speaker_tracks,
)
from pipeline.transcript.document import Note, Paragraph
from pipeline.transcript.draft import build_draft, draft_transcript
from tests.transcript.test_draft import NAMES, NO_DOUBTS, recognition

# Written by pyannote.core 6.1, Annotation.write_rttm
PYANNOTE = """SPEAKER entretien 1 0.500 2.750 <NA> <NA> SPEAKER_00 <NA> <NA>
SPEAKER entretien 1 3.100 2.900 <NA> <NA> SPEAKER_01 <NA> <NA>
SPEAKER entretien 1 6.200 0.923 <NA> <NA> SPEAKER_00 <NA> <NA>
"""
KEPT_WHOLE = [{"from_s": 0.0, "start_s": 0.0, "end_s": 20.0}]
SINGLE_TRACK = {"duration_s": 20.0, "hop_s": 0.05, "kept": KEPT_WHOLE, "tracks": []}
SPEAKERS = (("SPEAKER_00", "nora"), ("SPEAKER_01", "malik"))


def diarisation(*names: tuple[str, str]) -> DiarisationSource:
    return DiarisationSource("entretien.rttm", 0, "entretien", names)


def turns(rttm: str, activity: dict, *sentences: tuple[str, float], names=SPEAKERS) -> list[tuple[str, str]]:
    """The voices and texts of the draft."""
    told = with_speaker_tracks(activity, [(diarisation(*names), parse_rttm(rttm, "x.rttm"))])
    blocks = build_draft(recognition(*sentences), told, NO_DOUBTS, NAMES, "fr").blocks
    return [(block.voice, block.text) for block in blocks if isinstance(block, Paragraph)]


def test_what_pyannote_writes_is_read():
    assert parse_rttm(PYANNOTE, "x.rttm") == (
        DiarisedTurn("SPEAKER_00", 0.5, 3.25),
        DiarisedTurn("SPEAKER_01", 3.1, 6.0),
        DiarisedTurn("SPEAKER_00", 6.2, 7.123),
    )


def test_comments_other_lines_and_the_nine_fields_of_old_are_read():
    text = ";; NIST\nSPKR-INFO a 1 <NA> <NA> <NA> adult_male A <NA>\nSPEAKER a 1 1 2 <NA> <NA> A <NA>\r\n\n"
    assert parse_rttm(text, "x.rttm") == (DiarisedTurn("A", 1.0, 3.0),)


def test_of_several_recordings_this_one_is_taken():
    text = "SPEAKER a 1 1 2 <NA> <NA> A <NA>\nSPEAKER b 1 3 4 <NA> <NA> B <NA>"
    assert parse_rttm(text, "x.rttm", "b") == (DiarisedTurn("B", 3.0, 7.0),)
    with pytest.raises(CauserieError, match="several recordings, but not “c”"):
        parse_rttm(text, "x.rttm", "c")


@pytest.mark.parametrize(
    "line",
    [
        "SPEAKER",
        "SPEAKER a 1 1 2 <NA> <NA>",
        "SPEAKER a 1 x 2 <NA> <NA> A",
        "SPEAKER a 1 -1 2 <NA> <NA> A",
        "SPEAKER a 1 1 nan <NA> <NA> A",
    ],
)
def test_a_line_that_cannot_be_read_is_named(line):
    with pytest.raises(CauserieError, match="x.rttm:2: not a valid SPEAKER line"):
        parse_rttm(f"\n{line}", "x.rttm")
    with pytest.raises(Problems):
        parse_rttm(f"{line}\n{line}", "x.rttm")


@pytest.mark.parametrize("text", ["", "bonjour", "".join(f"SPEAKER a 1 1 2 <NA> <NA> S{i}\n" for i in range(MAX_SPEAKERS + 1))])
def test_what_is_no_diarisation_is_refused(text):
    with pytest.raises(CauserieError, match="give the RTTM file"):
        parse_rttm(text, "x.rttm")


def test_the_draft_names_who_speaks_whatever_the_sentences():
    sentences = (("Bonjour Malik.", 1.0), ("Bonjour Nora.", 3.5), ("Allons-y.", 6.3))
    assert turns(PYANNOTE, SINGLE_TRACK, *sentences) == [("Nora", "Bonjour Malik."), ("Malik", "Bonjour Nora."), ("Nora", "Allons-y.")]


def test_somebody_unknown_is_a_numbered_voice_and_never_a_guess():
    sentences = (("Bonjour Malik.", 1.0), ("Bonjour Nora.", 3.5))
    assert [voice for voice, _ in turns(PYANNOTE, SINGLE_TRACK, *sentences, names=(("SPEAKER_01", ""),))] == ["Voix 1", "Voix 2"]


def test_words_outside_the_recording_are_nobody_s():
    activity = {**SINGLE_TRACK, "kept": [{"from_s": 0.0, "start_s": 5.0, "end_s": 15.0}]}
    assert turns(PYANNOTE, activity, ("Une annonce ici.", 1.0), ("Bonjour.", 6.0)) == [("", "Une annonce ici."), ("Nora", "Bonjour.")]


def test_two_at_once_are_noted():
    rttm = "SPEAKER a 1 0 4 <NA> <NA> A\nSPEAKER a 1 2 4 <NA> <NA> B"
    found = with_speaker_tracks(SINGLE_TRACK, [(diarisation(), parse_rttm(rttm, "x.rttm"))])
    blocks = build_draft(recognition(("Oui.", 0.5), ("Non.", 5.0)), found, NO_DOUBTS, NAMES, "fr").blocks
    assert Note("? deux voix à la fois (0:02–0:04)") in blocks


def test_a_recording_that_is_shared_stands_beside_one_that_is_not():
    """One speaker has a microphone, two share the second; their tracks have its levels while they speak."""
    own = {"voice": "nora", "reference_db": -20.0, "levels_db": [-20.0] * 40 + [-60.0] * 60}
    shared = {"voice": "", "reference_db": -30.0, "levels_db": [-70.0] * 40 + [-30.0] * 60}
    told = DiarisationSource("x.rttm", 1, "x", (("B", "malik"),))
    stretches = (DiarisedTurn("A", 2.0, 3.0), DiarisedTurn("B", 3.0, 5.0))
    found = with_speaker_tracks({"duration_s": 5.0, "hop_s": 0.05, "kept": KEPT_WHOLE, "tracks": [own, shared]}, [(told, stretches)])
    assert [track["voice"] for track in found["tracks"]] == ["nora", "", "malik"]
    what = recognition(("Un deux.", 0.5), ("Trois quatre.", 2.2), ("Cinq six.", 3.5), duration_s=5)
    said = [(block.voice, block.text) for block in build_draft(what, found, NO_DOUBTS, NAMES, "fr").blocks]
    assert said == [("Nora", "Un deux."), ("Voix 2", "Trois quatre."), ("Malik", "Cinq six.")]


def test_names_nobody_explained_and_explanations_of_nobody_are_known():
    stretches = parse_rttm(PYANNOTE, "x.rttm")
    assert speaker_labels(stretches) == ("SPEAKER_00", "SPEAKER_01")
    assert unnamed_speakers(diarisation(("SPEAKER_00", "")), stretches) == ("SPEAKER_01",)
    assert unknown_speakers(diarisation(("SPEAKER_00", ""), ("SPEAKER_2", "nora")), stretches) == ("SPEAKER_2",)


def test_a_master_of_before_asks_for_its_ingest():
    with pytest.raises(CauserieError, match="--rebuild ingest"):
        with_speaker_tracks({"duration_s": 1.0, "hop_s": 0.05, "tracks": []}, [(diarisation(), (DiarisedTurn("A", 0, 1),))])


def test_the_step_reads_the_file_of_each_recording(tmp_path):
    files = {"words": recognition(("Bonjour.", 1.0), ("Oui.", 4.0)), "activity": SINGLE_TRACK, "doubts": NO_DOUBTS}
    for name, value in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    (tmp_path / "x.rttm").write_text(PYANNOTE, encoding="utf-8")
    reads = [tmp_path / f"{name}.json" for name in files]
    draft_transcript(*reads, (tmp_path / "x.rttm",), text=tmp_path / "x.md", names=NAMES, language="fr", diarised=(diarisation(*SPEAKERS),))
    assert "Nora : Bonjour." in (tmp_path / "x.md").read_text(encoding="utf-8").replace("\u00a0", " ")


TIMES = st.integers(0, 100_000).map(lambda value: value / 1000)


@given(st.lists(st.tuples(st.sampled_from("ABÉ"), TIMES, TIMES), min_size=1, max_size=8))
@settings(max_examples=100)
def test_what_is_written_as_rttm_is_read_back(said):
    lines = (f"SPEAKER x 1 {start_s:.3f} {length_s:.3f} <NA> <NA> {name} <NA> <NA>" for name, start_s, length_s in said)
    wanted = sorted((start_s, name, start_s + length_s) for name, start_s, length_s in said)
    assert sorted((each.start_s, each.speaker, each.end_s) for each in parse_rttm("\n".join(lines), "x.rttm")) == wanted


@given(TIMES, TIMES, TIMES, st.integers(1, 50))
@settings(max_examples=100)
def test_a_stretch_keeps_its_length_where_all_of_it_was_kept(from_s, start_s, after_s, length_s):
    kept = [{"from_s": from_s, "start_s": start_s, "end_s": start_s + 200}]
    ((found_s, end_s),) = to_published_spans([DiarisedTurn("A", from_s + after_s, from_s + after_s + length_s)], kept)
    assert (found_s - start_s, end_s - found_s) == pytest.approx((after_s, length_s))
