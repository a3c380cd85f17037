"""The `[model]` table: what a network looks at, how what its encoders see is joined, and what it begins
with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

from .errors import ConfigError, lookup
from .inputs import Input
from .media import MODALITIES, VIEWS, transform_of
from .tables import Bounds, Reader, check_key

#: Keys that had another name before: the old one is read.
RENAMED = {"backbone": "encoder"}
_INPUT_KEYS = ("modality", "of", "region", "encoder", "pretrained", "options")


@dataclass(frozen=True)
class ModelConfig:
    """The network. `inputs`: a table for each input by its name, with the keys of an input (modality, of,
    region, encoder, pretrained, options) and those of its modality's transform (for pictures size, colour,
    mean, std, margin, align). `shared`: such keys that hold for every input that does not say otherwise; in a
    file they stand in `[model]` itself, and without `[model.inputs]` they describe the one input `face`.

    `fusion`: how what several encoders see is joined. `dropout`: before the heads. `start`: a run's
    folder, or a file of weights, whose encoders (and heads, where they are alike) training begins with.
    """

    start: str = ""
    dropout: Annotated[float, Bounds(0, 1)] = 0.2
    fusion: str = "concat"
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill in the defaults. Raises ConfigError."""
        table = read_model_table(self.to_dict(), "model")
        object.__setattr__(self, "inputs", table["inputs"])
        object.__setattr__(self, "shared", table["shared"])

    @classmethod
    def from_dict(cls, table: Mapping[str, Any], where: str = "model") -> ModelConfig:
        """Read a `[model]` table as it stands in a file. Raises ConfigError naming `where` and the key.

        >>> ModelConfig.from_dict({"encoder": "resnet18", "size": 112}).all_inputs[0].encoder
        'resnet18'
        """
        config: ModelConfig = Reader(where).read(read_model_table(table, where), cls, "model")
        return config

    @property
    def all_inputs(self) -> tuple[Input, ...]:
        """The inputs in order, with every key."""
        return tuple(Input.from_dict(name, _whole(table, self.shared)) for name, table in self.inputs.items())

    def to_dict(self) -> dict[str, Any]:
        """Return the table as it stands in a file."""
        own = {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if each.name not in ("inputs", "shared")
        }
        inputs = {name: dict(table) for name, table in self.inputs.items()}
        return {**own, **self.shared, "inputs": inputs}


def read_model_table(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Turn a `[model]` table as it stands in a file into one for each field of ModelConfig, every key of
    its inputs checked and defaults filled in. Raises ConfigError naming `where` and the key."""
    own = {each.name for each in fields(ModelConfig)} - {"shared"}
    shared = renamed(
        {key: _listed(value) for key, value in table.items() if key not in own and key != "views"}
    )
    inputs = _input_tables(table, where)
    modalities = {
        name: _modality(each, shared, f"{where}: model.inputs.{name}") for name, each in inputs.items()
    }
    for name, modality in modalities.items():
        for key, value in _defaults(modality).items():
            if key not in inputs[name] and len(set(modalities.values())) == 1:
                shared.setdefault(key, value)
    _check_keys(inputs, shared, modalities, where)
    for name, each in inputs.items():
        key = f"model.inputs.{name}" if each.keys() - {"region"} else "model"
        transform = transform_of(Input.from_dict(name, _whole(each, shared), where, key), where, key)
        known = {part.name for part in fields(MODALITIES[modalities[name]].transform)}
        for source, keys in ((each, each.keys()), (shared, shared.keys() - each.keys())):
            source.update(
                {key: _listed(getattr(transform, key)) for key in keys & known if source[key] != []}
            )
    return {**{key: value for key, value in table.items() if key in own}, "inputs": inputs, "shared": shared}


def renamed(table: Mapping[str, Any]) -> dict[str, Any]:
    """The same table under today's names; a value under an old name wins."""
    new = {key: value for key, value in table.items() if key not in RENAMED}
    return new | {RENAMED[key]: value for key, value in table.items() if key in RENAMED}


def _input_tables(table: Mapping[str, Any], where: str) -> dict[str, dict[str, Any]]:
    """The table of each input by name: those given, else what the views of earlier configurations became."""
    inputs = table.get("inputs", {})
    if not isinstance(inputs, Mapping):
        raise ConfigError(f"{where}: model.inputs = {inputs!r}: must be a table for each input")
    for name, each in inputs.items():
        if not isinstance(each, Mapping):
            raise ConfigError(f"{where}: model.inputs.{name} = {each!r}: must be a table")
    if "views" not in table:
        tables = {name: {key: _listed(value) for key, value in each.items()} for name, each in inputs.items()}
        return {name: renamed(each) for name, each in tables.items()} or {"face": {}}
    if any(each.keys() - {"region"} for each in inputs.values()):
        raise ConfigError(f"{where}: model.views and model.inputs: give the inputs alone")
    return _of_views(table["views"], where)


def _of_views(views: Any, where: str) -> dict[str, dict[str, Any]]:
    if not isinstance(views, (list, tuple)):
        raise ConfigError(f"{where}: model.views = {views!r}: must be a list")
    for place, view in enumerate(views):
        if view not in VIEWS:
            raise ConfigError(f"{where}: model.views.{place} = {view!r}: must be one of {', '.join(VIEWS)}")
    if not views or len(set(views)) < len(views):
        raise ConfigError(
            f"{where}: model.views = {list(views)}: must name {', '.join(VIEWS)} or both, each once"
        )
    return {
        name: {} if region == "region" else {"region": region}
        for name, region in map(VIEWS.__getitem__, views)
    }


def _modality(table: Mapping[str, Any], shared: Mapping[str, Any], where: str) -> str:
    name = table.get("modality", shared.get("modality", "image"))
    if not isinstance(name, str):
        raise ConfigError(f"{where}: modality = {name!r}: must be a text in quotes")
    lookup(MODALITIES, name, "modality")
    return name


def _defaults(modality: str) -> dict[str, Any]:
    """Every key of an input of that modality with its default, but for those that tell inputs apart."""
    transform = {each.name: _listed(each.default) for each in fields(MODALITIES[modality].transform)}
    return {"encoder": MODALITIES[modality].encoder, "pretrained": False, **transform, "options": {}}


def _listed(value: Any) -> Any:
    """A value as TOML and JSON know it."""
    return list(value) if isinstance(value, tuple) else value


def _whole(table: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """An input's table with every key that its modality has: its own, those shared, and defaults."""
    modality = table.get("modality", shared.get("modality", "image"))
    known = {*_INPUT_KEYS, *_defaults(modality)}
    return {**_defaults(modality), **{key: value for key, value in shared.items() if key in known}, **table}


def _check_keys(
    inputs: Mapping[str, Mapping[str, Any]],
    shared: Mapping[str, Any],
    modalities: Mapping[str, str],
    where: str,
) -> None:
    """Raise ConfigError for a key that no input has, or that would do nothing."""
    known = {name: {*_INPUT_KEYS, *_defaults(modality)} for name, modality in modalities.items()}
    allowed = [
        "start",
        "dropout",
        "fusion",
        *sorted({key for keys in known.values() for key in keys}),
        "inputs",
    ]
    for key in shared:
        check_key(key, allowed, f"model.{key}", where)
        if all(key in inputs[name] or key not in keys for name, keys in known.items()):
            raise ConfigError(
                f"{where}: model.{key} does nothing: each input has its own ({', '.join(inputs)})"
            )
    for name, table in inputs.items():
        for key in table:
            check_key(key, sorted(known[name]), f"model.inputs.{name}.{key}", where)
