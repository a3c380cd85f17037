"""Encoders: what reads one input, by modality and name.

An encoder is a module with `.features` (length of its vector) and `forward: (N, ...) -> (N, features)`,
where (N, ...) is what the input's transform gives; it is made from the input and its transform.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from ..errors import ConfigError, lookup
from ..inputs import Input
from ..media import Transform
from .backbones import AlexNet, Timm, pretrained_statistics
from .compact import compact

MakeEncoder = Callable[[Input, Any], nn.Module]

ENCODERS: dict[tuple[str, str], MakeEncoder] = {("image", "compact"): compact, ("image", "alexnet"): AlexNet}
#: What makes an encoder of a modality whose name is not in ENCODERS: for pictures every other name is timm's.
FALLBACKS: dict[str, MakeEncoder] = {"image": Timm}
#: Options of a modality's transform that published weights were trained with, by the encoder's name.
PRETRAINED: dict[str, Callable[[str], tuple[tuple[float, ...], ...]]] = {"image": pretrained_statistics}


def encoder_of(source: Input, transform: Transform) -> nn.Module:
    """Make the encoder of an input. Raises ConfigError, or ModelError without its pretrained weights."""
    own = {name: make for (modality, name), make in ENCODERS.items() if modality == source.modality}
    make = own.get(source.encoder) or FALLBACKS.get(source.modality)
    try:
        return (make or lookup(own, source.encoder, f"encoder of input '{source.name}'"))(source, transform)
    except TypeError as error:
        raise ConfigError(
            f"encoder '{source.encoder}' does not take model.options {dict(source.options)}: {error} "
            "(those of another encoder are cleared with --model.options {})"
        ) from error
