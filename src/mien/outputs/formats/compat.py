"""Formats for people who switch: what other tools call their columns, as far as it can be filled honestly."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ...labels import EXPRESSION7, canonical
from ...predict.results import ModelOrigin, Result, Row, face_id, short
from ...prediction import Prediction
from ...records import Face
from ...tasks import Kind
from .writer import TextDocument, csv_line, emotions, seven


class _Array(TextDocument):
    """A JSON array with an object a face, one a line."""

    head, between, tail = "[\n", ",\n", "\n]\n"

    def __init__(self, path: Path, origin: ModelOrigin) -> None:
        """Begin. Raises OSError naming the file, ConfigError where the model lacks the seven expressions."""
        self._head = seven(origin, type(self).__name__.lower())
        super().__init__(path, origin)

    def texts(self, result: Result) -> list[str]:
        """An object a face; one whose face is null where there is none."""
        where = {"source": result.source, "frame": result.index, "timestamp": result.time}
        faces = [self.face(found) for found in result.predictions] or [self.face(None)]
        return [json.dumps(short({**face, **where}), ensure_ascii=False) for face in faces]

    def face(self, found: Prediction | None) -> Row:
        """What the other tool says of a face."""
        raise NotImplementedError


class DeepFace(_Array):
    """`DeepFace.analyze(…, actions=["emotion"])`: probabilities in percent, the region with the eyes."""

    def face(self, found: Prediction | None) -> Row:
        """One dict of its list."""
        if found is None:
            return {"emotion": None, "dominant_emotion": None, "region": None, "face_confidence": 0}
        values = {label: 100 * value for label, value in emotions(found, self._head).items()}
        box = found.face.box
        region = {"x": box.x, "y": box.y, "w": box.width, "h": box.height, **_eyes(found.face)}
        dominant = max(values, key=lambda label: values[label])
        answer: Row = {"emotion": values, "dominant_emotion": dominant, "region": region}
        return answer | {"face_confidence": found.face.score}


class Fer(_Array):
    """`FER().detect_emotions(…)`: a box and a dict of emotions."""

    def face(self, found: Prediction | None) -> Row:
        """One dict of its list."""
        if found is None:
            return {"box": None, "emotions": None}
        return {"box": list(found.face.box), "emotions": emotions(found, self._head)}


class _Table(TextDocument):
    """CSV with a header."""

    def __init__(self, path: Path, origin: ModelOrigin, names: Iterable[str]) -> None:
        """Begin with these columns. Raises OSError naming the file."""
        self._names = list(names)
        self.head = csv_line(self._names)
        super().__init__(path, origin)

    def texts(self, result: Result) -> list[str]:
        """A line a face; one with empty columns where there is none."""
        numbered = enumerate(result.predictions)
        rows = [self.row(result, face_id(place, found), found) for place, found in numbered]
        rows = rows or [self.row(result, 0, None)]
        return [csv_line(row.get(name) for name in self._names) for row in rows]

    def row(self, result: Result, number: int, found: Prediction | None) -> Row:
        """What the other tool says of a face."""
        raise NotImplementedError


class OpenFace(_Table):
    """OpenFace 2.x: its first five columns, then this model's own answers: no action units, gaze or pose."""

    def __init__(self, path: Path, origin: ModelOrigin) -> None:
        """Begin. Raises OSError naming the file."""
        outputs = [f"{head.name}.{label}" for head in origin.task for label in head.space.labels]
        first = ["frame", "face_id", "timestamp", "confidence", "success"]
        super().__init__(path, origin, [*first, *outputs, "source"])

    def row(self, result: Result, number: int, found: Prediction | None) -> Row:
        """Frames count from 1, as there; a frame without a face has confidence 0 and success 0."""
        where = {"frame": result.index + 1, "timestamp": short(result.time or 0.0), "source": result.source}
        if found is None:
            return {**where, "face_id": 0, "confidence": 0, "success": 0}
        row = {**where, "face_id": number, "confidence": short(found.face.score), "success": 1}
        for head, values in found.outputs.items():
            row |= {f"{head}.{name}": short(value) for name, value in values.items()}
        return row


#: py-feat's names of the seven: of its first detector, and of the second, which has valence and arousal.
_FIRST = "anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"
_SECOND = "Anger", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral"


class PyFeat(_Table):
    """py-feat's Fex: the box, its score, emotions, valence and arousal where the model has them."""

    def __init__(self, path: Path, origin: ModelOrigin) -> None:
        """Begin. Raises OSError naming the file, ConfigError where the model lacks the seven expressions."""
        self._head = seven(origin, "pyfeat")
        self._affect = _affect(origin)
        self._called = dict(zip(EXPRESSION7.labels, _SECOND if self._affect else _FIRST, strict=True))
        box = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"]
        names = [*box, *self._called.values(), *self._affect, "input", "frame", "approx_time", "Identity"]
        super().__init__(path, origin, names)

    def row(self, result: Result, number: int, found: Prediction | None) -> Row:
        """A frame without a face has empty columns, which py-feat reads as NaN."""
        minutes, seconds = divmod(int(result.time or 0), 60)
        where: Row = {"input": result.source, "frame": result.index}
        if result.time is not None:
            where["approx_time"] = f"{minutes:02d}:{seconds:02d}"
        if found is None:
            return where
        box = dict(zip(self._names, (*found.face.box, short(found.face.score)), strict=False))
        answers = emotions(found, self._head)
        expressions = {name: short(answers[label]) for label, name in self._called.items()}
        affect = {name: short(found.outputs[head][name]) for name, head in self._affect.items()}
        identity = None if found.face.track is None else f"Person_{number}"
        return {**where, **box, **expressions, **affect, "Identity": identity}


def _affect(origin: ModelOrigin) -> dict[str, str]:
    """Valence and arousal and the head that says them, where one lies within -1…1 as py-feat's do."""
    for head in origin.task:
        names = set(map(canonical, head.space.labels))
        if head.kind is Kind.VALUES and {"valence", "arousal"} <= names and tuple(head.bounds) == (-1.0, 1.0):
            return {"valence": head.name, "arousal": head.name}
    return {}


def _eyes(face: Face) -> Row:
    """The person's right eye comes first among five landmarks."""
    if len(face.landmarks) != 5:
        return {}
    right, left = ([round(x), round(y)] for x, y in face.landmarks[:2])
    return {"left_eye": left, "right_eye": right}
