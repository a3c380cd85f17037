"""Large imports: pending samples are finished on all cores, and kept in parts until the store is written."""

import json
import shutil
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from .. import store
from ..errors import DataError, InputError
from ..files import write_text
from ..machine import usable_cores
from ..media import MODALITIES, image
from ..records import Sample
from ..tasks import Head
from .base import ImportLog, PendingSample

#: The size of a part, which is held in memory, and is done again after a kill.
ITEMS, BYTES = 8192, 1 << 26
_TASK, _TASKS = 32, 16  # pending samples in one task, tasks under way

Finished = list[Sample | str | None]  # samples; the text of a fault; None where nothing is to be kept


@dataclass
class Parts:
    """The finished parts of an import, in a hidden folder beside its store: `00000.h5`, then `00000.json`."""

    out: Path
    identity: Mapping[str, Any]
    items: int = 0
    stores: list[Path] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Go on from what an earlier import of the same source left; remove what another import left."""
        self.folder = self.out.with_name(f".{self.out.name}.import")
        about, text = self.folder / "about.json", json.dumps(self.identity)
        if self.folder.exists() and not (about.is_file() and about.read_text(encoding="utf-8") == text):
            self.remove()
        write_text(about, text)
        self.count = 0
        while (record := self._path("json")).is_file():
            self._count(json.loads(record.read_text(encoding="utf-8")))

    def add(self, found: Finished, heads: Sequence[Head]) -> None:
        """Write the next part."""
        samples = [sample for sample in found if isinstance(sample, Sample)]
        faults = [fault for fault in found if isinstance(fault, str)]
        record = {"items": len(found), "samples": len(samples), "faults": faults}
        if samples:
            store.write_part(self._path("h5"), samples, heads)
        write_text(self._path("json"), json.dumps(record))
        self._count(record)

    def _count(self, record: Mapping[str, Any]) -> None:
        if record["samples"]:
            self.stores.append(self._path("h5"))
        self.faults += record["faults"]
        self.items += record["items"]
        self.count += 1

    def _path(self, suffix: str) -> Path:
        return self.folder / f"{self.count:05d}.{suffix}"

    def remove(self) -> None:
        """Remove all parts, first the file that identifies them: no import goes on from half of them."""
        (self.folder / "about.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder)


def write_items(
    out: Path, items: Iterator[PendingSample], heads: Sequence[Head], origin: store.Origin, log: ImportLog
) -> store.Store:
    """Write the store of what an importer reads. Arrays are written at once; files and pending samples are
    finished on all cores, and the next import of the same source goes on from what is finished.

    Raises DataError at the first fault, unless those are skipped.
    """
    first = next(items, None)  # from here on the log knows the total
    if first is None:
        raise DataError(f"{log.source}: no samples to import")
    items = chain([first], items)
    if isinstance(first, Sample) and all(isinstance(each.data, np.ndarray) for each in first.inputs.values()):
        made = (item if isinstance(item, Sample) else item() for item in items)
        return store.write(out, (sample for sample in made if sample is not None), heads, origin)
    parts = Parts(out, _identity(origin, log))
    try:
        _reject(parts.faults, log)
        with image.quiet(), ThreadPoolExecutor(usable_cores()) as pool:
            for found in _in_parts(_finished(islice(items, parts.items, None), parts.items, pool, log)):
                _reject([fault for fault in found if isinstance(fault, str)], log)
                parts.add(found, heads)
        if not parts.stores:
            raise DataError(f"{log.source}: no samples to import")
        written = store.write_joined(out, parts.stores, heads, origin, f"{Path(log.source).name}/ (pictures)")
    except BaseException:
        if not parts.count:
            parts.remove()
        raise
    parts.remove()
    return written


def _identity(origin: store.Origin, log: ImportLog) -> dict[str, Any]:
    """Return what must be equal for an import to go on where another stopped."""
    return {
        "importer": f"{origin.importer} {origin.version}, schema {store.SCHEMA}",
        "options": dict(log.options),
        "source": log.source,
        "total": log.total,
    }


def _reject(faults: list[str], log: ImportLog) -> None:
    for fault in faults:
        log.reject(fault)


def _in_parts(found: Iterator[Finished]) -> Iterator[Finished]:
    """Collect finished samples into parts."""
    part: Finished = []
    size = 0
    for finished in found:
        part += finished
        samples = [sample for sample in finished if isinstance(sample, Sample)]
        size += sum(len(item.data) for sample in samples for item in sample.inputs.values())
        if len(part) >= ITEMS or size >= BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _finished(
    items: Iterator[PendingSample], done: int, pool: ThreadPoolExecutor, log: ImportLog
) -> Iterator[Finished]:
    """Finish pending samples in their order, with some tasks under way."""
    waiting: deque[Future[Finished]] = deque()
    try:
        while True:
            while len(waiting) < _TASKS and (task := list(islice(items, _TASK))):
                waiting.append(pool.submit(_finish_all, task))
            if not waiting:
                return
            found = waiting.popleft().result()
            done += len(found)
            log.progress(done, max(done, log.total))
            yield found
    finally:
        for future in waiting:
            future.cancel()


def _finish_all(items: list[PendingSample]) -> Finished:
    read: dict[Path, bytes] = {}  # several samples of one file come one after another
    return [_finish(item, read) for item in items]


def _finish(pending: PendingSample, read: dict[Path, bytes]) -> Sample | str | None:
    """Return the sample with its items as encoded files, or the text of the fault."""
    try:
        sample = pending if isinstance(pending, Sample) else pending()
        if sample is None:
            return None
        items = sample.inputs.items()
        inputs = {name: item._replace(data=_encoded(name, item.data, read)) for name, item in items}
        return replace(sample, inputs=inputs)
    except (DataError, InputError) as error:
        return str(error)


def _encoded(name: str, data: Any, read: dict[Path, bytes]) -> bytes:
    """Return an item as the bytes of an encoded file; `read` is the file read last. Raises InputError."""
    if isinstance(data, Path):
        if data not in read:
            read.clear()
            read[data] = image.read_bytes(data)
            MODALITIES[name].verify(read[data], str(data))
        return read[data]
    return data if isinstance(data, bytes) else MODALITIES[name].encode(data)
