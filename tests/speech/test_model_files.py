"""Where a model is found: on this machine before the network, whole or not at all."""

import shutil
import socket
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.model.errors import CauserieError
from pipeline.model.show import MODEL_NAMES
from pipeline.speech import model_files, model_hub
from pipeline.speech.backend import FASTER_WHISPER, OPENAI_WHISPER
from pipeline.speech.model_files import OPENAI_NAMES, REPOSITORIES, check_fetchable, fetch_model, find_model
from pipeline.speech.model_hub import is_reachable
from tests.support import tiny_whisper


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path) -> Path:
    """An empty cache, no packages, and a hub that answers nothing."""
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(model_files, "are_installed", lambda: False)
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return tiny_whisper.write_ct2(tmp_path_factory.mktemp("model") / "tiny")


def checkpoint(file: Path) -> Path:
    """An archive as PyTorch writes them; no engine would load it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", bytes(1000))
    return file


def snapshot(cache: Path, whole: Path, repository: str) -> Path:
    """The model as the hub's library would have put it there."""
    folder = cache / "huggingface/hub" / f"models--{repository.replace('/', '--')}" / "snapshots/abc"
    folder.mkdir(parents=True)
    for path in whole.iterdir():
        (folder / path.name).symlink_to(path)
    return folder


def test_names_are_those_of_the_engines():
    from faster_whisper.utils import _MODELS
    from whisper import available_models

    assert REPOSITORIES == _MODELS
    assert set(OPENAI_NAMES) == set(available_models())
    assert set(MODEL_NAMES) == {*REPOSITORIES, *OPENAI_NAMES}


def test_a_folder_is_found_by_itself_or_its_file(whole):
    for given in (whole, whole / "model.bin"):
        found = find_model(str(given))
        assert found and (found.path, found.engine) == (whole, FASTER_WHISPER)
        assert str(found) == f"tiny, {found.size_bytes / 1e6:.0f} MB, on this disk: {whole}"


def test_a_folder_that_is_called_like_a_model_does_not_hide_it(monkeypatch, tmp_path):
    (tmp_path / "small").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_model("small") is None
    with pytest.raises(CauserieError, match="has no model.bin"):
        find_model("./small")


def test_a_checkpoint_is_openai_whispers(tmp_path):
    checkpoint(tmp_path / "m.pt")
    found = find_model(str(tmp_path / "m.pt"))
    assert found and found.engine == OPENAI_WHISPER


@pytest.mark.parametrize("model", ["/nowhere/model", "/nowhere/model.pt", "~/nowhere/model.bin"])
def test_a_path_that_is_not_there_is_told(model):
    with pytest.raises(CauserieError, match="there is no model at /"):
        find_model(model)


def test_a_folder_that_is_cut_is_told(whole, tmp_path):
    for path in whole.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes()[:1000] if path.name == "model.bin" else path.read_bytes())
    with pytest.raises(CauserieError, match="model.bin that is cut short .* copy the folder again"):
        find_model(str(tmp_path))


@pytest.mark.parametrize(
    ("model", "engine"), [("smal", "auto"), ("smal", OPENAI_WHISPER), ("a/b/c", "auto"), ("Systran/x", OPENAI_WHISPER)]
)
def test_a_name_that_nobody_has_is_told(model, engine):
    with pytest.raises(CauserieError, match=f"Whisper has no model called “{model}”"):
        find_model(model, engine=engine)


def test_what_the_hub_left_here_is_found_without_asking_it(cache, whole):
    folder = snapshot(cache, whole, "Systran/faster-whisper-small")
    assert fetch_model("small").path == folder
    assert "from the cache of the Hugging Face hub" in str(find_model("small"))


def test_a_download_that_stopped_is_not_taken_for_a_model(cache, whole):
    (snapshot(cache, whole, "Systran/faster-whisper-small") / "model.bin").unlink()
    assert find_model("small") is None


def test_a_repository_of_the_hub_is_found_in_its_cache(cache, whole):
    folder = snapshot(cache, whole, "me/mine")
    assert fetch_model("me/mine").path == folder


def test_the_fast_engines_copy_comes_first(cache, whole):
    checkpoint(cache / "whisper/small.pt")
    assert (found := find_model("small")) and found.engine == OPENAI_WHISPER
    snapshot(cache, whole, "Systran/faster-whisper-small")
    assert (found := find_model("small")) and found.engine == FASTER_WHISPER
    assert (found := find_model("small", engine=OPENAI_WHISPER)) and found.engine == OPENAI_WHISPER


