"""Bootstrap intervals of a large set of tags: time and peak memory, for each tag its average precision, F1,
and their means.

    python benchmarks/intervals.py [--rows 100000] [--draws 1000] [--threads 2]

Draws outputs and targets of the 26 tags of EMOTIC, from one that every second person has to some that one in
fifty has.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from mien import intervals, metrics
from mien.labels import EMOTIC26
from mien.machine import describe
from mien.metrics import Array, Statistic, Weights
from mien.metrics.statistic import ratio
from mien.metrics.tags import best_thresholds
from mien.tasks import TASKS


def people(rows: int) -> tuple[Array, Array]:
    """Probabilities and true tags (N, 26), with about 4.4 tags a person."""
    draw = np.random.default_rng(0)
    shares = np.geomspace(0.5, 0.02, len(EMOTIC26))
    true = draw.random((rows, len(EMOTIC26))) < shares * 4.4 / shares.sum()
    return 1 / (1 + np.exp(-draw.normal(1.2 * true - 2, 1))), true.astype(np.float64)


def precisions(output: Array, target: Array) -> Statistic:
    """Weights -> (B, 27): the average precision of each tag and their mean."""
    prepare = metrics.METRICS["average_precision"].prepare
    parts = [prepare(output[:, k], target[:, k]) for k in range(output.shape[1])]

    def statistic(weights: Weights) -> Array:
        found = np.stack([part(weights) for part in parts], axis=1)
        return np.append(found, found.mean(axis=1, keepdims=True), axis=1)

    return statistic


def f1(output: Array, target: Array) -> Statistic:
    """Weights -> (B, 27): the F1 of each tag at its threshold and their mean."""
    true, said = target > 0.5, output >= best_thresholds(output, target)
    parts = np.concatenate([true & said, true, said], axis=1).astype(np.float32)

    def statistic(weights: Weights) -> Array:
        both, positive, given = np.split((weights @ parts).astype(np.float64), 3, axis=1)
        found = ratio(2 * both, positive + given)
        return np.append(found, found.mean(axis=1, keepdims=True), axis=1)

    return statistic


def main() -> None:
    """Draw and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    output, target = people(given.rows)
    print(
        f"{describe()}; {given.rows} rows, {target.shape[1]} tags, "
        f"{target.sum() / given.rows:.1f} a row, {given.draws} draws"
    )
    start, used = time.perf_counter(), time.process_time()
    statistics = {"average precision": precisions(output, target), "F1": f1(output, target)}
    print(f"prepared in {time.perf_counter() - start:.1f} s")
    found = intervals.sample(statistics, np.arange(given.rows), given.draws, threads=given.threads)
    seconds, cpu = time.perf_counter() - start, time.process_time() - used
    for name, values in found.items():
        low, high, *_ = intervals.interval(values[:, -1]) or (np.nan, np.nan)
        print(f"mean {name}: {values[:, -1].mean():.4f} [{low:.4f}, {high:.4f}]")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds:.1f} s ({cpu:.1f} s of all cores), peak memory {peak:.0f} MiB")
    whole = metrics.evaluate_head(TASKS["emotic"].head("tags"), output, target)
    print(f"all rows once: mAP {whole['average_precision']:.4f}")


if __name__ == "__main__":
    main()
