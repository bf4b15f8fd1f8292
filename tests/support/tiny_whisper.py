"""A Whisper of one layer that says the same sentence over any sound: for tests that need a model, and not what it hears.

Its network and the values of its attention are zeros. The embedding of each place of a text is the embedding of the token that comes next:
the decoder recites, at full confidence, whatever the sound. It looks at the sound only where the engines read the times of words: half a
second for each token. No weight is trained, and both engines say the same words at the same times.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

SENTENCE = " Bonjour à tous."
_WIDTH = 64  # numbers in an embedding
_STEPS = 25  # of 0.02 s, for each token of the sentence
_DIMS = {
    "n_mels": 80,
    "n_audio_ctx": 1500,
    "n_audio_state": _WIDTH,
    "n_audio_head": 1,
    "n_audio_layer": 1,
    "n_vocab": 51865,
    "n_text_ctx": 448,
    "n_text_state": _WIDTH,
    "n_text_head": 1,
    "n_text_layer": 1,
}


def write_pt(checkpoint: Path, sentence: str = SENTENCE) -> Path:
    """Write the model as an openai-whisper checkpoint, 7 MB; returns its path."""
    import torch

    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.half() for name, tensor in _weights(sentence).items()}
    torch.save({"dims": _DIMS, "model_state_dict": state}, checkpoint)
    return checkpoint


def write_ct2(folder: Path, sentence: str = SENTENCE) -> Path:
    """Write the model as a folder of CTranslate2, 17 MB; returns the folder."""
    from tests.support.pt_to_ct2 import save

    save(_DIMS, _weights(sentence), folder)
    return folder


@lru_cache(maxsize=2)
def _weights(sentence: str) -> Mapping[str, Any]:
    """openai-whisper's tensors."""
    import torch
    from whisper.model import ModelDimensions, Whisper

    model = Whisper(ModelDimensions(**_DIMS))
    random = torch.Generator().manual_seed(0)
    tokens = torch.nn.functional.normalize(torch.randn(_DIMS["n_vocab"], _WIDTH, generator=random)) * 2
    places = torch.zeros(_DIMS["n_text_ctx"], _WIDTH)
    said = _recited(sentence)
    for place, token in enumerate([*said, *said[-1:] * (len(places) - len(said))]):
        places[place] = tokens[token] * 20  # far longer than the embedding of the token before, which is added to it
    state = {name: torch.zeros_like(tensor) for name, tensor in model.state_dict().items()}
    state |= {name: torch.ones_like(tensor) for name, tensor in state.items() if name.endswith(("ln.weight", "ln_post.weight"))}
    moments = _moments(_DIMS["n_audio_ctx"])
    looks = torch.nn.functional.layer_norm(tokens[said[3:-1]], (_WIDTH,))  # what the decoder's attention gets before each token
    cross = "decoder.blocks.0.cross_attn"
    return state | {
        "decoder.token_embedding.weight": tokens,
        "decoder.positional_embedding": places,
        "encoder.positional_embedding": moments,
        "decoder.blocks.0.cross_attn_ln.weight": torch.ones(_WIDTH),
        f"{cross}.key.weight": torch.eye(_WIDTH),
        f"{cross}.query.weight": (torch.linalg.pinv(looks) @ moments[_STEPS // 2 :: _STEPS][: len(looks)]).T * 4,
    }


def _moments(count: int) -> Any:
    """A different embedding for each moment of the sound, alike for those close together: waves of 32 lengths."""
    import torch

    phases = torch.outer(torch.arange(count), torch.arange(1, _WIDTH // 2 + 1)) * (2 * torch.pi / count)
    return torch.cat([phases.cos(), phases.sin()], dim=1)


def _recited(sentence: str) -> list[int]:
    """The token that follows each place: language, task, times, the sentence, the end."""
    from whisper.tokenizer import get_tokenizer

    tokenizer = get_tokenizer(True, num_languages=99, language="fr", task="transcribe")
    words = tokenizer.encode(sentence)
    start = tokenizer.timestamp_begin
    language, task = tokenizer.sot_sequence[1:3]
    return [language, task, start, *words, start + _STEPS * len(words), tokenizer.eot]
