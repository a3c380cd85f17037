"""The arithmetic of `Transform.normalise` in two steps, on the device that trains."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..media import Transform


class Normaliser(nn.Module):
    """Mean and standard deviation of each input. Inputs of whole numbers, such as tokens, are left alone."""

    def __init__(self, transforms: Mapping[str, Transform]) -> None:
        super().__init__()
        self.units = {name: each.unit for name, each in transforms.items() if each.statistics is not None}
        for name, each in transforms.items():
            if each.statistics is not None:
                for part, values in zip(("mean", "std"), each.statistics, strict=True):
                    self.register_buffer(f"{part}_{name}", torch.tensor(values)[None], persistent=False)

    def scaled(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Compact items {input: (N, ...)} as floats in their unit (images 0…1), ready for augmentation."""
        units = self.units
        return dict(inputs) | {name: inputs[name].float() / units[name] for name in inputs.keys() & units}

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Scaled items -> what the encoders take."""
        found = dict(inputs)
        for name in inputs.keys() & self.units:
            normal = (inputs[name] - self.get_buffer(f"mean_{name}")) / self.get_buffer(f"std_{name}")
            layout = torch.channels_last if normal.dim() == 4 else torch.preserve_format
            found[name] = normal.contiguous(memory_format=layout)
        return found
