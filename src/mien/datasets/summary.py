"""What a store holds, in numbers: faces by split, and for each head its annotations."""

from collections import Counter
from typing import Any

import numpy as np

from ..records import Floats
from ..store import Store
from ..tasks import Head, Kind

_SHOWN = 8
#: What the number beside a label means, by the kind of head.
MEANING = {Kind.CLASS: "faces", Kind.DISTRIBUTION: "mean share", Kind.TAGS: "faces", Kind.VALUES: "mean"}


def summary(store: Store) -> dict[str, Any]:
    """Return a record of the whole store that JSON can hold."""
    splits = {split: store.rows(split) for split in store.splits}
    first = np.concatenate([rows[:2] for rows in splits.values()])
    items = {name: _input(store, name) for name in store.inputs}
    return {
        "store": str(store.path),
        "bytes": store.path.stat().st_size,
        "faces": len(store),
        "items": items,
        "picture": items["image"]["shape"] if "image" in items else None,
        "boxes": items["image"]["regions"] if "image" in items else 0,
        "splits": {split: len(rows) for split, rows in splits.items()},
        **{key: store.meta[key] for key in ("importer", "version", "inputs", "options", "notes", "left_out")},
        "groups": len({name for name in store.texts("group", store.rows()) if name}),
        "attributes": {name: _common(store.attribute(name, store.rows())) for name in store.attributes},
        "heads": [_head(store, head) for head in store.heads],
        "sources": store.texts("source", first),
    }


def _input(store: Store, name: str) -> dict[str, Any]:
    """Return an input's modality, the shape of its arrays (None: encoded files), and how many rows have a
    region, points, or nothing."""
    stored, rows = store.input(name), store.rows()
    regions, points, present = stored.regions(rows), stored.points(rows), stored.present(rows)
    return {
        "modality": stored.modality_name,
        "shape": list(stored.shape) if stored.shape else None,
        "regions": 0 if regions is None else int((np.nan_to_num(regions[:, -2:]) > 0).all(axis=1).sum()),
        "points": 0 if points is None else int((~np.isnan(points)).any(axis=(1, 2)).sum()),
        "missing": 0 if present is None else int((~present).sum()),
    }


def _common(values: list[str]) -> dict[str, int]:
    """Return the most common values with their rows, and under '…' how many other values there are."""
    counts = Counter(value for value in values if value)
    others = len(counts) - _SHOWN
    return dict(counts.most_common(_SHOWN)) | ({"…": others} if others > 0 else {})


def _head(store: Store, head: Head) -> dict[str, Any]:
    targets = {split: store.target(head, store.rows(split)) for split in store.splits}
    numbers = {split: _numbers(head.kind, rows) for split, rows in targets.items()}
    return {
        "name": head.name,
        "kind": str(head.kind),
        "meaning": MEANING[head.kind],
        "annotated": {split: int((~np.isnan(rows)).any(axis=1).sum()) for split, rows in targets.items()},
        "labels": {
            label: {split: values[place] for split, values in numbers.items()}
            for place, label in enumerate(head.space.labels)
        },
        "votes": _votes(store, head) if head.kind is Kind.DISTRIBUTION else {},
    }


def _numbers(kind: Kind, rows: Floats) -> list[int | float | None]:
    """Return one number for each label: a count, or a mean (None where nothing is annotated)."""
    if MEANING[kind] == "faces":
        return [int(count) for count in np.nansum(rows, axis=0)]
    known = [column[~np.isnan(column)] for column in rows.T]
    return [round(float(values.mean(dtype=np.float64)), 4) if len(values) else None for values in known]


def _votes(store: Store, head: Head) -> dict[str, float]:
    """Return how many votes a face has and how far they agree, over all splits."""
    votes = store.annotations(head.name, store.rows())
    votes = votes[~np.isnan(votes[:, 0])]
    if not len(votes):
        return {}
    total = votes.sum(axis=1)
    top = votes.max(axis=1) / total
    return {
        "mean sum": round(float(total.mean()), 4),
        "mean share of the top label": round(float(top.mean()), 4),
        "share of faces where one label has more than half": round(float((top > 0.5).mean()), 4),
        "share of faces where all agree": round(float((top == 1).mean()), 4),
    }
