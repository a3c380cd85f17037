"""Networks: an encoder for each input, their fusion, and one head per answer of the task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn

from ..errors import lookup
from ..inputs import Input
from ..media import InputSet, transform_of
from ..model_config import ModelConfig
from ..tasks import Task
from .encoders import PRETRAINED, encoder_of
from .fusion import FUSIONS
from .heads import Heads


class Network(nn.Module):
    """The encoders of a model's inputs, what joins them, and the heads of a task."""

    def __init__(self, encoders: Mapping[str, nn.Module], fusion: nn.Module, heads: Heads) -> None:
        super().__init__()
        # The prefix keeps an input called 'values' or 'keys' apart from the dictionary's own names.
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
    encoders = {each.name: encoder_of(each, transform_of(each)) for each in resolved_inputs(config)}
    fusion = make_fusion({name: int(encoder.features) for name, encoder in encoders.items()})  # type: ignore[arg-type]
    return Network(encoders, fusion, Heads(int(fusion.features), task, config.dropout))  # type: ignore[arg-type]


def resolved_inputs(config: ModelConfig) -> tuple[Input, ...]:
    """The inputs of a model with every option of their transforms, by default those of its pretrained weights.

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
