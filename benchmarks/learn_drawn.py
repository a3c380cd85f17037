"""Does each task learn drawn faces, whose truth is known? Draws them, trains `compact` from scratch, scores
the test split.

    python benchmarks/learn_drawn.py [--tasks distribution13 affect emotic distribution8] [--faces 20000]
                                     [--epochs 12] [--size 48] [--candid] [--threads 2] [--keep FOLDER]

The best epoch is picked on `validation`; the figures are of `test`, which nothing was chosen on. Aims: KL
below 0.05, CCC of valence and of arousal above 0.9, mean average precision of the tags above 0.9.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mien import synthetic
from mien.config import AugmentConfig, Config, DataConfig, PhaseConfig, TrainConfig
from mien.evaluate import evaluate
from mien.export import export
from mien.model_config import ModelConfig
from mien.train import train

#: The figures that are wanted: task, head, metric, the aim.
AIMS = (
    ("distribution8", "distribution8", "kl", 0.05),
    ("distribution13", "distribution13", "kl", 0.05),
    ("affect", "expression8", "accuracy", 0.9),
    ("affect", "valence_arousal", "ccc", 0.9),
    ("emotic", "tags", "average_precision", 0.9),
    ("emotic", "vad", "ccc", 0.9),
)
TASKS = tuple(dict.fromkeys(task for task, *_ in AIMS))


def configuration(task: str, store: Path, args: argparse.Namespace) -> Config:
    """One recipe for all tasks; the drawings differ enough by themselves, so faces are only mirrored."""
    still = AugmentConfig(rotation=0, shift=0, scale=0, brightness=0, contrast=0)
    options = {"widths": args.widths, "depth": 2, "dropout": 0.0}
    phase = PhaseConfig(epochs=args.epochs, lr=4e-3, schedule="one_cycle")
    return Config(
        task,
        data=DataConfig(str(store)),
        model=ModelConfig.from_dict({"size": args.size, "dropout": 0.0, "options": options}),
        train=TrainConfig(
            seed=args.seed, batch_size=64, precision="bf16-mixed", ema=0.99, threads=args.threads,
            phases=(phase,), augment=still,
        ),
    )  # fmt: skip


def learn(task: str, folder: Path, args: argparse.Namespace) -> dict[str, list[tuple[str, float]]]:
    """Train a task and score it: {head: [(metric or column, value)]}."""
    run = folder / task
    network = train(configuration(task, folder / "drawn.h5", args), run)
    export(run, network)
    heads = evaluate(run, split="test")["heads"]
    return {
        head: [(name, metric["value"]) for name, metric in found["metrics"].items()]
        + [(f"ccc of {column['label']}", column["ccc"]) for column in found.get("per_column", [])]
        for head, found in heads.items()
    }


def show(task: str, found: dict[str, list[tuple[str, float]]], seconds: float) -> None:
    """A table of what was reached, with the aim where there is one."""
    table = Table(
        "head", "metric", "test", "aim", title=f"{task}: {seconds / 60:.1f} min", title_justify="left"
    )
    aims = {(head, metric): aim for name, head, metric, aim in AIMS if name == task}
    for head, figures in found.items():
        for metric, value in figures:
            aim = aims.get((head, metric.split(" of ")[0]))
            sign = "<" if metric == "kl" else ">"
            table.add_row(head, metric, f"{value:.4f}", f"{sign} {aim}" if aim else "")
    Console().print(table)


def main() -> None:
    """Draw once, then learn each task."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=TASKS, choices=TASKS)
    parser.add_argument("--faces", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 32, 64, 128])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--candid", action="store_true", help="people show exactly what they feel")
    parser.add_argument("--keep", type=Path, help="folder for store and runs, which are else thrown away")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        synthetic.write_store(folder / "drawn.h5", args.faces, args.size, args.seed, candid=args.candid)
        for task in args.tasks:
            start = time.perf_counter()
            found = learn(task, folder, args)
            show(task, found, time.perf_counter() - start)


if __name__ == "__main__":
    main()
