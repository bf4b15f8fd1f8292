"""The edited master, compared with the master sample by sample."""

import json

import numpy as np
import pytest

from pipeline.audio.analysis import analyse
from pipeline.audio.edit import edit_master
from pipeline.audio.level_profile import load_profile, save_profiles
from pipeline.audio.loudness import measure_profile
from pipeline.audio.true_peak import TruePeakMeter
from pipeline.engine import write_json
from pipeline.model import CauserieError, Cut
from tests.support.audio_tools import RATE_HZ, read_samples, silence, speech_like_noise, write

LENGTH_S = 60


def heard(*words):
    rows = [{"text": text, "start_s": start_s, "end_s": end_s, "probability": 1.0} for text, start_s, end_s in words]
    return {"segments": [{"words": rows}]}


@pytest.fixture(scope="module")
def episode(tmp_path_factory):
    """A master of a minute in stereo, in which words of half a second and pauses follow each other, and what ingest says of it."""
    folder = tmp_path_factory.mktemp("episode")
    noise = np.random.default_rng(3).standard_normal((LENGTH_S * RATE_HZ, 2)) * 1e-4
    words = [(f"mot{i}", i + 0.2, i + 0.7) for i in range(LENGTH_S)]
    for i, (_, start_s, _) in enumerate(words):
        sound = speech_like_noise(0.5, seed=i) * np.hanning(RATE_HZ // 2)
        noise[round(start_s * RATE_HZ) :][: len(sound)] += np.column_stack([sound, 0.7 * sound])
    master = write(folder / "master.flac", noise)
    profile = measure_profile(master, 0.0)
    save_profiles(folder / "levels.npz", master=profile, before=profile)
    write_json(folder / "activity.json", {"kept": [{"from_s": 100.0, "start_s": 0.0, "end_s": float(LENGTH_S)}]})
    write_json(folder / "words.json", heard(*words))
    return folder


def edit(episode, folder, *cuts):
    inputs = (episode / name for name in ("master.flac", "levels.npz", "activity.json", "words.json"))
    made = {"edited": folder / "edited.flac", "edited_levels": folder / "edited.npz", "edits": folder / "edits.json"}
    edit_master(*inputs, **made, cuts=cuts, slug="un")
    return read_samples(folder / "edited.flac")[0], json.loads((folder / "edits.json").read_text())


MANY = tuple(Cut(100 + i + 0.15, 100 + i + 0.75) for i in range(1, 59, 2))


def left_of(sound, edits):
    """The samples that the list of removals leaves, and where its joins are."""
    keep, joins, cut = np.ones(len(sound), bool), [], 0
    for each in edits["removed"]:
        keep[each["first"] : each["end"]] = False
        joins.append((each["first"] - cut, each["fade"]))
        cut += each["end"] - each["first"]
    return sound[keep], joins


def test_what_is_left_is_the_master_sample_by_sample(episode, tmp_path):
    edited, edits = edit(episode, tmp_path, *MANY)
    expected, joins = left_of(read_samples(episode / "master.flac")[0], edits)
    assert len(edits["removed"]) == len(MANY) and edited.shape == expected.shape
    same = np.ones(len(edited), bool)
    for at, fade in joins:
        assert 0.010 <= fade / RATE_HZ <= 0.030
        same[at - fade // 2 : at + fade // 2] = False
    assert (edited[same] == expected[same]).all()


def test_no_join_clicks(episode, tmp_path):
    edited, edits = edit(episode, tmp_path, *MANY)
    steps = np.abs(np.diff(edited, axis=0)).max(axis=1)
    for at, fade in left_of(read_samples(episode / "master.flac")[0], edits)[1]:
        around = np.concatenate([steps[at - RATE_HZ // 4 : at - fade // 2], steps[at + fade // 2 : at + RATE_HZ // 4]])
        assert steps[at - fade // 2 : at + fade // 2].max() <= around.max()


def test_a_cut_in_the_middle_of_sound_does_not_click_either(tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 220 * np.arange(20 * RATE_HZ) / RATE_HZ)
    master = write(tmp_path / "master.flac", tone)
    profile = analyse(master, [], RATE_HZ, 1).profile
    save_profiles(tmp_path / "levels.npz", master=profile, before=profile)
    write_json(tmp_path / "activity.json", {"kept": [{"from_s": 0.0, "start_s": 0.0, "end_s": 20.0}]})
    write_json(tmp_path / "words.json", heard())
    edited, _ = edit(tmp_path, tmp_path, *(Cut(i, i + 0.3337) for i in range(1, 19)))
    assert np.abs(np.diff(edited[:, 0])).max() <= np.abs(np.diff(tone)).max() * 1.02


def test_its_levels_are_those_of_the_file(episode, tmp_path):
    edit(episode, tmp_path, *MANY)
    written, measured = load_profile(tmp_path / "edited.npz", "master"), analyse(tmp_path / "edited.flac", [], RATE_HZ, 2).profile
    before = load_profile(tmp_path / "edited.npz", "before")
    assert written.samples == measured.samples == before.samples
    assert written.integrated_lufs == pytest.approx(measured.integrated_lufs, abs=0.05)
    assert np.allclose(written.powers, measured.powers, rtol=1e-3, atol=1e-9)
    peaks = TruePeakMeter(RATE_HZ, 2)
    peaks.feed(read_samples(tmp_path / "edited.flac")[0].astype(np.float32))
    assert (written.peaks >= peaks.peaks() - 2e-4).all() and written.peak == pytest.approx(peaks.highest, abs=2e-4)
    assert np.median(np.abs(before.levels_db - written.levels_db)) < 0.5


def test_the_same_cuts_in_another_order_give_the_same_bytes(episode, tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    for folder, cuts in ((first, MANY), (second, MANY[::-1])):
        folder.mkdir()
        edit(episode, folder, *cuts)
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in ("edited.flac", "edited.npz", "edits.json"))


def test_the_head_and_the_tail_can_be_cut(episode, tmp_path):
    edited, edits = edit(episode, tmp_path, Cut(90, 102.1), Cut(157.9, 170))
    assert edits["removed"][0]["first"] == 0 and edits["removed"][-1]["end"] == LENGTH_S * RATE_HZ
    assert np.abs(edited[[0, -1]]).max() < 1e-4


def test_it_says_what_was_heard_in_each_cut(episode, tmp_path):
    _, edits = edit(episode, tmp_path, Cut(101.1, 102.8, "deux mots"), Cut(1, 5))
    rows = [(each["start_s"], each["said"], each["heard"], len(each["master"])) for each in edits["cuts"]]
    assert rows == [(1, "", "", 0), (101.1, "deux mots", "mot1 mot2", 1)]


def test_a_cut_in_the_middle_of_sound_is_marked(episode, tmp_path):
    value = heard(("un", 1.2, 1.45), ("deux", 1.45, 1.7), ("trois", 2.2, 2.7))  # the recogniser is wrong: « un » lasts until 1.7
    write_json(tmp_path / "words.json", value)
    for name in ("master.flac", "levels.npz", "activity.json"):
        (tmp_path / name).write_bytes((episode / name).read_bytes())
    _, edits = edit(tmp_path, tmp_path, Cut(101.45, 101.7), Cut(102.1, 102.8))
    assert [each["in_sound"] for each in edits["cuts"]] == [True, False]


def test_nothing_left_is_a_mistake(episode, tmp_path):
    with pytest.raises(CauserieError, match="leave nothing of the episode"):
        edit(episode, tmp_path, Cut(99, 200))


def test_a_cut_inside_a_word_names_the_cut(episode, tmp_path):
    with pytest.raises(CauserieError, match=r"episodes/un/episode.toml: the cut at 1:41: lies inside one word"):
        edit(episode, tmp_path, Cut(101.25, 101.40))


def test_a_damaged_master_is_one_sentence(episode, tmp_path):
    for name in ("levels.npz", "activity.json", "words.json"):
        (tmp_path / name).write_bytes((episode / name).read_bytes())
    write(tmp_path / "master.flac", silence(30), silence(0))
    with pytest.raises(CauserieError):
        edit(tmp_path, tmp_path, Cut(101, 102))
