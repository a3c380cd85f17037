"""Results made by hand, for golden files."""

from __future__ import annotations

import numpy as np

from mien.predict.results import ModelOrigin, Result
from mien.prediction import Prediction
from mien.records import Box, Face, Moment, ReadError
from mien.tasks import TASKS, Head, Kind, LabelSpace, Task

TASK = Task(
    "mood",
    (
        Head("mood", Kind.CLASS, LabelSpace("mood", ("good", "bad"))),
        Head("va", Kind.VALUES, LabelSpace("va", ("valence",)), bounds=(0.0, 1.0)),
    ),
)
HEADS = [
    {"name": "mood", "kind": "class", "labels": ["good", "bad"]},
    {"name": "va", "kind": "values", "labels": ["valence"], "bounds": [0.0, 1.0]},
]
ORIGIN = ModelOrigin("tiny", "ab12", TASK, "faces=haar every=0.5", HEADS)
AFFECT = ModelOrigin("affect", "cd34", TASKS["affect"])
EXPRESSION = ModelOrigin("seven", "ef56", TASKS["expression7"])


def prediction(good: float, face: Face) -> Prediction:
    outputs = {"mood": {"good": good, "bad": 1 - good}, "va": {"valence": float(np.float32(0.1))}}
    return Prediction(face, outputs, TASK, abstain=0.8)


FACES = [
    prediction(0.75, Face(Box(1, 2, 3, 4), ((1.5, 2.5), (3.0, 2.5)), 0.9)),
    prediction(0.05, Face(Box(-5, 6, 7, 8), track=12)),
]
RESULTS = [
    Result(Moment({}, 'a,"b".png', 0, None), 64, 48, FACES),
    Result(Moment({}, "leer/ü.mp4", 30, 1.25), 8, 8, [], shot=2),
    Result(Moment({}, "leer/ü.mp4", 45, 1.75), 8, 8, FACES[1:], shot=3),
]
FAULT = ReadError("x.png", "x.png: no such file")


def feeling(origin: ModelOrigin, label: str, share: float = 0.65, **face: object) -> Prediction:
    """A prediction whose first head likes `label`."""
    outputs = {}
    for head in origin.task:
        labels = head.space.labels
        if head.kind is Kind.VALUES:
            outputs[head.name] = dict(zip(labels, (0.5, -0.25), strict=True))
        else:
            rest = (1 - share) / (len(labels) - 1)
            outputs[head.name] = {name: share if name == label else rest for name in labels}
    return Prediction(Face(**{"box": Box(10, 20, 30, 40), **face}), outputs, origin.task)  # type: ignore[arg-type]
