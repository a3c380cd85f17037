"""MATLAB's structs as plain Python (dicts, lists, text), and a person of EMOTIC in them."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError
from ...extras import require
from ...labels import VAD
from ...records import Target
from .. import file_checks
from .people import targets

_V5, _V73 = b"MATLAB 5.0 MAT-file", b"MATLAB 7.3 MAT-file"


def variables(path: Path, names: Sequence[str]) -> dict[str, list[Any]]:
    """Return variables of a MAT-file as lists of structs. Raises DataError, MissingExtraError."""
    _check(path)
    loadmat = require("scipy.io", "data").loadmat
    try:
        found = loadmat(path, variable_names=list(names), simplify_cells=True)
    except Exception as error:  # scipy raises a dozen kinds on damaged files
        fault = error or type(error).__name__
        raise DataError(f"{path}: damaged MAT-file, download it again: {fault}") from None
    if not any(name in found for name in names):
        raise DataError(f"{path}: none of the variables {', '.join(names)} is in this MAT-file")
    tables = {name: several(found[name]) for name in names if name in found}
    for name, entries in tables.items():
        if not all(isinstance(entry, dict) for entry in entries):
            raise DataError(f"{path}: the variable {name} is no struct array")
    return tables


def _check(path: Path) -> None:
    with file_checks.reading(path), path.open("rb") as file:
        start = file.read(len(_V5))
    if start == _V73:
        raise DataError(f"{path}: a MAT-file of version 7.3; save it in MATLAB with -v7")
    if start != _V5:
        file_checks.read_start(path)
        raise DataError(f"{path}: not a MAT-file (starts with {file_checks.quoted(start)})")


def several(value: Any) -> list[Any]:
    """Return MATLAB's 1xN array as a list: a single item may lack its array, and cells may lie in cells."""
    if value is None:
        return []
    found = np.atleast_1d(np.asarray(value, object)).ravel().tolist()
    nested = (several(item) if isinstance(item, list | np.ndarray) else [item] for item in found)
    return [item for items in nested for item in items]


def structs(value: Any) -> list[dict[str, Any]]:
    """Return a struct array as a list of dicts; whatever else stands there is left out."""
    return [item for item in several(value) if isinstance(item, dict)]


def text(value: Any) -> str:
    """Return a char array as text; '' for none."""
    return str(next(iter(several(value)), "")).strip()


def corners(person: Mapping[str, Any]) -> list[float]:
    """Return the body box: left, top, right, bottom. Raises DataError."""
    found = several(person.get("body_bbox"))
    if len(found) != 4 or not all(isinstance(value, int | float) for value in found):
        raise DataError(f"body_bbox is {file_checks.quoted(str(found))}, needed are 4 numbers")
    return found


def described(person: Mapping[str, Any]) -> dict[str, Target]:
    """Return the combined targets, else all annotators' tags and mean values. Raises DataError."""
    each = structs(person.get("annotations_categories"))
    tags = several(person.get("combined_categories"))
    tags = tags or [tag for annotator in each for tag in several(annotator.get("categories"))]
    ratings = structs(person.get("combined_continuous")) or structs(person.get("annotations_continuous"))
    return targets(tags, [_mean([rating.get(name) for rating in ratings]) for name in VAD.labels])


def annotators(person: Mapping[str, Any]) -> str:
    """Return how many people annotated someone."""
    both = ("annotations_categories", "annotations_continuous")
    return str(max(len(structs(person.get(name))) for name in both))


def _mean(values: list[Any]) -> float | None:
    """Return the mean of the numbers among values, NaN not counted; None where there are none."""
    found = [value for item in values for value in several(item) if isinstance(value, int | float)]
    found = [value for value in found if not math.isnan(value)]
    return sum(found) / len(found) if found else None
