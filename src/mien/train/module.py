"""One step of training and one pass of validation, for any task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import lightning
import torch
from torch import Tensor

from .. import losses, metrics
from ..config import Config, PhaseConfig
from ..losses import LossContext
from ..models import Network, activate
from ..models.normaliser import Normaliser
from ..tasks import Task
from . import distributed, global_batch, optim
from .augment import Augmentation
from .batches import DataModule
from .dataset import Batch
from .sam import Sam, frozen_statistics
from .teacher import Teachers
from .weights import HeadWeights, class_weights

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class MonitoredMetric:
    """The validation metric that picks the best epoch: of which head, and whether higher is better."""

    head: str
    metric: str
    higher: bool

    @property
    def key(self) -> str:
        """The metric's name in logs and history."""
        return f"validation_{self.head}_{self.metric}"


@dataclass
class RunningMean:
    """A mean over values that come one at a time, on their device."""

    total: Tensor | float = 0.0
    count: int = 0

    def add(self, value: Tensor) -> None:
        """Add a value."""
        self.total, self.count = self.total + value, self.count + 1

    @property
    def value(self) -> float:
        """The mean of the values so far."""
        return float(self.total) / self.count


class TrainingModule(lightning.LightningModule):
    """A network in training for one phase."""

    def __init__(
        self,
        network: Network,
        data: DataModule,
        phase: PhaseConfig,
        weighting: HeadWeights,
        teachers: Teachers,
    ) -> None:
        super().__init__()
        self.network, self.phase, self.task, self.weighting = network, phase, data.task, weighting
        self.teachers = teachers
        train = data.config.train
        self.sam = Sam(network, train.sam) if train.sam else None
        self.monitor = monitored_metric(data.config, data.task)
        self.loss_contexts = loss_contexts(data.config, data.task, data.training.targets)
        self.augment = Augmentation(train.augment, {each.name: each.modality for each in data.inputs.inputs})
        self.normaliser = Normaliser(data.inputs.transforms)
        self.running: dict[str, RunningMean] = {}
        self.collected: list[tuple[Tensors, Tensors]] = []

    def forward(self, inputs: Tensors, present: Tensors) -> Tensors:
        """Scaled inputs {input: (N, ...)}, `present` {input: bool (N,)} -> raw scores {head: (N, K)}."""
        scores: Tensors = self.network(self.normaliser(inputs), present)
        return scores

    def losses(self, scores: Tensors, targets: Tensors, smooth: bool) -> Tensors:
        """Compute each head's unweighted loss, with label smoothing (in training) where `smooth`."""
        parts = {}
        for name, context in self.loss_contexts.items():
            used = context if smooth else replace(context, smoothing=0.0)
            parts[name] = losses.head_loss(scores[name], targets[name], used)
        return parts

    def on_train_epoch_start(self) -> None:
        """Reset the running means of the heads' losses."""
        self.running = {head.name: RunningMean() for head in self.task}

    def training_step(self, batch: Batch) -> Tensor:
        """Augment and predict, and return the loss; with `train.sam` at the weights moved up the gradient."""
        present = batch["present"]
        with torch.autocast(self.device.type, enabled=False):  # geometry in 16 bits would blur positions
            scaled = self.normaliser.scaled(batch["inputs"])
            last_mixed = self.augment.config.mix_until * self.trainer.estimated_stepping_batches
            mixing = self.trainer.global_step < last_mixed
            inputs, targets = self.augment(scaled, present, batch["targets"], mixing)
        taught = self.teachers(inputs, present)
        loss, parts = self._loss(inputs, present, targets, taught)
        for name, value in parts.items():
            self.running[name].add(value.detach())
        if self.sam is None:
            return loss
        self.sam.perturb(loss)
        with frozen_statistics(self.network):
            return self._loss(inputs, present, targets, taught)[0]

    def on_before_optimizer_step(self, *_: Any) -> None:
        """Restore the weights that `sam` moved, and average running statistics over processes."""
        global_batch.average_statistics(self.network)
        if self.sam is not None:
            self.sam.restore()

    def _loss(
        self, inputs: Tensors, present: Tensors, targets: Tensors, taught: Tensors
    ) -> tuple[Tensor, Tensors]:
        """Compute the loss to minimise, and that of each head with a target, over the global batch."""
        with global_batch.rank_draws():
            scores = self(inputs, present)
        scores, targets, taught = _gathered(scores, targets, taught)
        parts = self.losses(scores, targets, smooth=True)
        share, temperature = self.teachers.config.weight, self.teachers.config.temperature
        for name, probabilities in taught.items():
            soft = losses.distillation(scores[name], probabilities, temperature)
            parts[name] = (1 - share) * parts[name] + share * soft
        with_target = {*self._annotated(targets), *taught}
        loss = self.weighting(parts, with_target)
        return loss, {name: part for name, part in parts.items() if name in with_target}

    def training_losses(self) -> dict[str, float]:
        """Return the epoch's mean losses so far: `train_loss`, and `train_loss.HEAD` if there are several."""
        means = {name: mean.value for name, mean in self.running.items() if mean.count}
        return self._summed("train_loss", means)

    def validation_step(self, batch: Batch) -> None:
        """Collect scores and targets, for metrics over the whole set at the end of the epoch."""
        scores = self(self.normaliser.scaled(batch["inputs"]), batch["present"])
        self.collected.append((_on_cpu(scores), _on_cpu(batch["targets"])))

    def on_validation_epoch_end(self) -> None:
        """Compute losses and metrics of every head over the whole validation set, and log them."""
        batches = [batch for rank in distributed.all_gather_object(self.collected) for batch in rank]
        scores, targets = (
            {k: torch.cat([part[k] for part in side]) for k in side[0]} for side in zip(*batches, strict=True)
        )
        self.collected = []
        parts, with_target = self.losses(scores, targets, smooth=False), self._annotated(targets)
        results = self._summed("validation_loss", {name: float(parts[name]) for name in with_target})
        for head in self.task:
            output, target = activate(head, scores[head.name]).numpy(), targets[head.name].numpy()
            for name, value in metrics.evaluate_head(head, output, target).items():
                results[f"validation_{head.name}_{name}"] = value
        self.log_dict({name: torch.tensor(value, dtype=torch.float64) for name, value in results.items()})

    def _annotated(self, targets: Tensors) -> list[str]:
        return [head.name for head in self.task if losses.annotated(head, targets[head.name])]

    def _summed(self, name: str, parts: dict[str, float]) -> dict[str, float]:
        """Sum the losses, by declared weight so that epochs compare, as `name`, and name each of several."""
        each = {f"{name}.{head}": loss for head, loss in parts.items()} if len(self.task.heads) > 1 else {}
        return {name: sum(self.task.head(head).weight * loss for head, loss in parts.items()), **each}

    def configure_optimizers(self) -> Any:
        """Create the optimizer and the learning-rate schedule of the phase."""
        optimizer = optim.optimizer(self, self.phase, bool(self.trainer.gradient_clip_val))
        steps = int(self.trainer.estimated_stepping_batches)
        lr_scheduler = optim.schedule(optimizer, self.phase, steps, self.monitor.key, self.monitor.higher)
        return {"optimizer": optimizer, "lr_scheduler": lr_scheduler}


