"""The loop: phases one after another, each resumable from its last finished epoch."""

from __future__ import annotations

import json
import logging
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch import Tensor, nn

from .. import losses, machine, models
from ..config import Config, dumps, load
from ..errors import ConfigError, StoreError
from ..files import write_text
from ..models import Network, saved
from ..models.small_maps import lay_side_by_side
from ..tasks import Task
from . import callbacks, checkpoints, distributed, optim
from .batches import Faces, mixed_seed
from .module import Trainee, Watch, watched
from .teacher import Teachers
from .weights import HeadWeights, class_weights


def train(config: Config, run: Path, resume: bool = False, watch: callbacks.Watcher | None = None) -> Network:
    """Train in the run folder and return the network with its best weights. Raises ConfigError, StoreError, ModelError, OSError.

    With `resume` a run goes on from its last finished epoch and ends with the weights it would have had undisturbed (bit
    for bit on a CPU with the same number of threads). `watch` is told each epoch's number and watched metric, in place
    of a progress bar; what it raises ends the run.
    """
    work = distributed.agreed(lambda: _prepared(config, run, resume, watch))
    distributed.told(lambda: _claim(config, work))
    with _quiet(), machine.kept_memory():
        for number in range(1, len(config.train.phases) + 1):
            work.finish(number)
    distributed.wait()
    return work.network.eval()


def _prepared(config: Config, run: Path, resume: bool, watch: callbacks.Watcher | None) -> _Run:
    """A run about to begin, its settings checked; nothing is written yet."""
    task = config.resolved_task()
    for head in task:
        losses.check(head)
    for phase in config.train.phases:
        optim.check(phase)
    chosen = watched(config, task)
    weighting = HeadWeights(task, config.train.head_weights)
    _check_claim(config, run, resume)
    torch.set_num_threads(config.train.threads or distributed.cores())
    torch.manual_seed(mixed_seed(config.train.seed, "weights"))
    network = _built(config, task)
    pre = models.preprocessing(config.model)
    teachers = Teachers(config.train.teacher, task, pre)
    faces = Faces(config, task, pre)
    _check_watched(faces, chosen)
    return _Run(config, run, network, weighting, faces, teachers, watch)


def _claim(config: Config, work: _Run) -> None:
    """Write down whose the run folder is, and say what classes weigh."""
    write_text(work.folder / "config.toml", dumps(config))
    for name, weights in class_weights(config, work.faces.task, work.faces.training.targets).items():
        said = ", ".join(f"{label} {weight:.2f}" for label, weight in weights.items())
        sys.stderr.write(f"class weights of {name}: {said}\n")


def _built(config: Config, task: Task) -> Network:
    """The network as training begins."""
    start = config.model.start
    network = models.build(saved.untrained(config).model if start else config.model, task)
    if start:
        saved.begin(network, config)
    if config.train.compile:
        if distributed.count() > 1:
            raise ConfigError(f"train.compile = true: not with several processes ({distributed.count()} were started)")
        network.compile()
    else:
        lay_side_by_side(network)
    # A third faster on a processor, and what a GPU's tensor cores want.
    return network.to(memory_format=torch.channels_last)


