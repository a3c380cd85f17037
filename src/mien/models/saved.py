"""Networks from files: that of a run as it ended, and one that begins with the weights of another."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from ..config import Config, load
from ..errors import ModelError
from ..files import sha256
from ..media.image import Preprocessing
from . import Network, build, preprocessing

_FILE = "model.safetensors"
_BACKBONE, _HEADS = "backbone.", "heads.layers.head_"


def load_network(run: Path) -> Network:
    """Rebuild the network of a run from its safetensors. Raises ModelError."""
    config = load(run / "config.toml")
    weights = _read(run)
    network = build(untrained(config).model, config.resolved_task())
    network.load_state_dict(weights)
    return network.eval()


def untrained(config: Config) -> Config:
    """The same network without fetching published weights, which others replace."""
    pre = preprocessing(config.model)
    return replace(config, model=replace(config.model, pretrained=False, start="", mean=pre.mean, std=pre.std))


def begin(network: Network, config: Config) -> None:
    """Give a network the weights of `model.start`: the whole backbone, and each head of equal name, shape and labels.

    Says which. Raises ModelError where the backbone does not fit.
    """
    start = Path(config.model.start)
    weights, own, there = _read(start), network.state_dict(), _description(start)
    if (wrong := _misfit(_part(weights, _BACKBONE), _part(own, _BACKBONE))) is not None:
        raise ModelError(
            f"model.start = '{start}': its backbone does not fit model.backbone = '{config.model.backbone}' as set here ({wrong})"
        )
    labels = {head["name"]: head["labels"] for head in there.get("task", {}).get("heads", [])}
    taken, fresh = _part(weights, _BACKBONE), []
    for head in config.resolved_task():
        theirs, ours = (_part(part, f"{_HEADS}{head.name}.") for part in (weights, own))
        same = labels.get(head.name, list(head.space.labels)) == list(head.space.labels)
        if theirs and same and _misfit(theirs, ours) is None:
            taken |= theirs
        else:
            fresh.append(head.name)
    network.load_state_dict(taken, strict=False)
    known = [head.name for head in config.resolved_task() if head.name not in fresh]
    said = [f"{word} {', '.join(names)}" for word, names in (("heads", known), ("fresh heads", fresh)) if names]
    sys.stderr.write(f"begins with {start}: backbone; {'; '.join(said)}\n")
    if there:
        _compare_pixels(start, Preprocessing.from_dict(there["preprocessing"]), preprocessing(config.model))


def source(place: str) -> dict[str, str]:
    """Which weights a configuration names, a run's folder or a file, in words that hold on any machine: their `name`, and their
    `sha256` where they can be read."""
    weights = _weights(Path(place)).resolve()
    named = weights.parent.name if weights.name == _FILE else weights.name
    told = {"name": str(_description(Path(place)).get("name") or named)}
    return told | ({"sha256": sha256(weights)} if weights.is_file() else {})


def _weights(place: Path) -> Path:
    """The file of weights of a run's folder, or the file itself."""
    return place if place.suffix == ".safetensors" else place / _FILE


def _read(place: Path) -> dict[str, Tensor]:
    """The weights of a run's folder, or of a file. Raises ModelError."""
    path = _weights(place)
    if not path.is_file():
        hint = " (train it with `mien train`, or finish it with --resume)" if place.is_dir() else ""
        raise ModelError(f"{place}: has no model.safetensors{hint}" if path != place else f"{place}: no such file")
    try:
        return safetensors.torch.load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: not a whole file of weights: {error}") from None


def _description(start: Path) -> dict[str, Any]:
    """What the model.json beside the weights tells; nothing where there is none."""
    path = (start if start.is_dir() else start.parent) / "model.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _part(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name: value for name, value in weights.items() if name.startswith(prefix)}


def _misfit(given: dict[str, Tensor], wanted: dict[str, Tensor]) -> str | None:
    """The first weight whose shape differs, in words."""
    for name in {**wanted, **given}:
        there, here = (list(part[name].shape) if name in part else "missing" for part in (given, wanted))
        if there != here:
            return f"{name.removeprefix(_BACKBONE)}: {there} there, {here} here"
    return None


def _compare_pixels(start: Path, there: Preprocessing, here: Preprocessing) -> None:
    """Say where the weights were learned from pixels of another mean and spread."""
    if (there.mean, there.std) != (here.mean, here.std):
        sys.stderr.write(
            f"begins with {start}: its pixels had mean {list(there.mean)} and std {list(there.std)}, here they have "
            f"{list(here.mean)} and {list(here.std)} (set model.mean and model.std alike unless this is meant)\n"
        )
