"""A voice is attributed to its own microphone, however soft it is and however much spill there is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audio.level_profile import HOPS_PER_S
from pipeline.audio.noise_gate import gate_references_db
from pipeline.audio.track_references import cluster_midpoint_db, reference_levels_db
from tests.support.programmes import RATE_HZ, VoiceSpan, profile_of, room, synthetic_voice

pytestmark = pytest.mark.slow


def conversation(spill_db, soft_db, turns_s=(6, 3, 7, 2, 8, 3)):
    """Two microphones; the second speaker is `soft_db` softer and speaks half as long; spill is `spill_db` down and 5 ms late."""
    own, spans, at_s = [np.zeros(round(sum(turns_s) + 5) * RATE_HZ) for _ in range(2)], [], 0.5
    for turn, length_s in enumerate(turns_s):
        who = turn % 2
        sound = synthetic_voice(length_s, who, seed=turn, level_lufs=-20 + soft_db * who)
        own[who][round(at_s * RATE_HZ) :][: len(sound)] += sound
        spans.append(VoiceSpan(at_s, at_s + length_s, who))
        at_s += length_s + 0.5
    late = [np.concatenate([np.zeros(RATE_HZ // 200), each[: -(RATE_HZ // 200)]]) * 10 ** (spill_db / 20) for each in own]
    return [own[i] + late[1 - i] + room(len(own[i]) / RATE_HZ, -60, seed=i)[: len(own[i])] for i in range(2)], spans


@pytest.mark.parametrize("microphone_db", [0, -16])
@pytest.mark.parametrize(("spill_db", "soft_db"), [(-20, 0), (-8, 0), (-8, -10), (-5, -10)])
def test_the_speaker_is_the_one_whose_track_is_highest_over_its_reference(spill_db, soft_db, microphone_db):
    (first, second), spans = conversation(spill_db, soft_db)
    profiles = [profile_of(first), profile_of(second * 10 ** (microphone_db / 20))]
    over = np.array([profile.levels_db - level for profile, level in zip(profiles, gate_references_db(profiles), strict=True)])
    loud = over.max(axis=0) > -25
    for span in spans:
        hops = np.arange(round(span.start_s * HOPS_PER_S), round(span.end_s * HOPS_PER_S))
        assert (np.argmax(over[:, hops[loud[hops]]], axis=0) == span.who).mean() > 0.97


def test_what_gathers_around_one_value_has_no_half_way():
    random = np.random.default_rng(0)
    assert cluster_midpoint_db(random.normal(8, 2, 2000)) is None
    assert cluster_midpoint_db(np.array([8.0] * 15 + [-8.0] * 15)) is None  # too short to tell
    assert cluster_midpoint_db(np.concatenate([random.normal(8, 2, 2000), random.normal(-4, 2, 100)])) == pytest.approx(2, abs=1)


@settings(max_examples=50)
@given(st.lists(st.floats(-60, 0), min_size=1, max_size=4), st.integers(0, 200))
def test_tracks_that_never_meet_keep_the_level_of_their_loud_moments(loud_db, hops):
    levels = np.full((len(loud_db), len(loud_db) * hops), -80.0)
    for track, level_db in enumerate(loud_db):
        levels[track, track * hops : (track + 1) * hops] = level_db
    wanted = loud_db if hops else [0.0] * len(loud_db)
    assert reference_levels_db(levels, levels > -70) == pytest.approx(wanted, abs=0.01)
