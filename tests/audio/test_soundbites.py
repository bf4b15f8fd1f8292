"""Soundbites, compared with the audio they are cut from."""

import numpy as np
import pytest
import soundfile
from mutagen.id3 import ID3

from pipeline.audio.analysis import analyse
from pipeline.audio.encode import encode_mp3
from pipeline.audio.level_profile import save_profiles
from pipeline.audio.soundbites import cut_soundbites, publish_soundbites
from pipeline.model.audio import Soundbite
from pipeline.model.cuts import Removal
from pipeline.model.errors import CauserieError
from tests.support.audio_tools import RATE_HZ, lag_samples, speech_like_noise, write

BITES = (Soundbite(1.25, 2.0, "Où est la file\u202f?"), Soundbite(3.0001, 1.5))


@pytest.fixture(scope="module")
def episode(tmp_path_factory):
    """A master of six seconds, its profile, and its published encoding."""
    folder = tmp_path_factory.mktemp("episode")
    master = write(folder / "master.flac", np.column_stack([speech_like_noise(6, seed=1), speech_like_noise(6, seed=2)]))
    profile = analyse(master, [], RATE_HZ, 2).profile
    save_profiles(folder / "levels.npz", master=profile, before=profile)
    made = {"audio": folder / "audio.mp3", "report": folder / "encoded.json", "curve": folder / "published.npz"}
    encode_mp3(master, folder / "levels.npz", **made, target_lufs=-16.0, ceiling_dbtp=-1.0, kbps=128)
    return folder


def cut(episode, folder, bites=BITES):
    inputs = (episode / name for name in ("master.flac", "levels.npz", "encoded.json"))
    clips = {f"clip_{i:02}": folder / f"{i:02}.mp3" for i in range(1, len(bites) + 1)}
    cut_soundbites(*inputs, bites=bites, kbps=96, show="Le guichet", episode="La file", **clips)
    return [path.read_bytes() for path in clips.values()]


def test_a_bite_is_the_published_sound_to_the_sample(episode, tmp_path):
    cut(episode, tmp_path)
    published = soundfile.read(episode / "audio.mp3")[0]
    for i, bite in enumerate(BITES, 1):
        clip, rate_hz = soundfile.read(tmp_path / f"{i:02}.mp3")
        first = round(bite.start_s * rate_hz)
        assert clip.shape == (round(bite.duration_s * rate_hz), 2)
        same = published[first : first + len(clip)]
        assert lag_samples(same[:, 0], clip[:, 0]) == 0
        middle = slice(rate_hz // 10, -rate_hz // 10)
        assert 20 * np.log10(np.std((clip - same)[middle]) / np.std(same[middle])) < -12  # two encodings of one sound
        assert np.abs(clip[[0, -1]]).max() < 0.05


def test_a_bite_says_what_it_is_of(episode, tmp_path):
    cut(episode, tmp_path)
    first, second = (ID3(tmp_path / name, translate=False) for name in ("01.mp3", "02.mp3"))
    assert {key: str(first[key]) for key in first} == {"TIT2": BITES[0].title, "TALB": "Le guichet", "TIT3": "La file"}
    assert str(second["TIT2"]) == "La file" and first.version == (2, 3, 0)


def test_bites_are_the_same_bytes_twice(episode, tmp_path):
    (tmp_path / "again").mkdir()
    assert cut(episode, tmp_path) == cut(episode, tmp_path / "again")


@pytest.mark.parametrize("late", [Soundbite(5.0, 1.01), Soundbite(60.0, 2.0)])
def test_a_bite_outside_the_audio_is_named_before_anything_is_cut(episode, tmp_path, late):
    with pytest.raises(CauserieError, match=r"soundbites\[2\]: runs from .* but the audio ends at 0:06"):
        cut(episode, tmp_path, (BITES[0], late))
    assert not list(tmp_path.iterdir())


def test_a_bite_of_an_edited_master_is_where_its_words_are_now():
    assert publish_soundbites(BITES, (Removal(0.5, 1.0), Removal(2.0, 2.25))) == (
        Soundbite(0.75, 1.75, "Où est la file\u202f?"),
        Soundbite(2.25, 1.5),
    )
    assert publish_soundbites(BITES, ()) == BITES


def test_a_bite_of_which_too_little_is_left_is_a_mistake():
    with pytest.raises(CauserieError, match=r"soundbites\[2\]: keeps 0.5 s of its 2 s: the rest is cut; move it, or remove it"):
        publish_soundbites(BITES, (Removal(3.5, 5.0),))
