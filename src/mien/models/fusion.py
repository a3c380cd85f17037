"""Several views of one sample, each through a backbone of its own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Branches(nn.Module):
    """A backbone for each view by its name; their features stand side by side."""

    def __init__(self, backbones: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.views = nn.ModuleDict(backbones)
        self.features: int = sum([backbone.features for backbone in backbones.values()])  # type: ignore[misc]

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, views x colours, H, W) -> (N, features)."""
        parts = pixels.chunk(len(self.views), dim=1)
        return torch.cat([backbone(part) for backbone, part in zip(self.views.values(), parts, strict=True)], dim=1)
