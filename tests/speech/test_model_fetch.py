"""A model brought before it is needed: from a hub on this machine, whose lines may break, in processes of their own."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.model.errors import CauserieError
from pipeline.speech.model_fetch import bring_model
from pipeline.speech.model_files import find_model
from tests.conftest import REPOSITORY
from tests.support import tiny_whisper
from tests.support.hub_server import Hub, serve_hub
from tests.support.processes import child_process

SMALL = "Systran/faster-whisper-small"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return tiny_whisper.write_ct2(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def hub(whole, tmp_path, monkeypatch):
    """A hub with the model `small`, and an empty cache."""
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with serve_hub(whole, SMALL) as serving:
        monkeypatch.setenv("HF_ENDPOINT", serving.address)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "cache/huggingface"))
        yield serving


def command(name: str, folder: Path) -> tuple[str | Path, ...]:
    return (sys.executable, REPOSITORY / "cli.py", "doctor", "--show", folder, "--fetch", name)


def fetch(name: str, folder: Path) -> tuple[int, str, str]:
    done = subprocess.run(command(name, folder), capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_a_model_is_brought_once_and_what_came_is_said(hub: Hub, tmp_path):
    status, out, err = fetch("small", tmp_path)
    assert (status, err) == (0, "Fetching the Whisper model “small”…\n")
    assert out.startswith("small, 14 MB, downloaded from the Hugging Face hub: /")
    assert "it was here already" in fetch("small", tmp_path)[1]


@pytest.mark.slow
def test_a_line_that_breaks_leaves_no_model_and_the_next_time_it_comes(hub: Hub, tmp_path):
    hub.breaks_after = 5 << 20
    status, _, err = fetch("small", tmp_path)
    assert status == 1
    assert "could not be downloaded" in err and "Traceback" not in err
    assert find_model("small") is None
    hub.breaks_after = None
    assert fetch("small", tmp_path)[0] == 0
    assert find_model("small")


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_person_may_stop_it_and_go_on_later(sent, hub: Hub, tmp_path):
    hub.pause_s = 2.0
    with child_process(*command("small", tmp_path)) as process:
        while not list((tmp_path / "cache").rglob("*.incomplete")):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(sent)
        err = process.communicate(timeout=60)[1]
    assert "Traceback" not in err
    assert find_model("small") is None
    hub.pause_s = 0
    assert fetch("small", tmp_path)[0] == 0


@pytest.mark.slow
def test_a_repository_that_is_not_there_is_told(hub: Hub, tmp_path):
    status, _, err = fetch("nobody/nothing", tmp_path)
    assert status == 1
    assert "the hub has no repository nobody/nothing" in err


def test_a_name_that_nobody_has_is_wrong_usage(tmp_path):
    with pytest.raises(CauserieError, match="--fetch: Whisper has no model called “smal”; did you mean “small”"):
        bring_model("smal", "auto", tmp_path)


def test_a_model_by_its_path_is_looked_at_and_not_fetched(whole):
    assert bring_model("./tiny", "auto", whole.parent).endswith(f"{whole} (it was here already)")
    with pytest.raises(CauserieError, match="--fetch: there is no model at /nowhere"):
        bring_model("/nowhere", "auto", whole.parent)
