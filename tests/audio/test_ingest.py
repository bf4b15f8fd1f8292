import json
import re
from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.ingest import ingest_recordings
from pipeline.audio.level_profile import load_profile
from pipeline.audio.loudness import measure_loudness
from pipeline.model.audio import Bed, CleanupOptions, Mix, Part, Recording
from pipeline.model.errors import CauserieError
from pipeline.transcript.diarisation import DiarisedTurn, to_published_spans
from tests.support.audio_tools import RATE_HZ, convert, lag_samples, read_samples, rms_db, silence, speech_like_noise, write

pytestmark = pytest.mark.slow

SHOW = Path(__file__).parents[2]
AS_IT_IS = CleanupOptions(highpass=False)
EDGE = round(0.005 * RATE_HZ)  # faded where a file begins or ends amid sound


def made(folder, *recordings, channels=1, rate_hz=RATE_HZ, voices=("nora", "malik"), level="off", clean=AS_IT_IS, **mix):
    """Run ingest; return the master's samples and the other files it wrote."""
    takes = tuple(Recording(str(path), voice, clean=clean) for path, voice in zip(recordings, voices, strict=False))
    told = Mix(takes, level=level, **mix)
    names = {"master": "master.flac", "activity": "activity.json", "levels": "levels.npz", "sound": "sound.json"}
    places = {key: folder / name for key, name in names.items()}
    ingest_recordings(tuple(Path(file) for file in told.files), **places, mix=told, sample_rate_hz=rate_hz, channels=channels)
    return read_samples(places["master"])[0], json.loads(places["activity"].read_text()), json.loads(places["sound"].read_text())


def test_a_recording_that_needs_nothing_keeps_its_samples(tmp_path):
    take = write(tmp_path / "take.wav", speech_like_noise(2))
    samples, activity, _ = made(tmp_path, take, trim_silence=False)
    assert np.array_equal(samples[EDGE:-EDGE], read_samples(take)[0][EDGE:-EDGE])
    assert activity == {
        "version": 1,
        "duration_s": 2.0,
        "hop_s": 0.05,
        "kept": [{"from_s": 0.0, "start_s": 0.0, "end_s": 2.0}],
        "tracks": [],
    }


def test_silence_is_trimmed_to_a_margin_and_speech_is_whole(tmp_path):
    words = speech_like_noise(2)
    take = write(tmp_path / "take.wav", silence(1.5), words, silence(2))
    samples, _, sound = made(tmp_path, take)
    assert len(samples) / RATE_HZ == pytest.approx(2.6, abs=0.1)
    start = lag_samples(words, samples[:, 0])
    assert start >= 0.3 * RATE_HZ and len(samples) - start - len(words) >= 0.3 * RATE_HZ
    assert np.abs(samples[start : start + len(words), 0] - words).max() < 1e-6
    assert sum(sound["trimmed_s"]) == pytest.approx(5.5 - len(samples) / RATE_HZ, abs=0.02)


def test_a_soft_beginning_is_not_taken_for_silence(tmp_path):
    fading = speech_like_noise(2) * np.linspace(0, 1, 2 * RATE_HZ)  # 40 dB down in the first hundredth
    samples, _, _ = made(tmp_path, write(tmp_path / "take.wav", silence(1), fading, speech_like_noise(1)))
    assert len(samples) / RATE_HZ > 3.25


