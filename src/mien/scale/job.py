"""One prediction over many inputs: what is to be done, in shards, and what an earlier run has done."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import ConfigError, MienError
from ..predict import Settings, load
from ..predict.job import PredictionJob
from ..records import ReadError
from ..sources import Camera, PictureSource, Source
from ..version import __version__
from . import cluster, parts
from .folders import Folder, address_of, stored
from .parts import Count
from .worker import Order, Shard

#: Inputs of a shard: a part of a minute or less, and one file of Parquet.
SHARD = 1000
_DEFAULTS = Settings()


@dataclass(frozen=True)
class Job:
    """A planned prediction: `shards` in order, counts of those `done`, `faults` of bad inputs."""

    order: Order
    shards: Sequence[Shard]
    done: dict[int, Count]
    faults: Sequence[ReadError]
    total: int

    @property
    def left(self) -> list[Shard]:
        """The shards without a part."""
        return [shard for shard in self.shards if shard.number not in self.done]

    def run(self, workers: int = 0) -> Generator[Count, None, None]:
        """Yield the counts of all parts, earlier ones first, with so many workers (0: one a core).

        Closing the iterator stops the workers. Raises MienError where a worker cannot work or parts are
        missing.
        """
        yield from self.done.values()
        if self.left:
            yield from cluster.spread(self.order, self.left, workers)
        missing = {shard.number for shard in self.shards} - parts.finished(self.order.folder)
        if missing:
            lost = f"{len(missing)} of {len(self.shards)} parts are missing"
            raise MienError(
                f"{self.order.folder.location}: {lost} (the first: {parts.name_of(min(missing))}): their "
                "workers died over them, or write to a folder of their own; run the same again"
            )


def plan(
    inputs: Sequence[str],
    out: str | Path,
    model: str | None = None,
    settings: Settings = _DEFAULTS,
    *,
    shard: int = SHARD,
    overwrite: bool = False,
    allow_urls: bool = False,
) -> Job:
    """Plan to predict on `inputs`, in shards of so many inputs (a video is one of its own), into `out`.

    Inputs are those of `mien predict` and addresses on object storage. Raises ConfigError, ModelError,
    InputError.
    """
    if shard < 1:
        raise ConfigError(f"shards of {shard} inputs: must be 1 or more")
    folder = Folder(address_of(out) or str(Path(out).absolute()))
    if not address_of(out) and Path(out).exists() and not Path(out).is_dir():
        raise ConfigError(f"{out}: a file; results of many workers go into a folder")
    planned = _planned(inputs, model, settings, allow_urls)
    order = Order(model, planned.settings, planned.origin.sha256, folder, str(Path.cwd()))
    manifest = {
        "version": __version__,
        "model": f"{planned.origin.name} {planned.origin.sha256[:12]}",
        "settings": planned.origin.settings,
        "inputs": {"count": len(planned.sources), "sha256": _digest(planned.sources)},
        "shard": shard,
    }
    done = parts.begin(folder, manifest, overwrite=overwrite)
    shards = [Shard(number, group) for number, group in enumerate(_groups(planned.sources, shard))]
    return Job(order, shards, done, planned.faults, len(planned.sources) + len(planned.faults))


def _planned(inputs: Sequence[str], model: str | None, settings: Settings, allow_urls: bool) -> PredictionJob:
    away = [address for text in inputs if (address := address_of(text))]
    local = [text for text in inputs if not address_of(text)]
    planned = load(model).read(local, settings, allow_urls=allow_urls)
    found = {source.name: source for source in planned.sources}
    for address in away:
        remote = stored(address, settings.sampling(), planned.settings.limits)
        found |= {source.name: source for source in remote}
    for name, source in found.items():
        if isinstance(source, Camera):
            raise ConfigError(f"{name}: a camera cannot be shared among workers")
    return replace(planned, sources=list(found.values()))


def _digest(sources: Iterable[Source]) -> str:
    digest = hashlib.sha256()
    for source in sources:
        digest.update(os.fsencode(source.name) + b"\n")
    return digest.hexdigest()


def _groups(sources: Iterable[Source], size: int) -> Iterator[list[Source]]:
    """The sources of each shard: so many inputs, or one video."""
    group = list[Source]()
    for source in sources:
        alone = not isinstance(source, PictureSource) and source.moving
        if group and (alone or len(group) == size):
            yield group
            group = []
        group.append(source)
        if alone:
            yield group
            group = []
    if group:
        yield group
