"""Networks: an encoder for each input, their fusion, and one head per answer of the task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import lookup
from ..inputs import Input
from ..media import InputSet, transform_of
from ..model_config import ModelConfig
from ..tasks import Head, Kind, Task
from .encoders import PRETRAINED, encoder_of


class Concat(nn.Module):
    """Features side by side; where an input is absent a vector learned in its place."""

    def __init__(self, widths: Mapping[str, int]) -> None:
        super().__init__()
        self.features = sum(widths.values())
        # Prefixes keep inputs and heads called 'values' or 'keys' apart from a dictionary's own names.
        vectors = {f"input_{name}": nn.Parameter(torch.zeros(width)) for name, width in widths.items()}
        self.absent = nn.ParameterDict(vectors if len(widths) > 1 else {})

    def forward(self, features: Mapping[str, Tensor], present: Mapping[str, Tensor] | None = None) -> Tensor:
        """{input: (N, features)}, {input: bool (N,)} (None: all are there) -> (N, sum of features)."""
        parts = dict(features)
        for name, known in (present or {}).items() if len(self.absent) else ():
            learned = self.absent[f"input_{name}"].to(parts[name].dtype)
            parts[name] = torch.where(known[:, None], parts[name], learned)
        return next(iter(parts.values())) if len(parts) == 1 else torch.cat(list(parts.values()), dim=1)


#: From the width of each encoder's vector, by input, to a module with `.features`.
FUSIONS: dict[str, Callable[[Mapping[str, int]], nn.Module]] = {"concat": Concat}


class Heads(nn.Module):
    """Dropout, then a linear layer per head of the task: raw scores, which `activate` turns into outputs."""

    def __init__(self, features: int, task: Task, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
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


class Network(nn.Module):
    """The encoders of a model's inputs, what joins them, and the heads of a task."""

    def __init__(self, encoders: Mapping[str, nn.Module], fusion: nn.Module, heads: Heads) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict({f"input_{name}": encoder for name, encoder in encoders.items()})
        self.fusion = fusion
        self.heads = heads
        self.frozen = False

    def forward(
        self, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Normalised inputs {input: (N, ...)}, `present` {input: bool (N,)} -> raw scores {head: (N, K)}."""
        features = {name: self.encoders[f"input_{name}"](values) for name, values in inputs.items()}
        scores: dict[str, Tensor] = self.heads(self.fusion(features, present))
        return scores

    def freeze(self, frozen: bool) -> None:
        """Hold encoders and fusion still, their batch-norm statistics too, or let them learn."""
        self.frozen = frozen
        for part in (self.encoders, self.fusion):
            part.requires_grad_(not frozen)

    def train(self, mode: bool = True) -> Network:
        """As in torch, but frozen encoders and fusion stay in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.encoders.eval()
            self.fusion.eval()
        return self

    @property
    def parameter_count(self) -> int:
        """Number of weights, learned or frozen."""
        return sum(parameter.numel() for parameter in self.parameters())


def build(config: ModelConfig, task: Task) -> Network:
    """Build a network. Raises ConfigError, or ModelError where pretrained weights cannot be had."""
    make_fusion = lookup(FUSIONS, config.fusion, "fusion")
    inputs = resolved_inputs(config)
    encoders: dict[str, Any] = {each.name: encoder_of(each, transform_of(each)) for each in inputs}
    fusion: Any = make_fusion({name: encoder.features for name, encoder in encoders.items()})
    return Network(encoders, fusion, Heads(fusion.features, task, config.dropout))


def resolved_inputs(config: ModelConfig) -> tuple[Input, ...]:
    """The inputs of a model with all options of their transforms, by default those of pretrained weights.

    Raises ConfigError.
    """
    return tuple(_resolved(each) for each in config.all_inputs)


def input_set(config: ModelConfig) -> InputSet:
    """The inputs of a model with their transforms. Raises ConfigError."""
    inputs = resolved_inputs(config)
    return InputSet(inputs, {each.name: transform_of(each) for each in inputs})


def _resolved(source: Input) -> Input:
    table = dict(source.transform)
    if source.pretrained and not table.get("mean") and source.modality in PRETRAINED:
        table["mean"], std = PRETRAINED[source.modality](source.encoder)
        table["std"] = table.get("std") or std
        if table.get("colour") == "grey":
            table |= {key: (sum(table[key]) / len(table[key]),) for key in ("mean", "std")}
    return replace(source, transform=transform_of(replace(source, transform=table)).to_dict())
