"""Captions that nobody can read."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.transcript.readability import unreadable_cues

VTT = "WEBVTT\n\nNOTE 00:00:00.000 is no time\n\n{start} --> {end} line:0\n<v Nora>{text}\n"


def cue(text: str, end: str = "00:00:02.000") -> list[tuple[int, float, float, int]]:
    found = unreadable_cues(VTT.format(start="00:00:01.000", end=end, text=text))
    return [(each.line, each.start_s, each.chars_per_s, each.lines) for each in found]


def test_a_caption_of_over_20_characters_a_second_is_found_with_its_place():
    assert cue("a" * 20) == []
    assert cue("a" * 21) == [(5, 1.0, 21.0, 1)]


def test_a_caption_of_three_lines_is_found():
    assert cue("un\ndeux") == []
    assert cue("un\ndeux\ntrois") == [(5, 1.0, 13.0, 3)]


def test_tags_and_entities_are_not_read():
    assert cue(f"<c.son>{'&lt;' * 20}</c>") == []


def test_srt_is_read_as_well_whatever_its_line_ends():
    srt = "1\r\n01:00:01,000 --> 01:00:02,000\r\nun\r\ndeux\r\ntrois\r\n\r\n2\r\n01:00:03,000 --> 01:00:03,500\r\nBonjour à tous\r\n"
    assert [(each.line, each.start_s, each.is_fast) for each in unreadable_cues(srt)] == [(2, 3601.0, False), (8, 3603.0, True)]


@given(st.text(alphabet="01:.,-> \n<&;ab", max_size=80))
def test_no_text_is_a_traceback(text):
    assert all(each.line <= text.count("\n") + 1 for each in unreadable_cues(text))
