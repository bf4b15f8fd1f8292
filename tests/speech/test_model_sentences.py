"""The same one sentence about a model from `check`, `doctor` and the step that hears, for whatever may be wrong with it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.commands.check import check_show
from pipeline.commands.doctor import diagnose
from pipeline.config.loader import read_config
from pipeline.engine.step import execute_step
from pipeline.model.errors import CauserieError
from pipeline.plan import plan_steps
from pipeline.speech import model_files
from tests.conftest import small_show
from tests.support import tiny_whisper


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return tiny_whisper.write_ct2(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def root(tmp_path, monkeypatch, whole) -> Path:
    """A show of one episode, on a machine with an empty cache, no packages and no network."""
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(model_files, "are_installed", lambda: False)
    return small_show(tmp_path / "show")


def put(whole: Path, folder: Path, *, without: str = "", changed: dict[str, bytes] | None = None) -> None:
    """The model in a folder, without a file, or with another content of some."""
    folder.mkdir(parents=True)
    for path in whole.iterdir():
        if path.name != without:
            (folder / path.name).write_bytes((changed or {}).get(path.name, path.read_bytes()))


def hears(root: Path, show) -> str:
    """What the step `transcribe` says."""
    master = root / ".causerie/un/master.flac"
    master.parent.mkdir(parents=True, exist_ok=True)
    master.write_bytes((root / "episodes/un/raw.flac").read_bytes())
    step = next(each for each in plan_steps(show, show.episodes[0].info.published) if each.name == "un/transcribe")
    with pytest.raises(CauserieError) as raised:
        execute_step(step, root, root / ".causerie/work")
    return str(raised.value)


SMALL_HUB = "cache/huggingface/hub/models--Systran--faster-whisper-small"
CASES = {
    "a name that nobody has": ("smal", "auto", {}, "did you mean “small”"),
    "a name in capitals": ("LARGE-V3", "auto", {}, "did you mean “large-v3”"),
    "a path that is not there": ("/nowhere/fr", "auto", {}, "there is no model at /nowhere/fr"),
    "a path in the home": ("~/nowhere", "auto", {}, f"there is no model at {Path.home()}/nowhere"),
    "a checkpoint that is not there": ("gone.pt", "auto", {}, "show/gone.pt"),
    "an empty folder": ("m", "auto", {"empty": "show/m"}, "has no model.bin"),
    "no tokenizer": ("m", "auto", {"without": "tokenizer.json"}, "has no tokenizer.json"),
    "no vocabulary": ("m", "auto", {"without": "vocabulary.json"}, "has no vocabulary"),
    "no config": ("m", "auto", {"without": "config.json"}, "has no config.json"),
    "a model.bin that is cut": ("m", "auto", {"changed": {"model.bin": 1000}}, "cut short"),
    "a config of another kind": ("m", "auto", {"changed": {"config.json": b"[1]"}}, "has a damaged config.json"),
    "half a download": ("small", "auto", {"half": SMALL_HUB}, "is half downloaded; run causerie doctor --fetch small"),
    "a cache that is a file": ("small", "auto", {"file": "cache"}, "cannot be kept in"),
    "CUDA where there is none": ("m", "cuda", {"without": "-"}, "speech.device: asks for CUDA, and faster-whisper finds no GPU here"),
}


@pytest.mark.parametrize("case", CASES)
def test_check_doctor_and_the_step_say_the_same_sentence(case, root, whole):
    model, device, place, expected = CASES[case]
    if "without" in place or "changed" in place:
        content = {name: b if isinstance(b, bytes) else (whole / name).read_bytes()[:b] for name, b in place.get("changed", {}).items()}
        put(whole, root / "m", without=place.get("without", ""), changed=content)
    if "empty" in place:
        (root.parent / place["empty"]).mkdir()
    if "half" in place:
        (root.parent / place["half"] / "blobs").mkdir(parents=True)
        (root.parent / place["half"] / "blobs/abc.incomplete").write_bytes(b"half")
    if "file" in place:
        (root.parent / place["file"]).write_text("")
    text = (root / "show.toml").read_text()
    (root / "show.toml").write_text(text.replace('model = "base"', f"model = {json.dumps(model)}\ndevice = {json.dumps(device)}"))
    show, problems = read_config(root)
    assert show and not problems
    sentence = hears(root, show)
    assert expected in sentence
    assert f"NO  {sentence}" in map(str, diagnose(root))
    found = [f"{each.where}: {each.problem}; {each.remedy}" for each in check_show(root) if each.where.startswith("show.toml: speech")]
    assert found == [sentence]


def test_another_device_makes_nothing_stale(root):
    show, _ = read_config(root)
    assert show
    one, other = (
        next(
            step
            for step in plan_steps(replace(show, speech=replace(show.speech, device=device)), show.episodes[0].info.published)
            if step.kind == "transcribe"
        )
        for device in ("auto", "cpu")
    )
    assert (one.reads, one.settings) == (other.reads, other.settings)
    assert (one.hints, other.hints) == ({"device": "auto"}, {"device": "cpu"})


def test_a_model_that_is_here_and_whole_is_described_and_no_mistake(root, whole):
    put(whole, root / "m")
    (root / "show.toml").write_text((root / "show.toml").read_text().replace('"base"', '"m"'))
    assert f"ok  model: m, 14 MB, on this disk: {root / 'm'}" in map(str, diagnose(root))
    assert not [each for each in check_show(root) if "speech" in each.where]


def test_a_model_that_is_not_here_yet_is_no_mistake(root):
    (root / "show.toml").write_text((root / "show.toml").read_text().replace('"base"', '"small"'))
    assert any("causerie doctor --fetch small" in str(each) and each.is_ok for each in diagnose(root))
    assert not [each for each in check_show(root) if "speech" in each.where]
