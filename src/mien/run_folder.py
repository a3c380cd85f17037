"""Where a run folder keeps what an evaluation of each split leaves, in the layout of today and in the one
before it."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from .errors import ModelError

#: The schemas of a model's description that are read, the one that is written last: 1 has the preprocessing
#: of one picture where 2 has inputs.
MODEL_SCHEMAS = (1, 2)
#: The order in which splits are shown; others follow by name.
_ORDER = ("validation", "test", "train")


class SplitFiles(NamedTuple):
    """The two files that an evaluation of one split leaves."""

    results: Path
    predictions: Path


def read_description(text: str, path: Path) -> dict[str, Any]:
    """A model's description of itself, from the JSON of the file at `path`. Raises ModelError."""
    try:
        found = json.loads(text)
        schema = found["schema"]
    except (ValueError, TypeError, KeyError):
        raise ModelError(f"{path}: its description of itself is damaged (no JSON with a schema)") from None
    if schema not in MODEL_SCHEMAS:
        known = " and ".join(map(str, MODEL_SCHEMAS))
        raise ModelError(f"{path}: schema {schema}, this version of mien reads {known}")
    return dict(found)


def split_files(folder: Path, split: str) -> SplitFiles:
    """Where the evaluation of a split writes its two files."""
    return SplitFiles(folder / "results" / f"{split}.json", folder / "predictions" / f"{split}.parquet")


def scored_splits(folder: Path) -> dict[str, SplitFiles]:
    """The files of every split that was scored, validation first; {} where none was.

    Versions before kept one split, as `results.json` and `predictions.parquet` in the folder itself: it
    counts unless the same split was scored again since. Its name is '' where that file cannot be read and is
    all there is.
    """
    found = {path.stem: split_files(folder, path.stem) for path in (folder / "results").glob("[!.]*.json")}
    old = SplitFiles(folder / "results.json", folder / "predictions.parquet")
    if old.results.is_file():
        split = _split_of(old.results)
        if split or not found:
            found.setdefault(split, old)
    return {split: found[split] for split in sorted(found, key=_place)}


def not_scored(folder: Path, split: str) -> str:
    """What to say of a folder that holds no results of a split: which it holds, and the command that makes
    them."""
    scored = ", ".join(scored_splits(folder))
    only = f", only of {scored}" if scored else ""
    return f"{folder}: has no results of the split '{split}'{only} ({command(folder, split)})"


def command(folder: Path, split: str) -> str:
    """The command that scores a split into a run folder, or into the folder of another data set in it."""
    inner = not (folder / "model.onnx").is_file() and (folder.parent / "model.onnx").is_file()
    return f"mien evaluate {f'{folder.parent} --data FILE' if inner else folder} --split {split}"


def _place(split: str) -> tuple[int, str]:
    return (_ORDER.index(split) if split in _ORDER else len(_ORDER)), split


def _split_of(results: Path) -> str:
    """The split that a results file names; '' where it cannot be read."""
    try:
        return str(json.loads(results.read_text(encoding="utf-8"))["data"]["split"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
