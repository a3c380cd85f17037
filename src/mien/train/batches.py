"""Batches of the training and the validation split, in an order that depends on seed and epoch alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from ..config import Config
from ..errors import ConfigError, StoreError
from ..media import InputSet
from ..store import Rows, Store
from ..tasks import Task
from . import distributed, global_batch
from .dataset import Batch, SampleDataset


class EpochOrder(Sampler[list[int]]):
    """Batches of positions, shuffled by seed and epoch, or drawn with replacement by `weights` (N,).

    Each process is given its own part of every batch.
    """

    def __init__(self, count: int, batch_size: int, seed: int, weights: Tensor | None = None) -> None:
        self.count, self.batch_size, self.seed, self.weights = count, min(batch_size, count), seed, weights
        self.epoch = 0

    def __len__(self) -> int:
        return self.count // self.batch_size

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch whose order the next iteration gives."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed(mixed_seed(self.seed, "order", self.epoch))
        if self.weights is None:
            order = torch.randperm(self.count, generator=generator)
        else:
            order = torch.multinomial(self.weights, self.count, replacement=True, generator=generator)
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            yield order[start : start + self.batch_size][global_batch.rank_slice(self.batch_size)].tolist()


class DataModule(lightning.LightningDataModule):
    """The training and the validation split of a run's store, and their data loaders."""

    def __init__(self, config: Config, task: Task, inputs: InputSet) -> None:
        super().__init__()
        self.config, self.task, self.inputs = config, task, inputs
        self.store = store = Store(config.data.store)

        def dataset(rows: Rows) -> SampleDataset:
            rows = thinned(store.rows_with(inputs.sources, rows), config)
            return SampleDataset(store, rows, task, inputs, config.data.memory_gb)

        self.training = dataset(learned_from(store, task, config))
        self.validation = dataset(annotated(store, task, config.data.validation))
        self.phase = 0
        self._check_parts()

    def _check_parts(self) -> None:
        """Raise ConfigError or StoreError where processes would get unequal parts of a batch, or none."""
        processes, size = distributed.world_size(), min(self.config.train.batch_size, len(self.training))
        if size % processes:
            fewer = "" if size == self.config.train.batch_size else f", {size} samples to train on"
            raise ConfigError(
                f"train.batch_size = {self.config.train.batch_size}{fewer}: the batch of all {processes} "
                f"processes together must be a multiple of {processes}"
            )
        if len(self.validation) < processes:
            split = f"split '{self.config.data.validation}'"
            raise StoreError(f"{self.store.path}: {split} has fewer samples than the {processes} processes")

    def setup(self, stage: str) -> None:  # noqa: ARG002  (Lightning names it)
        """Move the samples to the GPU that trains, where there is one and they fit."""
        assert self.trainer is not None
        device = self.trainer.strategy.root_device
        if device.type == "cuda":
            for dataset in (self.training, self.validation):
                dataset.cache_on(device, torch.cuda.mem_get_info(device)[0])

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return the loader of shuffled batches; the last incomplete one is dropped."""
        train = self.config.train
        weights = _balanced(self.training) if train.balance == "sampler" else None
        seed = mixed_seed(train.seed, "phase", self.phase)
        order = EpochOrder(len(self.training), train.batch_size, seed, weights)
        if self.trainer is not None:
            # Workers prefetch before Lightning sets the epoch of a resumed run, so it is set here already.
            order.set_epoch(self.trainer.global_step // len(order))
        return self._loader(self.training, order)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the loader of all samples in order; of several processes each reads its part."""
        size = max(self.config.train.batch_size, 256)
        mine = range(len(self.validation))[global_batch.rank_slice(len(self.validation))]
        return self._loader(self.validation, [list(mine[k : k + size]) for k in range(0, len(mine), size)])

    def _loader(self, dataset: SampleDataset, order: Any) -> DataLoader[Batch]:
        # Another process cannot share a GPU's memory.
        workers = self.config.train.workers if dataset.device is None else 0
        return DataLoader(dataset, batch_size=None, sampler=order, num_workers=workers)


def mixed_seed(*parts: int | str) -> int:
    """Hash several parts into one seed, the same on every machine."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "little") >> 1


def thinned(rows: Rows, config: Config) -> Rows:
    """Draw at most `data.limit` of the rows by the seed: the first ones may all be of one class."""
    if not 0 < config.data.limit < len(rows):
        return rows
    generator = np.random.default_rng(mixed_seed(config.train.seed, "limit"))
    return np.sort(generator.permutation(rows)[: config.data.limit])


def annotated(store: Store, task: Task, split: str) -> Rows:
    """Find the rows of a split with a target of a head of the task. Raises StoreError if there are none."""
    rows = store.rows(split)
    has_target = np.any([~np.isnan(store.target(head, rows)).all(axis=1) for head in task], axis=0)
    if not has_target.any():
        names = ", ".join(head.name for head in task)
        raise StoreError(f"{store.path}: nobody annotated split '{split}' for {names}")
    return rows[has_target]


def learned_from(store: Store, task: Task, config: Config) -> Rows:
    """Find the rows to train on: those with a target, or all where teachers answer for each."""
    rows = annotated(store, task, config.data.train)
    return store.rows(config.data.train) if config.train.teacher.runs else rows


def _balanced(dataset: SampleDataset) -> Tensor:
    """Weigh each sample so that every class of the first head is drawn equally often."""
    target = next(iter(dataset.targets.values())).cpu().nan_to_num(0.0)
    counts = target.sum(0).clamp_min(1.0)
    return (target / counts).sum(1).clamp_min(1e-12)
