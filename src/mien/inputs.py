"""Inputs: what a model looks at, as heads are what it answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import ConfigError, MienError
from .tables import Reader

#: What an input sees of an item: the region that the sample is about, or all of it.
REGIONS = ("region", "whole")
#: Names that an input cannot have: the graph has one of its own under it.
RESERVED = ("present",)


def check_input_name(name: str, error: type[MienError] = ConfigError) -> None:
    """Raise `error` for a name that no input can have: it is that of a graph input and of layers."""
    if not re.fullmatch(r"[\w-]+", name) or name in RESERVED:
        allowed = f"letters, digits, _ and -, and not {', '.join(RESERVED)}"
        raise error(f"input '{name}': a name is made of {allowed}")


@dataclass(frozen=True)
class Input:
    """One thing that a model looks at: a `modality` (a name of `media.MODALITIES`), of the sample's item
    `of` (default: the modality's name) its `region` or the `whole`, brought to the network by a
    `transform` (that modality's options) and read by an `encoder`, which may begin with published weights
    (`pretrained`) and takes `options` of its own."""

    name: str
    modality: str = "image"
    of: str = ""
    region: str = "region"
    encoder: str = ""
    pretrained: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    transform: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", self.of or self.modality)
        check_input_name(self.name)
        if self.region not in REGIONS:
            raise ConfigError(
                f"input '{self.name}': region = {self.region!r}: must be one of {', '.join(REGIONS)}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the input as TOML or JSON can hold it, the transform's options among its own; `from_dict`
        reads it back."""
        return {
            "modality": self.modality,
            "of": self.of,
            "region": self.region,
            "encoder": self.encoder,
            "pretrained": self.pretrained,
            **self.transform,
            "options": dict(self.options),
        }

    @classmethod
    def from_dict(cls, name: str, table: Mapping[str, Any], where: str = "", key: str = "") -> Input:
        """Read an input declared in TOML or JSON; keys that are not an input's own are its transform's.
        Raises ConfigError.

        >>> Input.from_dict("scene", {"region": "whole", "size": 224, "encoder": "resnet18"}).transform
        {'size': 224}
        """
        own = {key: value for key, value in table.items() if key in _OwnKeys.__dataclass_fields__}
        read: _OwnKeys = Reader(where or f"input '{name}'").read(own, _OwnKeys, key)
        rest = {key: value for key, value in table.items() if key not in own}
        return cls(
            name, read.modality, read.of, read.region, read.encoder, read.pretrained, read.options, rest
        )


@dataclass(frozen=True)
class _OwnKeys:
    """The keys of an input's table that are not its transform's."""

    modality: str = "image"
    of: str = ""
    region: str = "region"
    encoder: str = ""
    pretrained: bool = False
    options: dict[str, Any] = field(default_factory=dict)
