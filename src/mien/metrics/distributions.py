"""How far predicted distributions p lie from true ones q, both (N, K). Logarithms are natural.

Definitions: Cha 2007 for the distances; Rubner et al. 2000 for the earth mover's distance.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import ArrayLike

from ..extras import require
from .statistic import TINY, Array, Statistic, mean

Distances = tuple[tuple[float, ...], ...]
_STEPS = 100_000  # of the simplex: far more than a few labels need


def kl(output: Array, target: Array) -> Statistic:
    """Kullback-Leibler divergence Σ q ln(q / p) of prediction p from target q, p clipped at 1e-12."""
    return mean(kl_rows(target, output))


def js(output: Array, target: Array) -> Statistic:
    """Jensen-Shannon divergence: mean divergence of both from their middle, 0…ln 2."""
    middle = (output + target) / 2
    return mean((kl_rows(target, middle) + kl_rows(output, middle)) / 2)


def l1(output: Array, target: Array) -> Statistic:
    """Sum of absolute differences Σ |p - q|: twice the total variation, 0…2."""
    return mean(np.abs(output - target).sum(axis=1))


def tvd(output: Array, target: Array) -> Statistic:
    """Total variation distance ½ Σ |p - q|, 0…1."""
    return mean(np.abs(output - target).sum(axis=1) / 2)


def mse(output: Array, target: Array) -> Statistic:
    """Mean over labels of (p - q)²; times K it is the Brier score."""
    return mean(np.square(output - target).mean(axis=1))


def brier(output: Array, target: Array) -> Statistic:
    """Brier score Σ (p - q)², 0…2."""
    return mean(np.square(output - target).sum(axis=1))


def chebyshev(output: Array, target: Array) -> Statistic:
    """Largest |p - q| of a row, 0…1."""
    return mean(np.abs(output - target).max(axis=1))


def clark(output: Array, target: Array) -> Statistic:
    """Clark distance √Σ ((p - q) / (p + q))², 0/0 = 0. Zeros dominate it: see its noise floor."""
    return mean(np.sqrt(np.square(_relative(output, target)).sum(axis=1)))


def canberra(output: Array, target: Array) -> Statistic:
    """Canberra distance Σ |p - q| / (p + q), 0/0 = 0. Zeros dominate it: see its noise floor."""
    return mean(np.abs(_relative(output, target)).sum(axis=1))


def cosine(output: Array, target: Array) -> Statistic:
    """Cosine similarity p·q / (‖p‖ ‖q‖), 0…1."""
    lengths = np.linalg.norm(output, axis=1) * np.linalg.norm(target, axis=1)
    return mean((output * target).sum(axis=1) / np.maximum(lengths, TINY))


def intersection(output: Array, target: Array) -> Statistic:
    """Shared mass Σ min(p, q) = 1 - TVD, 0…1."""
    return mean(np.minimum(output, target).sum(axis=1))


def rps(output: Array, target: Array) -> Statistic:
    """Ranked probability score Σ (sums up to each label)²; has a meaning for ordered labels only."""
    return mean(np.square(np.cumsum(output - target, axis=1)[:, :-1]).sum(axis=1))


def entropy_error(output: Array, target: Array) -> Statistic:
    """Mean absolute difference of the two entropies in nats: is doubt where people doubt?"""
    return mean(np.abs(entropies(output) - entropies(target)))


def emd(output: Array, target: Array, distances: Distances) -> Statistic:
    """Earth mover's distance: exact W1 over a ground distance between labels; a linear programme per row."""
    solve = require("ot.lp.emd_wrap", "evaluate").emd_c  # `ot.emd2` takes 30 times as long
    ground = np.array(distances)
    p, q = (rows / rows.sum(axis=1, keepdims=True) for rows in (output, target))
    return mean(np.array([solve(a, b, ground, _STEPS, 1)[1] for a, b in zip(p, q, strict=True)]))


def spare_backends() -> None:
    """Keep POT, which `emd` needs, from importing torch and others for tensors of theirs: seconds that a
    command can spare.

    Of use before POT is imported, and for the whole process: a program that gives POT tensors itself must not
    call this.
    """
    for name in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW"):
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{name}", "1")


def vote_distances(votes: ArrayLike) -> Distances:
    """Ground distance between labels by how rarely raters give both to a face: votes or shares (N, K) of
    training faces.

    1 - s, with s the co-occurrence Σ vᵢ vⱼ / √(Σ vᵢ² Σ vⱼ²) over the faces' shares v: 0 for labels always
    given together, 1 for labels never given to the same face. Classical multidimensional scaling (Torgerson
    1952) then makes it Euclidean: it keeps the part of the distances that points in space can have.
    """
    rows = np.asarray(votes, np.float64)
    rows = rows[np.nansum(rows, axis=1) > 0]
    shares = rows / rows.sum(axis=1, keepdims=True)
    shares = shares[~np.isnan(shares).any(axis=1)]
    lengths = np.linalg.norm(shares, axis=0)
    squares = np.square(1 - shares.T @ shares / np.maximum(np.outer(lengths, lengths), TINY))
    np.fill_diagonal(squares, 0)
    levels = squares.mean(axis=0)
    values, vectors = np.linalg.eigh((levels + levels[:, None] - levels.mean() - squares) / 2)
    places = vectors * np.sqrt(np.maximum(values, 0))
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    return tuple(tuple(row) for row in apart.tolist())


def entropies(rows: ArrayLike) -> Array:
    """Entropy (N,) of probability rows, in nats."""
    values = np.asarray(rows, np.float64)
    return np.asarray(-_xlogy(values, values).sum(axis=1))


def kl_rows(q: Array, p: Array) -> Array:
    """Divergence (N,) of each row p from q."""
    return np.asarray((_xlogy(q, q) - _xlogy(q, p)).sum(axis=1))


def _relative(output: Array, target: Array) -> Array:
    total = output + target
    return np.where(total > 0, (output - target) / np.where(total > 0, total, 1.0), 0.0)


def _xlogy(x: Array, y: Array) -> Array:
    """x ln y with y clipped at 1e-12, and 0 where x is 0."""
    return x * np.log(np.maximum(y, TINY))