@dataclass
class _Run:
    """A run under way: its network, the weights of its heads, its faces and teachers, and the rows of its history."""

    config: Config
    folder: Path
    network: Network
    weighting: HeadWeights
    faces: Faces
    teachers: Teachers
    watch: callbacks.Watcher | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)

    def finish(self, number: int) -> None:
        """Train a phase, or read its outcome if it is done; leave its best weights in the network."""
        folder, whose = self.folder / "checkpoints" / str(number), checkpoints.claim(self.config, number)
        found = distributed.told(lambda: checkpoints.outcome(folder, whose))
        if found is None:
            keeper = self._fit(number, folder, whose)
            found = {"epoch": keeper.epoch, "state_dict": keeper.weights, "rows": self.rows}
            if machine.first():
                checkpoints.write(folder / checkpoints.BEST, found, whose)
        self.rows[:] = found["rows"]
        _restore({"network.": self.network, "weighting.": self.weighting}, found["state_dict"])

    def _fit(self, number: int, folder: Path, whose: checkpoints.Claim) -> checkpoints.Keeper:
        module = self._trainee(number)
        last = distributed.told(lambda: checkpoints.newest(folder, whose))
        keeper = checkpoints.Keeper(folder, module.watch.key, module.watch.higher)
        options = distributed.trainer_options()
        trainer = lightning.Trainer(
            max_epochs=module.phase.epochs,
            precision=self.config.train.precision,
            gradient_clip_val=self.config.train.clip or None,
            callbacks=[*self._hooks(number, module), keeper],
            plugins=[checkpoints.WholeFiles(whose), *options.pop("plugins")],
            logger=callbacks.logger(self.folder),
            num_sanity_val_steps=0,
            enable_progress_bar=False,
            enable_model_summary=False,
            **options,
        )
        try:
            trainer.fit(module, datamodule=self.faces, ckpt_path=last, weights_only=True)
        except SIGTERMException:  # nobody else heeds the signal
            raise KeyboardInterrupt(signal.SIGTERM) from None
        except SystemExit as stop:  # what Lightning makes of Ctrl-C
            raise KeyboardInterrupt(*getattr(stop.__context__, "args", ())) from None
        return keeper

    def _trainee(self, number: int) -> Trainee:
        phase = self.config.train.phases[number - 1]
        self.network.freeze(phase.frozen)
        self.network.train()
        self.faces.phase = number
        return Trainee(self.network, self.faces, phase, self.weighting, self.teachers)

    def _hooks(self, number: int, module: Trainee) -> list[Callback]:
        train = self.config.train
        hooks: list[Callback] = [callbacks.StepSeeds(train.seed, number)]
        if distributed.count() > 1:
            hooks.append(callbacks.Leave())
        if train.ema:
            hooks.append(callbacks.averaged(train.ema))
        hooks.append(callbacks.History(self.folder / "history.csv", self.rows, number))
        bar = callbacks.Bar(f"phase {number}/{len(train.phases)}")
        if self.watch:
            hooks.append(callbacks.Told(self.watch, module.watch.key, self.rows))
        elif machine.first():
            hooks.append(bar)
        if module.phase.patience:
            mode = "max" if module.watch.higher else "min"
            hooks.append(checkpoints.Patience(module.watch.key, patience=module.phase.patience, mode=mode))
        return hooks


def _restore(parts: dict[str, nn.Module], state: dict[str, Tensor]) -> None:
    """Load weights into their parts, by prefix."""
    for prefix, part in parts.items():
        part.load_state_dict(
            {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
        )


def _check_claim(config: Config, run: Path, resume: bool) -> None:
    """Raise ConfigError unless the run folder is new, or holds the same configuration and is to be resumed."""
    saved = run / "config.toml"
    if not saved.exists():
        return
    if not resume:
        raise ConfigError(f"{run}: holds a run already; go on with --resume, or choose another folder with --out")
    if (before := _difference(load(saved).to_dict(), config.to_dict())) is not None:
        raise ConfigError(f"{run}: cannot resume with another configuration ({before})")


def _check_watched(faces: Faces, watch: Watch) -> None:
    """Raise StoreError where no validation face can tell which epoch is the best."""
    if not losses.annotated(faces.task.head(watch.head), faces.validation.targets[watch.head]):
        data = faces.config.data
        raise StoreError(
            f"{data.store}: split '{data.validation}' has no annotated {watch.head}, whose {watch.metric} picks the best epoch "
            "(train.monitor names another)"
        )


def _difference(before: Any, now: Any, key: str = "") -> str | None:
    """The first key in which two configurations differ, with both values."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in {**before, **now}:
            found = _difference(before.get(name), now.get(name), f"{key}.{name}" if key else name)
            if found:
                return found
        return None
    return None if _plain(before) == _plain(now) else f"{key} was {before!r}, now {now!r}"


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Lightning's advice about things decided here on purpose."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        for text in (
            "does not have many workers",
            "exists and is not empty",
            "logging interval",
            "LeafSpec",
            "in eval mode",
            "epoch level in distributed setting",
            "`broadcast_buffers` is deprecated",
        ):
            warnings.filterwarnings("ignore", f".*{text}.*")
        yield
