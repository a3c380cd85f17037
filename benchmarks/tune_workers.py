"""Wall time of N trials by one worker and by several on one study, each with one thread, start-up included.

    mien data sketch faces.h5 --count 2000
    python benchmarks/tune_workers.py configs/tune_compact.toml --data faces.h5 \\
        --out runs/tune-workers --trials 12

Draws are by chance alone and nothing is pruned, so that all do the very same trials; that they did is
checked. The storage is the study's own SQLite file, or one database with `--storage`. Needs as many idle
cores as workers.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import optuna

#: A worker uses one core, whatever library it counts with.
ONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_FIXED = ["--sampler", "random", "--pruner", "none", "--no-best", "--train.threads", "1"]


def seconds(workers: int, words: Sequence[str], folder: Path) -> float:
    """Wall time until all workers on a new study have ended. Raises RuntimeError where one fails or the
    folder is in use."""
    if folder.exists():
        raise RuntimeError(f"{folder}: is there already; remove it or choose another --out")
    command = [sys.executable, "-m", "mien", "tune", *words, "--out", str(folder), *_FIXED]
    start = time.perf_counter()
    hands = [
        subprocess.Popen(command, env=os.environ | ONE, stderr=subprocess.PIPE, text=True)
        for _ in range(workers)
    ]
    said = [hand.communicate()[1] for hand in hands]
    if failed := [text for hand, text in zip(hands, said, strict=True) if hand.returncode]:
        raise RuntimeError(failed[0])
    return time.perf_counter() - start


def done(storage: str, folder: Path) -> dict[int, tuple[object, ...]]:
    """What each trial drew and reached, by number."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name=folder.name, storage=storage or f"sqlite:///{folder}/study.db")
    states = (optuna.trial.TrialState.COMPLETE,)
    return {trial.number: (trial.params, trial.values) for trial in study.get_trials(states=states)}


def main(words: Sequence[str] | None = None) -> None:
    """Time both, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", required=True, help="the store")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--storage", default="", help="a database in place of SQLite")
    args, more = parser.parse_known_args(words)
    shared = [str(args.config), "--data.store", args.data, "--trials", str(args.trials), *more]
    shared += ["--storage", args.storage] * bool(args.storage)
    walls, found = {}, {}
    for count in (1, args.workers):
        folder = args.out / f"workers-{count}"
        walls[count] = seconds(count, shared, folder)
        found[count] = done(args.storage, folder)
    print("| workers | seconds | of one worker's |\n|---|---|---|")
    for count, wall in walls.items():
        print(f"| {count} | {wall:.1f} | {wall / walls[1]:.2f} |")
    same = all(found[args.workers].get(number) == trial for number, trial in found[1].items())
    print(f"\n{args.trials} trials each; draws and scores {'are the same' if same else 'DIFFER'}.")
    if not same:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
