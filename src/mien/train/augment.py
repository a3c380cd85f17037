"""Augmentation of a batch on its device, each sample with its own draw (kornia), then mixup or CutMix."""

from __future__ import annotations

from typing import Any

import torch
from kornia import augmentation as K
from kornia.augmentation.container.params import ParamItem
from torch import Tensor

from ..config import AugmentConfig
from . import distributed, global_batch

Targets = dict[str, Tensor]


class Augmentation:
    """Takes `pixels`, float 0…1 (N, C, S, S), and targets, and returns both.

    All draws come from torch's global generator.

    Of several processes each draws for the whole batch and applies the draws of its own part, so a sample is
    changed in the same way whatever their number.
    """

    def __init__(self, config: AugmentConfig) -> None:
        self.config = config
        steps = _steps(config)
        self.geometry: Any = (
            K.AugmentationSequential(*steps, data_keys=["input"], same_on_batch=False) if steps else None
        )

    def __call__(self, pixels: Tensor, targets: Targets, mixing: bool = True) -> tuple[Tensor, Targets]:
        """Augment a batch, and mix its samples where `mixing` is still on."""
        if self.geometry is not None:
            pixels = (
                self.geometry(pixels)
                if distributed.world_size() == 1
                else self.geometry(pixels, params=self._drawn(pixels))
            )
        kinds = [name for name, alpha in (("mixup", self.config.mixup), ("cutmix", self.config.cutmix)) if alpha > 0]
        if not kinds or not mixing or torch.rand(()) >= self.config.mixup_share:
            return pixels, targets
        kind = kinds[int(torch.randint(len(kinds), ()))]
        alpha = torch.tensor(getattr(self.config, kind))
        share = float(torch.distributions.Beta(alpha, alpha).sample())
        gathered = {name: global_batch.all_gather(target) for name, target in targets.items()}
        pixels, targets = mix(global_batch.all_gather(pixels), gathered, share, patch=kind == "cutmix")
        mine = global_batch.rank_slice(len(pixels))
        return pixels[mine], {name: target[mine] for name, target in targets.items()}

    def _drawn(self, pixels: Tensor) -> list[Any]:
        """Draw kornia's parameters for the whole batch and keep the rows of this process."""
        rows = len(pixels) * distributed.world_size()
        mine = global_batch.rank_slice(rows)
        return [
            ParamItem(
                name, {key: value if key == "forward_input_shape" else value[mine] for key, value in drawn.items()}
            )
            for name, drawn in self.geometry.forward_parameters(torch.Size((rows, *pixels.shape[1:])))
        ]


def mix(pixels: Tensor, targets: Targets, share: float, patch: bool) -> tuple[Tensor, Targets]:
    """Mix each sample with a random other: blended with `share` of itself, or with a patch of the other.

    Only samples with the same targets missing are mixed, so that no target is lost and none is made up.
    """
    other = _partners(torch.cat([target.isnan() for target in targets.values()], dim=1))
    if patch:
        pixels, share = _pasted(pixels, pixels[other], share)
    else:
        pixels = share * pixels + (1 - share) * pixels[other]
    return pixels, {name: share * target + (1 - share) * target[other] for name, target in targets.items()}


def _partners(missing: Tensor) -> Tensor:
    """Draw a permutation (N,) that exchanges only rows whose `missing` (N, K) is equal."""
    drawn = torch.randperm(len(missing), device=missing.device)
    pattern = torch.unique(missing.byte(), dim=0, return_inverse=True)[1]
    other = torch.empty_like(drawn)
    other[pattern.argsort(stable=True)] = drawn[pattern[drawn].argsort(stable=True)]
    return other


def _pasted(pixels: Tensor, others: Tensor, share: float) -> tuple[Tensor, float]:
    side = pixels.shape[-1]
    cut = round(side * (1 - share) ** 0.5)
    top, left = (int(torch.randint(side - cut + 1, ())) for _ in range(2))
    pasted = pixels.clone()
    pasted[:, :, top : top + cut, left : left + cut] = others[:, :, top : top + cut, left : left + cut]
    return pasted, 1 - cut * cut / (side * side)


def _steps(config: AugmentConfig) -> list[Any]:
    steps: list[Any] = []
    if config.flip:
        steps.append(K.RandomHorizontalFlip(p=config.flip))
    if config.rotation or config.shift or config.scale:
        shift = (config.shift, config.shift) if config.shift else None
        scale = (1 - config.scale, 1 + config.scale) if config.scale else None
        steps.append(K.RandomAffine(degrees=config.rotation, translate=shift, scale=scale, p=1.0))
    if config.brightness:
        steps.append(K.RandomBrightness((1 - config.brightness, 1 + config.brightness), p=1.0))
    if config.contrast:
        steps.append(K.RandomContrast((1 - config.contrast, 1 + config.contrast), p=1.0))
    if config.erasing:
        steps.append(K.RandomErasing(p=config.erasing, scale=(0.02, 0.2)))
    return steps
