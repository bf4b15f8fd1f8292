"""How the weights move: Muon for matrices, AdamW for the rest, and the learning rate of each step."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

PEAK_RATE, WARM_UP_STEPS, CONSTANT_UNTIL = 3e-3, 150, 0.35


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


def optimisers(model: nn.Module) -> list[torch.optim.Optimizer]:
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
