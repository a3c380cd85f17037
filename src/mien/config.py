"""One TOML file describes a run. Reading it checks every key and value and names what is wrong, where, and
what is allowed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from . import tables
from .choices import Calibration
from .errors import ConfigError, lookup
from .model_config import RENAMED, ModelConfig, read_model_table
from .tables import Bounds
from .tasks import TASKS, Task

Share = Annotated[float, Bounds(0, 1)]
AtLeastOne = Annotated[int, Bounds(1)]


@dataclass(frozen=True)
class DataConfig:
    """Where the faces come from. `limit` keeps N samples of each split, drawn by the seed (0: all)."""

    store: str = ""
    train: str = "train"
    validation: str = "validation"
    limit: int = 0
    memory_gb: float = 8.0


@dataclass(frozen=True)
class AugmentConfig:
    """Random changes to each training face. 0 switches one off.

    `flip`, `erasing`, `mixup_share`: probabilities 0…1 · `rotation`: degrees · `shift`: share of the side
    · `scale`, `brightness`, `contrast`: 0.1 means a factor 0.9…1.1 · `mixup`, `cutmix`: alpha of the Beta
    distribution, for the share `mix_until` of each phase's steps.
    """

    flip: Share = 0.5
    rotation: float = 10.0
    shift: Share = 0.1
    scale: Share = 0.1
    brightness: Share = 0.2
    contrast: Share = 0.2
    erasing: Share = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    mixup_share: Share = 1.0
    mix_until: Share = 1.0


@dataclass(frozen=True)
class TeacherConfig:
    """Finished `runs` whose mean probability, at a softmax `temperature`, takes the share `weight` of the
    loss of each class or distribution head of the same name (none: no teacher)."""

    runs: tuple[str, ...] = ()
    weight: Share = 0.5
    temperature: Annotated[float, Bounds(0.1, 100)] = 2.0


@dataclass(frozen=True)
class PhaseConfig:
    """A stretch of training with its own optimizer. `frozen` trains the heads alone; `patience` counts
    epochs, 0 never stops early. `warmup` is in epochs, over which the learning rate rises; `momentum` is
    for SGD and RMSprop."""

    epochs: AtLeastOne = 30
    lr: float = 1e-3
    frozen: bool = False
    optimizer: str = "adamw"
    momentum: Share = 0.9
    weight_decay: float = 1e-2
    schedule: str = "cosine"
    warmup: float = 0.0
    patience: int = 0


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained. `monitor` names the validation metric that picks the best epoch (empty: first
    head's first).

    `balance`: `loss` weighs classes by inverse frequency, `sampler` draws them equally often.
    `head_weights`: `uncertainty` learns how much each head's loss counts (times its declared weight).
    `label_smoothing` is for class heads alone. `ema` is the decay of the averaged weights (0: none),
    `clip` the largest gradient norm (0: none), `sam` the radius of sharpness-aware minimisation (0: none;
    it doubles the time of a step). `compile` has torch compile the network. `threads` 0 takes what the
    machine gives. `calibration`: how the finished model's probabilities are made to mean what they say, on
    the validation split.
    """

    seed: int = 0
    batch_size: AtLeastOne = 128
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    balance: Literal["none", "loss", "sampler"] = "none"
    head_weights: Literal["fixed", "uncertainty"] = "fixed"
    label_smoothing: Share = 0.0
    ema: Share = 0.0
    clip: float = 0.0
    sam: float = 0.0
    compile: bool = False
    threads: int = 0
    workers: int = 0
    monitor: str = ""
    calibration: Calibration = "temperature"
    phases: tuple[PhaseConfig, ...] = (PhaseConfig(),)
    augment: AugmentConfig = AugmentConfig()
    teacher: TeacherConfig = TeacherConfig()


@dataclass(frozen=True)
class Config:
    """A run as its TOML file says it: a shipped task by name or one declared in `[task]`, and
    `[heads.NAME]` changes."""

    task: str | dict[str, Any] = "expression7"
    name: str = ""
    licence: str = ""
    heads: dict[str, dict[str, Any]] = field(default_factory=dict)
    data: DataConfig = DataConfig()
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = TrainConfig()

    def resolved_task(self) -> Task:
        """The task with this file's changes to its heads. Raises ConfigError."""
        task = lookup(TASKS, self.task, "task") if isinstance(self.task, str) else Task.from_dict(self.task)
        return task.changed(self.heads)

    def to_dict(self) -> dict[str, Any]:
        """The configuration as JSON can hold it; `from_dict` reads it back."""
        return asdict(self) | {"model": self.model.to_dict()}


def load(path: Path, overrides: Sequence[str] = (), note: Callable[[str], object] = lambda _: None) -> Config:
    """Read a TOML file and apply `--key value` overrides such as `--train.phases.0.lr 3e-4`. `note` is called
    with a line for each key that has another name now. Raises ConfigError."""
    table = parsed(path)
    for where, lines in ((path, old_names(table)), ("command line", old_names({}, overrides))):
        for line in lines:
            note(f"{where}: {line}")
    config = from_dict(table, str(path))
    if not overrides:
        return config
    table = config.to_dict()
    tables.override(table, overrides, Config)
    return from_dict(table, "command line")


def old_names(table: Mapping[str, Any], overrides: Sequence[str] = ()) -> list[str]:
    """Say which keys of a table and of overrides have another name now."""
    model = table.get("model")
    keys = {*model} if isinstance(model, Mapping) else set()
    keys |= {
        word.removeprefix("--model.").partition("=")[0] for word in overrides if word.startswith("--model.")
    }
    lines = [f"model.{old} is called model.{new} now" for old, new in RENAMED.items() if old in keys]
    if "views" in keys:
        lines.append(
            "model.views is read; name the inputs instead: [model.inputs.face], [model.inputs.scene]"
        )
    return lines


def parsed(path: Path) -> dict[str, Any]:
    """Read the table that a TOML file holds. Raises ConfigError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None


def changed(config: Config, changes: Mapping[str, Any]) -> Config:
    """Replace values by dotted keys, such as {"train.phases.0.lr": 3e-4}. Raises ConfigError."""
    table = config.to_dict()
    for key, value in changes.items():
        tables.change(table, key, value)
    return from_dict(table, "changes") if changes else config


def from_dict(table: Mapping[str, Any], where: str) -> Config:
    """Build a configuration from a table. Raises ConfigError naming `where` and the key."""
    if isinstance(model := table.get("model", {}), Mapping):
        table = {**table, "model": read_model_table(model, where)}
    config: Config = tables.Reader(where).read(table, Config)
    try:
        config.resolved_task()
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    if config.train.sam and config.train.precision == "16-mixed":
        raise ConfigError(
            f"{where}: train.sam = {config.train.sam}: takes precision 32-true or bf16-mixed, not 16-mixed"
        )
    return config


def dumps(config: Config) -> str:
    """Return the configuration as TOML."""
    return tables.dumps(config.to_dict())
