"""Writes a CTranslate2 Whisper again as an openai-whisper checkpoint, so that both engines run the same weights.

    python -m tests.support.ct2_to_pt FOLDER OUT.pt

`model.bin` (CTranslate2, binary versions 4 to 6) is: version, name and revision of the specification, then every variable with its name,
shape, type and bytes, then aliases. Where CTranslate2 joined projections that read the same input, they are cut apart again; Whisper's
keys have no bias, and the zeros in their place are dropped.
"""

from __future__ import annotations

import argparse
import json
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

_TYPES = ("f4", "i1", "i2", "i4", "f2")  # CTranslate2's DataType
_RENAMES = (  # the first pattern that fits is applied, then the next: from the outermost part of a name to the innermost
    (r"/layer_(\d+)/", r".blocks.\1."),
    (r"^encoder/(conv\d)/", r"encoder.\1."),
    (r"^(encoder|decoder)/position_encodings/encodings$", r"\1.positional_embedding"),
    (r"^decoder/embeddings/weight$", "decoder.token_embedding.weight"),
    (r"^encoder/layer_norm/", "encoder.ln_post."),
    (r"^decoder/layer_norm/", "decoder.ln."),
    (r"self_attention/layer_norm/", "attn_ln."),
    (r"attention/layer_norm/", "cross_attn_ln."),
    (r"ffn/layer_norm/", "mlp_ln."),
    (r"ffn/linear_0/", "mlp.0."),
    (r"ffn/linear_1/", "mlp.2."),
    (r"self_attention/", "attn."),
    (r"attention/", "cross_attn."),
    (r"gamma$", "weight"),
    (r"beta$", "bias"),
)
_JOINED = {  # the projections in each of CTranslate2's linear layers
    ("attn", 0): ("query", "key", "value"),
    ("attn", 1): ("out",),
    ("cross_attn", 0): ("query",),
    ("cross_attn", 1): ("key", "value"),
    ("cross_attn", 2): ("out",),
}
Tensors = Mapping[str, torch.Tensor]


def convert(folder: Path, checkpoint: Path) -> None:
    """Write the model of a folder (`model.bin`, `config.json`) to `checkpoint`; raises `ValueError` for another kind of model."""
    with (folder / "model.bin").open("rb") as stream:
        variables = dict(read_variables(stream))
    tensors = to_state(variables)
    heads = int(variables["encoder/num_heads"])
    dims = to_dims(tensors, heads)
    torch.save({"dims": dims, "model_state_dict": tensors}, checkpoint)


def load(folder: Path, checkpoint: Path) -> Any:  # Any: whisper has no types
    """The converted model, on the processor, with the alignment heads of the folder's `config.json`: its word times are the engine's."""
    import whisper

    model = whisper.load_model(str(checkpoint), device="cpu")
    heads = torch.zeros(model.dims.n_text_layer, model.dims.n_text_head, dtype=torch.bool)
    for layer, head in json.loads((folder / "config.json").read_text())["alignment_heads"]:
        heads[layer, head] = True
    model.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)
    return model


def read_variables(stream: BinaryIO) -> Iterator[tuple[str, NDArray[Any]]]:
    """Every named array of a `model.bin`; raises `ValueError` when it holds no Whisper."""

    def number(form: str) -> int:
        return int(struct.unpack(f"<{form}", stream.read(struct.calcsize(f"<{form}")))[0])

    def string() -> str:
        return stream.read(number("H"))[:-1].decode()  # C's zero at the end is counted

    version, name = number("I"), string()
    if not 4 <= version <= 6 or name != "WhisperSpec":
        raise ValueError(f"not a Whisper of CTranslate2: binary version {version}, {name}")
    number("I")  # revision of the specification
    arrays: dict[str, NDArray[Any]] = {}
    for _ in range(number("I")):
        name = string()
        shape = [number("I") for _ in range(number("B"))]
        kind = _TYPES[number("B")]
        arrays[name] = np.frombuffer(stream.read(number("I")), f"<{kind}").reshape(shape)
    for _ in range(number("I")):  # arrays that are equal are written once
        alias, name = string(), string()
        arrays[alias] = arrays[name]
    yield from arrays.items()


def to_state(variables: Mapping[str, NDArray[Any]]) -> dict[str, torch.Tensor]:
    """openai-whisper's tensors, of the arrays that hold weights; the output projection is the token embedding."""
    state: dict[str, torch.Tensor] = {}
    for name, array in variables.items():
        if array.dtype.kind != "f" or array.ndim == 0 or name == "decoder/projection/weight":
            continue
        if array.dtype not in (np.float16, np.float32) or name.endswith("scale"):
            raise ValueError(f"{name} is quantised: convert a model whose weights are kept as floating-point numbers")
        state.update(split_projections(rename(name), torch.from_numpy(array.copy())))
    return state


def rename(name: str) -> str:
    """openai-whisper's name of a variable, but for the number of a joined projection: `decoder.blocks.0.attn.linear_0.weight`."""
    for old, new in _RENAMES:
        name = re.sub(old, new, name)
    return name.replace("/", ".")


def split_projections(name: str, tensor: torch.Tensor) -> dict[str, torch.Tensor]:
    """The projections in a tensor, by name; itself where nothing is joined."""
    found = re.match(r"(.*\.(attn|cross_attn))\.linear_(\d)\.(weight|bias)$", name)
    if not found:
        return {name: tensor}
    place, attention, number, kind = found.groups()
    parts = _JOINED[attention, int(number)]
    pieces = zip(parts, tensor.chunk(len(parts)), strict=True)
    return {f"{place}.{part}.{kind}": piece.clone() for part, piece in pieces if (part, kind) != ("key", "bias")}


def to_dims(tensors: Tensors, heads: int) -> dict[str, int]:
    """openai-whisper's dimensions, read from the shapes."""
    audio_context, audio_width = tensors["encoder.positional_embedding"].shape
    text_context, text_width = tensors["decoder.positional_embedding"].shape
    return {
        "n_mels": tensors["encoder.conv1.weight"].shape[1],
        "n_audio_ctx": audio_context,
        "n_audio_state": audio_width,
        "n_audio_head": heads,
        "n_audio_layer": _layers(tensors, "encoder"),
        "n_vocab": tensors["decoder.token_embedding.weight"].shape[0],
        "n_text_ctx": text_context,
        "n_text_state": text_width,
        "n_text_head": heads,
        "n_text_layer": _layers(tensors, "decoder"),
    }


def _layers(tensors: Tensors, side: str) -> int:
    return 1 + max(int(name.split(".")[2]) for name in tensors if name.startswith(f"{side}.blocks."))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write a CTranslate2 Whisper as an openai-whisper checkpoint.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("checkpoint", type=Path)
    arguments = parser.parse_args()
    convert(arguments.folder, arguments.checkpoint)
