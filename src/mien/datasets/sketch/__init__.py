"""Drawn faces whose label, distribution and valence-arousal are known exactly: for tests, tutorials and teaching."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ... import store
from ...errors import ConfigError
from ...labels import EXPRESSION7, EXPRESSION8, VALENCE_AROUSAL
from ...pictures import recolour
from ...records import Box, Pixels, Sample, Target
from ...tasks import TASKS, Head
from .expression import Array, Expression, distribution, draw_distribution, mix, valence_arousal
from .head import backdrop, develop, draw
from .look import Look, draw_look
from .shapes import Frame

__all__ = ["HEADS", "Look", "draw_look", "face", "photo", "samples", "write_store"]

#: Changes whenever the same seed draws other pixels.
VERSION = "1"
#: A face in a `photo` is at least this wide, in pixels.
SMALLEST = 120
#: Half the side of a detector's box in half heights of the head, and how far below the head's middle it sits (measured with
#: OpenCV's frontal Haar cascade).
_BOX, _BELOW = 0.96, 0.06
#: How large the smallest and largest head of a `photo` are.
_NEAR = (0.85, 1.0)
HEADS: tuple[Head, ...] = (
    TASKS["expression8"].head("expression8"),
    TASKS["expression7"].head("expression7"),
    TASKS["distribution8"].head("distribution8"),
    TASKS["affect"].head("valence_arousal"),
)


def face(
    emotion: str | Mapping[str, float] | Array, look: Look | int = 0, size: int = 48, colour: str = "grey"
) -> Pixels:
    """Draw one face, uint8 (size, size[, 3]), of a label or a distribution over EXPRESSION8; `look` may be a seed.

    `size` is 16…1024 pixels, `colour` grey or rgb. Raises ConfigError, and DataError for what is no distribution.
    """
    if not 16 <= size <= 1024 or colour not in ("grey", "rgb"):
        raise ConfigError(f"cannot draw {size} pixels in '{colour}': size must be 16…1024, colour 'grey' or 'rgb'")
    if not isinstance(look, Look):
        look = draw_look(np.random.default_rng(look))
    side = size * _oversampling(size)
    x, y = (side * (0.5 + shift) for shift in look.view.shift)
    canvas = backdrop(look.view, (side, side))
    draw(canvas, _acted(distribution(emotion), look), Frame(look, x, y - 0.03 * side, 0.52 * side * look.view.zoom))
    return recolour(develop(canvas, look.view, (size, size)), colour)


def samples(count: int, size: int = 48, seed: int = 0, colour: str = "grey") -> Iterator[Sample]:
    """Drawn faces 0…count - 1 of a seed; face i depends on (seed, i) alone. `size` and `colour` as in `face`.

    Every ten faces are eight for training, one for validation, one for test; every eighty hold each emotion as often,
    in each split too. Raises ConfigError.
    """
    if count < 1 or seed < 0:
        raise ConfigError(
            f"cannot draw {count} faces of seed {seed}: the count must be at least 1, the seed at least 0"
        )
    return (_sample(index, size, seed, colour) for index in range(count))


def _sample(index: int, size: int, seed: int, colour: str) -> Sample:
    rng = np.random.default_rng([seed, index])
    emotion = (index + index // 10) % len(EXPRESSION8)
    label = EXPRESSION8.labels[emotion]
    probabilities = draw_distribution(rng, emotion)
    targets: dict[str, Target] = {
        "expression8": label,
        "distribution8": dict(zip(EXPRESSION8.labels, probabilities.tolist(), strict=True)),
        "valence_arousal": dict(zip(VALENCE_AROUSAL.labels, valence_arousal(probabilities).tolist(), strict=True)),
    }
    if label in EXPRESSION7:
        targets["expression7"] = label
    split = {1: "validation", 2: "test"}.get(index % 10, "train")
    return Sample(face(probabilities, draw_look(rng), size, colour), targets, split, f"sketch/{seed}/{index:06d}")


def write_store(out: Path, count: int, size: int = 48, seed: int = 0, colour: str = "grey") -> store.Store:
    """Draw `count` faces into a store with all of HEADS. Raises ConfigError."""
    options = {"count": count, "size": size, "seed": seed, "colour": colour}
    return store.write(out, samples(count, size, seed, colour), HEADS, store.Origin("sketch", VERSION, options=options))


def photo(
    seed: int = 0, faces: int = 2, size: tuple[int, int] = (640, 480), emotions: Sequence[str] = ()
) -> tuple[Pixels, list[tuple[Box, str]]]:
    """Draw a colour picture (height, width, 3) of several people side by side, with the box and label of each face.

    `size` is (width, height). Emotions are drawn at random unless given, one a face. Raises ConfigError where
    there is no room for faces of 120 pixels.
    """
    rng = np.random.default_rng(seed)
    width, height = size
    scale = min(width / max(faces, 1) / 2.3, height / 3.0)
    if faces < 1 or 2 * _NEAR[0] * scale * _BOX < SMALLEST:
        raise ConfigError(
            f"{faces} faces in {width}x{height} pixels: need at least one face, each {SMALLEST} pixels wide"
        )
    scene = draw_look(rng).view
    canvas = backdrop(scene, (2 * width, 2 * height))
    found = []
    labels = [*emotions, *rng.choice(EXPRESSION8.labels, faces).tolist()]
    for place, label in enumerate(labels[:faces]):
        look = _facing(draw_look(rng))
        x, y, half = width * (place + 0.5) / faces, height * rng.uniform(0.44, 0.5), scale * rng.uniform(*_NEAR)
        draw(canvas, _acted(distribution(label), look), Frame(look, 2 * x, 2 * y, 2 * half))
        found.append((_box(x, y, half), label))
    return develop(canvas, replace(scene, blur=0.0), size), found


def _facing(look: Look) -> Look:
    """The look of someone who poses: turned and tilted half as far, and less vivid."""
    return replace(
        look, vivid=0.8 * look.vivid, view=replace(look.view, roll=look.view.roll / 2, yaw=look.view.yaw / 2)
    )


def _box(x: float, y: float, half: float) -> Box:
    """The square from brows to chin that face detectors answer with, for a head of that centre and half height."""
    side = round(2 * half * _BOX)
    return Box(round(x) - side // 2, round(y + _BELOW * half) - side // 2, side, side)


def _acted(probabilities: Array, look: Look) -> Expression:
    """The expression of a distribution as this person shows it."""
    pure = np.array(mix(probabilities, look.variant))
    return Expression(*(look.vivid * pure + np.array(look.habit)).tolist())


def _oversampling(size: int) -> int:
    return 4 if size <= 64 else 2 if size <= 512 else 1
