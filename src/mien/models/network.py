"""Networks: a backbone by name and one head per answer of the task.

A backbone is a module with `.features` (length of its vector) and `forward: (N, channels, H, W) -> (N, features)`.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from ..config import ModelConfig
from ..errors import ConfigError
from ..media.image import Preprocessing
from ..tasks import Task
from .backbones import AlexNet, Timm, pretrained_statistics
from .compact import compact
from .fusion import Branches
from .heads import Heads

#: Our own backbones by name; every other name is timm's.
BACKBONES: dict[str, Callable[[ModelConfig, int], nn.Module]] = {
    "compact": compact,
    "alexnet": AlexNet,
}


class Network(nn.Module):
    """A backbone and the heads of a task."""

    def __init__(self, backbone: nn.Module, heads: Heads) -> None:
        super().__init__()
        self.backbone = backbone
        self.heads = heads
        self.frozen = False

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Normalised pixels (N, channels, H, W) -> raw scores {head: (N, K)}."""
        scores: dict[str, Tensor] = self.heads(self.backbone(pixels))
        return scores

    def freeze(self, frozen: bool) -> None:
        """Hold the backbone still, its batch-norm statistics too, or let it learn."""
        self.frozen = frozen
        for parameter in self.backbone.parameters():
            parameter.requires_grad_(not frozen)

    def train(self, mode: bool = True) -> Network:
        """As in torch, but a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    @property
    def parameter_count(self) -> int:
        """Number of weights, learned or frozen."""
        return sum(parameter.numel() for parameter in self.parameters())


def build(config: ModelConfig, task: Task) -> Network:
    """Build a network. Raises ConfigError for a wrong name or dial, ModelError where pretrained weights cannot be had."""
    create, pre = BACKBONES.get(config.backbone, Timm), preprocessing(config)
    try:
        branches = {view: create(config, pre.colours) for view in pre.views}
    except TypeError as error:
        raise ConfigError(
            f"backbone '{config.backbone}' does not take model.options {config.options}: {error} "
            "(those of another backbone are cleared with --model.options {})"
        ) from error
    backbone = branches.popitem()[1] if len(branches) == 1 else Branches(branches)
    return Network(backbone, Heads(int(backbone.features), task, config.dropout))  # type: ignore[arg-type]


def preprocessing(config: ModelConfig) -> Preprocessing:
    """How pixels reach the network: mean and std as configured, else those of the pretrained weights, else 0.5 and 0.25."""
    channels = 1 if config.colour == "grey" else 3
    mean, std = config.mean, config.std
    if not mean and config.pretrained:
        mean, std = pretrained_statistics(config.backbone)
        if channels == 1:
            mean, std = (sum(mean) / 3,), (sum(std) / 3,)
    mean, std = mean or (0.5,) * channels, std or (0.25,) * channels
    if len(mean) != channels or len(std) != channels or min(std) <= 0:
        raise ConfigError(
            f"model.mean {list(mean)} and model.std {list(std)} need {channels} numbers each, std above 0"
        )
    return Preprocessing(config.size, config.colour, mean, std, config.margin, config.views, config.align)
