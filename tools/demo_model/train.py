"""Trains the demonstration model from nothing, on a processor, in less than an hour.

    python -m tools.demo_model.train BANK.pkl FOLDER [--steps 2000] [--resume]

Everything is scheduled by step number and every batch is drawn from its step number, so that two runs on one machine see
the same examples. ``FOLDER`` receives ``state.pt`` (to resume) and ``demo.pt`` (to use), every ``SAVE_EVERY`` steps.
"""

from __future__ import annotations

import argparse
import math
import pickle
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tools.demo_model.bank import Entry
from tools.demo_model.features import STATES_PER_S
from tools.demo_model.network import SmallWhisper, export, save_whole
from tools.demo_model.vocabulary import TIME_COUNT, TIME_GRID_S
from tools.demo_model.windows import ANY_FIRST_TIME, ANY_TEXT_OR_END, FULL_STATES, IGNORED, Studio, Window
from tools.sample_show import script

STEPS = 2000
SEED = 0
THREADS = 2
SHORT_STATES, SHORT_BATCH, FULL_BATCH = 400, 16, 6
ONLY_SHORT_UNTIL, OFTEN_SHORT_UNTIL = 0.27, 0.63  # share of the steps
OFTEN_SHORT, SOMETIMES_SHORT = 0.4, 0.12
PEAK_RATE, WARM_UP_STEPS, CONSTANT_UNTIL = 3e-3, 150, 0.35
PHONEME_WEIGHT, WORD_WEIGHT, LAST_LAYER_WEIGHT, FIRST_LAYER_WEIGHT, Z_WEIGHT = 0.3, 0.5, 0.3, 0.15, 1e-4
TIME_SIGMA_S = 0.07
SAVE_EVERY, REPORT_EVERY = 200, 25


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


def batch_of_step(studio: Studio, step: int, steps: int) -> Batch:
    """The examples of one step, always the same for the same numbers."""
    done = step / steps
    short_share = 1.0 if done < ONLY_SHORT_UNTIL else OFTEN_SHORT if done < OFTEN_SHORT_UNTIL else SOMETIMES_SHORT
    rng = random.Random(SEED * 1_000_003 + step)
    states, count = (SHORT_STATES, SHORT_BATCH) if rng.random() < short_share else (FULL_STATES, FULL_BATCH)
    windows = [studio.window(states, rng.getrandbits(48)) for _ in range(count)]
    return collate(windows, studio.vocabulary.eot)


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


def token_loss(log_probs: Tensor, batch: Batch, studio: Studio) -> Tensor:
    """Mean cross entropy: hard targets for text, a bell around the true time for timestamps, a spread for nobody."""
    words = studio.vocabulary
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


def losses(model: SmallWhisper, batch: Batch, studio: Studio) -> tuple[Tensor, dict[str, float]]:
    """The quantity to minimise, and its parts to report."""
    states = model.encode(batch.mel, batch.offsets)
    phonemes = F.cross_entropy(model.phoneme_head(states).flatten(0, 1), batch.phonemes.flatten())
    words = F.cross_entropy(model.word_head(states).flatten(0, 1), batch.words.flatten())
    logits, attention = model.decode(batch.inputs, states)
    total = logits.logsumexp(-1)
    tokens = token_loss(logits - total[..., None], batch, studio)
    last, first = attention_losses(attention, batch.spans)
    loss = tokens + PHONEME_WEIGHT * phonemes + WORD_WEIGHT * words
    loss = loss + LAST_LAYER_WEIGHT * last + FIRST_LAYER_WEIGHT * first
    loss = loss + Z_WEIGHT * (total[batch.targets != IGNORED] ** 2).mean()
    parts = {"tokens": tokens, "phonemes": phonemes, "words": words, "look": last, "look0": first}
    return loss, {name: float(value.detach()) for name, value in parts.items()}


