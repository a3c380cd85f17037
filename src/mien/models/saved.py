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
#: Prefixes of weights in runs made before there were inputs, by view of a picture, and what they are now.
_EARLIER = {
    "backbone.views.crop.": "encoders.input_face.",
    "backbone.views.picture.": "encoders.input_scene.",
}


def load_network(run: Path) -> Network:
    """Rebuild the network of a run from its safetensors. Raises ModelError."""
    config = load(run / "config.toml")
    network = build(untrained(config).model, config.resolved_task())
    own = network.state_dict()
    weights = _with_todays_names(_read(run), own)
    network.load_state_dict(_part(own, "fusion.") | weights)
    return network.eval()


def untrained(config: Config) -> Config:
    """The same network without fetching published weights, which others replace."""
    tables = input_set(config.model).to_dict()
    inputs = {name: table | {"pretrained": False} for name, table in tables.items()}
    return replace(config, model=replace(config.model, start="", inputs=inputs, shared={}))


def begin(network: Network, config: Config) -> None:
    """Give a network the weights of `model.start`: encoders, and heads of equal name, shape and labels.

    Prints which. Raises ModelError where the encoders do not fit.
    """
    start = Path(config.model.start)
    own, description = network.state_dict(), _description(start)
    weights = _with_todays_names(_read(start), own)
    if (wrong := _misfit(_part(weights, _ENCODERS), _part(own, _ENCODERS))) is not None:
        names = ", ".join(each.encoder for each in config.model.all_inputs)
        text = f"its encoder does not fit model.encoder = '{names}' as set here ({wrong})"
        raise ModelError(f"model.start = '{start}': {text}")
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
    lists = {"heads": known, "fresh heads": fresh}
    parts = [f"{word} {', '.join(names)}" for word, names in lists.items() if names]
    sys.stderr.write(f"begins with {start}: encoder; {'; '.join(parts)}\n")
    if description:
        _compare_statistics(start, InputSet.of(description), input_set(config.model))


def _with_todays_names(weights: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a run made before there were inputs, under the names that the network's own have."""
    only = next(iter(own)).split(".", 2)[1]
    prefixes = _EARLIER | {"backbone.": f"encoders.{only}."}  # of one input alone

    def today(name: str) -> str:
        old = next((prefix for prefix in prefixes if name.startswith(prefix)), "")
        return prefixes.get(old, "") + name.removeprefix(old)

    return {today(name): value for name, value in weights.items()}


def source(place: str) -> dict[str, str]:
    """The `name` of the weights of a run's folder or of a file, and their `sha256` where they can be read."""
    weights = _weights(Path(place)).resolve()
    default = weights.parent.name if weights.name == _FILE else weights.name
    record = {"name": str(_description(Path(place)).get("name") or default)}
    return record | ({"sha256": sha256(weights)} if weights.is_file() else {})


def _weights(place: Path) -> Path:
    """The file of weights of a run's folder, or the file itself."""
    return place if place.suffix == ".safetensors" else place / _FILE


def _read(place: Path) -> dict[str, Tensor]:
    """The weights of a run's folder, or of a file. Raises ModelError."""
    path = _weights(place)
    if not path.is_file():
        hint = " (train it with `mien train`, or finish it with --resume)" if place.is_dir() else ""
        fault = f"has no model.safetensors{hint}" if path != place else "no such file"
        raise ModelError(f"{place}: {fault}")
    try:
        return safetensors.torch.load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: not a whole file of weights: {error}") from None


def _description(start: Path) -> dict[str, Any]:
    """The content of the model.json beside the weights; {} where there is none."""
    path = (start if start.is_dir() else start.parent) / "model.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _part(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name: value for name, value in weights.items() if name.startswith(prefix)}


def _misfit(theirs: dict[str, Tensor], ours: dict[str, Tensor]) -> str | None:
    """The first weight whose shape differs, in words."""
    for name in {**ours, **theirs}:
        its, mine = (list(part[name].shape) if name in part else "missing" for part in (theirs, ours))
        if its != mine:
            return f"{name.removeprefix(_ENCODERS)}: {its} there, {mine} here"
    return None


def _compare_statistics(start: Path, theirs: InputSet, ours: InputSet) -> None:
    """Print where the weights were learned from items of another mean and spread."""
    for name in theirs.transforms.keys() & ours.transforms.keys():
        tables = (each.transforms[name].to_dict() for each in (theirs, ours))
        (mean, std), here = ((table.get("mean"), table.get("std")) for table in tables)
        if (mean, std) != here:
            text = f"its {name} had mean {mean} and std {std}, here it has {here[0]} and {here[1]}"
            hint = "(set model.mean and model.std alike unless this is meant)"
            sys.stderr.write(f"begins with {start}: {text} {hint}\n")
