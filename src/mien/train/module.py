"""One step of training and one pass of validation, for any task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn

from .. import losses, metrics
from ..config import Config, PhaseConfig
from ..losses import Setting
from ..models import Network, activate
from ..tasks import Head, Kind, Task
from . import optim
from .augment import Augmentation
from .batches import Batch, Faces


@dataclass(frozen=True)
class Watch:
    """The validation metric that picks the best epoch."""

    head: str
    metric: str
    higher: bool

    @property
    def key(self) -> str:
        """Its name in logs and history."""
        return f"validation_{self.head}_{self.metric}"


class Trainee(lightning.LightningModule):
    """A network in training for one phase."""

    def __init__(self, network: Network, faces: Faces, phase: PhaseConfig) -> None:
        super().__init__()
        self.network, self.phase, self.task = network, phase, faces.task
        self.watch = watched(faces.config, faces.task)
        self.settings = settings(faces.config, faces.task, faces.training.targets)
        self.augment = Augmentation(faces.config.train.augment)
        self.mean = nn.Buffer(torch.tensor(faces.pre.mean).view(1, -1, 1, 1), persistent=False)
        self.std = nn.Buffer(torch.tensor(faces.pre.std).view(1, -1, 1, 1), persistent=False)
        self.running = torch.zeros(())
        self.seen: list[tuple[dict[str, Tensor], dict[str, Tensor], float]] = []

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Pixels 0…1 (N, C, S, S) -> raw scores {head: (N, K)}."""
        normal = ((pixels - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        scores: dict[str, Tensor] = self.network(normal)
        return scores

    def loss(self, scores: dict[str, Tensor], targets: dict[str, Tensor], smooth: bool) -> Tensor:
        """The weighted sum of the heads' losses; label smoothing is for training alone."""
        total = torch.zeros((), device=self.device)
        for head in self.task:
            setting = self.settings[head.name]
            total = total + head.weight * losses.head_loss(
                scores[head.name], targets[head.name], setting if smooth else replace(setting, smoothing=0.0)
            )
        return total

    def on_train_epoch_start(self) -> None:
        """Start the running mean of the loss."""
        self.running = torch.zeros((), device=self.device)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Augment, predict, and return the loss."""
        with torch.autocast(self.device.type, enabled=False):  # geometry in 16 bits would blur positions
            pixels, targets = self.augment(batch["pixels"].float() / 255, batch["targets"])
        loss = self.loss(self(pixels), targets, smooth=True)
        self.running += (loss.detach() - self.running) / (index + 1)
        return loss

    def validation_step(self, batch: Batch) -> None:
        """Collect what is scored at the end of the epoch, over the whole set."""
        scores = self(batch["pixels"].float() / 255)
        loss = float(self.loss(scores, batch["targets"], smooth=False))
        self.seen.append(({name: values.float().cpu() for name, values in scores.items()}, batch["targets"], loss))

    def on_validation_epoch_end(self) -> None:
        """Score every head over the whole validation set."""
        sizes = [len(next(iter(scores.values()))) for scores, _, _ in self.seen]
        results = {"validation_loss": float(np.average([loss for _, _, loss in self.seen], weights=sizes))}
        for head in self.task:
            output = activate(head, torch.cat([scores[head.name] for scores, _, _ in self.seen])).numpy()
            target = torch.cat([targets[head.name] for _, targets, _ in self.seen]).cpu().numpy()
            for name, value in metrics.evaluate_head(head, output, target).items():
                results[f"validation_{head.name}_{name}"] = value
        self.seen.clear()
        self.log_dict({name: torch.tensor(value, dtype=torch.float64) for name, value in results.items()})

    def configure_optimizers(self) -> Any:
        """The phase's optimizer and schedule."""
        optimizer = optim.optimizer(self.network, self.phase)
        steps = int(self.trainer.estimated_stepping_batches)
        plan = optim.schedule(optimizer, self.phase, steps, self.watch.key, self.watch.higher)
        return {"optimizer": optimizer, "lr_scheduler": plan}


def watched(config: Config, task: Task) -> Watch:
    """The metric named by `train.monitor` as 'metric' or 'head.metric'; else the first head's first. Raises ConfigError."""
    name, _, metric = config.train.monitor.rpartition(".")
    head = task.head(name) if name else task.heads[0]
    metric = metric or head.metrics[0]
    return Watch(head.name, metric, metrics.metric_for(metric, head).higher_is_better)


def settings(config: Config, task: Task, targets: dict[str, Tensor]) -> dict[str, Setting]:
    """What each head's loss needs: smoothing, and class weights from the training targets."""
    weigh = config.train.balance == "loss"
    return {
        head.name: Setting(
            head,
            config.train.label_smoothing,
            _class_weights(head, targets[head.name]) if weigh and head.kind is not Kind.VALUES else None,
        )
        for head in task
    }


def _class_weights(head: Head, target: Tensor) -> Tensor:
    """Inverse frequency with mean 1 over samples; for TAGS absent over present, at most 20."""
    known = target[~target.isnan().any(1)]
    counts = known.sum(0).clamp_min(1.0)
    if head.kind is Kind.TAGS:
        return ((len(known) - counts) / counts).clamp(1.0, 20.0)
    return counts.sum() / (len(counts) * counts)