def _gathered(*sides: Tensors) -> tuple[Tensors, ...]:
    """Gather the rows of all processes of each tensor (N, K), in one message."""
    if distributed.world_size() == 1:
        return sides
    columns = [values.float() for side in sides for values in side.values()]
    gathered = global_batch.all_gather(torch.cat(columns, 1))
    parts = iter(torch.split(gathered, [values.shape[1] for values in columns], 1))
    return tuple({name: next(parts) for name in side} for side in sides)


def _on_cpu(tensors: Tensors) -> Tensors:
    return {name: values.float().cpu() for name, values in tensors.items()}


def monitored_metric(config: Config, task: Task) -> MonitoredMetric:
    """Find what `train.monitor` names ('metric' or 'head.metric'), else the first. Raises ConfigError."""
    name, _, metric = config.train.monitor.rpartition(".")
    head = task.head(name) if name else task.heads[0]
    metric = metric or head.metrics[0]
    return MonitoredMetric(head.name, metric, metrics.metric_for(metric, head).higher_is_better)


def loss_contexts(config: Config, task: Task, targets: Tensors) -> dict[str, LossContext]:
    """Create the context of each head's loss: smoothing, and class weights in the order of its labels."""
    tables, smoothing = class_weights(config, task, targets), config.train.label_smoothing
    weights = {name: torch.tensor(list(by_label.values())) for name, by_label in tables.items()}
    return {head.name: LossContext(head, smoothing, weights.get(head.name)) for head in task}
