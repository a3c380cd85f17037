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
    """Write comparison.html, .csv, .md, .tex and .json into a folder and return their paths; CSV and JSON
    have every metric.

    Raises MissingExtraError without the extra `report`.
    """
    from .page import render

    texts = {"html": render(found)}
    for name, ending in _ENDINGS.items():
        texts[ending] = FORMATS[name](found.table if name == "csv" else found.summary)
    texts["json"] = json.dumps(as_dict(found), indent=1, ensure_ascii=False) + "\n"
    paths = {ending: folder / f"comparison.{ending}" for ending in texts}
    for ending, text in texts.items():
        files.write_text(paths[ending], text)
    return tuple(paths.values())


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
    metric = next(metric for metric in found.metrics if metric.key == key)
    apart = found.differences[key][place]
    return {
        "value": None if value.value is None or math.isnan(value.value) else value.value,
        "higher_is_better": metric.higher_is_better,
        "interval": value.interval,
        "sd": value.sd,
        "difference": apart
        and {
            **asdict(apart),
            "value": None if math.isnan(apart.value) else apart.value,
            "noise": list(apart.noise),
        },
    }
