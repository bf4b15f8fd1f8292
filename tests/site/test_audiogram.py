"""Videos to share: their pictures follow the captions, their streams are what apps play."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio.ffmpeg import executable
from pipeline.audio.probe import probe_fully
from pipeline.model import TimedTranscript, Turn, Voice, Word
from pipeline.site.audiogram import FRAMES_PER_S, SHAPES, AudiogramLook, picture_times, write_audiogram
from pipeline.transcript.excerpts import ExcerptCaption, excerpt_captions
from tests.support.audio_tools import convert, speech_like_noise, write

COVER = Path(__file__).parents[2] / "episodes/cover.jpg"
HOSTILE = '#panic("!") <b>*_$ \\u{0} “' + "x" * 200
CAPTIONS = (ExcerptCaption(0.4, 1.2, "Nora", ("Bonjour,", "c’est nous.")), ExcerptCaption(1.2, 1.6, HOSTILE, (HOSTILE, "")))


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 9)), max_size=12), st.floats(0.04, 30))
def test_pictures_last_as_long_as_the_sound_to_the_frame(spans, duration_s):
    captions = [ExcerptCaption(start_s, start_s + length_s, "", (str(i),)) for i, (start_s, length_s) in enumerate(sorted(spans))]
    frames = [length for _, _, length in picture_times(captions, duration_s)]
    assert sum(frames) == max(1, round(duration_s * FRAMES_PER_S)) and all(length > 0 for length in frames)


def test_between_captions_there_is_none():
    assert list(picture_times(CAPTIONS[:1], 2.0)) == [("", (), 10), ("Nora", ("Bonjour,", "c’est nous."), 20), ("", (), 20)]


def picture(video, at_s, size):
    """A frame of a video, as (row, column, colour)."""
    command = [executable(), "-v", "error", "-ss", str(at_s), "-i", video, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    data = subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
    return np.frombuffer(data, np.uint8).reshape(size[1], size[0], 3)


@pytest.mark.parametrize("name", SHAPES)
def test_a_video_has_sound_captions_and_the_line_that_moves(tmp_path, name):
    shape, video = SHAPES[name], tmp_path / "v.mp4"
    clip = convert(write(tmp_path / "clip.wav", speech_like_noise(2.0)), tmp_path / "clip.mp3")
    look = AudiogramLook("La série", HOSTILE, "fr", COVER, (("band", "#000000"),))
    write_audiogram(clip, video, captions=CAPTIONS, duration_s=2.0, shape=shape, look=look)
    found = probe_fully(video)
    assert found.duration_s == pytest.approx(2.0, abs=0.06) and found.audio_streams[0].codec == "aac"
    left, top, width, height = shape.caption
    empty, spoken, hostile = (picture(video, at_s, shape.size) for at_s in (0.2, 0.8, 1.4))
    lit = [int((frame[top : top + height, left : left + width].max(axis=2) > 128).sum()) for frame in (empty, spoken, hostile)]
    assert lit[0] == 0 and min(lit[1:]) > 500
    assert empty[4, 4].max() < 8, "the background is the show's"
    left, top, width, height = shape.wave
    lines = [int(frame[top + 2, left : left + width].min(axis=1).argmax()) for frame in (empty, spoken, hostile)]
    assert lines[0] < lines[1] < lines[2]


def test_the_same_passage_gives_the_same_bytes(tmp_path):
    clip = convert(write(tmp_path / "clip.wav", speech_like_noise(1.0)), tmp_path / "clip.mp3")
    for name in "ab":
        look = AudiogramLook("La série", "Un", "fr", COVER)
        write_audiogram(clip, tmp_path / f"{name}.mp4", captions=CAPTIONS, duration_s=1.0, shape=SHAPES["square"], look=look)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_the_captions_of_a_passage_start_at_its_start():
    words = tuple(Word(text, 10.0 + i, 10.9 + i) for i, text in enumerate("un deux trois quatre cinq".split()))
    transcript = TimedTranscript(30.0, "fr", (Turn(Voice("Nora"), words), Turn(Voice("Malik"), (Word("non", 20, 21),))))
    captions, vtt = excerpt_captions(transcript, 10.95, 13.95)
    assert [(each.speaker, each.lines) for each in captions] == [("Nora", ("deux trois quatre",))]
    assert 0 <= captions[0].start_s <= 0.05 and captions[-1].end_s <= 3.0
    assert "<v Nora>deux trois quatre" in vtt and "Malik" not in vtt
