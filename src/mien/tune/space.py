"""A search space: a run's TOML file in which some values are ranges or choices."""

import copy
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from .. import config as configs
from .. import tables
from ..config import Config
from ..errors import ConfigError
from ..model_config import renamed

_MARKS = {"low", "high", "choices"}
_EXAMPLE = "lr = {low = 1e-4, high = 1e-2, log = true}"
#: What no trial may vary: trials would no longer be measured by the same rule.
_FIXED = ("data", "name", "licence", "train.monitor")
Number = int | float
AnyNumber = Annotated[Number, tables.Bounds(-math.inf)]


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; `log` spreads them evenly over their logarithm."""

    low: AnyNumber
    high: AnyNumber
    log: bool = False
    step: Number = 0
    default: Any = None

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return all(isinstance(number, int) for number in (self.low, self.high, self.step))

    def holds(self, value: Any) -> bool:
        """Whether a value lies in the range and on a step."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            return False
        steps = (value - self.low) / self.step if self.step else 0.0
        return self.low <= value <= self.high and math.isclose(steps, round(steps), abs_tol=1e-6)

    def middle(self) -> Number:
        """A value half-way."""
        if self.step:
            return self.low + self.step * round((self.high - self.low) / self.step / 2)
        middle = math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2
        return round(middle) if self.whole else middle

    def ends(self) -> tuple[Any, ...]:
        """The values that must be allowed for all to be."""
        return (self.low, self.high)

    def fault(self) -> str:
        """What is wrong with it, if anything."""
        if self.low >= self.high:
            return "low must be less than high"
        if self.log and (self.low <= 0 or self.step):
            return "log needs low above 0, and no step"
        if self.step < 0 or (self.step and not self.holds(self.high)):
            return "high must lie a whole number of steps above low"
        return "" if self.default is None or self.holds(self.default) else "default must be one of its values"

    def describe(self) -> str:
        """The range for people."""
        extras = (", by logarithm" if self.log else "") + (
            f", in steps of {self.step:g}" if self.step else ""
        )
        return f"{self.low:g} to {self.high:g}{extras}"


@dataclass(frozen=True)
class Choices:
    """One of a few values of any kind."""

    choices: tuple[Any, ...]
    default: Any = None

    def holds(self, value: Any) -> bool:
        """Whether a value is one of them."""
        return encode_value(value) in map(encode_value, self.choices)

    def middle(self) -> Any:
        """The first one."""
        return self.choices[0]

    def ends(self) -> tuple[Any, ...]:
        """All of them."""
        return self.choices

    def fault(self) -> str:
        """What is wrong with them, if anything."""
        if len({json.dumps(choice) for choice in self.choices}) < max(2, len(self.choices)):
            return "choices must be at least two different values"
        return (
            "" if self.default is None or self.holds(self.default) else "default must be one of the choices"
        )

    def describe(self) -> str:
        """The choices for people."""
        return ", ".join(str(encode_value(choice)) for choice in self.choices)


@dataclass(frozen=True)
class Parameter:
    """A value that varies: its dotted key, what it may be, and what it is in the first trial."""

    key: str
    domain: Range | Choices
    default: Any

    @property
    def name(self) -> str:
        """The key without what nobody needs to tell it apart."""
        return self.key.removeprefix("train.phases.0.").removeprefix("train.").removeprefix("model.")

    def value(self, drawn: Any) -> Any:
        """What the configuration holds where the study says `drawn`."""
        if isinstance(self.domain, Range):
            return drawn
        return next(choice for choice in self.domain.choices if encode_value(choice) == drawn)


@dataclass(frozen=True)
class Space:
    """A configuration with hyperparameters. `table` holds every key, the hyperparameters as they were
    written."""

    where: str
    table: dict[str, Any]
    parameters: tuple[Parameter, ...]

    def config(self, drawn: Mapping[str, Any]) -> Config:
        """The configuration with each hyperparameter as `drawn` by key. Raises ConfigError."""
        values = {parameter.key: parameter.value(drawn[parameter.key]) for parameter in self.parameters}
        return _config(self.table, values, self.where)

    @property
    def defaults(self) -> dict[str, Any]:
        """What the first trial draws."""
        return {parameter.key: encode_value(parameter.default) for parameter in self.parameters}


@dataclass(frozen=True)
class StudyConfig:
    """What is to be tuned, where it is kept, and how.

    `trials` counts those finished by all workers together; `timeout` (0: none) and `heartbeat` are in
    seconds; `storage` is a database's address (empty: `study.db` in the folder), `earlier` another study's.
    """

    space: Space
    folder: Path
    trials: int
    objectives: tuple[str, ...] = ("score",)
    sampler: str = "tpe"
    pruner: str = ""
    seed: int = 0
    storage: str = ""
    earlier: str = ""
    timeout: float = 0.0
    heartbeat: int = 30

    @property
    def epochs(self) -> int:
        """The most epochs that a trial may take."""
        phases = self.space.table["train"]["phases"]
        return sum(value if isinstance(value := phase["epochs"], int) else _most(value) for phase in phases)


