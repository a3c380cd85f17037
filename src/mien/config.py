"""One TOML file describes a run. Reading it checks every key and value and names what is wrong, where, and what is allowed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from .errors import ConfigError, lookup
from .tasks import TASKS, Task


@dataclass(frozen=True)
class DataConfig:
    """Where the faces come from. `limit` keeps the first N samples of each split (0: all)."""

    store: str = ""
    train: str = "train"
    validation: str = "validation"
    limit: int = 0
    memory_gb: float = 8.0


@dataclass(frozen=True)
class ModelConfig:
    """The network. `options` go to the backbone as they are: the dials of `compact`, or timm's keyword arguments."""

    backbone: str = "compact"
    pretrained: bool = False
    size: int = 48
    colour: Literal["grey", "rgb"] = "grey"
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    dropout: float = 0.2
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AugmentConfig:
    """Random changes to each training face. 0 switches one off.

    `flip`, `erasing`, `mixup_share`: probabilities 0…1 · `rotation`: degrees · `shift`: share of the side · `scale`,
    `brightness`, `contrast`: 0.1 means a factor 0.9…1.1 · `mixup`, `cutmix`: alpha of the Beta distribution.
    """

    flip: float = 0.5
    rotation: float = 10.0
    shift: float = 0.1
    scale: float = 0.1
    brightness: float = 0.2
    contrast: float = 0.2
    erasing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    mixup_share: float = 1.0


