"""A very small Whisper over a reduced vocabulary, and its way back to openai-whisper's own checkpoint format."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from whisper.model import ModelDimensions, ResidualAttentionBlock, Whisper, sinusoids

from tools.demo_model.vocabulary import TIME_COUNT, Vocabulary

STATE, HEADS, ENCODER_LAYERS, DECODER_LAYERS = 128, 2, 3, 2
WHISPER_VOCABULARY = 51865
NEVER = -20.0  # logit of a token that is not learnt
CONSTANT = STATE - 1  # the channel that carries it: always 1 at the decoder's end


class SmallWhisper(nn.Module):
    """Whisper with rows for the learnt tokens (and one for all others), and two heads used only to train it."""

    def __init__(self, vocabulary: Vocabulary, phonemes: int, words: int) -> None:
        super().__init__()
        self.whisper = Whisper(_dimensions(8))
        self.whisper.decoder.token_embedding = nn.Embedding(len(vocabulary) + 1, STATE)
        self.tokens = len(vocabulary)
        self.phoneme_head = nn.Linear(STATE, phonemes + 1)
        self.word_head = nn.Linear(STATE, words + 1)
        self._start_values(vocabulary)

    @torch.no_grad()
    def _start_values(self, vocabulary: Vocabulary) -> None:
        decoder = self.whisper.decoder
        decoder.positional_embedding.copy_(sinusoids(448, STATE) * 0.1)
        rows = decoder.token_embedding.weight
        rows.normal_(0, 0.1)
        rows[vocabulary.first_time : vocabulary.first_time + TIME_COUNT] = sinusoids(1501, STATE)[::5] * 0.15
        rows[:, CONSTANT] = 0
        self.hold_constants()

    @torch.no_grad()
    def hold_constants(self) -> None:
        """Put back the values that make unknown tokens impossible; call it after every optimiser step."""
        decoder = self.whisper.decoder
        decoder.token_embedding.weight[self.tokens] = 0
        decoder.token_embedding.weight[self.tokens, CONSTANT] = NEVER
        decoder.ln.weight[CONSTANT], decoder.ln.bias[CONSTANT] = 0, 1

    def drop_constant_gradients(self) -> None:
        """Keep the same values out of the optimiser's running means; call it after every backward pass."""
        decoder = self.whisper.decoder
        decoder.token_embedding.weight.grad[self.tokens] = 0
        decoder.ln.weight.grad[CONSTANT] = 0
        decoder.ln.bias.grad[CONSTANT] = 0

    def encode(self, mel: Tensor, offsets: Tensor) -> Tensor:
        """States (batch, time, 128) of ``mel`` (batch, 80, frames) that begins at position ``offsets`` of the 30 s."""
        encoder = self.whisper.encoder
        x = F.gelu(encoder.conv2(F.gelu(encoder.conv1(mel)))).transpose(1, 2)
        x = x + encoder.positional_embedding[offsets[:, None] + torch.arange(x.shape[1])]
        for block in encoder.blocks:
            x = block(x)
        return encoder.ln_post(x)

    def decode(self, tokens: Tensor, states: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (batch, length, tokens) and each layer's cross attention (batch, heads, length, time)."""
        decoder = self.whisper.decoder
        x = decoder.token_embedding(tokens) + decoder.positional_embedding[: tokens.shape[1]]
        attention = []
        for block in decoder.blocks:
            x = x + block.attn(block.attn_ln(x), mask=decoder.mask)[0]
            seen, weights = _cross_attention(block, x, states)
            x = x + seen
            x = x + block.mlp(block.mlp_ln(x))
            attention.append(weights)
        return F.linear(decoder.ln(x), decoder.token_embedding.weight[: self.tokens]), attention


def _dimensions(vocabulary: int) -> ModelDimensions:
    return ModelDimensions(
        n_mels=80,
        n_audio_ctx=1500,
        n_audio_state=STATE,
        n_audio_head=HEADS,
        n_audio_layer=ENCODER_LAYERS,
        n_vocab=vocabulary,
        n_text_ctx=448,
        n_text_state=STATE,
        n_text_head=HEADS,
        n_text_layer=DECODER_LAYERS,
    )


def _heads(x: Tensor) -> Tensor:
    return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)


def _cross_attention(block: ResidualAttentionBlock, x: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
    """What Whisper computes, with the attention weights kept for the loss."""
    layer = block.cross_attn
    query, key, value = (
        _heads(layer.query(block.cross_attn_ln(x))),
        _heads(layer.key(states)),
        _heads(layer.value(states)),
    )
    weights = torch.softmax(query @ key.transpose(2, 3) * query.shape[-1] ** -0.5, -1)
    return layer.out((weights @ value).transpose(1, 2).flatten(2)), weights


def export(model: SmallWhisper, vocabulary: Vocabulary, path: Path) -> None:
    """Write ``path`` for ``whisper.load_model``, in half precision, at once or not at all."""
    weights = {name: tensor.detach().clone() for name, tensor in model.whisper.state_dict().items()}
    rows = torch.zeros(WHISPER_VOCABULARY, STATE)
    rows[:, CONSTANT] = NEVER
    rows[torch.tensor(vocabulary.whisper_ids)] = weights["decoder.token_embedding.weight"][: len(vocabulary)]
    weights["decoder.token_embedding.weight"] = rows
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    dimensions = dict(vars(_dimensions(WHISPER_VOCABULARY)))
    save_whole({"dims": dimensions, "model_state_dict": half}, path)


def save_whole(what: object, path: Path) -> None:
    """``torch.save`` beside ``path``, then rename."""
    beside = path.with_name(path.name + ".part")
    torch.save(what, beside)
    beside.replace(path)
