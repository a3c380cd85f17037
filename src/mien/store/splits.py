"""Splits where a data set has none of its own: stratified, groups kept together, the same for the same
seed."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import h5py
import numpy as np
from numpy.typing import NDArray

from ..choices import Split
from ..errors import ConfigError
from ..tasks import Head, Kind

SPLITS: tuple[str, ...] = get_args(Split)
UNDECIDED = 255
_TRAIN, _VALIDATION, _TEST = range(3)
_BLOCK = 1024

Codes = NDArray[np.uint8]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Splitting:
    """Shares of the rows that become `validation` and `test` where the data set does not say. Where it has
    a training split and none to validate on, that share of the training rows becomes one. Raises
    ConfigError."""

    validation: float = 0.1
    test: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.validation, self.test) < 0 or self.validation + self.test >= 1:
            raise ConfigError(
                f"validation {self.validation} and test {self.test} must be shares from 0 that leave some to "
                "train on"
            )


def decide(file: h5py.File, heads: Sequence[Head], splitting: Splitting) -> list[str]:
    """Fill in what is undecided in a store being written, and say what was done."""
    codes = file["split"][:]
    rows = np.flatnonzero(codes == UNDECIDED)
    shares, what = (
        np.array([0, splitting.validation, splitting.test]),
        "no official split: {} train, {} validation, {} test",
    )
    if not len(rows) and splitting.validation and not (codes == _VALIDATION).any():
        rows, shares[_TEST], what = (
            np.flatnonzero(codes == _TRAIN),
            0,
            "no official validation split: {1} rows taken from train",
        )
    if not len(rows):
        return []
    shares[_TRAIN] = 1 - shares.sum()
    groups = _groups(file, rows)
    codes[rows] = stratified(_strata(file, heads[0])[rows], groups, shares, splitting.seed)
    file["split"][:] = codes
    counts = np.bincount(codes[rows], minlength=len(SPLITS))
    kept = len(rows) - len(np.unique(groups))
    together = f", {kept} rows kept with others of their group or picture" if kept else ""
    return [f"{what.format(*counts)}, stratified by {heads[0].name}, seed {splitting.seed}{together}"]


def stratified(strata: Numbers, groups: Numbers, shares: NDArray[np.float64], seed: int) -> Codes:
    """Split codes (N,): each stratum in these shares as nearly as whole groups allow.

    `strata` and `groups` are any integers (N,). Large groups are placed first, each where most is missing;
    then rows that are a group of their own fill every stratum up.
    """
    draw = np.random.default_rng(seed)
    _, strata = np.unique(strata, return_inverse=True)
    _, groups, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    missing = shares[:, None] * np.bincount(strata)[None]
    codes = np.zeros(len(strata), np.uint8)
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.cumsum(sizes)[:-1])
    large = np.flatnonzero(sizes > 1)
    shuffled = large[draw.permutation(len(large))]
    for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        counts = np.bincount(strata[members[group]], minlength=missing.shape[1])
        place = _neediest(missing, shares, counts)
        codes[members[group]] = place
        missing[place] -= counts
    single = np.flatnonzero(sizes[groups] == 1)
    left = np.zeros(len(shares))  # what rounding kept from a split is made up for in the next stratum
    for stratum in np.unique(strata[single]):
        rows = draw.permutation(single[strata[single] == stratum])
        counts = _whole(missing[:, stratum] + left, len(rows))
        codes[rows] = np.repeat(np.arange(len(shares)), counts)
        left += missing[:, stratum] - counts
    return codes


def _neediest(missing: NDArray[np.float64], shares: NDArray[np.float64], counts: Numbers) -> int:
    """The split that lacks most of what a group brings, by its share; of those with room for half the
    group if there are any."""
    wanted = shares > 0
    room = wanted & (missing.sum(axis=1) >= counts.sum() / 2)
    need = (missing @ counts) / np.maximum(shares, 1e-9)
    return int(np.argmax(np.where(room if room.any() else wanted, need, -np.inf)))


def _whole(wanted: NDArray[np.float64], count: int) -> Numbers:
    """Whole numbers that sum to `count`, as near to `wanted` as can be (largest remainders first)."""
    wanted = np.maximum(wanted, 0)
    wanted = wanted * count / max(wanted.sum(), 1e-9)
    found = np.floor(wanted).astype(np.int64)
    found[np.argsort(found - wanted, kind="stable")[: count - found.sum()]] += 1
    return found


def _strata(file: h5py.File, head: Head) -> Numbers:
    """A number for what each row shows: its class, its likeliest label, its rarest tag, or its tenth by
    the first value."""
    values = file[f"targets/{head.name}"][:]
    if head.kind is Kind.CLASS:
        return np.asarray(values, np.int64)
    if head.kind is Kind.DISTRIBUTION:
        return np.asarray(values.argmax(axis=1), np.int64)
    if head.kind is Kind.TAGS:
        rarity = 1 / np.maximum(values.sum(axis=0), 1)
        return np.asarray(np.where(values.any(axis=1), (values * rarity).argmax(axis=1), -1), np.int64)
    return np.asarray(
        np.searchsorted(np.quantile(values[:, 0], np.linspace(0.1, 0.9, 9)), values[:, 0]), np.int64
    )


def _groups(file: h5py.File, rows: Numbers) -> Numbers:
    """A number for each row's group; rows without one share a group where all their items are the same."""
    names: NDArray[Any] = file["group"][:][rows].astype("S200")
    unnamed = np.flatnonzero(names == b"")
    for start in range(0, len(unnamed), _BLOCK):
        block = unnamed[start : start + _BLOCK]
        marks = zip(*(_marks(stored, rows[block]) for stored in file["inputs"].values()), strict=True)
        names[block] = [b"\0" + b" ".join(each) for each in marks]
    return np.asarray(np.unique(names, return_inverse=True)[1], np.int64)


def _marks(stored: h5py.Group, rows: Numbers) -> list[bytes]:
    """What tells the items of some rows (ascending) apart."""
    if "values" in stored:
        return [b"%08x" % zlib.crc32(item.tobytes()) for item in stored["values"][rows]]
    lengths = np.diff(stored["extents"][rows], axis=1)[:, 0]
    return [b"%08x %d" % pair for pair in zip(stored["checksums"][rows], lengths, strict=True)]