@dataclass(frozen=True)
class PhaseConfig:
    """A stretch of training with its own optimizer. `frozen` trains the heads alone; `patience` 0 never stops early."""

    epochs: int = 30
    lr: float = 1e-3
    frozen: bool = False
    optimizer: str = "adamw"
    momentum: float = 0.9
    weight_decay: float = 1e-2
    schedule: str = "cosine"
    warmup: float = 0.0
    patience: int = 0


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained. `monitor` names the validation metric that picks the best epoch (empty: first head's first).

    `balance`: `loss` weighs classes by inverse frequency, `sampler` draws them equally often. `ema` is the decay of the
    averaged weights (0: none). `clip` is the largest gradient norm (0: none). `threads` 0 takes what the machine gives.
    """

    seed: int = 0
    batch_size: int = 128
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    balance: Literal["none", "loss", "sampler"] = "none"
    label_smoothing: float = 0.0
    ema: float = 0.0
    clip: float = 0.0
    threads: int = 0
    workers: int = 0
    monitor: str = ""
    phases: tuple[PhaseConfig, ...] = (PhaseConfig(),)
    augment: AugmentConfig = AugmentConfig()


@dataclass(frozen=True)
class Config:
    """A run as its TOML file says it: a shipped task by name or one declared in `[task]`, and `[heads.NAME]` changes."""

    task: str | dict[str, Any] = "expression7"
    name: str = ""
    licence: str = ""
    heads: dict[str, dict[str, Any]] = field(default_factory=dict)
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()

    def resolved_task(self) -> Task:
        """The task with this file's changes to its heads. Raises ConfigError."""
        task = lookup(TASKS, self.task, "task") if isinstance(self.task, str) else Task.from_dict(self.task)
        return task.changed(self.heads)

    def to_dict(self) -> dict[str, Any]:
        """The configuration as JSON can hold it; `from_dict` reads it back."""
        return asdict(self)


def load(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read a TOML file and apply `--key value` overrides such as `--train.seed 3`. Raises ConfigError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    config = from_dict(_overridden(table, overrides), str(path))
    config.resolved_task()
    return config


def from_dict(table: Mapping[str, Any], where: str) -> Config:
    """Build a configuration from a table. Raises ConfigError naming `where` and the key."""
    config = _convert(table, Config, where, "")
    assert isinstance(config, Config)
    return config


def dumps(config: Config) -> str:
    """The configuration as TOML."""
    lines: list[str] = []
    _write_table(config.to_dict(), "", lines)
    return "\n".join(lines).lstrip("\n") + "\n"


def _overridden(table: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    words = [part for word in overrides for part in (word.split("=", 1) if word.startswith("--") else [word])]
    if len(words) % 2 or any(not key.startswith("--") for key in words[::2]):
        raise ConfigError(f"overrides are pairs such as '--train.seed 3', given: {' '.join(overrides)}")
    for key, text in zip(words[::2], words[1::2], strict=True):
        *parents, last = key[2:].replace("-", "_").split(".")
        inner: Any = table
        for parent in parents:
            inner = _step(inner, parent, key)
        if isinstance(inner, list):
            _step(inner, last, key)
            inner[int(last)] = _value(text)
        else:
            inner[last] = _value(text)
    return table


def _step(inner: Any, name: str, key: str) -> Any:
    """One step down a dotted key; numbers pick from a list, as in `train.phases.0.lr`."""
    if isinstance(inner, dict):
        return inner.setdefault(name, {})
    if isinstance(inner, list) and name.isdigit() and int(name) < len(inner):
        return inner[int(name)]
    allowed = f"0 to {len(inner) - 1}" if isinstance(inner, list) else "nothing, it is a plain value"
    raise ConfigError(f"{key}: cannot go down to '{name}' (allowed here: {allowed})")


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _convert(value: Any, kind: Any, where: str, key: str) -> Any:
    """Turn a TOML value into `kind`, or raise ConfigError with file, key, what was given and what is allowed."""
    origin = get_origin(kind)
    if is_dataclass(kind):
        return _convert_table(value, kind, where, key)
    if origin in (Union, UnionType):
        return _convert_union(value, get_args(kind), where, key)
    if origin is Literal:
        if value not in get_args(kind):
            raise _wrong(where, key, value, "one of " + ", ".join(map(str, get_args(kind))))
        return value
    if origin in (tuple, dict):
        return _convert_collection(value, kind, where, key)
    return _convert_plain(value, kind, where, key)


def _convert_collection(value: Any, kind: Any, where: str, key: str) -> Any:
    inner = get_args(kind)
    if get_origin(kind) is tuple:
        if not isinstance(value, (list, tuple)):
            raise _wrong(where, key, value, "a list")
        return tuple(_convert(item, inner[0], where, f"{key}.{n}") for n, item in enumerate(value))
    if not isinstance(value, Mapping):
        raise _wrong(where, key, value, "a table")
    return {name: _convert(item, inner[1], where, f"{key}.{name}") for name, item in value.items()}


def _convert_plain(value: Any, kind: Any, where: str, key: str) -> Any:
    if kind is Any:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        words = {int: "a whole number", float: "a number", bool: "true or false", str: "a text in quotes"}
        raise _wrong(where, key, value, words[kind])
    if kind in (int, float) and value < 0 and not key.endswith(("mean", "std")):
        raise _wrong(where, key, value, "0 or more")
    return value


def _convert_union(value: Any, kinds: tuple[Any, ...], where: str, key: str) -> Any:
    for kind in kinds:
        try:
            return _convert(value, kind, where, key)
        except ConfigError:
            continue
    raise _wrong(where, key, value, " or ".join(getattr(kind, "__name__", str(kind)) for kind in kinds))


def _convert_table(value: Any, kind: Any, where: str, key: str) -> Any:
    if not isinstance(value, Mapping):
        raise _wrong(where, key, value, "a table")
    hints = get_type_hints(kind)
    names = [item.name for item in fields(kind)]
    for name in value:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f"did you mean '{close[0]}'? " if close else ""
            raise ConfigError(f"{where}: unknown key '{_join(key, name)}', {hint}(allowed: {', '.join(names)})")
    return kind(**{name: _convert(item, hints[name], where, _join(key, name)) for name, item in value.items()})


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _wrong(where: str, key: str, value: Any, allowed: str) -> ConfigError:
    return ConfigError(f"{where}: {key} = {value!r}: must be {allowed}")


def _write_table(table: Mapping[str, Any], name: str, lines: list[str]) -> None:
    for key, value in table.items():
        if not isinstance(value, Mapping) and not _is_table_list(value):
            lines.append(f"{key} = {_literal(value)}")
    for key, value in table.items():
        full = _join(name, key)
        if isinstance(value, Mapping):
            lines += ["", f"[{full}]"]
            _write_table(value, full, lines)
        elif _is_table_list(value):
            for item in value:
                lines += ["", f"[[{full}]]"]
                _write_table(item, full, lines)


def _is_table_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and isinstance(value[0], Mapping)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return repr(value)
