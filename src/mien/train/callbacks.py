"""Lightning callbacks: the seed of a step, SIGTERM, history, progress, averaged weights; and the logger."""

from __future__ import annotations

import csv
import io
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, WeightAveraging
from rich import progress
from rich.console import Console
from torch import Tensor

from ..files import write_text
from ..signals import interrupt
from .batches import mixed_seed

#: Called with the number of an epoch and the metric that picks the best one; may raise to end the run.
EpochCallback = Callable[[int, float], None]


class StepSeeds(Callback):
    """Seed each step from (seed, phase, step): a resumed run draws the numbers of an undisturbed one."""

    def __init__(self, seed: int, phase: int) -> None:
        self.seed, self.phase = seed, phase

    def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
        """Seed torch for the step about to be taken."""
        torch.manual_seed(mixed_seed(self.seed, "step", self.phase, trainer.global_step))


class SigtermExit(Callback):
    """End each of several processes at SIGTERM by itself.

    Lightning's own handler sends a message to the other processes, which may already be waiting for this one.
    """

    def on_train_start(self, *_: Any) -> None:
        """Set the handler; Lightning restores its predecessor when training ends."""
        signal.signal(signal.SIGTERM, interrupt)


class HistoryWriter(Callback):
    """Write a row for each epoch to `history.csv`, and keep the rows in the checkpoint.

    `seconds`: the whole epoch · `faces_per_second`: of training without validation · `train_loss.HEAD`,
    `validation_loss.HEAD`: unweighted, of several heads · `weight.HEAD`: learned, as the epoch ends.
    """

    def __init__(self, path: Path, rows: list[dict[str, Any]], phase: int) -> None:
        self.path, self.rows, self.phase = path, rows, phase
        self.start = self.trained = 0.0

    def on_train_epoch_start(self, *_: Any) -> None:
        """Start the clock."""
        self.start = time.perf_counter()

    def on_validation_start(self, *_: Any) -> None:
        """Stop the clock of the training part."""
        self.trained = time.perf_counter()

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        """Add the epoch's row and write the table."""
        seconds = time.perf_counter() - self.start
        count = trainer.num_training_batches * trainer.train_dataloader.sampler.batch_size
        lr = module.optimizers().param_groups[0]["lr"]
        scores = {name: float(value) for name, value in trainer.callback_metrics.items()}
        weights = {f"weight.{head}": weight for head, weight in module.weighting.learned().items()}
        learned = {**module.training_losses(), **weights}
        self.rows.append(
            {
                "phase": self.phase,
                "epoch": len(self.rows) + 1,
                "step": trainer.global_step,
                "lr": lr,
                "seconds": round(seconds, 3),
                "faces_per_second": round(count / (self.trained - self.start), 1),
                **learned,
                **scores,
            }
        )
        for logger in trainer.loggers:
            logger.log_metrics({**learned, "lr": lr}, step=trainer.global_step)
        if trainer.is_global_zero:
            text = io.StringIO()
            columns = list(dict.fromkeys(key for row in self.rows for key in row))
            writer = csv.DictWriter(text, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
            write_text(self.path, text.getvalue())

    def state_dict(self) -> dict[str, Any]:
        """Return the rows so far, to be saved in the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the rows of a checkpoint."""
        self.rows[:] = state_dict["rows"]


class EpochListener(Callback):
    """Call a function with the number of each epoch, counted over all phases, and its monitored metric."""

    def __init__(self, on_epoch: EpochCallback, key: str, rows: list[dict[str, Any]]) -> None:
        self.on_epoch, self.key, self.rows = on_epoch, key, rows

    def on_train_epoch_end(self, *_: Any) -> None:
        """Report the epoch whose row has just been added."""
        self.on_epoch(self.rows[-1]["epoch"], self.rows[-1][self.key])


class TrainingProgressBar(Callback):
    """Show progress on stderr: a bar with loss, metric and time left on a terminal, else a line per epoch."""

    def __init__(self, label: str) -> None:
        self.label, self.start, self.first_epoch = label, 0.0, 0
        self.bar: progress.Progress | None = None

    def on_train_start(self, trainer: Any, *_: Any) -> None:
        """Show the bar."""
        self.start, self.first_epoch = time.perf_counter(), trainer.current_epoch
        if sys.stderr.isatty():
            times = progress.TimeElapsedColumn(), progress.TimeRemainingColumn()
            columns = progress.BarColumn(), progress.MofNCompleteColumn(), *times
            self.bar = progress.Progress("{task.description}", *columns, console=Console(stderr=True))
            self.bar.start()
            total = trainer.num_training_batches * trainer.max_epochs
            self.bar.add_task(self.label, total=total, completed=trainer.global_step)

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        """Advance the bar, and show the loss every ten steps."""
        if self.bar and trainer.global_step % 10 == 0:
            text = self._state(trainer, trainer.current_epoch + 1)
            self.bar.update(self.bar.task_ids[0], completed=trainer.global_step, description=text)

    def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
        """Print loss and metric of the epoch."""
        done = trainer.current_epoch + 1
        left = (time.perf_counter() - self.start) / (done - self.first_epoch) * (trainer.max_epochs - done)
        if self.bar:
            self.bar.update(self.bar.task_ids[0], completed=trainer.global_step)
            self.bar.console.print(self._state(trainer, done), highlight=False)
        else:
            sys.stderr.write(f"{self._state(trainer, done)}  {left / 60:.1f} min left\n")

    def teardown(self, *_: Any, **__: Any) -> None:
        """Remove the bar."""
        if self.bar:
            self.bar.stop()
            self.bar = None

    def _state(self, trainer: Any, epoch: int) -> str:
        module = trainer.lightning_module
        value = trainer.callback_metrics.get(module.monitor.key)
        metric = "" if value is None else f"  {module.monitor.metric} {float(value):.4f}"
        loss = module.training_losses()["train_loss"]
        return f"{self.label} epoch {epoch}/{trainer.max_epochs}  loss {loss:.4f}{metric}"


def averaged(decay: float) -> Callback:
    """Average the weights exponentially, by `decay` or by (1 + t) / (10 + t) where that is less."""

    def step(averages: list[Tensor], currents: list[Tensor], count: Tensor) -> None:
        kept = min(decay, (1 + float(count)) / (10 + float(count)))
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, currents, 1 - kept)
        else:
            torch._foreach_copy_(averages, currents)

    return WeightAveraging(multi_avg_fn=step)


def logger(folder: Path) -> Any:
    """Create the logger of TensorBoard's event files, under `tensorboard/`."""
    return lightning.pytorch.loggers.TensorBoardLogger(folder, name="tensorboard", version="")
