"""Every broken file gives one clear error or its audio: never a crash, a hang, or silence."""

import math
import os
import re
import time

import numpy as np
import pytest

from pipeline.audio.ingest import ingest_recordings
from pipeline.model.audio import CleanupOptions, Mix, Recording
from pipeline.model.errors import CauserieError
from tests.support.audio_tools import read_samples, rms_db
from tests.support.broken_files import RATE_HZ, broken_files

pytestmark = pytest.mark.slow

LIMIT_S = 60.0  # many times the slowest file: detects hangs
SOUND_DB = -24.0  # RMS level of the common source
COUNT = 132


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Every broken file with its expected result."""
    return broken_files(tmp_path_factory.mktemp("broken"))


def outcome(broken, folder):
    """Return the samples of the master, or the error; a rejected file leaves nothing behind."""
    mix = Mix((Recording("take", clean=CleanupOptions(highpass=False)),), level="off", trim_silence=False)
    places = {name: folder / name for name in ("master", "activity", "levels", "sound")}
    started_s = time.monotonic()
    try:
        ingest_recordings((broken.path,), **places, mix=mix, sample_rate_hz=RATE_HZ, channels=1)
    except CauserieError as error:
        assert not list(folder.iterdir()), f"{broken.path.name} left something behind"
        return error
    finally:
        assert time.monotonic() - started_s < LIMIT_S, broken.path.name
    return read_samples(places["master"])[0]


@pytest.mark.parametrize("number", range(COUNT))
def test_a_broken_file_gives_a_sentence_or_its_sound(files, tmp_path, number):
    broken = files[number]
    came = outcome(broken, tmp_path)
    if broken.seconds is None:
        assert isinstance(came, CauserieError), f"{broken.path.name}: {len(came) / RATE_HZ} s came of it"
        assert came.where == str(broken.path) and came.hint and "\n" not in came.message and len(came.message) < 200
        assert re.search(broken.says, came.message), str(came)
    else:
        assert not isinstance(came, CauserieError), str(came)
        assert len(came) / RATE_HZ == pytest.approx(broken.seconds, abs=0.05)  # an MP3 that lost its first frame is not gapless
        if not math.isnan(broken.level_db):
            assert rms_db(came - np.mean(came)) == pytest.approx(SOUND_DB + broken.level_db, abs=1.0)


def test_the_files_are_all_tried_and_always_the_same(files, tmp_path):
    assert len(files) == COUNT
    again = broken_files(tmp_path)
    for one, other in zip(files, again, strict=True):
        assert one.path.name == other.path.name
        if len(os.fsencode(one.path.name)) <= 255 and one.path.is_file() and not one.path.is_symlink():
            assert one.path.read_bytes() == other.path.read_bytes(), one.path.name
