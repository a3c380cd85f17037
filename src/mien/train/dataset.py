"""Some rows of a store as training sees them: items brought to the network once, or batch by batch, with
their targets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

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

    Held in memory when that takes at most `memory_gb`, each item as it is in the store or as the network
    is shown it, whichever is smaller; else read from the store batch by batch. `cache_on` moves them to a
    device, where batches then are made.
    """

    def __init__(self, store: Store, rows: Rows, task: Task, inputs: InputSet, memory_gb: float) -> None:
        self.store, self.rows, self.inputs = store, rows, inputs
        self.targets = {head.name: torch.from_numpy(store.target(head, rows)) for head in task}
        self.columns = {name: self._column(name) for name in dict.fromkeys(each.of for each in inputs.inputs)}
        self.present = {each.name: self._present(each.of) for each in inputs.inputs}
        self.fitted: dict[str, Tensor] = {}
        self.device: torch.device | None = None
        stored = {name: _bytes(store.input(name).shape) for name in self.columns}
        shown = {name: sum(self._shown(each.name) for each in inputs.inputs if each.of == name) for name in stored}
        self.is_held = sum(min(stored[name], shown[name]) for name in stored) * len(rows) <= memory_gb * 1e9
        for name in stored if self.is_held else ():
            if stored[name] < shown[name]:
                self.columns[name] = replace(self.columns[name], data=np.asarray(store.input(name).data(rows)))
            else:
                self.fitted |= {each.name: self._fit_all(each.name) for each in inputs.inputs if each.of == name}

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
                values = torch.from_numpy(self._fit(each.name, read[each.of], picks))
            inputs[each.name] = values.permute(self.inputs.transforms[each.name].axes)
        return {
            "inputs": inputs,
            "present": {name: there[rows] for name, there in self.present.items()},
            "targets": {name: values[rows] for name, values in self.targets.items()},
        }

    def cache_on(self, device: torch.device, free: int) -> None:
        """Keep what the network is shown, and the targets, on a device, unless that takes over half of its
        `free` bytes or they are not even held in memory."""
        needed = len(self) * sum(self._shown(each.name) for each in self.inputs.inputs)
        if self.device is not None or not self.is_held or 2 * needed > free:
            return
        for each in self.inputs.inputs:
            values = self.fitted[each.name] if each.name in self.fitted else self._fit_all(each.name)
            self.fitted[each.name] = values.to(device)
        self.columns = {name: replace(column, data=None) for name, column in self.columns.items()}
        self.device = device
        self.present = {name: values.to(device) for name, values in self.present.items()}
        self.targets = {name: values.to(device) for name, values in self.targets.items()}

    def _column(self, name: str) -> Items:
        """What is known of an item of all samples, but for the items themselves."""
        stored = self.store.input(name)
        wanted = any(each.of == name and self.inputs.transforms[each.name].uses_points for each in self.inputs.inputs)
        points = stored.points(self.rows) if wanted else None
        return Items(None, stored.regions(self.rows), points, stored.present(self.rows))

    def _present(self, name: str) -> Tensor:
        present = self.columns[name].present
        return torch.ones(len(self), dtype=torch.bool) if present is None else torch.from_numpy(present)

    def _shown(self, name: str) -> int:
        """Bytes of what the network is shown of one item."""
        transform = self.inputs.transforms[name]
        return int(np.prod(transform.shape)) * transform.dtype.itemsize

    def _items(self, name: str, picks: list[int]) -> Items:
        column = self.columns[name]
        if column.data is not None:
            return column[picks]
        return replace(column[picks], data=self.store.input(name).data(self.rows[picks]))

    def _fit(self, name: str, items: Items, picks: list[int]) -> Any:
        given = next(each for each in self.inputs.inputs if each.name == name)
        present = np.ones(len(picks), np.bool_) if items.present is None else items.present
        return fit_present(self.inputs.transforms[name], given, items, present)

    def _fit_all(self, name: str) -> Tensor:
        """What the network is shown of all samples, made once, on all cores, a few at a time so that
        memory stays bounded."""
        transform = self.inputs.transforms[name]
        source = next(each.of for each in self.inputs.inputs if each.name == name)
        fitted = np.empty((len(self), *transform.shape), transform.dtype)

        def fill(start: int) -> None:
            picks = list(range(start, min(start + _BLOCK, len(self))))
            fitted[start : start + len(picks)] = self._fit(name, self._items(source, picks), picks)

        with quiet(), ThreadPoolExecutor(usable_cores()) as pool:
            list(pool.map(fill, range(0, len(self), _BLOCK)))
        return torch.from_numpy(fitted)


def _bytes(shape: tuple[int, ...] | None) -> float:
    """Bytes of a stored item; boundless where they are encoded, since decoding takes longer than memory is
    worth."""
    return float(np.prod(shape)) if shape is not None else float("inf")