def test_base_comes_from_its_packages_and_the_hub_is_not_asked(monkeypatch, whole):
    monkeypatch.setattr(model_files, "are_installed", lambda: True)
    monkeypatch.setattr(model_files, "join_parts", lambda: whole)
    monkeypatch.setattr(model_files, "check_parts", lambda: None)
    assert "to be joined at the first use" in check_fetchable("base")
    assert fetch_model("base").path == whole


@pytest.mark.parametrize("model", ["base", "small", "me/mine"])
def test_what_is_not_here_and_can_be_fetched_is_no_mistake(model):
    assert f"causerie doctor --fetch {model}" in check_fetchable(model)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def test_a_checkpoint_that_is_cut_is_told_and_a_damaged_copy_of_a_cache_is_not_taken(tmp_path, cache):
    for file in (tmp_path / "m.pt", cache / "whisper/small.pt"):
        cut(checkpoint(file))
    with pytest.raises(CauserieError, match="m.pt is cut short; copy the file again"):
        find_model(str(tmp_path / "m.pt"))
    assert find_model("small") is None
    with pytest.raises(CauserieError, match="cache of openai-whisper is cut short; run causerie doctor --fetch small"):
        check_fetchable("small")


def test_a_model_of_whisper_cpp_is_recognised(tmp_path):
    (tmp_path / "ggml-base.bin").write_bytes(b"lmgg" + bytes(100))
    with pytest.raises(CauserieError, match="a model of whisper.cpp, which neither engine reads"):
        find_model(str(tmp_path / "ggml-base.bin"))


def test_a_download_that_stopped_is_told_with_the_command_that_goes_on(cache, whole):
    folder = snapshot(cache, whole, "Systran/faster-whisper-small")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(
        CauserieError, match=r"in the cache of the Hugging Face hub has no tokenizer.json; run causerie doctor --fetch small"
    ):
        check_fetchable("small")
    blobs = cache / "huggingface/hub/models--me--mine/blobs"
    blobs.mkdir(parents=True)
    (blobs / "abc.incomplete").write_bytes(b"half")
    with pytest.raises(CauserieError, match="is half downloaded"):
        check_fetchable("me/mine")


def test_a_cache_without_room_is_told_before_anything_is_downloaded(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=20_000_000))
    for ask in (check_fetchable, fetch_model):
        with pytest.raises(CauserieError, match="needs 490 MB, and 20 MB are free.*make room there"):
            ask("small")


def test_a_cache_that_is_a_file_is_told(cache):
    cache.write_text("")
    with pytest.raises(CauserieError, match="cannot be kept in .*cache cannot be written.*XDG_CACHE_HOME"):
        check_fetchable("small")


def test_openai_whispers_download_is_put_in_place_when_it_is_whole(cache, monkeypatch):
    import whisper

    monkeypatch.setattr(model_hub, "is_reachable", lambda address: True)

    def download(url: str, folder: str, in_memory: bool) -> str:
        assert not list((cache / "whisper").glob("*.pt"))
        return str(checkpoint(Path(folder) / "small.pt"))

    monkeypatch.setattr(whisper, "_download", download)
    assert fetch_model("small", engine=OPENAI_WHISPER).path == cache / "whisper/small.pt"

    def broken(url: str, folder: str, in_memory: bool) -> str:
        cut(checkpoint(Path(folder) / "tiny.pt"))
        raise OSError("the line broke")

    monkeypatch.setattr(whisper, "_download", broken)
    with pytest.raises(CauserieError, match="could not be downloaded .the line broke."):
        fetch_model("tiny", engine=OPENAI_WHISPER)
    assert [path.name for path in (cache / "whisper").iterdir()] == ["small.pt"]


@pytest.mark.parametrize(
    ("model", "way"), [("base", "which holds it"), ("small", 'take model = "base"'), ("me/mine", 'take model = "base"')]
)
def test_a_hub_out_of_reach_is_told_with_another_way(model, way):
    with pytest.raises(CauserieError, match=f"could not be downloaded .*127.0.0.1:9 cannot be reached.*{way}"):
        fetch_model(model)


def test_a_server_that_accepts_and_says_nothing_is_out_of_reach():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began_s = time.monotonic()
        assert not is_reachable(f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert time.monotonic() - began_s < 30  # the library alone would try for minutes
