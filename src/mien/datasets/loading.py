"""Large imports: items are finished on all cores, and what is finished is kept until the whole store can be written."""

from __future__ import annotations

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
from ..media import image
from ..records import Sample
from ..tasks import Head
from .base import Item, Journal

#: Of a part: what is held in memory, and done again after a kill.
ITEMS, BYTES = 8192, 1 << 26
_TASK, _AHEAD = 32, 16  # items to a thread at a time, tasks under way

Found = list[Sample | str | None]  # samples; faults in words; None where there was nothing to keep


@dataclass
class Parts:
    """What is finished of an import, in a hidden folder beside its store: `00000.h5`, and `00000.json` once that is whole."""

    out: Path
    identity: Mapping[str, Any]
    items: int = 0
    stores: list[Path] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Take up what an earlier import of the same left; clear away what another one left."""
        self.folder = self.out.with_name(f".{self.out.name}.import")
        about, text = self.folder / "about.json", json.dumps(self.identity)
        if self.folder.exists() and not (about.is_file() and about.read_text(encoding="utf-8") == text):
            self.remove()
        write_text(about, text)
        self.count = 0
        while (record := self._path("json")).is_file():
            self._count(json.loads(record.read_text(encoding="utf-8")))

    def add(self, found: Found, heads: Sequence[Head]) -> None:
        """Write the next part."""
        samples = [sample for sample in found if isinstance(sample, Sample)]
        record = {
            "items": len(found),
            "samples": len(samples),
            "faults": [fault for fault in found if isinstance(fault, str)],
        }
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
        """Clear everything away; first what says whose parts these are, so that nobody takes up half of them."""
        (self.folder / "about.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder)


def write_items(
    out: Path, items: Iterator[Item], heads: Sequence[Head], origin: store.Origin, journal: Journal
) -> store.Store:
    """Write the store of what an importer reads. Pixels of one size go straight in; pictures in files and work to be done are
    finished on all cores, and what is done when that stops is taken up by the next import of the same.

    Raises DataError at the first fault, unless those are skipped.
    """
    first = next(items, None)  # from here on the journal knows how many there are
    if first is None:
        raise DataError(f"{journal.source}: no samples to import")
    items = chain([first], items)
    if isinstance(first, Sample) and isinstance(first.image, np.ndarray):
        made = (item if isinstance(item, Sample) else item() for item in items)
        return store.write(out, (sample for sample in made if sample is not None), heads, origin)
    parts = Parts(out, _identity(origin, journal))
    try:
        _report(parts.faults, journal)
        with image.quiet(), ThreadPoolExecutor(usable_cores()) as pool:
            for found in _parts(_finished(islice(items, parts.items, None), parts.items, pool, journal)):
                _report([fault for fault in found if isinstance(fault, str)], journal)
                parts.add(found, heads)
        if not parts.stores:
            raise DataError(f"{journal.source}: no samples to import")
        name = f"{Path(journal.source).name}/ (pictures)"
        written = store.write_joined(out, parts.stores, heads, origin, name)
    except BaseException:
        if not parts.count:
            parts.remove()
        raise
    parts.remove()
    return written


def _identity(origin: store.Origin, journal: Journal) -> dict[str, Any]:
    """What must be the same for an import to go on where another stopped."""
    return {
        "importer": f"{origin.importer} {origin.version}, schema {store.SCHEMA}",
        "options": dict(journal.options),
        "source": journal.source,
        "total": journal.total,
    }


def _report(faults: list[str], journal: Journal) -> None:
    for fault in faults:
        journal.bad(fault)


def _parts(found: Iterator[Found]) -> Iterator[Found]:
    """Finished items, as many together as make a part."""
    part: Found = []
    size = 0
    for some in found:
        part += some
        size += sum(
            len(sample.image) for sample in some if isinstance(sample, Sample) and isinstance(sample.image, bytes)
        )
        if len(part) >= ITEMS or size >= BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _finished(items: Iterator[Item], done: int, pool: ThreadPoolExecutor, journal: Journal) -> Iterator[Found]:
    """Items finished, in their order, a few tasks ahead of the one who asks."""
    waiting: deque[Future[Found]] = deque()
    try:
        while True:
            while len(waiting) < _AHEAD and (task := list(islice(items, _TASK))):
                waiting.append(pool.submit(_finish_all, task))
            if not waiting:
                return
            found = waiting.popleft().result()
            done += len(found)
            journal.advance(done, max(done, journal.total))
            yield found
    finally:
        for future in waiting:
            future.cancel()


def _finish_all(items: list[Item]) -> Found:
    read: dict[Path, bytes] = {}  # several people in one picture come one after another
    return [_finish(item, read) for item in items]


def _finish(item: Item, read: dict[Path, bytes]) -> Sample | str | None:
    """The sample with its picture's bytes, or the fault in words."""
    try:
        sample = item if isinstance(item, Sample) else item()
        if sample is None or isinstance(sample.image, bytes):
            return sample
        if isinstance(sample.image, np.ndarray):
            return replace(sample, image=image.encode(sample.image, "PNG"))
        if sample.image not in read:
            read.clear()
            read[sample.image] = image.read_bytes(sample.image)
            image.verify(read[sample.image], str(sample.image))
        return replace(sample, image=read[sample.image])
    except (DataError, InputError) as error:
        return str(error)
