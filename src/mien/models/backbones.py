"""Backbones from libraries: torchvision's AlexNet and every timm name."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import timm
import torch
import torchvision
from torch import Tensor, nn

from ..errors import ConfigError, ModelError
from ..inputs import Input
from ..media.image_transform import ImageTransform


class AlexNet(nn.Module):
    """torchvision's AlexNet without its last layer, at least 64x64. Raises ConfigError, ModelError."""

    def __init__(self, source: Input, transform: ImageTransform) -> None:
        super().__init__()
        if transform.size < 64:
            raise ConfigError(f"alexnet needs model.size of at least 64, given {transform.size}")
        weights = "IMAGENET1K_V1" if source.pretrained else None
        with _fetching("alexnet"):
            net = torchvision.models.alexnet(weights=weights, **source.options)
        if transform.channels == 1:
            net.features[0] = _grey(net.features[0])
        self.net = nn.Sequential(net.features, net.avgpool, nn.Flatten(), *list(net.classifier)[:-1])
        self.features = 4096

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, channels, H, W) -> (N, 4096)."""
        features: Tensor = self.net(pixels)
        return features


class Timm(nn.Module):
    """Any network of timm without its classifier, with timm's `options`. Raises ConfigError, ModelError."""

    def __init__(self, source: Input, transform: ImageTransform) -> None:
        super().__init__()
        name = source.encoder
        if not timm.is_model(name):
            close = ", ".join(timm.list_models(f"*{name}*")[:4])
            hint = f"; near it: {close}" if close else ""
            choices = f"compact, alexnet or a name of timm{hint}; see mien models"
            raise ConfigError(f"unknown encoder '{name}' ({choices})")
        with _fetching(name):
            self.net = _create(source, transform)
        self.features = _width(self.net, name, transform)

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, channels, H, W) -> (N, features)."""
        features: Tensor = self.net(pixels)
        return features


def pretrained_statistics(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel (on 0…1) that a network's published weights expect."""
    cfg = timm.get_pretrained_cfg(name) if timm.is_model(name) else None
    imagenet = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return (tuple(cfg.mean), tuple(cfg.std)) if cfg else imagenet


def _create(source: Input, transform: ImageTransform) -> nn.Module:
    """Build by name; transformers need the picture's size, other networks take any."""
    common: dict[str, Any] = {"in_chans": transform.channels, "num_classes": 0, **source.options}
    make = partial(timm.create_model, source.encoder, pretrained=source.pretrained, **common)
    try:
        return make(img_size=transform.size)
    except TypeError as error:
        if "img_size" not in str(error):
            raise
    return make()


def _width(net: nn.Module, name: str, transform: ImageTransform) -> int:
    """Length of the feature vector, seen by running the network once."""
    size = transform.size
    net.eval()
    try:
        with torch.inference_mode():
            width = int(net(torch.zeros(1, transform.channels, size, size)).shape[1])
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = str(error).split("\n")[0]
        raise ConfigError(f"'{name}' does not take pictures of {size}x{size}: {reason}") from None
    net.train()
    return width


def _grey(convolution: nn.Conv2d) -> nn.Conv2d:
    """The same first layer for one channel: weights summed over colours, so grey pictures score alike."""
    shape: Any = convolution.kernel_size, convolution.stride, convolution.padding
    narrow = nn.Conv2d(1, convolution.out_channels, *shape)
    summed = convolution.weight.sum(dim=1, keepdim=True)
    narrow.load_state_dict(convolution.state_dict() | {"weight": summed})
    return narrow


@contextmanager
def _fetching(name: str) -> Iterator[None]:
    """Turn the many faults of a download into one line that says what to do."""
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it announces every retry
    try:
        yield
    except (OSError, ImportError) as error:
        reason = str(error).strip().split("\n")[0].split(". ")[0]
        raise ModelError(
            f"the pretrained weights of '{name}' cannot be reached ({reason}); check the network, or set "
            "model.pretrained = false to train from scratch"
        ) from error
