"""Times and fades that do not fit the files of an episode are reported by key."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audio.mix_validation import part_over_bed, validate_mix
from pipeline.model.audio import Bed, Mix, Part, Recording, Soundbite

TAKE = (Recording("episodes/un/take.wav"),)
LENGTHS_S = {("episodes/un/take.wav", ""): 60.0, ("jingle.flac", ""): 4.0}


def told(mix, bites=(), lengths_s=LENGTHS_S):
    return [str(each).removeprefix("episode.toml: ") for each in validate_mix(mix, lengths_s, bites)]


@pytest.mark.parametrize(
    ("mix", "bites", "said"),
    [
        (Mix(TAKE, end_s=65), (), "end: is 1:05, but the longest recording lasts 1:00; correct it, or remove it to play to the end"),
        (Mix(TAKE, start_s=60), (), "start: is 1:00, but the longest recording lasts 1:00; correct start and end"),
        (
            Mix(TAKE, (Part(start_s=70, number=1),)),
            (),
            "parts[1].start: is 1:10, but the longest recording lasts 1:00; correct start and end",
        ),
        (Mix(TAKE, (Part(), Part(file="jingle.flac", end_s=9, number=2))), (), "parts[2].end: is 0:09, but jingle.flac lasts 0:04"),
        (Mix(TAKE, (Part(), Part(file="jingle.flac", crossfade_s=3, number=2))), (), "parts[2].crossfade: is more than half"),
        (Mix(TAKE, (Part(gap_s=1, crossfade_s=1, number=1),)), (), "parts[1].gap: cannot be combined with crossfade; remove one of them"),
        (
            Mix(TAKE, (Part(fade_in_s=40, fade_out_s=40, number=1),)),
            (),
            "parts[1].fade_in: and fade_out together are longer than the part, 60.0 s",
        ),
        (Mix(TAKE, (Part(), Part(start_s=0, end_s=4, number=2, crossfade_s=3))), (), "parts[2].crossfade: is more than half"),
        (Mix(TAKE, (Part(file="jingle.flac"), Part(crossfade_s=3, number=2))), (), "parts[2].crossfade: is more than half"),
        (Mix(TAKE, start_s=50, beds=(Bed("bed.flac", start_s=11),)), (), "beds[1].start: is 0:11, but the part it plays under lasts 0:10"),
        (Mix(TAKE, end_s=10), (Soundbite(8, 5),), "soundbites[1]: ends at 0:13, but the episode lasts 0:10 at most"),
        (Mix(TAKE, beds=(Bed("bed.flac", start_s=61),)), (), "beds[1].start: is 1:01, but the part it plays under lasts 1:00"),
        (Mix(TAKE), (Soundbite(50, 20),), "soundbites[1]: ends at 1:10, but the episode lasts 1:00 at most; correct start and end"),
    ],
)
def test_each_misfit_is_a_sentence_with_its_key(mix, bites, said):
    (found,) = told(mix, bites)
    assert found.startswith(said)


@settings(max_examples=60)
@given(st.floats(0, 59), st.floats(0.1, 60), st.floats(0, 60))
def test_what_fits_is_not_told(start_s, length_s, bed_s):
    end_s = min(start_s + length_s, 60.9)
    parts = (Part(start_s=start_s, end_s=end_s, number=1), Part(file="jingle.flac", number=2))
    beds = (Bed("bed.flac", start_s=bed_s * (min(end_s, 60) - start_s) / 61),)
    assert not told(Mix(TAKE, parts, beds), (Soundbite(0, 1),))


def test_the_longest_recording_counts_and_each_stream_has_its_own_length():
    both = (Recording("a.mkv", stream="1"), Recording("a.mkv", stream="2"))
    lengths_s = {("a.mkv", "1"): 60.0, ("a.mkv", "2"): 10.0}
    assert not told(Mix(both, end_s=60), lengths_s=lengths_s)
    assert told(Mix(both[1:], end_s=60), lengths_s=lengths_s)


def test_a_file_of_unknown_length_is_not_judged():
    assert not told(Mix(TAKE, (Part(start_s=900, number=1),), end_s=999), (Soundbite(999, 9),), {})


def test_a_bed_lies_under_the_whole_recordings_where_a_piece_comes_first():
    parts = (Part("open", start_s=1, end_s=2), Part("body"), Part("end", start_s=3))
    assert part_over_bed(Mix(TAKE, parts), Bed("bed.flac")).name == "body"
    assert part_over_bed(Mix(TAKE, parts), Bed("bed.flac", under="open")).name == "open"
    assert part_over_bed(Mix(TAKE, parts[::2]), Bed("bed.flac")).name == "end"
