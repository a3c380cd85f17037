"""Some rows of a store as training sees them: items fitted once or batch by batch, with their targets."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ..inputs import Input
from ..machine import usable_cores
from ..media import InputSet, fit_present
from ..media.image import quiet
from ..records import Items
from ..store import Rows, Store
from ..tasks import Task

#: `inputs` {input: (B, ...)} compact, as the network takes its axes; `present` {input: bool (B,)}; `targets`
#: {head: float32 (B, K)}.
Batch = dict[str, Any]
_BLOCK = 64


class SampleDataset(Dataset[Batch]):
    """Some rows of a store, fetched a batch at a time.

    Held in memory when that takes at most `memory_gb`, each item as stored or as the network takes it,
    whichever is smaller; else read from the store batch by batch. `cache_on` moves them to a device.
    """

    def __init__(self, store: Store, rows: Rows, task: Task, inputs: InputSet, memory_gb: float) -> None:
        self.store, self.rows, self.inputs = store, rows, inputs
        self.targets = {head.name: torch.from_numpy(store.target(head, rows)) for head in task}
        self.columns = {name: self._column(name) for name in inputs.sources}
        self.present = {each.name: self._present(each.of) for each in inputs.inputs}
        self.fitted: dict[str, Tensor] = {}
        self.device: torch.device | None = None
        # Encoded items are not held as they are: decoding takes longer than memory is worth.
        stored = {name: store.input(name).item_bytes or math.inf for name in self.columns}
        fitted = {name: sum(map(self._fitted_bytes, self._inputs_of(name))) for name in stored}
        self.is_held = sum(min(stored[name], fitted[name]) for name in stored) * len(rows) <= memory_gb * 1e9
        for name in stored if self.is_held else ():
            if stored[name] < fitted[name]:
                data = np.asarray(store.input(name).data(rows))
                self.columns[name] = replace(self.columns[name], data=data)
            else:
                self.fitted |= {each.name: self._fit_all(each) for each in self._inputs_of(name)}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, picks: list[int]) -> Batch:
        """Make the batch of these positions."""
        rows = torch.tensor(picks, device=self.device)
        read: dict[str, Items] = {}
        inputs = {}
        for each in self.inputs.inputs:
            if each.name in self.fitted:
                values = self.fitted[each.name][rows]
            else:
                if each.of not in read:
                    read[each.of] = self._items(each.of, picks)
                values = torch.from_numpy(self._fit(each, read[each.of]))
            inputs[each.name] = values.permute(self.inputs.transforms[each.name].axes)
        return {
            "inputs": inputs,
            "present": {name: values[rows] for name, values in self.present.items()},
            "targets": {name: values[rows] for name, values in self.targets.items()},
        }

    def cache_on(self, device: torch.device, free: int) -> None:
        """Keep fitted items and targets on a device, if held and at most half of its `free` bytes."""
        needed = len(self) * sum(map(self._fitted_bytes, self.inputs.inputs))
        if self.device is not None or not self.is_held or 2 * needed > free:
            return
        for each in self.inputs.inputs:
            values = self.fitted[each.name] if each.name in self.fitted else self._fit_all(each)
            self.fitted[each.name] = values.to(device)
        self.columns = {name: replace(column, data=None) for name, column in self.columns.items()}
        self.device = device
        self.present = {name: values.to(device) for name, values in self.present.items()}
        self.targets = {name: values.to(device) for name, values in self.targets.items()}

    def _column(self, name: str) -> Items:
        """Regions, presence and needed points of an item of all samples, without its data."""
        stored = self.store.input(name)
        uses_points = any(self.inputs.transforms[each.name].uses_points for each in self._inputs_of(name))
        points = stored.points(self.rows) if uses_points else None
        return Items(None, stored.regions(self.rows), points, stored.present(self.rows))

    def _inputs_of(self, name: str) -> list[Input]:
        return [each for each in self.inputs.inputs if each.of == name]

    def _present(self, name: str) -> Tensor:
        present = self.columns[name].present
        return torch.ones(len(self), dtype=torch.bool) if present is None else torch.from_numpy(present)

    def _fitted_bytes(self, each: Input) -> int:
        """Bytes of one item as the network takes it."""
        transform = self.inputs.transforms[each.name]
        return math.prod(transform.shape) * transform.dtype.itemsize

    def _items(self, name: str, picks: list[int]) -> Items:
        column = self.columns[name]
        if column.data is not None:
            return column[picks]
        return replace(column[picks], data=self.store.input(name).data(self.rows[picks]))

    def _fit(self, each: Input, items: Items) -> Any:
        present = np.ones(len(items.data), np.bool_) if items.present is None else items.present
        return fit_present(self.inputs.transforms[each.name], each, items, present)

    def _fit_all(self, each: Input) -> Tensor:
        """Fit the items of all samples, on all cores, a few at a time so that memory stays bounded."""
        transform = self.inputs.transforms[each.name]
        fitted = np.empty((len(self), *transform.shape), transform.dtype)

        def fill(start: int) -> None:
            picks = list(range(start, min(start + _BLOCK, len(self))))
            fitted[start : start + len(picks)] = self._fit(each, self._items(each.of, picks))

        with quiet(), ThreadPoolExecutor(usable_cores()) as pool:
            list(pool.map(fill, range(0, len(self), _BLOCK)))
        return torch.from_numpy(fitted)