class Muon(torch.optim.Optimizer):
    """Momentum whose update is made orthogonal by five Newton-Schulz steps (K. Jordan, 2024); for matrices only."""

    def __init__(self, parameters: list[nn.Parameter], lr: float, decay: float = 0.01) -> None:
        super().__init__(parameters, {"lr": lr, "decay": decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Move every parameter once."""
        for group in self.param_groups:
            for parameter in group["params"]:
                momentum = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
                momentum.mul_(0.95).add_(parameter.grad)
                update = orthogonal((parameter.grad + 0.95 * momentum).flatten(1))
                size = 0.2 * max(update.shape) ** 0.5
                parameter.mul_(1 - group["lr"] * group["decay"])
                parameter.add_(update.reshape(parameter.shape), alpha=-group["lr"] * size)


def orthogonal(matrix: Tensor) -> Tensor:
    """The nearest matrix, roughly, whose singular values are all 1."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.775 * square + 2.0315 * square @ square) @ x
    return x.T if tall else x


def optimisers(model: SmallWhisper) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, AdamW for everything else."""
    inside = [p for name, p in model.named_parameters() if p.ndim >= 2 and "blocks" in name]
    chosen = {id(p) for p in inside}
    others = [p for p in model.parameters() if id(p) not in chosen and p.requires_grad]
    return [torch.optim.AdamW(others, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.0), Muon(inside, PEAK_RATE)]


def learning_rate(step: int, steps: int) -> float:
    """Warm up, hold, then half a cosine down to almost nothing."""
    done = step / steps
    fall = (done - CONSTANT_UNTIL) / (1 - CONSTANT_UNTIL)
    shape = 1.0 if fall < 0 else 0.5 * (1 + math.cos(math.pi * min(1, fall))) + 0.01
    return PEAK_RATE * min(1, (step + 1) / WARM_UP_STEPS) * shape


class Run:
    """A training run in a folder."""

    def __init__(self, studio: Studio, folder: Path, steps: int) -> None:
        torch.manual_seed(SEED)
        self.studio, self.folder, self.steps = studio, folder, steps
        self.model = SmallWhisper(studio.vocabulary, len(studio.phoneme_classes), len(studio.word_classes))
        self.optimisers = optimisers(self.model)
        self.step = 0

    def resume(self) -> None:
        """Take up the run saved in the folder."""
        state = torch.load(self.folder / "state.pt")
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step = state["step"]

    def save(self) -> None:
        """Write the state and the usable model."""
        saved = [optimiser.state_dict() for optimiser in self.optimisers]
        save_whole({"model": self.model.state_dict(), "optimisers": saved, "step": self.step}, self.folder / "state.pt")
        export(self.model, self.studio.vocabulary, self.folder / "demo.pt")

    def _batches(self) -> Iterator[Batch]:
        """The batches from here on, each made while the one before is learnt."""
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(batch_of_step, self.studio, self.step, self.steps)
            for step in range(self.step + 1, self.steps + 1):
                batch = coming.result()
                coming = ahead.submit(batch_of_step, self.studio, step, self.steps)
                yield batch

    def learn(self, batch: Batch) -> dict[str, float]:
        """One step."""
        for optimiser in self.optimisers:
            optimiser.zero_grad()
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(self.step, self.steps)
        loss, parts = losses(self.model, batch, self.studio)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.model.drop_constant_gradients()
        for optimiser in self.optimisers:
            optimiser.step()
        self.model.hold_constants()
        self.step += 1
        return parts

    def train(self) -> None:
        """Go to the last step, reporting and saving on the way."""
        seen: dict[str, list[float]] = defaultdict(list)
        began = time.monotonic()
        for batch in self._batches():
            kind = "full" if batch.mel.shape[-1] == 2 * FULL_STATES else "short"
            for name, value in self.learn(batch).items():
                seen[f"{kind}.{name}"].append(value)
            if self.step % REPORT_EVERY == 0:
                means = " ".join(f"{name}={np.mean(values):.3f}" for name, values in sorted(seen.items()))
                print(f"step {self.step} {time.monotonic() - began:.0f} s {means}", flush=True)
                seen.clear()
            if self.step % SAVE_EVERY == 0 or self.step == self.steps:
                self.save()


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bank", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    entries: list[Entry] = pickle.loads(options.bank.read_bytes())
    options.folder.mkdir(parents=True, exist_ok=True)
    run = Run(Studio(entries, [line.text for line in script.load().lines]), options.folder, options.steps)
    if options.resume:
        run.resume()
    print(f"{sum(p.numel() for p in run.model.whisper.parameters())} parameters, {len(run.studio.vocabulary)} tokens")
    run.train()


if __name__ == "__main__":
    main()
