"""How much each head counts in the loss, and each label in its head."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn

from .. import losses
from ..config import Config
from ..errors import ConfigError
from ..tasks import Head, Kind, Task


class HeadWeights(nn.Module):
    """The weight of each head's loss: as declared, or times a factor exp(-s) that is learned.

    What is minimised is then w (exp(-s) L + s / 2) of each head, with s the logarithm of its noise variance: Kendall, Gal &
    Cipolla 2018 (arXiv 1705.07115, eq. 10). Their exp(-s) L / 2 for regression is the same with s shifted by ln 2, so one form
    serves every kind and all heads start at their declared weights. At rest exp(-s) = 1 / (2 L). Raises ConfigError.
    """

    def __init__(self, task: Task, mode: str) -> None:
        super().__init__()
        if mode == "uncertainty" and len(task.heads) < 2:
            raise ConfigError("train.head_weights = 'uncertainty': the task has one head, there is nothing to weigh")
        self.task = task
        self.log_variance = nn.Parameter(torch.zeros(len(task.heads))) if mode == "uncertainty" else None

    def forward(self, parts: dict[str, Tensor], there: Collection[str]) -> Tensor:
        """The loss to minimise, from each head's; those not in `there` had no target in the batch and teach nothing."""
        terms = []
        for position, head in enumerate(self.task):
            loss = parts[head.name]
            if self.log_variance is not None and head.name in there:
                log_variance = self.log_variance[position]
                loss = (-log_variance).exp() * loss + log_variance / 2
            terms.append(head.weight * loss)
        return torch.stack(terms).sum()

    def learned(self) -> dict[str, float]:
        """Weight of each head now, declared times learned; nothing where weights are fixed."""
        if self.log_variance is None:
            return {}
        factors = (-self.log_variance.detach()).exp().tolist()
        return {head.name: head.weight * factor for head, factor in zip(self.task, factors, strict=True)}


def class_weights(config: Config, task: Task, targets: dict[str, Tensor]) -> dict[str, dict[str, float]]:
    """Weight of each label by name, {head: {label: weight}}, of the heads whose loss weighs classes.

    With `train.balance = "loss"` from the training targets (N, K); weights set by hand replace those of their labels, others
    are 1. A head with neither is left out.
    """
    found = {}
    for head in task:
        weights = _inverse(head, targets[head.name]) if config.train.balance == "loss" and losses.weighs(head) else None
        if weights is not None or head.class_weights:
            found[head.name] = dict.fromkeys(head.space.labels, 1.0) | (weights or {}) | dict(head.class_weights)
    return found


def _inverse(head: Head, target: Tensor) -> dict[str, float]:
    """Inverse frequency with mean 1 over samples; for TAGS absent over present, 1 to 20. A label nobody has weighs 1."""
    known = target[~target.isnan().any(1)].double()
    counts = known.sum(0)
    some = counts.clamp_min(1.0)
    if head.kind is Kind.TAGS:
        weights = ((len(known) - counts) / some).clamp(1.0, 20.0)
    else:
        weights = counts.sum() / (counts.count_nonzero() * some)
    return dict(zip(head.space.labels, torch.where(counts > 0, weights, 1.0).tolist(), strict=True))
