"""Parsing of FFmpeg's description of streams."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audio.stream_info import count_channels, parse_probe_output, parse_stream_tags

pytestmark = pytest.mark.slow


def test_a_stream_that_nobody_can_decode_is_passed_over_unless_it_is_named():
    facts = "#codec_id 0: aac\n#sample_rate 0: 48000\n#channel_layout_name 0: stereo\n#codec_id 1: none\n#sample_rate 1: 48000\n"
    assert [each.is_decodable for each in parse_probe_output(facts, "", "").audio_streams] == [True, False]


@pytest.mark.parametrize(
    ("layout", "count"), [("mono", 1), ("5.1(side)", 6), ("7.1.4", 12), ("12 channels (FL+FR)", 12), ("ambisonic 1", 4), ("", 0)]
)
def test_layouts_are_counted(layout, count):
    assert count_channels(layout) == count


@settings(max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(["title", "language"]), st.text(max_size=30)), max_size=3))
def test_tags_are_read_as_they_were_written(streams):
    def escaped(text):
        return "".join(f"\\{char}" if char in "=;#\\\n" else char for char in text)

    text = ";FFMETADATA1\n" + "".join("[STREAM]\n" + "".join(f"{k}={escaped(v)}\n" for k, v in tags.items()) for tags in streams)
    assert parse_stream_tags(text) == streams
