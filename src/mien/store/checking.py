"""A store held against its schema, and every byte of it against its checksum."""

from __future__ import annotations

from ..errors import StoreError
from ..files import sha256
from ..tasks import Head, Kind
from .reader import Store, row_bytes
from .splits import SPLITS

_STEP_BYTES = 1 << 20
_AT_ONCE = 1024


def check(store: Store) -> None:
    """Raise StoreError naming the part that is missing, too short, out of range or damaged."""
    with store.open() as file:
        columns = [*_columns(store), *(name for name in ("landmarks",) if name in file)]
        for name in columns:
            if name in file and len(file[name]) != len(store):
                raise StoreError(f"{store.path}: '{name}' has {len(file[name])} rows, the split has {len(store)}")
    for name in columns:
        _verify(store, name)
    _check_shards(store)
    if store.image_shape is None and not store.shards:
        _check_pictures(store)
    if (code := store.read("split", store.rows()).max(initial=0)) >= len(SPLITS):
        raise StoreError(f"{store.path}: 'split' holds {code}, allowed are 0 to {len(SPLITS) - 1}")
    for head in store.heads:
        _check_targets(store, head)


def _columns(store: Store) -> list[str]:
    images = ["extents", "checksums"] if store.image_shape is None else ["images"]
    images = [] if store.shards else images
    targets = [f"{part}/{head.name}" for head in store.heads for part in ("targets", "masks")]
    return [*images, *targets, "source", "group", "box", *(f"attributes/{name}" for name in store.attributes)]


def _verify(store: Store, name: str) -> None:
    with store.open(name) as file:
        dataset = file[name]
        step = max(1, _STEP_BYTES // row_bytes(dataset))
        for start in range(0, len(dataset), step):
            dataset[start : start + step]


def _check_shards(store: Store) -> None:
    for shard, table in zip(store.shards, store.meta.get("shards", ()), strict=True):
        if sha256(shard.path) != table["sha256"]:
            raise StoreError(f"{shard.path}: not the file that {store.path.name} was split into; split again")
        check(shard)


def _check_pictures(store: Store) -> None:
    extents = store.read("extents", store.rows())
    with store.open("encoded") as file:
        size = len(file["encoded"])
    if (extents < 0).any() or (extents > size).any() or (extents[:, 1] < extents[:, 0]).any():
        raise StoreError(f"{store.path}: 'extents' do not fit the {size} bytes of pictures")
    for start in range(0, len(store), _AT_ONCE):
        store.encoded(store.rows()[start : start + _AT_ONCE])


def _check_targets(store: Store, head: Head) -> None:
    values = store.read(f"targets/{head.name}", store.rows())
    if values.shape[1:] != (() if head.kind is Kind.CLASS else (len(head),)):
        raise StoreError(f"{store.path}: 'targets/{head.name}' is {values.shape}, it needs {len(head)} columns")
    if head.kind is Kind.CLASS and not ((values >= -1) & (values < len(head))).all():
        raise StoreError(f"{store.path}: 'targets/{head.name}' holds a class outside 0 to {len(head) - 1}")
