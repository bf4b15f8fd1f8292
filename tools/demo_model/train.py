"""Trains the demonstration model from nothing, on a processor, in less than an hour.

    python -m tools.demo_model.train BANK.pkl FOLDER [--steps 2000] [--resume]

Everything is scheduled by step number and every batch is drawn from its step number: two runs see the same examples.
``FOLDER`` receives ``state.pt`` (to resume) and ``demo.pt`` (to use), every ``SAVE_EVERY`` steps.
"""

from __future__ import annotations

import argparse
import pickle
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tools.demo_model.bank import Entry
from tools.demo_model.losses import Batch, collate, losses
from tools.demo_model.network import SmallWhisper, export, save_whole
from tools.demo_model.optimise import learning_rate, optimisers
from tools.demo_model.studio import Studio
from tools.demo_model.windows import FULL_STATES, make_window
from tools.sample_show import script

STEPS = 2000
SEED = 0
THREADS = 2
SHORT_STATES, SHORT_BATCH, FULL_BATCH = 400, 16, 6
ONLY_SHORT_UNTIL, OFTEN_SHORT_UNTIL = 0.27, 0.63  # share of the steps
OFTEN_SHORT, SOMETIMES_SHORT = 0.4, 0.12
SAVE_EVERY, REPORT_EVERY = 200, 25


def batch_of_step(studio: Studio, step: int, steps: int) -> Batch:
    """The examples of one step, always the same for the same numbers."""
    done = step / steps
    short_share = 1.0 if done < ONLY_SHORT_UNTIL else OFTEN_SHORT if done < OFTEN_SHORT_UNTIL else SOMETIMES_SHORT
    rng = random.Random(SEED * 1_000_003 + step)
    states, count = (SHORT_STATES, SHORT_BATCH) if rng.random() < short_share else (FULL_STATES, FULL_BATCH)
    windows = [make_window(studio, states, rng.getrandbits(48)) for _ in range(count)]
    return collate(windows, studio.vocabulary.eot)


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
        loss, parts = losses(self.model, batch, self.studio.vocabulary)
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
