"""`compact`: our own small convolutional network for faces of about 48x48 pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from ..errors import ConfigError, lookup
from ..inputs import Input
from ..media.image_transform import ImageTransform

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "leaky_relu": lambda: nn.LeakyReLU(0.1, inplace=True),
    "elu": lambda: nn.ELU(inplace=True),
    "gelu": nn.GELU,
    "silu": lambda: nn.SiLU(inplace=True),
    "hardswish": lambda: nn.Hardswish(inplace=True),
}


def compact(source: Input, transform: ImageTransform) -> nn.Module:
    """Build `Compact` with the input's `options`. Raises ConfigError (out of range), TypeError (unknown)."""
    return Compact(transform.channels, **source.options)


class Compact(nn.Module):
    """Stages of convolution, batch norm and activation, each halved by max-pooling and thinned by dropout.

    `widths`: channels of each stage · `depth`: convolutions in a stage · `activation`: one of ACTIVATIONS
    · `dropout`: share of whole feature maps dropped after a stage · `residual`: a shortcut around every
    convolution but a stage's first · `stride` of the very first convolution · `drop_path`: share of samples
    that skip the last convolution with a shortcut, growing evenly from the first (stochastic depth, Huang et
    al. 2016, arXiv 1603.09382). Raises ConfigError for a value out of range.
    """

    def __init__(
        self,
        channels: int,
        *,
        widths: Sequence[int] = (32, 64, 128, 256),
        depth: int = 2,
        activation: str = "relu",
        dropout: float = 0.1,
        residual: bool = True,
        stride: int = 1,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        if not widths or min(widths) < 1 or depth < 1 or stride < 1 or not 0 <= dropout < 1:
            text = f"widths {list(widths)}, depth {depth} and stride {stride} must be positive"
            raise ConfigError(f"compact: {text}, dropout {dropout} in [0, 1)")
        shortcuts = len(widths) * (depth - 1) if residual else 0
        if not 0 <= drop_path < 1 or (drop_path and not shortcuts):
            text = "must be in [0, 1), and 0 where no convolution has a shortcut"
            raise ConfigError(f"compact: drop_path {drop_path} {text}")
        dropped = iter([drop_path * (k + 1) / shortcuts for k in range(shortcuts)])
        act = lookup(ACTIVATIONS, activation, "activation of compact")
        layers: list[nn.Module] = []
        for stage, width in enumerate(widths):
            layers.append(_Block(channels, width, act(), stride=stride if stage == 0 else 1))
            shortcut = partial(_Block, width, width, shortcut=residual)
            layers += [shortcut(act(), dropped=next(dropped, 0.0)) for _ in range(depth - 1)]
            if stage < len(widths) - 1:
                layers += [nn.MaxPool2d(2, ceil_mode=True), nn.Dropout2d(dropout)]
            channels = width
        self.layers = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.features = channels

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, channels, H, W) -> (N, features)."""
        features: Tensor = self.layers(pixels)
        return features


class _Block(nn.Module):
    def __init__(
        self,
        inputs: int,
        outputs: int,
        act: nn.Module,
        *,
        stride: int = 1,
        shortcut: bool = False,
        dropped: float = 0,
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.act = act
        self.shortcut, self.dropped = shortcut, dropped
        nn.init.kaiming_normal_(self.convolution.weight, mode="fan_out")

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(self.convolution(x))
        if self.training and self.dropped:
            kept = torch.rand((len(out), 1, 1, 1), device=out.device) >= self.dropped
            out = out * (kept.to(out.dtype) / (1 - self.dropped))
        result: Tensor = self.act(out + x if self.shortcut else out)
        return result
