"""The training loop: phases one after another, each resumable from its last finished epoch."""

from __future__ import annotations

import ctypes
import json
import logging
import platform
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

from .. import losses, machine, models
from ..config import Config, dumps, load
from ..errors import ConfigError, StoreError
from ..files import write_text
from ..models import Network, saved
from ..models.small_maps import lay_side_by_side
from ..tasks import Task
from . import callbacks, checkpoints, distributed, global_batch, optim
from .batches import DataModule, mixed_seed
from .module import MonitoredMetric, TrainingModule, monitored_metric
from .teacher import Teachers
from .weights import HeadWeights, class_weights

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # parameters of glibc's mallopt(3)


def train(
    config: Config, run: Path, resume: bool = False, on_epoch: callbacks.EpochCallback | None = None
) -> Network:
    """Train in the run folder and return the network with its best weights.

    With `resume` a run goes on from its last finished epoch and ends with the weights it would have had
    undisturbed (bit for bit on a CPU with the same number of threads). `on_epoch` is called with each epoch's
    number and monitored metric, in place of a progress bar; an exception it raises ends the run. Raises
    ConfigError, StoreError, ModelError, OSError.
    """
    job = distributed.run_on_all(lambda: _prepared(config, run, resume, on_epoch))
    distributed.broadcast_from_main(lambda: _write_config(config, job))
    with _quiet(), reused_memory():
        for number in range(1, len(config.train.phases) + 1):
            job.finish(number)
    distributed.barrier()
    return job.network.eval()


def _prepared(config: Config, run: Path, resume: bool, on_epoch: callbacks.EpochCallback | None) -> _Run:
    """Check the settings and build what a run needs; nothing is written yet."""
    task = config.resolved_task()
    for head in task:
        losses.check(head)
    for phase in config.train.phases:
        optim.check(phase)
    monitor = monitored_metric(config, task)
    weighting = HeadWeights(task, config.train.head_weights)
    _check_folder(config, run, resume)
    torch.set_num_threads(config.train.threads or distributed.cores_per_process())
    torch.manual_seed(mixed_seed(config.train.seed, "weights"))
    network = _built(config, task)
    inputs = models.input_set(config.model)
    teachers = Teachers(config.train.teacher, task, inputs)
    data = DataModule(config, task, inputs)
    _check_monitor(data, monitor)
    return _Run(config, run, network, weighting, data, teachers, on_epoch)


def _write_config(config: Config, job: _Run) -> None:
    """Write the configuration into the run folder, and print the class weights."""
    write_text(job.folder / "config.toml", dumps(config))
    for name, weights in class_weights(config, job.data.task, job.data.training.targets).items():
        listed = ", ".join(f"{label} {weight:.2f}" for label, weight in weights.items())
        sys.stderr.write(f"class weights of {name}: {listed}\n")


def _built(config: Config, task: Task) -> Network:
    """Build the network that training starts from."""
    start = config.model.start
    network = models.build(saved.untrained(config).model if start else config.model, task)
    if start:
        saved.begin(network, config)
    if config.train.compile:
        if (count := distributed.world_size()) > 1:
            raise ConfigError(f"train.compile = true: not with several processes ({count} were started)")
        network.compile()
    else:
        lay_side_by_side(network)
    global_batch.synchronise_norms(network)
    # A third faster on a CPU, and the layout that a GPU's tensor cores need.
    return network.to(memory_format=torch.channels_last)


