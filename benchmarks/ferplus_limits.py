"""How well the FER+ votes can be predicted at all: chance, an oracle, and the noise of ten annotators, for
every metric.

    python benchmarks/ferplus_limits.py ferplus.h5 [--split validation] [--draws 10]

The store is one of `mien data import` with the FER+ votes as they were cast (`--votes raw`); no picture is
read. Two sets, by the ten votes of a face: A, the first most-voted answer is one of the eight emotions; B,
the official majority. Targets are the votes among the eight, as shares.

Marginal and oracle come from the faces of the training split that the same rule keeps. The noise floor is
drawn anew with the seeds 0, 1, …, `--draws` times, and the mean is shown; `mien evaluate` draws once, with
seed 0.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien import baselines, metrics
from mien.datasets.fer2013 import ferplus_rules
from mien.metrics.distributions import entropies
from mien.store import Store
from mien.tasks import TASKS

METRICS = (
    "kl", "js", "tvd", "l1", "mse", "brier", "chebyshev", "cosine", "intersection", "clark", "canberra",
    "emd", "emd_vad", "emd_index", "rps", "entropy_error", "top_label_accuracy",
)  # fmt: skip
HEAD = replace(TASKS["distribution8"].head("distribution8"), metrics=METRICS)
SETS = {"A": "raw", "B": "majority"}
Votes = NDArray[np.float64]


def votes(store: Store, split: str) -> Votes:
    """The ten votes (n, 10) of every face of a split."""
    return store.annotations("votes10", store.rows(split)).astype(np.float64)


def kept(cast: Votes, rule: str) -> Votes:
    """Votes (n, 8) of the faces that a rule keeps."""
    return np.asarray(cast[ferplus_rules.target(rule, cast)[1], : ferplus_rules.EMOTIONS])


def shares(cast: Votes) -> Votes:
    """Votes as shares."""
    return np.asarray(cast / cast.sum(axis=1, keepdims=True))


def limits(cast: Votes, training: Votes, draws: int) -> dict[str, dict[str, float]]:
    """Every metric of each reference."""
    target, train = shares(cast), shares(training)
    found = baselines.for_head(HEAD, target, train)
    for name, prior in {
        "noise floor": baselines.marginal(train),
        "noise floor, unshrunk": np.zeros(8),
    }.items():
        drawn = [metrics.evaluate_head(HEAD, *baselines.redrawn(cast, prior, seed)) for seed in range(draws)]
        found[name] = {metric: float(np.mean([one[metric] for one in drawn])) for metric in METRICS}
    return found


def ceiling(cast: Votes, rule: str, prior: Votes, draws: int) -> float:
    """The accuracy of someone who knows the true distribution of every face: ten votes are drawn anew, the
    rule says which faces it then keeps and what is right, and the likeliest emotion is answered."""
    right: list[float] = []
    for seed in range(draws):
        truth, fresh = baselines.redrawn(cast, prior, seed)
        target, there = ferplus_rules.target(rule, np.round(fresh * cast.sum(axis=1, keepdims=True)))
        best = truth[:, : ferplus_rules.EMOTIONS].argmax(axis=1)
        right.append(float((best == target.argmax(axis=1))[there].mean()))
    return float(np.mean(right))


def show(name: str, cast: Votes, found: dict[str, dict[str, float]]) -> None:
    """A set in words and as a Markdown table."""
    target = shares(cast)
    print(f"\n### Set {name}: {len(cast):,} faces\n")
    print(
        f"Mean entropy of the votes {entropies(target).mean():.3f} nats; "
        f"unanimous {(target.max(axis=1) == 1).mean():.1%}; "
        f"mean share of the top label {target.max(axis=1).mean():.3f}.\n"
    )
    print(
        f"| metric | {' | '.join(known.replace('_', ' ') for known in found)} |\n|---|{'---|' * len(found)}"
    )
    for metric in METRICS:
        arrow = "↑" if metrics.METRICS[metric].higher_is_better else "↓"
        print(f"| `{metric}` {arrow} | {' | '.join(f'{known[metric]:.3f}' for known in found.values())} |")


def main() -> None:
    """Print a table for each set, and the accuracy that ten votes allow."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("store", type=Path)
    parser.add_argument("--split", default="validation")
    parser.add_argument("--draws", type=int, default=10)
    args = parser.parse_args()
    store = Store(args.store)
    scored, training = votes(store, args.split), votes(store, "train")
    for name, rule in SETS.items():
        cast = kept(scored, rule)
        show(name, cast, limits(cast, kept(training, rule), args.draws))
    prior = baselines.marginal(shares(training))
    told = (f"{name} {ceiling(scored, rule, prior, args.draws):.1%}" for name, rule in SETS.items())
    print(f"\nAccuracy ceiling: {', '.join(told)}.")


if __name__ == "__main__":
    main()
