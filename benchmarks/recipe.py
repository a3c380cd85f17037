"""What one change of a recipe is worth: a base configuration and single changes of it, over the same seeds
and as many steps.

    python benchmarks/recipe.py configs/ferplus.toml --data faces.h5 --out runs/recipe --seeds 0 1 2 \\
        --metrics distribution8.kl expression8.accuracy \\
        --change train.sam=0.05 --change "train.augment.mixup=0.2 train.augment.mix_until=0.85"

A change may be a whole configuration, such as what `mien tune` found against what it began with:

    python benchmarks/recipe.py runs/tune-compact/trials/0000/config.toml \\
        --change runs/tune-compact/best.toml --split test …

Each run has a folder of its own; the same command again trains only what is missing. Differences are paired
by seed. Their t intervals over seeds, wide with three, tell how a figure moves from seed to seed, not how it
would move with other faces.
"""

from __future__ import annotations

import argparse
import csv
import math
import re
import shlex
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

from mien import config as configs
from mien import intervals
from mien.config import Config
from mien.errors import ConfigError, lookup
from mien.evaluate import evaluate
from mien.export import export
from mien.train import train
from mien.train.module import monitored_metric


class Outcome(NamedTuple):
    """A finished run: its validation metrics at the epoch that was kept, its steps in all, and the minutes
    they took."""

    values: dict[str, float]
    steps: int
    minutes: float


def loaded(path: Path, text: str, metrics: Sequence[str]) -> Config:
    """A configuration, or the one that the changes name instead, with `key=value` changes, that has these
    metrics. Raises ConfigError."""
    words = shlex.split(text)
    others = [word for word in words if word.endswith(".toml") and "=" not in word]
    config = configs.load(
        Path(others[-1]) if others else path, [f"--{word}" for word in words if word not in others]
    )
    known = {f"{head.name}.{name}": head for head in config.resolved_task() for name in head.metrics}
    for name in metrics:
        lookup(known, name, "metric")
    return config


def outcome(config: Config, run: Path, metrics: Sequence[str]) -> Outcome:
    """Train in a folder, or read what was trained there. Raises ConfigError where it holds another
    configuration."""
    if not (run / "checkpoints" / str(len(config.train.phases)) / "best.ckpt").exists():
        train(config, run, resume=True)
    elif configs.load(run / "config.toml").to_dict() != config.to_dict():
        raise ConfigError(f"{run}: holds a run of another configuration; choose another folder with --out")
    with (run / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    monitor = monitored_metric(config, config.resolved_task())
    last = [row for row in rows if row["phase"] == rows[-1]["phase"]]
    best = (max if monitor.higher else min)(last, key=lambda row: float(row[monitor.key]))
    steps = sum(
        int(row["step"]) for row, after in pairwise([*rows, {"phase": ""}]) if row["phase"] != after["phase"]
    )
    values = {name: float(best[f"validation_{name.replace('.', '_', 1)}"]) for name in metrics}
    return Outcome(values, steps, sum(float(row["seconds"]) for row in rows) / 60)


def scored(config: Config, run: Path, metrics: Sequence[str], split: str) -> Outcome:
    """The same with the metrics of another split, by the weights of the epoch that validation picked."""
    found = outcome(config, run, metrics)
    if not split:
        return found
    if not (run / "model.onnx").exists():
        export(run, train(config, run, resume=True))
    heads = evaluate(run, split=split, draws=0)["heads"]
    parts = {name: name.split(".", 1) for name in metrics}
    return found._replace(
        values={name: heads[head]["metrics"][key]["value"] for name, (head, key) in parts.items()}
    )


def difference(changed: Sequence[float], base: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Mean of the differences seed by seed, and half the width of its t interval (NaN for one seed)."""
    spread = intervals.seeds(np.subtract(changed, base))
    half = (
        stats.t.ppf((1 + level) / 2, spread.n - 1) * spread.sd / math.sqrt(spread.n)
        if spread.n > 1
        else math.nan
    )
    return spread.mean, float(half)


def table(found: dict[str, list[Outcome]], metrics: Sequence[str]) -> str:
    """Markdown: mean ± standard deviation over seeds of each metric, and the paired difference to the base
    with its interval."""
    heads = "".join(f" {name} | against base |" for name in metrics)
    lines = [f"| change |{heads} steps | minutes |", "|---|" + "---|---|" * len(metrics) + "---|---|"]
    for change, outcomes in found.items():
        cells = []
        for name in metrics:
            values, base = ([one.values[name] for one in part] for part in (outcomes, found[""]))
            spread, (apart, half) = intervals.seeds(values), difference(values, base)
            cells.append(f"{spread.mean:.4f} ± {spread.sd:.4f}" if spread.n > 1 else f"{spread.mean:.4f}")
            interval = "" if math.isnan(half) else f" ({apart - half:+.4f} to {apart + half:+.4f})"
            cells.append(f"{apart:+.4f}{interval}" if change else "")
        steps = "/".join(map(str, sorted({one.steps for one in outcomes})))
        minutes = sum(one.minutes for one in outcomes) / len(outcomes)
        lines.append(f"| {change or 'base'} | {' | '.join(cells)} | {steps} | {minutes:.1f} |")
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> None:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", required=True, help="the store")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--metrics", nargs="+", required=True, help="head.metric of the validation split")
    parser.add_argument("--split", default="", help="score the runs on this split instead")
    parser.add_argument("--set", action="append", default=[], help="key=value of base and changes alike")
    parser.add_argument(
        "--change", action="append", default=[], help="key=value, several in quotes, against the base"
    )
    args = parser.parse_args(words)
    shared = shlex.join([f"data.store={args.data}", *shlex.split(" ".join(args.set))])
    wanted = {
        change: [
            loaded(args.config, f"{shared} {change} train.seed={seed}", args.metrics) for seed in args.seeds
        ]
        for change in ("", *args.change)
    }
    found = {}
    for change, several in wanted.items():
        folder = args.out / (re.sub(r"[^\w.=-]+", "_", change) or "base")
        found[change] = [
            scored(config, folder / str(config.train.seed), args.metrics, args.split) for config in several
        ]
    print(table(found, args.metrics))
    place = (
        f"Scored on {args.split}; validation picked the epoch."
        if args.split
        else "Validation picked the epoch too."
    )
    print(f"\nSeeds {args.seeds}; 95 % t intervals over seeds, paired, each by itself. {place}")


if __name__ == "__main__":
    main()
