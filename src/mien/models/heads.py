"""Heads: one linear layer for each answer of a task, on one shared backbone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..tasks import Head, Kind, Task


class Heads(nn.Module):
    """Dropout, then a linear layer per head of the task: raw scores, which `activate` turns into outputs."""

    def __init__(self, features: int, task: Task, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        # The prefix keeps a head called 'values' or 'keys' apart from the dictionary's own names.
        self.layers = nn.ModuleDict({f"head_{head.name}": nn.Linear(features, len(head)) for head in task})

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """(N, features) -> {head: (N, K)}."""
        kept = self.dropout(features)
        return {name.removeprefix("head_"): layer(kept) for name, layer in self.layers.items()}


def activate(head: Head, scores: Tensor) -> Tensor:
    """Turn raw scores (N, K) into probabilities, or for VALUES into numbers within the head's bounds."""
    if head.kind.is_exclusive:
        return scores.softmax(dim=1)
    if head.kind is Kind.TAGS:
        return scores.sigmoid()
    low, high = head.bounds
    return low + (high - low) * (torch.tanh(scores) + 1) / 2