@dataclass
class _Run:
    """A run in progress: network, weights of heads, data, teachers, and the rows of its history."""

    config: Config
    folder: Path
    network: Network
    weighting: HeadWeights
    data: DataModule
    teachers: Teachers
    on_epoch: callbacks.EpochCallback | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)

    def finish(self, number: int) -> None:
        """Train a phase, or read its result if it is done; load its best weights into the network."""
        folder = self.folder / "checkpoints" / str(number)
        fingerprint = checkpoints.fingerprint(self.config, number)
        found = distributed.broadcast_from_main(lambda: checkpoints.finished(folder, fingerprint))
        if found is None:
            checkpoint = self._fit(number, folder, fingerprint)
            found = {"epoch": checkpoint.epoch, "state_dict": checkpoint.weights, "rows": self.rows}
            if machine.is_main():
                checkpoints.write(folder / checkpoints.BEST, found, fingerprint)
        self.rows[:] = found["rows"]
        for part, prefix in ((self.network, "network."), (self.weighting, "weighting.")):
            best = {name: value for name, value in found["state_dict"].items() if name.startswith(prefix)}
            part.load_state_dict({name.removeprefix(prefix): value for name, value in best.items()})

    def _fit(
        self, number: int, folder: Path, fingerprint: checkpoints.Fingerprint
    ) -> checkpoints.BestCheckpoint:
        module = self._module(number)
        last = distributed.broadcast_from_main(lambda: checkpoints.newest(folder, fingerprint))
        best = checkpoints.BestCheckpoint(folder, module.monitor.key, module.monitor.higher)
        options = distributed.trainer_options()
        trainer = lightning.Trainer(
            max_epochs=module.phase.epochs,
            precision=self.config.train.precision,
            gradient_clip_val=self.config.train.clip or None,
            callbacks=[*self._hooks(number, module), best],
            plugins=[checkpoints.AtomicCheckpointIO(fingerprint), *options.pop("plugins")],
            logger=callbacks.logger(self.folder),
            num_sanity_val_steps=0,
            enable_progress_bar=False,
            enable_model_summary=False,
            **options,
        )
        try:
            trainer.fit(module, datamodule=self.data, ckpt_path=last, weights_only=True)
        except SIGTERMException:  # Lightning took the signal
            raise KeyboardInterrupt(signal.SIGTERM) from None
        except SystemExit as stop:  # Lightning turns Ctrl-C into this
            raise KeyboardInterrupt(*getattr(stop.__context__, "args", ())) from None
        return best

    def _module(self, number: int) -> TrainingModule:
        phase = self.config.train.phases[number - 1]
        self.network.freeze(phase.frozen)
        self.network.train()
        self.data.phase = number
        return TrainingModule(self.network, self.data, phase, self.weighting, self.teachers)

    def _hooks(self, number: int, module: TrainingModule) -> list[Callback]:
        train = self.config.train
        hooks: list[Callback] = [callbacks.StepSeeds(train.seed, number)]
        if distributed.world_size() > 1:
            hooks.append(callbacks.SigtermExit())
        if train.ema:
            hooks.append(callbacks.averaged(train.ema))
        hooks.append(callbacks.HistoryWriter(self.folder / "history.csv", self.rows, number))
        bar = callbacks.TrainingProgressBar(f"phase {number}/{len(train.phases)}")
        if self.on_epoch:
            hooks.append(callbacks.EpochListener(self.on_epoch, module.monitor.key, self.rows))
        elif machine.is_main():
            hooks.append(bar)
        if module.phase.patience:
            mode = "max" if module.monitor.higher else "min"
            hooks.append(checkpoints.Patience(module.monitor.key, patience=module.phase.patience, mode=mode))
        return hooks


def _check_folder(config: Config, run: Path, resume: bool) -> None:
    """Raise ConfigError unless the run folder is new, or is to be resumed with its own configuration."""
    file = run / "config.toml"
    if not file.exists():
        return
    if not resume:
        choices = "go on with --resume, or choose another folder with --out"
        raise ConfigError(f"{run}: holds a run already; {choices}")
    before, now = (json.loads(json.dumps(each.to_dict())) for each in (load(file), config))
    if difference := next(_differences(before, now), None):
        raise ConfigError(f"{run}: cannot resume with another configuration ({difference})")


def _check_monitor(data: DataModule, monitor: MonitoredMetric) -> None:
    """Raise StoreError where no validation sample can tell which epoch is the best."""
    if not losses.annotated(data.task.head(monitor.head), data.validation.targets[monitor.head]):
        settings = data.config.data
        raise StoreError(
            f"{settings.store}: split '{settings.validation}' has no annotated {monitor.head}, whose "
            f"{monitor.metric} picks the best epoch (train.monitor names another)"
        )


def _differences(before: Any, now: Any, key: str = "") -> Iterator[str]:
    """Name the keys in which two configurations differ, with both values."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in {**before, **now}:
            yield from _differences(before.get(name), now.get(name), f"{key}.{name}" if key else name)
    elif before != now:
        yield f"{key} was {before!r}, now {now!r}"


@contextmanager
def reused_memory() -> Iterator[None]:
    """Let glibc reuse freed memory in the block: else large tensors get new, zeroed pages at every step."""
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_MMAP_MAX, 0)
    libc.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:  # the defaults that mallopt(3) documents
        libc.mallopt(_MMAP_MAX, 65536)
        libc.mallopt(_TRIM_THRESHOLD, 128 * 1024)
        libc.malloc_trim(0)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Lightning's warnings about settings that are chosen here on purpose."""
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