def test_what_the_producer_cuts_is_cut_first(tmp_path):
    take = write(
        tmp_path / "take.wav", speech_like_noise(1), silence(1), speech_like_noise(1.5, seed=2), silence(0.5), speech_like_noise(1)
    )
    samples, _, _ = made(tmp_path, take, start_s=2.0, end_s=3.5)
    assert len(samples) == round(1.5 * RATE_HZ)
    inner = slice(RATE_HZ // 100, -RATE_HZ // 100)  # the edges of a cut are smoothed
    assert np.abs(samples[inner, 0] - speech_like_noise(1.5, seed=2)[inner]).max() < 1e-6


def test_a_quiet_speaker_is_made_even_and_a_short_track_is_padded(tmp_path):
    nora = write(tmp_path / "nora.wav", speech_like_noise(2, -20), silence(4))
    malik = write(tmp_path / "malik.wav", silence(3), speech_like_noise(2, -30, seed=2))
    samples, activity, sound = made(tmp_path, nora, malik, trim_silence=False, level="gentle")
    assert len(samples) == 6 * RATE_HZ
    assert rms_db(samples[: 2 * RATE_HZ]) == pytest.approx(rms_db(samples[3 * RATE_HZ : 5 * RATE_HZ]), abs=1)
    levels = {track["voice"]: track["levels_db"] for track in activity["tracks"]}
    assert np.median(levels["nora"][:40]) - np.median(levels["malik"][60:100]) == pytest.approx(10, abs=0.5)  # before any gain
    assert len(levels["nora"]) == len(levels["malik"]) == 120 and levels["malik"][119] == -120.0
    gains = [recording["gain_db"] for recording in sound["recordings"]]
    assert gains[1] - gains[0] == pytest.approx(10, abs=1)


def test_with_levels_off_tracks_stay_as_the_producer_set_them(tmp_path):
    tracks = (
        write(tmp_path / "a.wav", speech_like_noise(2, -20), silence(2)),
        write(tmp_path / "b.wav", silence(2), speech_like_noise(2, -30)),
    )
    samples, _, _ = made(tmp_path, *tracks, trim_silence=False)
    assert rms_db(samples[: 2 * RATE_HZ]) - rms_db(samples[2 * RATE_HZ :]) == pytest.approx(10, abs=0.1)


def test_a_speaker_is_raised_by_fifteen_decibels_at_most(tmp_path):
    near, far = (
        write(tmp_path / "a.wav", speech_like_noise(2, -15), silence(2)),
        write(tmp_path / "b.wav", silence(2), speech_like_noise(2, -55)),
    )
    made(tmp_path, near, far, trim_silence=False, level="gentle")
    gains = [recording["gain_db"] for recording in json.loads((tmp_path / "sound.json").read_text())["recordings"]]
    assert gains == [-15.0, 15.0]


def test_tracks_that_peak_together_do_not_clip(tmp_path):
    loud = speech_like_noise(2, -9)
    loud *= 0.99 / np.abs(loud).max()
    samples, _, _ = made(tmp_path, write(tmp_path / "a.wav", loud), write(tmp_path / "b.wav", loud))
    assert 0.9 < np.abs(samples).max() <= 1.0
    assert lag_samples(samples[:, 0], loud) == 0
    assert np.abs(samples[:, 0] * (loud.std() / samples.std()) - loud)[EDGE:-EDGE].max() < 1e-3


def test_activity_is_told_in_published_time(tmp_path):
    nora = write(tmp_path / "nora.wav", silence(1.5), speech_like_noise(1), silence(2.5))
    malik = write(tmp_path / "malik.wav", silence(3), speech_like_noise(1), silence(1))
    jingle = Part(file=str(write(tmp_path / "jingle.wav", speech_like_noise(1.02))), kind="music")
    samples, activity, _ = made(tmp_path, nora, malik, parts=(jingle, Part(gap_s=0.3)))
    heard = [20 * np.log10(np.abs(samples[i : i + RATE_HZ // 20]).max() + 1e-9) > -60 for i in range(0, len(samples), RATE_HZ // 20)]
    tracks = [np.array(track["levels_db"]) > -60 for track in activity["tracks"]]
    assert len(tracks[0]) == len(heard)
    in_programme = np.arange(len(heard)) * 0.05 > 1.1
    assert np.array_equal(tracks[0] | tracks[1], np.array(heard) & in_programme)


def test_what_was_kept_of_a_recording_says_when_its_moments_are_published(tmp_path):
    take = write(
        tmp_path / "take.wav",
        speech_like_noise(2),
        silence(1.5),
        speech_like_noise(1, seed=2),
        silence(2),
        speech_like_noise(1, seed=3),
        silence(3),
    )
    jingle = Part(file=str(write(tmp_path / "jingle.wav", speech_like_noise(1.02))), kind="music")
    opening, rest = Part(start_s=7.0, end_s=7.4), Part(gap_s=0.3)
    samples, activity, _ = made(tmp_path, take, start_s=2.0, parts=(jingle, opening, rest))
    for recorded_s, seed, kept in ((3.5, 2, activity["kept"][1]), (6.5, 3, activity["kept"][1]), (7.1, 3, activity["kept"][0])):
        ((at_s, _),) = to_published_spans([DiarisedTurn("x", recorded_s, recorded_s + 0.2)], [kept])
        words = speech_like_noise(1, seed=seed)[round((recorded_s - (3.5 if seed == 2 else 6.5)) * RATE_HZ) :][: RATE_HZ // 5]
        there = samples[round(at_s * RATE_HZ) :, 0][: len(words)]
        assert np.corrcoef(words, there)[0, 1] > 0.99


def test_intro_and_outro_are_whole_and_a_little_quieter(tmp_path):
    intro, outro = speech_like_noise(1.3, -10, seed=5), speech_like_noise(1.1, -40, seed=6)
    first, last = (Part(file=str(write(tmp_path / f"{i}.wav", each)), kind="music", gap_s=0.3) for i, each in enumerate((intro, outro)))
    take = write(tmp_path / "take.wav", speech_like_noise(3))
    samples, activity, _ = made(tmp_path, take, trim_silence=False, parts=(Part(file=first.file, kind="music"), Part(gap_s=0.3), last))
    lead = lag_samples(speech_like_noise(3), samples[:, 0])
    assert lead == round(1.6 * RATE_HZ)  # 1.3 s and 0.3 s of silence
    assert len(samples) == lead + round((3 + 0.3 + 1.1) * RATE_HZ)
    assert activity["duration_s"] == round(len(samples) / RATE_HZ, 3)
    parts = {"in": samples[: len(intro)], "take": samples[lead : lead + 3 * RATE_HZ], "out": samples[-len(outro) :]}
    level = {name: measure_loudness(write(tmp_path / f"{name}-part.wav", part)).integrated_lufs for name, part in parts.items()}
    assert level["in"] == pytest.approx(level["take"] - 3, abs=0.3)
    assert level["out"] == pytest.approx(level["take"] - 3, abs=0.3)


def test_a_cold_open_is_a_piece_of_the_recording_before_the_recording(tmp_path):
    pieces = [speech_like_noise(1, seed=seed) for seed in range(4)]
    take = write(tmp_path / "take.wav", *pieces)
    samples, _, sound = made(tmp_path, take, parts=(Part("open", start_s=2, end_s=3), Part("body", gap_s=0.5)), trim_silence=False)
    assert lag_samples(pieces[2], samples[: 2 * RATE_HZ, 0]) == 0
    assert lag_samples(np.concatenate(pieces), samples[:, 0]) == round(1.5 * RATE_HZ)
    assert [(part["name"], part["start_s"], part["end_s"]) for part in sound["parts"]] == [("open", 0, 1), ("body", 1.5, 5.5)]


def test_from_zero_is_from_zero_silence_included(tmp_path):
    take = write(tmp_path / "take.wav", silence(2), speech_like_noise(4))
    samples, _, _ = made(tmp_path, take, parts=(Part(start_s=0.0, end_s=3.0),))
    assert len(samples) == 3 * RATE_HZ


def test_a_recording_that_begins_and_ends_amid_sound_does_not_click(tmp_path):
    tone = 0.3 * np.cos(2 * np.pi * 300 * np.arange(3 * RATE_HZ) / RATE_HZ)
    samples, _, _ = made(tmp_path, write(tmp_path / "take.wav", tone))
    assert abs(samples[0, 0]) < 0.01 and abs(samples[-1, 0]) < 0.01
    assert np.abs(samples[EDGE:-EDGE, 0] - tone[EDGE:-EDGE]).max() < 1e-6


def test_a_bed_without_a_name_lies_under_the_recordings_not_under_the_cold_open(tmp_path):
    bed = Bed(str(write(tmp_path / "bed.wav", speech_like_noise(3, seed=9))))
    parts = (Part("open", start_s=1, end_s=2), Part("body"))
    _, _, sound = made(tmp_path, write(tmp_path / "take.wav", speech_like_noise(8)), parts=parts, beds=(bed,), trim_silence=False)
    assert (sound["beds"][0]["start_s"], sound["beds"][0]["end_s"]) == (1.0, 9.0)


def test_an_end_after_the_end_is_refused_before_anything_is_heard(tmp_path):
    take = write(tmp_path / "take.wav", speech_like_noise(3))
    with pytest.raises(CauserieError, match="is 9:05, but the longest recording lasts 0:03") as told:
        made(tmp_path, take, parts=(Part(start_s=1, end_s=545, number=1),))
    assert told.value.where.endswith("episode.toml: parts[1].end") and not (tmp_path / "master.flac").exists()


def test_a_crossfade_overlaps_and_keeps_the_power(tmp_path):
    one, two = (str(write(tmp_path / f"{seed}.wav", speech_like_noise(3, seed=seed))) for seed in (1, 2))
    samples, _, _ = made(tmp_path, one, parts=(Part(), Part(file=two, crossfade_s=1)), trim_silence=False)
    assert len(samples) == 5 * RATE_HZ
    assert rms_db(samples[2 * RATE_HZ : 3 * RATE_HZ]) == pytest.approx(rms_db(samples), abs=1)
    assert np.abs(samples[EDGE : 2 * RATE_HZ, 0] - speech_like_noise(3, seed=1)[EDGE : 2 * RATE_HZ]).max() < 1e-6


def test_music_lies_under_voices_and_comes_up_between_them(tmp_path):
    voice = np.concatenate([silence(4), speech_like_noise(4, -20), silence(4)])
    tone = 0.2 * np.sin(2 * np.pi * 3000 * np.arange(5 * RATE_HZ) / RATE_HZ)
    bed = Bed(str(write(tmp_path / "bed.wav", tone)), below_lu=8, duck_db=12)
    samples, _, sound = made(tmp_path, write(tmp_path / "take.wav", voice), beds=(bed,), trim_silence=False)
    plain, _, _ = made(tmp_path, tmp_path / "take.wav", trim_silence=False)
    music = (samples - plain)[:, 0]
    level = {
        name: rms_db(music[round(a * RATE_HZ) : round(b * RATE_HZ)]) for name, (a, b) in {"before": (2.2, 3.2), "under": (5.2, 7.8)}.items()
    }
    assert level["before"] - level["under"] == pytest.approx(12, abs=0.5)
    assert abs(music[-1]) < 1e-3 and abs(music[0]) < 1e-3  # it fades in and out
    again = rms_db(music[round(4.2 * RATE_HZ) : round(4.8 * RATE_HZ)])  # where it starts again, over its own end
    assert level["under"] - 1 < again < level["under"] + 3.5
    assert (sound["beds"][0]["start_s"], sound["beds"][0]["end_s"]) == (0.0, 12.0)


def test_the_same_samples_give_the_same_bytes_under_another_name(tmp_path):
    take = write(tmp_path / "Prise de Nora.wav", silence(1), speech_like_noise(2))
    exported = convert(take, tmp_path / "export.flac", "-metadata", "title=Secret")
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder, path in zip(folders, (take, exported), strict=True):
        folder.mkdir()
        made(folder, path, channels=2, level="gentle")
    for name in ("master.flac", "activity.json", "levels.npz"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
    content = (folders[1] / "master.flac").read_bytes()
    assert not any(word in content for word in (b"Secret", b"Nora", b"export", b"Lavf6"))
    assert not list(folders[0].glob(".*"))


@pytest.mark.parametrize(("rate_hz", "channels"), [(48_000, 2), (22_050, 1)])
def test_the_master_has_the_rate_and_channels_asked_for(tmp_path, rate_hz, channels):
    take = write(tmp_path / "take.wav", np.column_stack([speech_like_noise(2), speech_like_noise(2)]))
    made(tmp_path, take, rate_hz=rate_hz, channels=channels, trim_silence=False)
    samples, found = read_samples(tmp_path / "master.flac")
    assert (found, samples.shape) == (rate_hz, (2 * rate_hz, channels))
    assert rms_db(samples) == pytest.approx(-24, abs=0.2)


def test_a_float_recording_over_full_scale_is_lowered_not_clipped(tmp_path):
    hot = speech_like_noise(2, -6)
    hot *= 2.5 / np.abs(hot).max()
    samples, _, _ = made(tmp_path, write(tmp_path / "hot.wav", hot, subtype="FLOAT"), trim_silence=False)
    assert np.abs(samples[:, 0] * 2.5 - hot)[EDGE:-EDGE].max() < 0.01


def test_the_profiles_tell_the_master_and_what_it_was_before(tmp_path):
    take = write(tmp_path / "take.wav", speech_like_noise(3, -20), silence(1), speech_like_noise(3, -34, seed=2))
    samples, _, _ = made(tmp_path, take, level="strong", trim_silence=False)
    master, before = (load_profile(tmp_path / "levels.npz", name) for name in ("master", "before"))
    assert master.integrated_lufs == pytest.approx(measure_loudness(tmp_path / "master.flac").integrated_lufs, abs=0.1)
    assert before.integrated_lufs == pytest.approx(measure_loudness(take).integrated_lufs, abs=0.1)
    assert master.peak == pytest.approx(np.abs(samples).max(), abs=1e-6) and master.samples == before.samples == len(samples)


def test_a_silent_track_is_named(tmp_path):
    nora, dead = write(tmp_path / "nora.wav", speech_like_noise(2)), write(tmp_path / "dead.wav", silence(2))
    with pytest.raises(CauserieError, match="only silence") as caught:
        made(tmp_path, nora, dead)
    assert caught.value.where == str(dead)


@pytest.mark.parametrize(
    ("mix", "said"), [({"start_s": 9.0}, "start: is 0:09"), ({"parts": (Part(start_s=9.0, number=1),)}, r"parts\[1\].start: is 0:09")]
)
def test_a_cut_after_the_end_is_told_so(tmp_path, mix, said):
    with pytest.raises(CauserieError) as told:
        made(tmp_path, write(tmp_path / "take.wav", speech_like_noise(2)), **mix)
    assert re.search(said, str(told.value))


def test_a_truncated_recording_is_never_published_shorter(tmp_path):
    whole = convert(write(tmp_path / "take.wav", speech_like_noise(4)), tmp_path / "take.flac").read_bytes()
    (tmp_path / "take.flac").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CauserieError, match="truncated"):
        made(tmp_path, tmp_path / "take.flac")
    assert not (tmp_path / "master.flac").exists()


def test_the_sample_interview_is_in_sync_and_even(tmp_path):
    folder, start_s, end_s = SHOW / "episodes/03-le-metier-d-ecouter", 4.7, 26.1
    files = (folder / "nora.m4a", folder / "malik.mp3")
    samples, activity, _ = made(tmp_path, *files, start_s=start_s, end_s=end_s, trim_silence=False, level="gentle")
    truth = json.loads((SHOW / "tests/data/sample_truth/03-le-metier-d-ecouter.json").read_text())
    levels = {track["voice"]: np.array(track["levels_db"]) for track in activity["tracks"]}
    sound: dict[str, list[np.ndarray]] = {"nora": [], "malik": []}
    for line in truth:
        if start_s < line["start_s"] and line["end_s"] < end_s:
            first, last = line["start_s"] - start_s, line["end_s"] - start_s
            hops = slice(round(first * 20) + 1, round(last * 20) - 1)
            other = "malik" if line["voice"] == "nora" else "nora"
            assert np.median(levels[line["voice"]][hops] - levels[other][hops]) > 15  # the other hears but a spill
            assert levels[line["voice"]][round(first * 20) - 3] < -45  # not yet, a tenth of a second before
            sound[line["voice"]].append(samples[round(first * RATE_HZ) : round(last * RATE_HZ)])
    even = [rms_db(np.concatenate(pieces)) for pieces in sound.values()]
    assert even[0] == pytest.approx(even[1], abs=1.5)


def test_a_silent_bed_is_named(tmp_path):
    bed = write(tmp_path / "bed.wav", silence(3))
    with pytest.raises(CauserieError, match="only silence") as caught:
        made(tmp_path, write(tmp_path / "take.wav", speech_like_noise(4)), beds=(Bed(str(bed)),))
    assert caught.value.where == str(bed)


def test_a_silent_jingle_is_a_pause(tmp_path):
    pause = str(write(tmp_path / "pause.wav", silence(2)))
    take = write(tmp_path / "take.wav", speech_like_noise(3))
    samples, _, sound = made(tmp_path, take, parts=(Part(), Part(file=pause, kind="music")), trim_silence=False)
    assert len(samples) == 5 * RATE_HZ and sound["recordings"][1]["integrated_lufs"] is None


def test_a_sting_too_short_is_named_as_the_show_names_it(tmp_path):
    sting = str(write(tmp_path / "sting.wav", speech_like_noise(0.3)))
    with pytest.raises(CauserieError, match="too short") as caught:
        made(tmp_path, write(tmp_path / "take.wav", speech_like_noise(3)), parts=(Part(), Part(file=sting, kind="music")))
    assert caught.value.where == sting


def test_a_torn_recording_that_is_accepted_is_published_as_far_as_it_goes_and_told(tmp_path):
    whole = write(tmp_path / "whole.wav", speech_like_noise(4)).read_bytes()
    torn = tmp_path / "torn.wav"
    torn.write_bytes(whole[: len(whole) // 2])
    mix = Mix((Recording("torn", accept="as it is"),), level="off", trim_silence=False)
    places = {name: tmp_path / name for name in ("master", "activity", "levels", "sound")}
    ingest_recordings((torn,), **places, mix=mix, sample_rate_hz=RATE_HZ, channels=1)
    assert len(read_samples(places["master"])[0]) / RATE_HZ == pytest.approx(2.0, abs=0.01)
    assert "accepted as it is" in json.loads(places["sound"].read_text())["recordings"][0]["cleaned"]
