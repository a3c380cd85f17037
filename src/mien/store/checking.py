"""A store held against its schema, and every byte of it against its checksum."""

from __future__ import annotations

from ..errors import StoreError
from ..files import sha256
from ..tasks import Head, Kind
from .layout import ITEMS, path_of
from .reader import Store, row_bytes
from .splits import SPLITS
from .stored_input import StoredInput

_STEP_BYTES = 1 << 20
_AT_ONCE = 1024


def check(store: Store) -> None:
    """Raise StoreError naming the part that is missing, too short, out of range or damaged."""
    columns = _columns(store)
    with store.open() as file:
        for name in columns:
            if name in file and len(file[name]) != len(store):
                raise StoreError(
                    f"{store.path}: '{name}' has {len(file[name])} rows, the split has {len(store)}"
                )
    for name in columns:
        _verify(store, name)
    _check_shards(store)
    for stored in store.inputs.values():
        if not store.shards and stored.shape is None:
            _check_encoded(store, stored)
    if (code := store.read("split", store.rows()).max(initial=0)) >= len(SPLITS):
        raise StoreError(f"{store.path}: 'split' holds {code}, allowed are 0 to {len(SPLITS) - 1}")
    for head in store.heads:
        _check_targets(store, head)


def _columns(store: Store) -> list[str]:
    """The columns that must be there, whole and as long as the split."""
    inputs = []
    for stored in store.inputs.values():
        needed = () if store.shards else ("values",) if stored.shape is not None else ("extents", "checksums")
        parts = dict.fromkeys([*needed, *(part for part in stored.parts if part not in ITEMS)])
        inputs += [path_of(stored.name, part, store.schema) for part in parts]
    targets = [f"{part}/{head.name}" for head in store.heads for part in ("targets", "masks")]
    return [*inputs, *targets, "source", "group", *(f"attributes/{name}" for name in store.attributes)]


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


def _check_encoded(store: Store, stored: StoredInput) -> None:
    extents = store.read(stored.parts["extents"], store.rows())
    with store.open(stored.parts["encoded"]) as file:
        size = len(file[stored.parts["encoded"]])
    if (extents < 0).any() or (extents > size).any() or (extents[:, 1] < extents[:, 0]).any():
        raise StoreError(
            f"{store.path}: '{stored.parts['extents']}' do not fit the {size} bytes of '{stored.name}'"
        )
    for start in range(0, len(store), _AT_ONCE):
        stored.encoded(store.rows()[start : start + _AT_ONCE])


def _check_targets(store: Store, head: Head) -> None:
    values = store.read(f"targets/{head.name}", store.rows())
    if values.shape[1:] != (() if head.kind is Kind.CLASS else (len(head),)):
        raise StoreError(
            f"{store.path}: 'targets/{head.name}' is {values.shape}, it needs {len(head)} columns"
        )
    if head.kind is Kind.CLASS and not ((values >= -1) & (values < len(head))).all():
        raise StoreError(f"{store.path}: 'targets/{head.name}' holds a class outside 0 to {len(head) - 1}")
