"""Speech is distinguished from music and noise, and its loudness agrees with a meter."""

import json

import numpy as np
import pyloudnorm
import pytest

from pipeline.audio.analysis import analyse
from pipeline.audio.level_profile import HOPS_PER_S
from pipeline.audio.speech_detection import gated_lufs, k_weighted_powers, speech_mask
from tests.support.programmes import RATE_HZ, ROOT, cut, profile_of, separate_tracks

METER = pyloudnorm.Meter(RATE_HZ)  # an independent meter


def test_talk_is_found_where_the_sample_show_speaks():
    heard = analyse(
        ROOT / "episodes/01-la-file-d-attente/prise-unique.flac", ["aresample=44100", "aformat=channel_layouts=mono"], 44_100, 1
    )
    spoken = speech_mask(heard.profile)
    truth = np.zeros(len(spoken), bool)
    for line in json.loads((ROOT / "tests/data/sample_truth/01-la-file-d-attente.json").read_text(encoding="utf-8")):
        truth[round(line["start_s"] * HOPS_PER_S) : round(line["end_s"] * HOPS_PER_S)] = True
    assert spoken[truth].mean() > 0.97
    assert spoken[~truth].mean() < 0.2  # word ends ring on
    assert not spoken[: 4 * HOPS_PER_S].any() and not spoken[-4 * HOPS_PER_S :].any()  # music


def test_the_loudness_of_a_voice_is_what_a_meter_says_of_its_turns():
    sound, spans = separate_tracks(24, 14, seed=9, turn_s=(3, 8))
    profile = profile_of(sound)
    speech, powers = speech_mask(profile), k_weighted_powers(profile)
    for who in (0, 1):
        mine = [span for span in spans if span.who == who]
        measured = METER.integrated_loudness(np.concatenate([cut(sound, span) for span in mine])) + 3.01  # mono on two loudspeakers
        wanted = np.zeros(len(speech), bool)
        for span in mine:
            wanted[round(span.start_s * HOPS_PER_S) : round(span.end_s * HOPS_PER_S)] = True
        assert gated_lufs(powers[wanted & speech]) == pytest.approx(measured, abs=0.7)
    assert gated_lufs(powers[:0]) == float("-inf")
