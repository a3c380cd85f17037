"""Augmentation of a batch on its device, each sample with its own draw (kornia), then mixup or CutMix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from kornia import augmentation as K
from kornia.augmentation.container.params import ParamItem
from torch import Tensor

from ..config import AugmentConfig
from ..errors import ConfigError
from . import distributed, global_batch

Tensors = dict[str, Tensor]
#: Top, left and length of a square, as shares of a picture's side.
Patch = tuple[float, float, float]


class Augmentation:
    """Scaled inputs {input: (N, ...)} and targets in, the same out, drawn from torch's global generator.

    Each process draws for the whole batch and applies the draws of its own part, so that a sample is changed
    in the same way whatever the number of processes.
    """

    def __init__(self, config: AugmentConfig, modalities: Mapping[str, str]) -> None:
        """`modalities`: that of each input. Raises ConfigError where one cannot be mixed as configured."""
        self.config, self.modalities = config, modalities
        kinds = AUGMENTATIONS.keys() & set(modalities.values())
        self.changes = {kind: AUGMENTATIONS[kind](config) for kind in sorted(kinds)}
        self.kinds = [kind for kind in ("mixup", "cutmix") if getattr(config, kind) > 0]
        if self.kinds and (unmixed := [name for name, kind in modalities.items() if kind not in MIXED]):
            text = f"input '{unmixed[0]}' cannot be mixed, only pictures can"
            raise ConfigError(f"train.augment.{self.kinds[0]}: {text}")

    def __call__(
        self, inputs: Tensors, present: Tensors, targets: Tensors, mixing: bool = True
    ) -> tuple[Tensors, Tensors]:
        """Augment a batch, and mix its samples where `mixing` is still on."""
        inputs = self._changed(inputs)
        if not self.kinds or not mixing or torch.rand(()) >= self.config.mixup_share:
            return inputs, targets
        kind = self.kinds[int(torch.randint(len(self.kinds), ()))]
        alpha = torch.tensor(getattr(self.config, kind))
        share = float(torch.distributions.Beta(alpha, alpha).sample())
        inputs, present, targets = (
            {name: global_batch.all_gather(v) for name, v in x.items()} for x in (inputs, present, targets)
        )
        inputs, targets = mix(inputs, present, targets, share, patch=kind == "cutmix")
        mine = global_batch.rank_slice(len(next(iter(inputs.values()))))
        return {name: v[mine] for name, v in inputs.items()}, {name: v[mine] for name, v in targets.items()}

    def _changed(self, inputs: Tensors) -> Tensors:
        """Change the items of each modality, all items of a sample by the same draw."""
        changed = dict(inputs)
        for kind, change in self.changes.items():
            state = torch.get_rng_state()
            for name in (name for name in inputs if self.modalities[name] == kind):
                torch.set_rng_state(state)
                changed[name] = change(inputs[name])
        return changed


class PictureChanges:
    """Random changes of pictures, float 0…1 (N, C, S, S), each with its own draw."""

    def __init__(self, config: AugmentConfig) -> None:
        steps = _steps(config)
        options: Any = {"data_keys": ["input"], "same_on_batch": False}
        self.changes: Any = steps and K.AugmentationSequential(*steps, **options)

    def __call__(self, pixels: Tensor) -> Tensor:
        """Change each picture."""
        if not self.changes:
            return pixels
        params = None if distributed.world_size() == 1 else self._drawn(pixels)
        changed: Tensor = self.changes(pixels, params=params)
        return changed

    def _drawn(self, pixels: Tensor) -> list[Any]:
        """Draw kornia's parameters for the whole batch and keep the rows of this process."""
        rows = len(pixels) * distributed.world_size()
        mine, shape = global_batch.rank_slice(rows), "forward_input_shape"
        return [
            ParamItem(name, {key: value if key == shape else value[mine] for key, value in drawn.items()})
            for name, drawn in self.changes.forward_parameters(torch.Size((rows, *pixels.shape[1:])))
        ]


#: What changes the items of a modality at random; others are trained on as they are.
AUGMENTATIONS: dict[str, Callable[[AugmentConfig], Callable[[Tensor], Tensor]]] = {"image": PictureChanges}
#: Modalities whose items can be blended, and have patches pasted into them.
MIXED = ("image",)


def mix(
    inputs: Tensors, present: Tensors, targets: Tensors, share: float, patch: bool
) -> tuple[Tensors, Tensors]:
    """Mix each sample with a random other: `share` of itself, blended, or with a `patch` of the other.

    Samples are mixed among those with the same targets and inputs missing: none is lost, none made up.
    """
    known = [~target.isnan() for target in targets.values()] + [has[:, None] for has in present.values()]
    other = _partners(~torch.cat(known, dim=1))
    if patch:
        square, share = _drawn_patch(next(iter(inputs.values())).shape[-1], share)
        inputs = {name: _pasted(values, values[other], square) for name, values in inputs.items()}
    else:
        inputs = {name: share * values + (1 - share) * values[other] for name, values in inputs.items()}
    return inputs, {name: share * target + (1 - share) * target[other] for name, target in targets.items()}


def _partners(missing: Tensor) -> Tensor:
    """Draw a permutation (N,) that exchanges only rows whose `missing` (N, K) is equal."""
    drawn = torch.randperm(len(missing), device=missing.device)
    pattern = torch.unique(missing.byte(), dim=0, return_inverse=True)[1]
    other = torch.empty_like(drawn)
    other[pattern.argsort(stable=True)] = drawn[pattern[drawn].argsort(stable=True)]
    return other


def _drawn_patch(side: int, share: float) -> tuple[Patch, float]:
    """A square that leaves the `share` of a picture of that side, and what it leaves in whole pixels."""
    cut = round(side * (1 - share) ** 0.5)
    top, left = (int(torch.randint(side - cut + 1, ())) for _ in range(2))
    return (top / side, left / side, cut / side), 1 - cut * cut / (side * side)


def _pasted(pixels: Tensor, others: Tensor, patch: Patch) -> Tensor:
    """Pictures with a patch of others in the same place."""
    top, left, cut = (round(part * pixels.shape[-1]) for part in patch)
    pasted = pixels.clone()
    pasted[:, :, top : top + cut, left : left + cut] = others[:, :, top : top + cut, left : left + cut]
    return pasted


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
