"""Networks: an encoder for each input, their fusion, and one head per answer of the task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn

from ..errors import ConfigError, lookup
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

    def forward(self, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Normalised inputs {input: (N, ...)} and where they are there {input: bool (N,)} (None:
        everywhere) -> raw scores {head: (N, K)}."""

        features = {name: self.encoders[f"input_{name}"](values) for name, values in inputs.items()}
        scores: dict[str, Tensor] = self.heads(self.fusion(features, present))
        return scores

    def freeze(self, frozen: bool) -> None:
        """Hold the encoders still, their batch-norm statistics too, or let them learn."""
        self.frozen = frozen
        for parameter in self.encoders.parameters():
            parameter.requires_grad_(not frozen)

    def train(self, mode: bool = True) -> Network:
        """As in torch, but frozen encoders stay in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.encoders.eval()
        return self

    @property
    def parameter_count(self) -> int:
        """Number of weights, learned or frozen."""
        return sum(parameter.numel() for parameter in self.parameters())


def build(config: ModelConfig, task: Task) -> Network:
    """Build a network. Raises ConfigError for a wrong name or option, ModelError where pretrained weights
    cannot be had."""

    if taken := {*input_set(config).graph_inputs} & {head.name for head in task}:
        raise ConfigError(
            f"{min(taken)}: a head and an input of the model's graph cannot share a name: give the head another, "
            "or the input with [model.inputs.NAME]"
        )
    make_fusion = lookup(FUSIONS, config.fusion, "fusion")
    encoders = {each.name: encoder_of(each, transform_of(each)) for each in resolved_inputs(config)}
    fusion = make_fusion({name: int(encoder.features) for name, encoder in encoders.items()})  # type: ignore[arg-type]
    return Network(encoders, fusion, Heads(int(fusion.features), task, config.dropout))  # type: ignore[arg-type]


def resolved_inputs(config: ModelConfig) -> tuple[Input, ...]:
    """The inputs of a model with every option of their transforms: what is not configured is what the
    pretrained weights were trained with, else the modality's default. Raises ConfigError."""

    return tuple(_resolved(each) for each in config.all_inputs)


def input_set(config: ModelConfig) -> InputSet:
    """The inputs of a model with their transforms. Raises ConfigError."""
    inputs = resolved_inputs(config)
    return InputSet(inputs, {each.name: transform_of(each) for each in inputs})


def _resolved(given: Input) -> Input:
    table = dict(given.transform)
    if given.pretrained and not table.get("mean") and given.modality in PRETRAINED:
        table["mean"], std = PRETRAINED[given.modality](given.encoder)
        table["std"] = table.get("std") or std
        if table.get("colour") == "grey":
            table["mean"], table["std"] = (_averaged(table[key]) for key in ("mean", "std"))
    return replace(given, transform=transform_of(replace(given, transform=table)).to_dict())


def _averaged(values: tuple[float, ...]) -> tuple[float, ...]:
    return (sum(values) / len(values),)
