"""What is minimised: tokens, and three things espeak-ng knows and a recording would not tell.

Its exact times make it possible to name the phoneme and the word at every encoder state, and to point the decoder's
attention at the token it writes. This is what makes so small a model learn in minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from tools.demo_model.answers import ANY_FIRST_TIME, ANY_TEXT_OR_END, IGNORED
from tools.demo_model.features import STATES_PER_S
from tools.demo_model.network import SmallWhisper
from tools.demo_model.vocabulary import TIME_COUNT, TIME_GRID_S, Vocabulary
from tools.demo_model.windows import Window

PHONEME_WEIGHT, WORD_WEIGHT, LAST_LAYER_WEIGHT, FIRST_LAYER_WEIGHT, Z_WEIGHT = 0.3, 0.5, 0.3, 0.15, 1e-4
TIME_SIGMA_S = 0.07


@dataclass(frozen=True)
class Batch:
    """Windows as tensors: mel (batch, 80, frames); steps padded to one length with ``IGNORED`` targets."""

    mel: Tensor
    phonemes: Tensor
    words: Tensor
    offsets: Tensor
    inputs: Tensor
    targets: Tensor
    spans: Tensor
    times_s: Tensor


def collate(windows: list[Window], padding: int) -> Batch:
    """Put windows of one length together."""
    length = -(-max(len(window.steps.inputs) for window in windows) // 8) * 8
    count = len(windows)
    inputs, targets = torch.full((count, length), padding), torch.full((count, length), IGNORED)
    spans, times = torch.full((count, length, 2), -1.0), torch.full((count, length), -1.0)
    for row, window in enumerate(windows):
        used = len(window.steps.inputs)
        inputs[row, :used] = torch.tensor(window.steps.inputs)
        targets[row, :used] = torch.tensor(window.steps.targets)
        spans[row, :used] = torch.tensor(window.steps.spans)
        times[row, :used] = torch.tensor(window.steps.times_s)
    return Batch(
        mel=torch.from_numpy(np.stack([window.mel for window in windows])).transpose(1, 2).contiguous(),
        phonemes=torch.from_numpy(np.stack([window.phonemes for window in windows])),
        words=torch.from_numpy(np.stack([window.words for window in windows])),
        offsets=torch.tensor([window.offset for window in windows]),
        inputs=inputs,
        targets=targets,
        spans=spans,
        times_s=times,
    )


def _log_mass(attention: Tensor, inside: Tensor) -> Tensor:
    return (attention * inside).sum(-1).clamp(min=1e-6).log()


def attention_losses(attention: list[Tensor], spans: Tensor) -> tuple[Tensor, Tensor]:
    """How much the last layer looks away from the token to write, and the first layer from the token just read.

    Every head of the last layer is guided: word times come from there. Only head 0 of the first layer is.
    """
    middle_s = (torch.arange(attention[0].shape[-1]) + 0.5) / STATES_PER_S
    inside = ((middle_s >= spans[..., :1]) & (middle_s <= spans[..., 1:])).float()
    known = spans[..., 1] > 0
    last = -_log_mass(attention[-1], inside[:, None]).mean(1)[known].mean()
    read, read_known = torch.roll(inside, 1, 1), torch.roll(known, 1, 1)
    read_known[:, 0] = False
    first = -_log_mass(attention[0][:, 0], read)[read_known].mean()
    return last, first


def token_loss(log_probs: Tensor, batch: Batch, words: Vocabulary) -> Tensor:
    """Mean cross entropy: hard targets for text, a bell around the true time for timestamps, a spread for nobody."""
    timed = batch.times_s >= 0
    hard = (batch.targets >= 0) & ~timed
    text = -log_probs[hard].gather(-1, batch.targets[hard][:, None]).sum()
    distance = (torch.arange(TIME_COUNT) * TIME_GRID_S - batch.times_s[timed][:, None]) / TIME_SIGMA_S
    bell = torch.softmax(-(distance**2) / 2, -1)
    times = -(bell * log_probs[timed][:, words.first_time : words.first_time + TIME_COUNT]).sum()
    any_time = log_probs[batch.targets == ANY_FIRST_TIME][:, words.first_time : words.first_time + 11].mean(-1).sum()
    nobody = log_probs[batch.targets == ANY_TEXT_OR_END]
    any_text = (0.3 * nobody[:, words.eot] + 0.7 * nobody[:, : words.text_count].mean(-1)).sum()
    return (text + times - any_time - any_text) / (batch.targets != IGNORED).sum()


def losses(model: SmallWhisper, batch: Batch, vocabulary: Vocabulary) -> tuple[Tensor, dict[str, float]]:
    """The quantity to minimise, and its parts to report."""
    states = model.encode(batch.mel, batch.offsets)
    phonemes = F.cross_entropy(model.phoneme_head(states).flatten(0, 1), batch.phonemes.flatten())
    words = F.cross_entropy(model.word_head(states).flatten(0, 1), batch.words.flatten())
    logits, attention = model.decode(batch.inputs, states)
    total = logits.logsumexp(-1)
    tokens = token_loss(logits - total[..., None], batch, vocabulary)
    last, first = attention_losses(attention, batch.spans)
    loss = tokens + PHONEME_WEIGHT * phonemes + WORD_WEIGHT * words
    loss = loss + LAST_LAYER_WEIGHT * last + FIRST_LAYER_WEIGHT * first
    loss = loss + Z_WEIGHT * (total[batch.targets != IGNORED] ** 2).mean()
    parts = {"tokens": tokens, "phonemes": phonemes, "words": words, "look": last, "look0": first}
    return loss, {name: float(value.detach()) for name, value in parts.items()}
