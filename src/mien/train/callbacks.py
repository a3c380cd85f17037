"""What happens around a training step: seeds, history and progress."""

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
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor

from ..files import write_text
from ..signals import interrupt
from .batches import mixed_seed

#: Told the number of an epoch and the metric that picks the best one; may raise to end the run.
Watcher = Callable[[int, float], None]


class StepSeeds(Callback):
    """Seed every step from (seed, phase, step), so a resumed run draws what an undisturbed one would have drawn."""

    def __init__(self, seed: int, phase: int) -> None:
        self.seed, self.phase = seed, phase

    def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
        """Seed torch for the step about to be taken."""
        torch.manual_seed(mixed_seed(self.seed, "step", self.phase, trainer.global_step))


class SigtermExit(Callback):
    """Of several processes each leaves at SIGTERM by itself: Lightning's handler tells the others, who may be waiting for it."""

    def on_train_start(self, *_: Any) -> None:
        """Take the signal; Lightning gives it back."""
        signal.signal(signal.SIGTERM, interrupt)


class History(Callback):
    """One row an epoch, kept in the checkpoint and written to `history.csv`.

    `seconds` is the whole epoch; `faces_per_second` counts the training part alone, without validation. Of several heads
    `train_loss.HEAD` and `validation_loss.HEAD` are unweighted; `weight.HEAD` is a learned weight at the end of the epoch.
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
        seen = trainer.num_training_batches * trainer.train_dataloader.sampler.batch_size
        rate = module.optimizers().param_groups[0]["lr"]
        scores = {name: float(value) for name, value in trainer.callback_metrics.items()}
        weights = {f"weight.{head}": weight for head, weight in module.weighting.learned().items()}
        learnt = {**module.training_losses(), **weights}
        self.rows.append(
            {
                "phase": self.phase,
                "epoch": len(self.rows) + 1,
                "step": trainer.global_step,
                "lr": rate,
                "seconds": round(seconds, 3),
                "faces_per_second": round(seen / (self.trained - self.start), 1),
                **learnt,
                **scores,
            }
        )
        for logger in trainer.loggers:
            logger.log_metrics({**learnt, "lr": rate}, step=trainer.global_step)
        if trainer.is_global_zero:
            self.write()

    def write(self) -> None:
        """Write the table whole."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(dict.fromkeys(key for row in self.rows for key in row)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_text(self.path, text.getvalue())

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the rows of a checkpoint."""
        self.rows[:] = state_dict["rows"]


class EpochListener(Callback):
    """Tell somebody the number of each epoch, counted over all phases, and its watched metric."""

    def __init__(self, watch: Watcher, key: str, rows: list[dict[str, Any]]) -> None:
        self.watch, self.key, self.rows = watch, key, rows

    def on_train_epoch_end(self, *_: Any) -> None:
        """Tell of the epoch that has just got its row."""
        self.watch(self.rows[-1]["epoch"], self.rows[-1][self.key])


class TrainingProgressBar(Callback):
    """Progress on stderr: a bar with loss, metric and time left on a terminal, a line an epoch elsewhere."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.bar: Progress | None = None
        self.start = 0.0
        self.first = 0

    def on_train_start(self, trainer: Any, *_: Any) -> None:
        """Show the bar."""
        self.start, self.first = time.perf_counter(), trainer.current_epoch
        if sys.stderr.isatty():
            times = TimeElapsedColumn(), TimeRemainingColumn()
            columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), *times
            self.bar = Progress(*columns, console=Console(stderr=True))
            self.bar.start()
            total = trainer.num_training_batches * trainer.max_epochs
            self.bar.add_task(self.label, total=total, completed=trainer.global_step)

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        """Move the bar, and say the loss now and then."""
        if self.bar and trainer.global_step % 10 == 0:
            text = self._state(trainer, trainer.current_epoch + 1)
            self.bar.update(self.bar.task_ids[0], completed=trainer.global_step, description=text)

    def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
        """Say how the epoch went."""
        done = trainer.current_epoch + 1
        left = (time.perf_counter() - self.start) / (done - self.first) * (trainer.max_epochs - done)
        if self.bar:
            self.bar.update(self.bar.task_ids[0], completed=trainer.global_step)
            self.bar.console.print(self._state(trainer, done), highlight=False)
        else:
            sys.stderr.write(f"{self._state(trainer, done)}  {left / 60:.1f} min left\n")

    def teardown(self, *_: Any, **__: Any) -> None:
        """Take the bar away."""
        if self.bar:
            self.bar.stop()
            self.bar = None

    def _state(self, trainer: Any, epoch: int) -> str:
        module = trainer.lightning_module
        value = trainer.callback_metrics.get(module.watch.key)
        metric = "" if value is None else f"  {module.watch.metric} {float(value):.4f}"
        loss = module.training_losses()["train_loss"]
        return f"{self.label} epoch {epoch}/{trainer.max_epochs}  loss {loss:.4f}{metric}"


def averaged(decay: float) -> Callback:
    """Exponential moving average of the weights, kept short at the start so that a short run has an average worth having."""

    def step(averages: list[Tensor], currents: list[Tensor], count: Tensor) -> None:
        kept = min(decay, (1 + float(count)) / (10 + float(count)))
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, currents, 1 - kept)
        else:
            torch._foreach_copy_(averages, currents)

    return WeightAveraging(multi_avg_fn=step)


def logger(folder: Path) -> Any:
    """TensorBoard's event files, under `tensorboard/`."""
    return lightning.pytorch.loggers.TensorBoardLogger(folder, name="tensorboard", version="")
