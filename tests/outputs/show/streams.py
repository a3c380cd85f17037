"""Results as they would stream, with numbers that are easy to check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mien.predict.results import Result
from mien.prediction import Prediction
from mien.records import Box, Face, Moment, Pixels
from mien.tasks import TASKS, Kind, Task

EXPRESSION = TASKS["expression8"]
RNG = np.random.default_rng(5)


def answer(label: str, value: float = 0.7, task: Task = EXPRESSION) -> dict[str, dict[str, float]]:
    """Outputs whose first head gives `label` the probability `value`, and the rest alike to the others;
    values are 0.5, -0.25."""
    outputs = {}
    for head in task:
        if head.kind is Kind.VALUES:
            outputs[head.name] = dict(zip(head.space.labels, (0.5, -0.25, 0.1), strict=False))
        else:
            rest = (1 - value) / (len(head) - 1)
            outputs[head.name] = {name: value if name == label else rest for name in head.space.labels}
    return outputs


def face(
    box: tuple[int, int, int, int], label: str = "happy", value: float = 0.7, *, track: int | None = None,
    task: Task = EXPRESSION, abstain: float = 0.0,
) -> Prediction:  # fmt: skip
    return Prediction(Face(Box(*box), track=track), answer(label, value, task), task, abstain=abstain)


def step(
    predictions: Sequence[Prediction], time: float | None, *, index: int = 0, source: str = "a.mp4",
    pixels: Pixels | None = None,
) -> Result:  # fmt: skip
    """The result of one frame, with its pixels."""
    pixels = np.full((120, 160, 3), 128, np.uint8) if pixels is None else pixels
    height, width = pixels.shape[:2]
    return Result(Moment({"image": pixels}, source, index, time), width, height, list(predictions))


def clip(
    labels: Mapping[int, str],
    times: Sequence[float],
    *,
    source: str = "a.mp4",
    size: tuple[int, int] = (160, 120),
) -> Iterator[Result]:
    """A face of each track, side by side and always the same, at each time."""
    pixels = np.full((size[1], size[0], 3), 128, np.uint8)
    for index, time in enumerate(times):
        faces = [
            face((10 + 50 * at, 10, 40, 40), label, track=track)
            for at, (track, label) in enumerate(labels.items())
        ]
        yield step(faces, time, index=index, source=source, pixels=pixels)
