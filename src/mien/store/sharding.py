"""A store split into shards: what the store that joins them again holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import h5py

from .reader import Store
from .writer import Origin, describe

_PICTURES = {"images", "encoded", "extents", "checksums", "description"}


def same_origin(store: Store) -> Origin:
    """The origin of what is taken from a store: its own. Splits are decided."""
    kept = {field.name: store.meta[field.name] for field in fields(Origin) if field.name != "splitting"}
    return Origin(**kept)


def index(file: h5py.File, store: Store, shards: Sequence[Mapping[str, Any]]) -> None:
    """Fill an empty file with everything but the pictures, and name the shards that hold them."""
    with store.open() as source:
        for name in source:
            if name not in _PICTURES:
                source.copy(name, file)
    describe(file, {**store.meta, "shards": list(shards)})
