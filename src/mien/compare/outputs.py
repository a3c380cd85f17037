"""A comparison as files: the page, the tables, and everything as JSON."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import files
from .comparison import Comparison
from .table import FORMATS, Value

SCHEMA = 1
_ENDINGS = {"csv": "csv", "markdown": "md", "latex": "tex"}


def write(found: Comparison, folder: Path) -> tuple[Path, ...]:
    """Write comparison.html, .csv, .md, .tex and .json, the CSV and JSON with every metric; return the paths.

    Raises MissingExtraError without the extra `report`.
    """
    from .page import render

    texts = {"html": render(found)}
    for name, ending in _ENDINGS.items():
        texts[ending] = FORMATS[name](found.table if name == "csv" else found.summary)
    texts["json"] = json.dumps(as_dict(found), indent=1, ensure_ascii=False) + "\n"
    for ending, text in texts.items():
        files.write_text(folder / f"comparison.{ending}", text)
    return tuple(folder / f"comparison.{ending}" for ending in texts)


def as_dict(found: Comparison) -> dict[str, Any]:
    """The comparison as JSON can hold it; numbers in SI units, shares 0…1."""
    record = found.groups[0].runs[0].record
    timing = found.timing and {key: getattr(found.timing, key) for key in ("threads", "rounds", "machine")}
    return {
        "schema": SCHEMA,
        "data": {
            **{key: record.data.get(key) for key in ("store", "sha256", "split")},
            "rows": len(record.rows),
        },
        "intervals": dict(record.intervals),
        "speed": timing,
        "watched": found.watched.key,
        "runs": [_run(found, place) for place in range(len(found.groups))],
        "notes": list(found.notes),
    }


def _run(found: Comparison, place: int) -> dict[str, Any]:
    group, row = found.groups[place], found.table.rows[place]
    values = dict(zip((column.key for column in found.table.columns), row.values, strict=True))
    keys = {metric.key for metric in found.metrics}
    return {
        "name": group.name,
        "folders": [str(run.folder) for run in group.runs],
        "seeds": [run.seed for run in group.runs],
        "metrics": {key: _metric(found, key, value, place) for key, value in values.items() if key in keys},
        **{key: value.value for key, value in values.items() if key not in keys},
    }


def _metric(found: Comparison, key: str, value: Value, place: int) -> dict[str, Any]:
    apart = found.differences[key][place]
    defined = apart and {**asdict(apart), "value": _number(apart.value), "noise": list(apart.noise)}
    return {
        "value": _number(value.value),
        "higher_is_better": next(metric for metric in found.metrics if metric.key == key).higher_is_better,
        "interval": value.interval,
        "sd": value.sd,
        "difference": defined,
    }


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
