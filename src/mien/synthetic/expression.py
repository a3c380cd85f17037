"""Expressions as amounts of facial action, mixed by a distribution over the eight emotions."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..labels import EXPRESSION8

Array = NDArray[np.float64]

#: How far in valence-arousal a second emotion may lie from the first and still be likely to be mixed in.
NEARNESS = 0.45
_POSITIONS = np.array(EXPRESSION8.positions)
_DISTANCES = np.linalg.norm(_POSITIONS[:, None] - _POSITIONS[None], axis=-1)


class Expression(NamedTuple):
    """Amounts of facial action: 0 at rest, 1 full; brows, lid, mouth curve and width reach to -1."""

    brow_inner: float = 0.0
    brow_outer: float = 0.0
    brow_pinch: float = 0.0
    lid: float = 0.0
    squint: float = 0.0
    droop: float = 0.0
    cheek: float = 0.0
    nose_wrinkle: float = 0.0
    mouth_curve: float = 0.0
    mouth_width: float = 0.0
    mouth_open: float = 0.0
    mouth_square: float = 0.0
    lip_raise: float = 0.0
    lip_press: float = 0.0
    teeth: float = 0.0
    smirk: float = 0.0


#: The ways in which a face shows each emotion; a person keeps to one of them.
EXPRESSIONS: dict[str, tuple[Expression, ...]] = {
    "neutral": (Expression(),),
    "happy": (
        Expression(0.1, 0.2, squint=0.3, cheek=1, mouth_curve=1, mouth_width=0.7, mouth_open=0.5, teeth=1),
        Expression(0.05, 0.1, squint=0.3, cheek=0.85, mouth_curve=1.25, mouth_width=0.75, mouth_open=0.05),
    ),
    "surprise": (
        Expression(0.85, 0.9, lid=0.9, mouth_width=-0.7, mouth_open=0.85),
        Expression(0.75, 0.85, lid=0.8, mouth_width=-0.9, mouth_open=0.68),
    ),
    "sad": (
        Expression(0.9, -0.6, 0.45, lid=-0.35, droop=1, mouth_curve=-1.1, mouth_width=-0.15),
        Expression(1, -0.4, 0.3, -0.6, droop=0.9, mouth_curve=-0.95, mouth_width=-0.3, lip_press=0.2),
    ),
    "angry": (
        Expression(-1, 0.25, 1, lid=0.1, squint=0.6, mouth_curve=-0.6, mouth_width=-0.1, lip_press=1),
        Expression(-1, 0.3, 1, 0.2, 0.5, 0, 0, 0, -0.35, 0.35, 0.5, mouth_square=1, teeth=1),
    ),
    "disgust": (
        Expression(-0.6, -0.55, 0.35, -0.35, 0.9, 0, 0.45, 1, -0.75, 0, 0.12, lip_raise=1, teeth=0.6),
        Expression(-0.5, -0.6, 0.3, -0.45, 1, 0, 0.4, 1, -0.9, -0.1, 0, lip_raise=0.8),
    ),
    "fear": (
        Expression(0.85, 0.05, 0.9, 1, 0, 0, 0, 0, -0.4, 0.65, 0.5, mouth_square=0.8, teeth=0.7),
        Expression(0.95, 0.15, 0.8, 0.9, 0, 0, 0, 0, -0.45, 0.8, 0.5, mouth_square=0.6, teeth=0.35),
    ),
    "contempt": (
        Expression(lid=-0.3, squint=0.15, lip_press=0.3, smirk=1),
        Expression(-0.15, 0, 0.1, -0.15, 0.3, mouth_width=0.1, smirk=1.1),
    ),
}


def distribution(emotion: str | Mapping[str, float] | Array) -> Array:
    """Return probabilities (8,) in the order of EXPRESSION8 of a label, {label: weight} or eight weights."""
    if isinstance(emotion, str):
        emotion = {emotion: 1.0}
    if isinstance(emotion, Mapping):
        weights = np.zeros(len(EXPRESSION8))
        for name, weight in emotion.items():
            weights[EXPRESSION8.index(name)] = weight
    else:
        weights = np.asarray(emotion, dtype=float)
    if weights.shape != (len(EXPRESSION8),) or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
        labels = ", ".join(EXPRESSION8.labels)
        raise DataError(f"{weights.tolist()} is no distribution over {labels}: need 8 weights >= 0")
    return np.asarray(weights / weights.sum())


def draw_distribution(rng: np.random.Generator, emotion: int) -> Array:
    """Return a distribution (8,) whose largest probability, at least one half, is that of `emotion`.

    p = (1 - a) e + a q, with e all on the emotion, a ~ Beta(1, 2) / 2 and q ~ Dirichlet over the other seven
    with concentrations 1.5 exp(-d / NEARNESS) / (their sum), d the distance in valence-arousal.
    """
    near = np.exp(-_DISTANCES[emotion] / NEARNESS)
    near[emotion] = 0.0
    others = np.flatnonzero(near)
    share = rng.beta(1.0, 2.0) / 2
    mixed = np.zeros(len(EXPRESSION8))
    mixed[others] = share * rng.dirichlet(1.5 * near[others] / near.sum())
    mixed[emotion] = 1.0 - mixed.sum()
    return mixed


def valence_arousal(probabilities: Array) -> Array:
    """Return the (valence, arousal) of a distribution (8,): the mean of its emotions' positions, in -1…1."""
    return np.asarray(probabilities @ _POSITIONS)


def mix(probabilities: Array, variant: int) -> Expression:
    """Return the expression of a distribution (8,): the mean of its emotions' expressions in that variant."""
    ways = [EXPRESSIONS[label] for label in EXPRESSION8.labels]
    table = np.array([way[variant % len(way)] for way in ways])
    return Expression(*(probabilities @ table).tolist())
