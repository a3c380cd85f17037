"""Results as files: one JSON document, or one row a face as JSON lines or CSV. `docs/reference/prediction-format.md`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import lookup
from ..files import write_text
from ..records import Prediction
from ..tasks import Kind, Task
from .engine import Engine

SCHEMA = 1
Row = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """What was found in one picture of `width` x `height` pixels; `source` is its path as given."""

    source: str
    width: int
    height: int
    predictions: Sequence[Prediction]

    def to_dict(self) -> Row:
        """The picture as JSON can hold it, its faces numbered from 0."""
        return {
            "source": self.source,
            "width": self.width,
            "height": self.height,
            "faces": [{"face_id": i, **_short(face.to_dict())} for i, face in enumerate(self.predictions)],
        }


@dataclass(frozen=True)
class Results:
    """All pictures of one call, the model that read them, and `failed`: (source, reason) of those that could not be read."""

    engine: Engine
    pictures: Sequence[Result]
    failed: Sequence[tuple[str, str]] = ()

    def to_dict(self) -> Row:
        """The call as JSON can hold it."""
        return {
            "schema": SCHEMA,
            "model": {"name": self.engine.name, "sha256": self.engine.sha256, "heads": _heads(self.engine)},
            "pictures": [picture.to_dict() for picture in self.pictures],
            "failed": [{"source": source, "error": error} for source, error in self.failed],
        }

    def rows(self) -> list[Row]:
        """One row a face, and one with empty face columns for a picture without a face; all rows have `columns`."""
        model = {"model": self.engine.name, "model_sha256": self.engine.sha256}
        empty = dict.fromkeys(columns(self.engine.task))
        return [
            {**empty, "source": picture.source, **face, **model}
            for picture in self.pictures
            for face in (_faces(picture) or [{}])
        ]


def columns(task: Task) -> list[str]:
    """Names of the columns of a row, in order."""
    outputs = [f"{head.name}.{label}" for head in task for label in head.space.labels]
    box = ["box_x", "box_y", "box_width", "box_height"]
    tags = ["tags"] if any(head.kind is Kind.TAGS for head in task) else []
    return ["source", "face_id", *box, "face_score", "dominant", *tags, *outputs, "model", "model_sha256"]


def to_json(results: Results) -> str:
    """One document with everything: model, pictures, faces, failures."""
    return json.dumps(results.to_dict(), indent=2, ensure_ascii=False) + "\n"


def to_jsonl(results: Results) -> str:
    """One JSON object a line and face."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in results.rows())


def to_csv(results: Results) -> str:
    """One line a face under a header (RFC 4180, but for bare line feeds); what is not known is empty."""
    text = io.StringIO()
    table = csv.DictWriter(text, columns(results.engine.task), lineterminator="\n")
    table.writeheader()
    table.writerows(results.rows())
    return text.getvalue()


FORMATS: dict[str, Callable[[Results], str]] = {"json": to_json, "jsonl": to_jsonl, "csv": to_csv}


def writer(path: Path) -> Callable[[Results], str]:
    """The writer for a path's suffix. Raises ConfigError naming the choices."""
    return lookup(FORMATS, path.suffix.lower().removeprefix("."), f"format of results in {path}:")


def write(path: Path, results: Results) -> None:
    """Write results in the format of the path's suffix, whole or not at all. Raises ConfigError for another suffix."""
    write_text(path, writer(path)(results))


def _heads(engine: Engine) -> list[Row]:
    more = {head.name: {"bounds": list(head.bounds)} for head in engine.task if head.kind is Kind.VALUES}
    more |= {name: {"thresholds": _short(chosen)} for name, chosen in engine.thresholds.items()}
    return [
        {"name": head.name, "kind": str(head.kind), "labels": list(head.space.labels), **more.get(head.name, {})}
        for head in engine.task
    ]


def _faces(picture: Result) -> list[Row]:
    rows = []
    for number, prediction in enumerate(picture.predictions):
        face = prediction.face
        box = {f"box_{name}": value for name, value in face.box._asdict().items()}
        outputs = {
            f"{head}.{label}": value for head, values in prediction.outputs.items() for label, value in values.items()
        }
        row = {"face_id": number, **box, "face_score": face.score, "dominant": prediction.dominant}
        if tags := prediction.tags:
            row["tags"] = ";".join(name for names in tags.values() for name in names)
        rows.append(_short(row | outputs))
    return rows


def _short(value: Any) -> Any:
    """Numbers to six decimals: a float32 holds no more."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    return [_short(item) for item in value] if isinstance(value, list) else value
