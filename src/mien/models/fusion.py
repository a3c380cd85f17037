"""Fusion: how what several encoders see of a sample becomes one vector."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn


class Concat(nn.Module):
    """Features side by side; where an input is absent a vector learned in its place."""

    def __init__(self, widths: Mapping[str, int]) -> None:
        super().__init__()
        self.features = sum(widths.values())
        # The prefix keeps an input called 'values' or 'keys' apart from the dictionary's own names.
        self.absent = nn.ParameterDict(
            {f"input_{name}": nn.Parameter(torch.zeros(width)) for name, width in widths.items() if len(widths) > 1}
        )

    def forward(self, features: Mapping[str, Tensor], present: Mapping[str, Tensor] | None = None) -> Tensor:
        """{input: (N, features)}, {input: bool (N,)} (None: all are there) -> (N, sum of features)."""
        if present is None or not len(self.absent):
            return next(iter(features.values())) if len(features) == 1 else torch.cat(list(features.values()), dim=1)
        parts = [
            torch.where(present[name][:, None], values, self.absent[f"input_{name}"].to(values.dtype))
            for name, values in features.items()
        ]
        return torch.cat(parts, dim=1)


#: From the width of each encoder's vector, by input, to a module with `.features`.
FUSIONS: dict[str, Callable[[Mapping[str, int]], nn.Module]] = {"concat": Concat}