def _most(raw: Any) -> int:
    return int(raw["high"] if "high" in raw else max(raw["choices"]))


def encode_value(value: Any) -> Any:
    """A value as a study names it: numbers and texts as they are, lists and tables as JSON."""
    return json.dumps(value) if isinstance(value, (list, tuple, dict)) else value


def load(path: Path, overrides: Sequence[str] = ()) -> Space:
    """Read a TOML file with ranges and choices; overrides such as `--train.threads 1` fix values. Raises
    ConfigError."""
    space = read(configs.parsed(path), str(path))
    if overrides:
        tables.override(space.table, overrides, Config)
        space = read(space.table, "command line")
    if not space.parameters:
        raise ConfigError(
            f"{path}: nothing varies; write a range or choices in place of a value, such as {_EXAMPLE}"
        )
    return space


def read(table: Mapping[str, Any], where: str) -> Space:
    """Find the hyperparameters in a table and check all that they allow. Raises ConfigError naming `where`
    and the key."""
    plain = copy.deepcopy(dict(table))
    if isinstance(model := plain.get("model"), dict):
        plain["model"] = renamed(model)
    written = {key: (raw, _among(raw, key, where)) for key, raw in _found(plain)}
    values = {key: _given(domain) for key, (_, domain) in written.items()}
    standard = _standard(plain, list(written), where)
    for key, (_, domain) in written.items():
        if domain.default is None and domain.holds(known := standard.get(key)):
            values[key] = known
    resolved = _config(plain, values, where).to_dict()
    parameters = tuple(_parameter(key, domain, values[key], resolved) for key, (_, domain) in written.items())
    for parameter in parameters:
        for end in parameter.domain.ends():
            _config(plain, values | {parameter.key: end}, where)
    for key, (raw, _) in written.items():
        tables.change(resolved, key, raw)
    return Space(where, resolved, parameters)


def _found(value: Any, key: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each hyperparameter with its dotted key. Weights of labels are no hyperparameters: a label may be
    called low."""
    if isinstance(value, Mapping):
        if key and _MARKS & value.keys() and not key.endswith("class_weights"):
            yield key, value
            return
        for name, inner in value.items():
            yield from _found(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, (list, tuple)):
        for place, inner in enumerate(value):
            yield from _found(inner, f"{key}.{place}")


def _among(raw: Mapping[str, Any], key: str, where: str) -> Range | Choices:
    fixed = next((name for name in _FIXED if key == name or key.startswith(name + ".")), None)
    if fixed:
        raise ConfigError(
            f"{where}: {key} cannot vary: trials must be measured on the same faces by the same metric"
        )
    reader = tables.Reader(where)
    domain: Range | Choices = reader.read(raw, Choices if "choices" in raw else Range, key)
    if fault := domain.fault():
        raise ConfigError(f"{where}: {key} = {dict(raw)}: {fault}")
    return domain


def _given(domain: Range | Choices) -> Any:
    return domain.middle() if domain.default is None else domain.default


def _standard(table: dict[str, Any], keys: list[str], where: str) -> dict[str, Any]:
    """What the keys would be if the file did not name them, where that is known."""
    bare = copy.deepcopy(table)
    for key in keys:
        parent, name = _parent(bare, key)
        if isinstance(parent, dict):
            del parent[name]
        else:
            return {}
    try:
        resolved = configs.from_dict(bare, where).to_dict()
    except ConfigError:
        return {}
    return {key: _at(resolved, key) for key in keys}


def _parameter(key: str, domain: Range | Choices, default: Any, resolved: dict[str, Any]) -> Parameter:
    """A range of whole numbers for a key that takes fractions becomes one of fractions."""
    if isinstance(domain, Range) and domain.whole and isinstance(_at(resolved, key), float):
        domain = Range(float(domain.low), float(domain.high), domain.log, float(domain.step))
        default = float(default)
    return Parameter(key, domain, default)


def _parent(table: Any, key: str) -> tuple[Any, str]:
    *parents, last = key.split(".")
    for name in parents:
        table = table[int(name)] if isinstance(table, (list, tuple)) else table[name]
    return table, last


def _at(table: Any, key: str) -> Any:
    """The value under a dotted key, None where there is none."""
    try:
        parent, last = _parent(table, key)
        return parent[int(last)] if isinstance(parent, (list, tuple)) else parent[last]
    except (KeyError, IndexError):
        return None


def _config(table: dict[str, Any], values: Mapping[str, Any], where: str) -> Config:
    filled = copy.deepcopy(table)
    for key, value in values.items():
        tables.change(filled, key, value)
    return configs.from_dict(filled, where)
