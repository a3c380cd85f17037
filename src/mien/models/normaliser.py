"""The arithmetic of `Transform.normalise` in two steps, on the device that trains."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..media import Transform


class Normaliser(nn.Module):
    """Mean and standard deviation of each input. Inputs of whole numbers, such as tokens, stay as they are."""

    def __init__(self, transforms: Mapping[str, Transform]) -> None:
        super().__init__()
        self.units = {name: each.unit for name, each in transforms.items() if each.statistics is not None}
        for name, each in transforms.items():
            if each.statistics is not None:
                for part, values in zip(("mean", "std"), each.statistics, strict=True):
                    self.register_buffer(f"{part}_{name}", torch.tensor(values)[None], persistent=False)

    def scaled(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Compact items {input: (N, ...)} as floats in their unit (images 0…1), ready for augmentation."""
        return {
            name: values.float() / self.units[name] if name in self.units else values for name, values in inputs.items()
        }

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Scaled items -> what the encoders take."""
        return {name: self._normalised(name, values) for name, values in inputs.items()}

    def _normalised(self, name: str, values: Tensor) -> Tensor:
        if name not in self.units:
            return values
        normal = (values - self.get_buffer(f"mean_{name}")) / self.get_buffer(f"std_{name}")
        return normal.contiguous(memory_format=torch.channels_last) if normal.dim() == 4 else normal
