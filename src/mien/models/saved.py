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
from ..media import InputSet
from .network import Network, build, input_set

_FILE = "model.safetensors"
_ENCODERS, _HEADS = "encoders.", "heads.layers.head_"
#: How the weights of runs made before there were inputs are called today: by view of a picture, or the only
#: one.
_EARLIER = {"backbone.views.crop.": "encoders.input_face.", "backbone.views.picture.": "encoders.input_scene."}
_EARLIER_ONLY = "backbone."


def load_network(run: Path) -> Network:
    """Rebuild the network of a run from its safetensors. Raises ModelError."""
    config = load(run / "config.toml")
    network = build(untrained(config).model, config.resolved_task())
    own = network.state_dict()
    weights = _with_todays_names(_read(run), own)
    absent = {name: value for name, value in own.items() if name.startswith("fusion.") and name not in weights}
    network.load_state_dict(weights | absent)
    return network.eval()


def untrained(config: Config) -> Config:
    """The same network without fetching published weights, which others replace."""
    tables = input_set(config.model).to_dict()
    inputs = {name: table | {"pretrained": False} for name, table in tables.items()}
    return replace(config, model=replace(config.model, start="", inputs=inputs, shared={}))


def begin(network: Network, config: Config) -> None:
    """Give a network the weights of `model.start`: all encoders, and each head of equal name, shape and
    labels.

    Says which. Raises ModelError where the encoders do not fit.
    """
    start = Path(config.model.start)
    own, description = network.state_dict(), _description(start)
    weights = _with_todays_names(_read(start), own)
    if (wrong := _misfit(_part(weights, _ENCODERS), _part(own, _ENCODERS))) is not None:
        names = ", ".join(each.encoder for each in config.model.all_inputs)
        raise ModelError(
            f"model.start = '{start}': its encoder does not fit model.encoder = '{names}' as set here ({wrong})"
        )
    labels = {head["name"]: head["labels"] for head in description.get("task", {}).get("heads", [])}
    taken, fresh = _part(weights, _ENCODERS) | _part(weights, "fusion."), []
    for head in config.resolved_task():
        theirs, ours = (_part(part, f"{_HEADS}{head.name}.") for part in (weights, own))
        same = labels.get(head.name, list(head.space.labels)) == list(head.space.labels)
        if theirs and same and _misfit(theirs, ours) is None:
            taken |= theirs
        else:
            fresh.append(head.name)
    network.load_state_dict(taken, strict=False)
    known = [head.name for head in config.resolved_task() if head.name not in fresh]
    parts = [f"{word} {', '.join(names)}" for word, names in (("heads", known), ("fresh heads", fresh)) if names]
    sys.stderr.write(f"begins with {start}: encoder; {'; '.join(parts)}\n")
    if description:
        _compare_statistics(start, InputSet.of(description), input_set(config.model))


def _with_todays_names(weights: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a run made before there were inputs, under the names that the network's own have."""
    only = next(iter(own)).split(".", 2)[1]
    prefixes = _EARLIER | {_EARLIER_ONLY: f"encoders.{only}."}

    def today(name: str) -> str:
        old = next((prefix for prefix in prefixes if name.startswith(prefix)), None)
        return name if old is None else prefixes[old] + name.removeprefix(old)

    return {today(name): value for name, value in weights.items()}


def source(place: str) -> dict[str, str]:
    """The `name` of the weights of a run's folder or of a file, and their `sha256` where they can be read."""
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
            return f"{name.removeprefix(_ENCODERS)}: {there} there, {here} here"
    return None


def _compare_statistics(start: Path, theirs: InputSet, ours: InputSet) -> None:
    """Say where the weights were learned from items of another mean and spread."""
    for name in theirs.transforms.keys() & ours.transforms.keys():
        before, here = (each.transforms[name].to_dict() for each in (theirs, ours))
        if any(before.get(key) != here.get(key) for key in ("mean", "std")):
            sys.stderr.write(
                f"begins with {start}: its {name} had mean {before.get('mean')} and std {before.get('std')}, here it "
                f"has {here.get('mean')} and {here.get('std')} (set model.mean and model.std alike unless this is meant)\n"
            )
