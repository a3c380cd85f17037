"""Optimizers and schedules by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from ..config import PhaseConfig
from ..errors import ConfigError, lookup

Groups = Iterable[dict[str, Any]]

OPTIMIZERS: dict[str, Callable[[Groups, PhaseConfig, bool], Optimizer]] = {
    "adamw": lambda groups, phase, fused: torch.optim.AdamW(groups, lr=phase.lr, fused=fused),
    "adam": lambda groups, phase, fused: torch.optim.Adam(groups, lr=phase.lr, fused=fused),
    "radam": lambda groups, phase, _: torch.optim.RAdam(groups, lr=phase.lr, decoupled_weight_decay=True),
    "nadam": lambda groups, phase, _: torch.optim.NAdam(groups, lr=phase.lr, decoupled_weight_decay=True),
    "rmsprop": lambda groups, phase, _: torch.optim.RMSprop(groups, lr=phase.lr, momentum=phase.momentum),
    "sgd": lambda groups, phase, fused: torch.optim.SGD(
        groups, phase.lr, phase.momentum, nesterov=phase.momentum > 0, fused=fused
    ),
}

#: Share of the peak learning rate at a share 0…1 of the phase. `plateau` follows the monitored metric.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda _: 1.0,
    "cosine": lambda done: 0.5 * (1 + math.cos(math.pi * done)),
    "linear": lambda done: 1 - done,
    "step": lambda done: 0.1 ** sum(done >= mark for mark in (0.5, 0.75)),
    "one_cycle": lambda done: (
        0.04 + 0.96 * done / 0.3 if done < 0.3 else 0.5 * (1 + math.cos(math.pi * (done - 0.3) / 0.7))
    ),
    "plateau": lambda _: 1.0,
}


def check(phase: PhaseConfig) -> None:
    """Raise ConfigError for an unknown optimizer or schedule, or a warm-up that the schedule cannot have."""
    lookup(OPTIMIZERS, phase.optimizer, "optimizer")
    lookup(SCHEDULES, phase.schedule, "schedule")
    if phase.schedule in ("plateau", "one_cycle") and phase.warmup:
        raise ConfigError(f"warmup = {phase.warmup}: schedule '{phase.schedule}' takes none, set it to 0")


def optimizer(module: nn.Module, phase: PhaseConfig, clipped: bool = False) -> Optimizer:
    """Create an optimizer of the parameters that learn; one-dimensional ones (biases, norms) do not decay.

    Where gradients are `clipped`, the step is not fused: Lightning refuses both together in 16 bits.
    """
    learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in learning if p.ndim > 1], "weight_decay": phase.weight_decay},
        {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return OPTIMIZERS[phase.optimizer]([group for group in groups if group["params"]], phase, not clipped)


def schedule(optim: Optimizer, phase: PhaseConfig, steps: int, monitor: str, higher: bool) -> dict[str, Any]:
    """Create the schedule over `steps`; `plateau` halves the rate after 3 epochs without gain."""
    if phase.schedule == "plateau":
        plateau = ReduceLROnPlateau(optim, "max" if higher else "min", factor=0.5, patience=3)
        return {"scheduler": plateau, "interval": "epoch", "monitor": monitor}
    warm = round(steps / max(phase.epochs, 1) * phase.warmup)
    curve = SCHEDULES[phase.schedule]

    def factor(step: int) -> float:
        if step < warm:
            return (step + 1) / (warm + 1)
        return curve(min((step - warm) / max(steps - warm, 1), 1.0))

    return {"scheduler": LambdaLR(optim, factor), "interval": "step"}
