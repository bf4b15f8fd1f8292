"""Cleanup of real voices with added hum, noise and sibilance."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from scipy.signal import butter, sosfilt, welch

from pipeline.audio.cleanup import NoiseFindings, cleanup_filters, describe_cleanup, inspect, needs_inspection
from pipeline.audio.probe import probe_file
from pipeline.model.audio import CleanupOptions
from tests.support.audio_tools import convert, lag_samples, rms_db

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
RATE_HZ = 44_100
START_S = 20  # of the voice
RECORDINGS = (
    "01-la-file-d-attente/prise-unique.flac",
    "02-une-voix-au-bout-du-fil/montage final.wav",
    "03-le-metier-d-ecouter/malik.mp3",
    "03-le-metier-d-ecouter/nora.m4a",
)
ALL = CleanupOptions(highpass=True, hum=True, noise=True, deess=True)
NONE = CleanupOptions(highpass=False)
HUM, NOISE, DEESS = (replace(NONE, **{name: True}) for name in ("hum", "noise", "deess"))
EVERYTHING = NoiseFindings(50.02, (1, 2, 3, 5, 20), -50.0, tuple(-50.0 - 2 * i for i in range(15)), -24.0)


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    """Half a minute of a man, and of a woman as picked up by his microphone, at −21 dB."""
    path = convert(ROOT / "episodes" / RECORDINGS[2], tmp_path_factory.mktemp("voice") / "voice.wav", "-ss", f"{START_S}", "-t", "30")
    sound = soundfile.read(path)[0]
    return sound * 10 ** ((-21 - rms_db(sound)) / 20)


def free_of(*voices):
    """Mark where no voice speaks."""
    free = np.ones(30 * RATE_HZ, bool)
    for said in json.loads((ROOT / "tests/data/sample_truth/03-le-metier-d-ecouter.json").read_text()):
        first, last = (round((said[key] - START_S) * RATE_HZ) for key in ("start_s", "end_s"))
        free[max(0, first) : max(0, last)] &= said["voice"] not in voices
    return free


def save(folder, sound, rate_hz=RATE_HZ):
    soundfile.write(folder / "dirty.wav", sound, rate_hz, subtype="FLOAT")
    return folder / "dirty.wav"


def cleaned(folder, sound, clean, rate_hz=RATE_HZ, found=None):
    """Return the cleaned samples and the findings."""
    path = save(folder, sound, rate_hz)
    found = found or inspect(path, 0, rate_hz)
    chain = cleanup_filters(clean, found)
    return soundfile.read(convert(path, folder / "clean.wav", "-af", ",".join(chain) or "anull", "-c:a", "pcm_f32le"))[0], found


def hum(seconds, mains_hz=50.0, first_db=-40.0, harmonics=8):
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return sum(10 ** ((first_db - 3 * k + 3) / 20) * np.sin(2 * np.pi * k * mains_hz * at_s + k) for k in range(1, harmonics + 1))


def noise(count, level_db, slope_db=0.0):
    """Noise that falls by `slope_db` an octave."""
    spectrum = np.fft.rfft(np.random.default_rng(3).standard_normal(count))
    shaped = np.fft.irfft(spectrum * np.maximum(np.arange(len(spectrum)), 100 * len(spectrum) / RATE_HZ) ** (-slope_db / 6.02), count)
    return shaped * 10 ** ((level_db - rms_db(shaped)) / 20)


def loudness(sound):
    return pyloudnorm.Meter(RATE_HZ).integrated_loudness(sound)


def spectrum_db(sound):
    at_hz, power = welch(sound, RATE_HZ, nperseg=RATE_HZ)  # 1 Hz
    return at_hz, 10 * np.log10(power + 1e-20)


def steady(frequency_hz, rate_hz=RATE_HZ):
    return 0.1 * np.sin(2 * np.pi * frequency_hz * np.arange(2 * rate_hz) / rate_hz)


@pytest.mark.parametrize(("frequency_hz", "low_db", "high_db"), [(20, -40, -20), (75, -3.3, -2.7), (150, -0.5, 0), (1000, -0.05, 0.05)])
def test_the_high_pass_takes_rumble_and_no_voice(tmp_path, frequency_hz, low_db, high_db):
    sound = steady(frequency_hz)
    out = cleaned(tmp_path, sound, CleanupOptions(), found=NoiseFindings())[0]
    assert low_db <= rms_db(out[RATE_HZ:]) - rms_db(sound[RATE_HZ:]) <= high_db


@pytest.mark.parametrize("mains_hz", [49.93, 60.06])
def test_hum_goes_and_the_voice_stays(tmp_path, voice, mains_hz):
    dirty = voice + hum(30, mains_hz)
    out, found = cleaned(tmp_path, dirty, HUM)
    left, _ = cleaned(tmp_path, dirty - voice, HUM, found=found)
    assert rms_db(left[RATE_HZ:]) < rms_db(dirty - voice) - 15
    assert found.mains_hz == pytest.approx(mains_hz, abs=0.03) and set(range(1, 6)) <= set(found.harmonics)
    assert abs(loudness(out) - loudness(voice)) < 0.3
    at_hz, was = spectrum_db(voice)
    _, now = spectrum_db(out)
    between = (np.abs(at_hz - mains_hz * np.rint(at_hz / mains_hz)) > 8) & (at_hz > 60) & (at_hz < 3000)
    assert np.abs(np.convolve((now - was)[between], np.ones(9) / 9, "valid")).max() < 0.5


@pytest.mark.parametrize("name", RECORDINGS)
def test_no_voice_of_the_sample_is_taken_for_the_mains(name):
    path = ROOT / "episodes" / name
    found = inspect(path, 0, probe_file(path).sample_rate_hz)
    assert found.mains_hz is None and cleanup_filters(HUM, found) == []


@pytest.mark.parametrize("during", [("malik",), ("malik", "nora")])
def test_a_steady_sung_note_is_not_taken_for_the_mains(tmp_path, voice, during):
    sung = hum(30, 100.0, -26, 6) * ~free_of(*during)  # with both, all the time but a few short pauses
    found = inspect(save(tmp_path, voice + sung + noise(len(voice), -70)), 0, RATE_HZ)
    assert found.mains_hz is None


@pytest.mark.parametrize("slope_db", [0, 3])
def test_noise_sinks_in_pauses_and_speech_stays(tmp_path, voice, slope_db):
    pauses = free_of("nora", "malik")
    dirty = voice + noise(len(voice), -50, slope_db)
    out, found = cleaned(tmp_path, dirty, NOISE)
    assert found.noise_floor_db == pytest.approx(-50, abs=2)
    late = pauses & (np.arange(len(out)) > RATE_HZ)
    assert rms_db(out[late]) < rms_db(dirty[late]) - 8
    assert abs(loudness(out) - loudness(voice)) < 0.5
    assert rms_db((out - voice)[~pauses]) < rms_db((dirty - voice)[~pauses])  # nearer to the clean voice, also while it speaks


def test_hum_is_no_noise(tmp_path, voice):
    found = inspect(save(tmp_path, voice + noise(len(voice), -60) + hum(30)), 0, RATE_HZ)
    assert found.mains_hz and found.noise_floor_db == pytest.approx(-60, abs=4)


def test_de_essing_lowers_hissing_and_leaves_vowels(tmp_path, voice):
    band = butter(4, (5000, 9000), "band", fs=RATE_HZ, output="sos")
    size = RATE_HZ // 50

    def levels(sound):
        blocks = sound[: len(sound) // size * size].reshape(-1, size)
        return 10 * np.log10(np.mean(blocks**2, axis=1) + 1e-12)

    hissing = levels(sosfilt(band, voice)) > levels(voice) - 3
    gain = np.repeat(np.where(hissing, 2.0, 1.0), size)  # a voice that hisses more than it should
    voice = voice[: len(gain)] * np.convolve(gain, np.ones(size) / size, "same")
    out, found = cleaned(tmp_path, voice, DEESS)
    was, now, was_ess, now_ess = levels(voice), levels(out), levels(sosfilt(band, voice)), levels(sosfilt(band, out))
    loud = hissing & (was_ess > found.speech_db - 12)
    assert loud.sum() > 20 and np.mean((now_ess - was_ess)[loud]) < -3.5
    near = np.convolve(was_ess > was - 10, np.ones(7), "same") > 0
    vowels = (was_ess < was - 20) & (was > found.speech_db - 12) & ~near
    assert vowels.sum() > 100 and np.abs(now - was)[vowels].mean() < 0.1 and np.percentile(np.abs(now - was)[vowels], 95) < 0.3


@pytest.mark.parametrize("rate_hz", [8000, 11_025, 44_100, 48_000, 192_000])
def test_nothing_moves_in_time_and_no_sample_is_lost(tmp_path, rate_hz):
    sound = np.random.default_rng(5).standard_normal((rate_hz + 17, 2)) * 0.2
    found = EVERYTHING if rate_hz > 16_000 else replace(EVERYTHING, speech_db=None)
    out, _ = cleaned(tmp_path, sound, ALL, rate_hz, found)
    assert out.shape == sound.shape
    assert lag_samples(sound[:, 0], out[:, 0]) in (
        (0,) if rate_hz != 11_025 else (-2, -1, 0)
    )  # less than 0.2 ms where 25 ms are no whole samples
    assert rms_db(out[-rate_hz // 50 :]) > -30  # the end is there, too


@pytest.mark.parametrize("rate_hz", [8000, 96_000])
def test_what_is_found_at_any_rate_can_be_cleaned(tmp_path, rate_hz):
    sound = np.random.default_rng(5).standard_normal(4 * rate_hz) * 0.001
    sound[: 2 * rate_hz] *= 100
    out, found = cleaned(tmp_path, sound, ALL, rate_hz)
    assert len(out) == len(sound) and found.noise_floor_db is not None and (found.speech_db is None) == (rate_hz == 8000)


@pytest.mark.parametrize("seconds", [0, 0.05, 0.5, 3])
def test_a_moment_or_silence_holds_nothing_to_clean(tmp_path, seconds):
    assert inspect(save(tmp_path, np.zeros(round(seconds * RATE_HZ)) if seconds else np.zeros(1)), 0, RATE_HZ) == NoiseFindings()


def test_a_long_recording_is_looked_at_in_places(tmp_path, voice):
    path = save(tmp_path, np.tile((voice + hum(30))[: 20 * RATE_HZ : 4], 5), RATE_HZ // 4)
    for name in ("long.mp3", "long.m4a"):
        assert inspect(convert(path, tmp_path / name), 0, RATE_HZ // 4).mains_hz == pytest.approx(50, abs=0.03), name


def test_what_is_done_is_said():
    assert describe_cleanup(ALL, EVERYTHING) == ["high-pass, 75 Hz", "hum, 50 Hz and 4 harmonics", "noise, floor −50 dB", "de-essing"]
    assert describe_cleanup(ALL, NoiseFindings()) == [
        "high-pass, 75 Hz",
        "hum, none found",
        "noise, none found",
        "de-essing, nothing that hisses",
    ]
    assert describe_cleanup(HUM, replace(EVERYTHING, harmonics=(2,))) == ["hum, 1 harmonic of 50 Hz"]


def test_what_is_off_adds_nothing():
    assert cleanup_filters(NONE, EVERYTHING) == describe_cleanup(NONE, EVERYTHING) == [] and not needs_inspection(CleanupOptions())
    assert cleanup_filters(ALL, NoiseFindings()) == cleanup_filters(CleanupOptions(), NoiseFindings())
    assert [needs_inspection(replace(NONE, **{each.name: True})) for each in fields(CleanupOptions)] == [False, True, True, True]
