"""What was found in each moment, and the rows that every table of results is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..extras import require
from ..prediction import Prediction
from ..records import Box, Moment, Pixels
from ..tasks import Kind, Task
from .engine import Engine

if TYPE_CHECKING:
    import pandas

Row = dict[str, Any]


@dataclass(frozen=True)
class ModelOrigin:
    """Which model answered, and how it was asked: `settings`, one line of what changes the figures."""

    name: str
    sha256: str
    task: Task
    settings: str = ""
    heads: Sequence[Row] = ()


@dataclass(frozen=True, eq=False)
class Result:
    """What was found in one moment: a picture of `width` x `height` pixels, or such a frame of a video.

    `shot` counts the cuts before it where faces are followed. The moment keeps its media only where asked
    for.
    """

    moment: Moment
    width: int
    height: int
    predictions: Sequence[Prediction]
    shot: int | None = None
    origin: ModelOrigin | None = field(default=None, repr=False)

    @property
    def source(self) -> str:
        """Where the moment is from, as it was given."""
        return self.moment.source

    @property
    def index(self) -> int:
        """The number of the frame in its source, from 0."""
        return self.moment.index

    @property
    def time(self) -> float | None:
        """Seconds from the start of the source, None for a still picture."""
        return self.moment.time

    @property
    def pixels(self) -> Pixels | None:
        """The picture, uint8 (H, W) or (H, W, 3) RGB, where it was kept."""
        return self.moment.media.get("image")

    def to_dict(self) -> Row:
        """The result as JSON can hold it, its faces numbered from 0."""
        numbered = enumerate(self.predictions)
        faces = [{"face_id": face_id(number, found), **short(found.to_dict())} for number, found in numbered]
        return self._where() | {"faces": faces}

    def _where(self) -> Row:
        place = {"source": self.source, "frame": self.index, "timestamp": short(self.time), "shot": self.shot}
        return place | {"width": self.width, "height": self.height}

    def rows(self, origin: ModelOrigin | None = None) -> list[Row]:
        """List a row a face, or one with empty face columns; with an origin, each has all of `columns`."""
        origin = origin or self.origin
        where = self._where() | {"faces": len(self.predictions)}
        empty = dict.fromkeys(columns(origin.task)) if origin else {}
        model = {} if origin is None else {"model": origin.name, "model_sha256": origin.sha256}
        model |= {} if origin is None else {"settings": origin.settings}
        faces = [_face(number, found) for number, found in enumerate(self.predictions)]
        return [{**empty, **where, **face, **model} for face in faces or [{}]]


def origin(engine: Engine, settings: str = "") -> ModelOrigin:
    """The origin of what this engine answers."""
    return ModelOrigin(engine.name, engine.sha256, engine.task, settings, _heads(engine))


def columns(task: Task) -> list[str]:
    """Names of the columns of a row, in order."""
    outputs = [f"{head.name}.{label}" for head in task for label in head.space.labels]
    where = ["source", "frame", "timestamp", "shot", "width", "height", "faces", "face_id"]
    face = ["box_x", "box_y", "box_width", "box_height", "landmarks", "face_score"]
    tags = ["tags"] if any(head.kind is Kind.TAGS for head in task) else []
    answers = ["dominant", "confidence", "entropy", "abstained", *tags, *outputs]
    return [*where, *face, *answers, "model", "model_sha256", "settings"]


def to_frame(results: Iterable[Result | Prediction]) -> pandas.DataFrame:
    """Make a pandas frame of results or predictions: a row a face, and one for a moment without a face.

    Raises MissingExtraError where pandas is not installed.

    >>> import mien
    >>> from mien.synthetic import face
    >>> found = mien.load().predict(face("happiness", size=96), faces="cropped")
    >>> mien.to_frame(found)[["face_id", "box_width", "dominant"]].shape
    (1, 3)
    """
    pandas = require("pandas", "frame")
    rows: list[Row] = []
    for place, found in enumerate(results):
        rows += [_face(place, found)] if isinstance(found, Prediction) else found.rows()
    return pandas.DataFrame(rows)


def short(value: Any) -> Any:
    """Numbers to six decimals: a float32 holds no more."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: short(item) for key, item in value.items()}
    return [short(item) for item in value] if isinstance(value, list) else value


def face_id(number: int, found: Prediction) -> int:
    """Return a face's number: that of its track, else its place from left to right."""
    return number if found.subject.track is None else found.subject.track


def _face(number: int, found: Prediction) -> Row:
    subject = found.subject
    box = subject.region if isinstance(subject.region, Box) else None
    row: Row = {
        "face_id": face_id(number, found),
        **{f"box_{name}": None if box is None else getattr(box, name) for name in Box._fields},
        "landmarks": [list(point) for point in subject.points] or None,
        "face_score": subject.score,
        "dominant": found.dominant,
        "confidence": found.confidence,
        "entropy": found.entropy,
        "abstained": found.abstained,
    }
    if tags := found.tags:
        row["tags"] = ";".join(name for names in tags.values() for name in names)
    for head, values in found.outputs.items():
        row.update((f"{head}.{label}", value) for label, value in values.items())
    return {key: short(value) for key, value in row.items()}


def _heads(engine: Engine) -> list[Row]:
    rows = []
    for head in engine.task:
        row: Row = {"name": head.name, "kind": str(head.kind), "labels": list(head.space.labels)}
        row |= {"bounds": list(head.bounds)} if head.kind is Kind.VALUES else {}
        chosen = engine.thresholds.get(head.name)
        rows.append(row | ({"thresholds": short(dict(chosen))} if chosen else {}))
    return rows
