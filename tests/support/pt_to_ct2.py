"""Writes openai-whisper weights in CTranslate2's format, so that faster-whisper runs them too; neither a network nor transformers is needed.

Weights are copied name by name; the tokenizer is rebuilt from the ranks that openai-whisper ships. Multilingual models only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

_BLANK = 220  # the token of a single space: no text begins with it
Weights = Mapping[str, Any]  # tensors of torch


def save(dims: Mapping[str, int], state: Weights, folder: Path, heads: list[list[int]] | None = None) -> None:
    """Write `model.bin`, `config.json`, `vocabulary.json`, `tokenizer.json`, `preprocessor_config.json` to `folder`, as 32-bit floats.

    `heads` are the alignment heads, pairs of layer and head; openai-whisper's default without them.
    """
    from whisper.tokenizer import get_tokenizer

    tokenizer = get_tokenizer(True, num_languages=dims["n_vocab"] - 51765 - 1, language="fr", task="transcribe")
    spec = filled_spec(dims, state)
    spec.register_vocabulary(_spelt(tokenizer.encoding))
    for key, value in _settings(tokenizer, dims, heads).items():
        setattr(spec.config, key, value)
    spec.validate()
    spec.optimize(quantization=None)
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    (folder / "tokenizer.json").write_text(_rebuilt_tokenizer(dims["n_vocab"]), encoding="utf-8")
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": dims["n_mels"]}))


def filled_spec(dims: Mapping[str, int], state: Weights) -> Any:
    """CTranslate2's description of the model, holding the checkpoint's weights."""
    from ctranslate2.specs import WhisperSpec

    at = {name: tensor.detach().float().numpy() for name, tensor in state.items()}
    spec = WhisperSpec(dims["n_audio_layer"], dims["n_audio_head"], dims["n_text_layer"], dims["n_text_head"])
    for conv in ("conv1", "conv2"):
        _copy(getattr(spec.encoder, conv), at, f"encoder.{conv}")
    spec.encoder.position_encodings.encodings = at["encoder.positional_embedding"]
    _copy_norm(spec.encoder.layer_norm, at, "encoder.ln_post")
    spec.decoder.embeddings.weight = spec.decoder.projection.weight = at["decoder.token_embedding.weight"]
    spec.decoder.position_encodings.encodings = at["decoder.positional_embedding"]
    _copy_norm(spec.decoder.layer_norm, at, "decoder.ln")
    for name, side in (("encoder", spec.encoder), ("decoder", spec.decoder)):
        for number, layer in enumerate(side.layer):
            _copy_layer(layer, at, f"{name}.blocks.{number}")
    return spec


def _copy_layer(layer: Any, at: Mapping[str, Any], name: str) -> None:
    """One block: attention to itself, to the sound (in the decoder), and the two-layer network."""
    _copy_attention(layer.self_attention, at, f"{name}.attn", ("query", "key", "value"))
    if f"{name}.cross_attn.query.weight" in at:
        _copy_attention(layer.attention, at, f"{name}.cross_attn", ("query",), ("key", "value"))
    _copy(layer.ffn.linear_0, at, f"{name}.mlp.0")
    _copy(layer.ffn.linear_1, at, f"{name}.mlp.2")
    _copy_norm(layer.ffn.layer_norm, at, f"{name}.mlp_ln")


def _copy_attention(attention: Any, at: Mapping[str, Any], name: str, *groups: tuple[str, ...]) -> None:
    """CTranslate2 keeps side by side the projections that read the same input; Whisper's keys have no bias: zeros."""
    for linear, group in zip(attention.linear, groups, strict=False):
        weights = [at[f"{name}.{part}.weight"] for part in group]
        linear.weight = np.concatenate(weights)
        biases = (at.get(f"{name}.{part}.bias", np.zeros(len(weight), "f4")) for part, weight in zip(group, weights, strict=True))
        linear.bias = np.concatenate(list(biases))
    _copy(attention.linear[-1], at, f"{name}.out")
    _copy_norm(attention.layer_norm, at, f"{name}_ln")


def _copy(spec: Any, at: Mapping[str, Any], name: str) -> None:
    spec.weight, spec.bias = at[f"{name}.weight"], at[f"{name}.bias"]


def _copy_norm(spec: Any, at: Mapping[str, Any], name: str) -> None:
    spec.gamma, spec.beta = at[f"{name}.weight"], at[f"{name}.bias"]


def _settings(tokenizer: Any, dims: Mapping[str, int], heads: list[list[int]] | None) -> dict[str, Any]:
    """What openai-whisper decides while it decodes, and CTranslate2 wants written down."""
    refused = {*tokenizer.non_speech_tokens, tokenizer.transcribe, tokenizer.translate, tokenizer.sot}
    refused |= {tokenizer.sot_prev, tokenizer.sot_lm, tokenizer.no_speech}
    layers, count = dims["n_text_layer"], dims["n_text_head"]
    return {
        "suppress_ids": sorted(refused),
        "suppress_ids_begin": [_BLANK, tokenizer.eot],
        "lang_ids": sorted(tokenizer.all_language_tokens),
        "alignment_heads": heads or [[layer, head] for layer in range(layers // 2, layers) for head in range(count)],
    }


@cache
def _rebuilt_tokenizer(vocabulary_size: int) -> str:
    """The JSON of a tokenizer that gives the same numbers, in the form faster-whisper reads."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from whisper.tokenizer import get_tokenizer

    encoding = get_tokenizer(True, num_languages=vocabulary_size - 51765 - 1).encoding
    ranks, letters = encoding._mergeable_ranks, _letters()
    vocabulary = {_in_letters(token, letters): rank for token, rank in ranks.items()}
    pairs = [merged(token, ranks) for token in sorted(ranks, key=ranks.__getitem__) if len(token) > 1]
    merges = [(_in_letters(left, letters), _in_letters(right, letters)) for left, right in pairs]
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special = sorted(encoding._special_tokens, key=encoding._special_tokens.__getitem__)
    times = [name for name in special if name[2].isdigit()]  # the last ones; a text may show them
    made.add_special_tokens([AddedToken(name, special=True) for name in special if name not in times])
    made.add_tokens([AddedToken(name, normalized=False) for name in times])
    return str(made.to_str())


def merged(token: bytes, ranks: Mapping[bytes, int]) -> tuple[bytes, bytes]:
    """The two tokens whose union makes `token`: what is left when only unions older than itself are done, the oldest first."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        unions = [ranks.get(left + right, len(ranks)) for left, right in zip(parts, parts[1:], strict=False)]
        oldest = min(range(len(unions)), key=unions.__getitem__)
        parts[oldest : oldest + 2] = [parts[oldest] + parts[oldest + 1]]
    return parts[0], parts[1]


def _spelt(encoding: Any) -> list[str]:
    """Every token in the order of its number."""
    letters = _letters()
    plain = {rank: _in_letters(token, letters) for token, rank in encoding._mergeable_ranks.items()}
    special = {number: name for name, number in encoding._special_tokens.items()}
    return [name for _, name in sorted((plain | special).items())]


def _letters() -> list[str]:
    """GPT-2's printable letter for each byte: itself where it can be seen, else the next letter from U+0100 on."""
    seen = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in seen else chr(next(others)) for byte in range(256)]


def _in_letters(token: bytes, letters: list[str]) -> str:
    return "".join(letters[byte] for byte in token)
