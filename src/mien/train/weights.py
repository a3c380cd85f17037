"""The weight of each head in the loss, and of each class in its head."""

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

    The loss is then w (exp(-s) L + s / 2) of each head, with s the logarithm of its noise variance: Kendall,
    Gal & Cipolla 2018 (arXiv 1705.07115, eq. 10). Their exp(-s) L / 2 for regression is the same with s
    shifted by ln 2, so that all heads start at their declared weights. Raises ConfigError.
    """

    def __init__(self, task: Task, mode: str) -> None:
        super().__init__()
        learned = mode == "uncertainty"
        if learned and len(task.heads) < 2:
            text = "the task has one head, there is nothing to weigh"
            raise ConfigError(f"train.head_weights = 'uncertainty': {text}")
        self.task = task
        self.log_variance = nn.Parameter(torch.zeros(len(task.heads))) if learned else None

    def forward(self, parts: dict[str, Tensor], with_target: Collection[str]) -> Tensor:
        """Combine each head's loss into the one to minimise; heads outside `with_target` had no target."""
        terms = []
        for position, head in enumerate(self.task):
            loss = parts[head.name]
            if self.log_variance is not None and head.name in with_target:
                log_variance = self.log_variance[position]
                loss = (-log_variance).exp() * loss + log_variance / 2
            terms.append(head.weight * loss)
        return torch.stack(terms).sum()

    def learned(self) -> dict[str, float]:
        """Return the weight of each head now, declared times learned; empty where weights are fixed."""
        if self.log_variance is None:
            return {}
        factors = (-self.log_variance.detach()).exp().tolist()
        return {head.name: head.weight * factor for head, factor in zip(self.task, factors, strict=True)}


def class_weights(config: Config, task: Task, targets: dict[str, Tensor]) -> dict[str, dict[str, float]]:
    """Compute class weights {head: {label: weight}} of the heads whose loss uses them.

    With `train.balance = "loss"` from the training targets (N, K); weights set by hand replace those of their
    labels, others are 1. A head with neither is left out.
    """
    by_head = {}
    for head in task:
        balanced = config.train.balance == "loss" and losses.uses_class_weights(head)
        weights = _inverse(head, targets[head.name]) if balanced else None
        if weights is not None or head.class_weights:
            ones = dict.fromkeys(head.space.labels, 1.0)
            by_head[head.name] = ones | (weights or {}) | dict(head.class_weights)
    return by_head


def _inverse(head: Head, target: Tensor) -> dict[str, float]:
    """Inverse frequency, mean 1 over samples; tags: absent / present, 1 to 20; 1 without samples."""
    known = target[~target.isnan().any(1)].double()
    counts = known.sum(0)
    at_least_one = counts.clamp_min(1.0)
    if head.kind is Kind.TAGS:
        weights = ((len(known) - counts) / at_least_one).clamp(1.0, 20.0)
    else:
        weights = counts.sum() / (counts.count_nonzero() * at_least_one)
    return dict(zip(head.space.labels, torch.where(counts > 0, weights, 1.0).tolist(), strict=True))
