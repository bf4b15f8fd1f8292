"""Captions in English: labelled, on two lines, in order; and what Whisper cannot translate."""

import html
import io
import json

import numpy as np
import pytest
import soundfile
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.errors import CauserieError
from pipeline.model.transcript import Word
from pipeline.speech.hallucinations import Segment
from pipeline.speech.translate import MACHINE_TRANSLATION_LABEL, check_translatable, split_captions, translate_master, vtt_text
from tests.conftest import REPOSITORY, cut_audio

pytestmark = pytest.mark.slow

words = st.builds(Word, st.text(st.sampled_from("abcé<&>-"), min_size=1, max_size=60), st.floats(0, 50), st.floats(0, 50))
segments = st.lists(words, min_size=1, max_size=30).map(lambda some: Segment(tuple(some), 0.0, 0.0))


@settings(max_examples=50)
@given(st.lists(segments, max_size=6).map(tuple))
def test_every_word_is_shown_in_order_on_two_short_lines(heard):
    shown = split_captions(heard)
    assert "".join("".join(each.lines) for each in shown).replace(" ", "") == "".join(part.text for part in heard).replace(" ", "")
    assert all(len(each.lines) <= 2 and max(map(len, each.lines)) <= 42 for each in shown)
    times = [time_s for each in shown for time_s in (each.start_s, each.end_s)]
    assert times == sorted(times)
    assert all(each.end_s > each.start_s for each in shown)
    read = list(webvtt.from_buffer(io.StringIO(vtt_text(shown))))
    assert [html.unescape(each.text) for each in read] == ["\n".join(each.lines) for each in shown]


def test_the_file_says_that_a_machine_made_it_and_markup_is_text():
    text = vtt_text(split_captions((Segment((Word("<b>&", 1.0, 2.0), Word("-->", 2.0, 3.5)), 0.0, 0.0),)))
    assert text == f"WEBVTT\n\nNOTE {MACHINE_TRANSLATION_LABEL}\n\n00:00:01.000 --> 00:00:03.500\n&lt;b&gt;&amp; --&gt;\n"


@pytest.mark.parametrize(("model", "language"), [("small", "en"), ("small.en", "fr"), ("turbo", "fr"), ("distil-large-v3", "fr")])
def test_what_cannot_be_translated_is_refused_before_anything_is_heard(model, language):
    with pytest.raises(CauserieError, match="speech"):
        check_translatable(model, language)


def test_a_recording_is_translated_by_the_engine_and_kept(tmp_path):
    cut_audio(REPOSITORY / "episodes/01-la-file-d-attente/prise-unique.flac", tmp_path / "master.flac", 5, 4)
    translate_master(tmp_path / "master.flac", vtt=tmp_path / "en.vtt", model="base", language="fr", chunks="chunks-en")
    assert (tmp_path / "en.vtt").read_text().startswith(f"WEBVTT\n\nNOTE {MACHINE_TRANSLATION_LABEL}\n")
    (kept,) = (tmp_path / "chunks-en").iterdir()
    assert json.loads(kept.read_text()).keys() == {"segments", "wordless"}


def test_silence_gives_captions_without_a_caption(tmp_path):
    soundfile.write(tmp_path / "master.flac", np.zeros(16_000), 16_000)
    translate_master(tmp_path / "master.flac", vtt=tmp_path / "en.vtt", model="base", language="fr")
    assert list(webvtt.read(tmp_path / "en.vtt")) == []
