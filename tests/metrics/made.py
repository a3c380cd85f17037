"""Answers and truths made of noise, and heads to hold them against."""

import numpy as np

from mien.labels import EXPRESSION8, VALENCE_AROUSAL, LabelSpace
from mien.metrics import Array
from mien.metrics.distributions import vote_distances
from mien.tasks import Head, Kind

SHAPES = [(1, 2), (40, 7), (300, 8)]
AFFECT = Head("valence_arousal", Kind.VALUES, VALENCE_AROUSAL)
GROUND = vote_distances(np.random.default_rng(21).multinomial(10, np.full(8, 1 / 8), 90) / 10)
TAGS = Head("tags", Kind.TAGS, LabelSpace("mood", ("calm", "tired", "tense")))


def classes(size: int, kind: Kind = Kind.CLASS) -> Head:
    """A head whose labels have no place in valence and arousal."""
    return Head("face", kind, LabelSpace("letters", tuple("abcdefghij"[:size])))


def rows_of(shape: tuple[int, int], seed: int) -> Array:
    return np.random.default_rng(seed).dirichlet(np.full(shape[1], 0.5), shape[0])


def votes_of(shape: tuple[int, int], seed: int) -> Array:
    rng = np.random.default_rng(seed)
    return (
        np.array([rng.multinomial(10, row) for row in rng.dirichlet(np.full(shape[1], 0.3), shape[0])]) / 10
    )


def one_hot(truth: list[int], size: int) -> Array:
    return np.eye(size)[truth]


def hard_of(shape: tuple[int, int], seed: int) -> Array:
    return one_hot(np.random.default_rng(seed).integers(0, shape[1], shape[0]).tolist(), shape[1])


def tags_of(shape: tuple[int, int], seed: int, share: float = 0.4) -> Array:
    return (np.random.default_rng(seed).random(shape) < share).astype(np.float64)


def coarse(shape: tuple[int, int], seed: int) -> Array:
    """Answers of which many tie."""
    return np.random.default_rng(seed).integers(0, 10, shape) / 10


def case(kind: Kind, rows: int = 60) -> tuple[Head, Array, Array]:
    """A head with answers and truths, some of them missing."""
    rng = np.random.default_rng(3)
    if kind.is_exclusive:
        target = votes_of((rows, 8), 2) if kind is Kind.DISTRIBUTION else hard_of((rows, 8), 2)
        target[4:7] = np.nan
        return Head("face", kind, EXPRESSION8), rows_of((rows, 8), 1), target
    if kind is Kind.TAGS:
        target = np.where(rng.random((rows, 3)) < 0.1, np.nan, tags_of((rows, 3), 5))
        return TAGS, coarse((rows, 3), 6), target
    target = np.where(rng.random((rows, 2)) < 0.1, np.nan, rng.uniform(-1, 1, (rows, 2)))
    return AFFECT, np.clip(0.5 * np.nan_to_num(target) + rng.normal(0.1, 0.3, (rows, 2)), -1, 1), target
