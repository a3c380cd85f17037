"""What a second process brings on one machine, and whether the result is the same.

    python benchmarks/ddp.py --data faces.h5 [--faces 4096] [--epochs 3] [--rounds 3]
                             [--backbone compact] [--batch 128]

Trains one configuration (bf16, averaged weights, augmentation) as one process with one thread, as one with
two threads, and as two processes with one thread each (torchrun, gloo). Prints the median of faces per second
from the second epoch on (validation not counted) with its range over rounds, ratios to the first, and the
largest difference of any weight and any validation figure. `--precision 32-true` shows the equality alone,
without bf16's coarser rounding. Needs two idle cores.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import safetensors.torch
import torch

from mien import config as configs
from mien.config import AugmentConfig, Config, DataConfig, PhaseConfig, TrainConfig
from mien.machine import is_main
from mien.model_config import ModelConfig
from mien.train import train

#: Processes and threads of each way to train.
WAYS = {"1 process, 1 thread": (1, 1), "1 process, 2 threads": (1, 2), "2 processes, 1 thread each": (2, 1)}
WEIGHTS = "weights.safetensors"


def configuration(args: argparse.Namespace, threads: int) -> Config:
    """The recipe that is timed."""
    return Config(
        "expression7",
        data=DataConfig(store=str(args.data.resolve()), limit=args.faces),
        model=ModelConfig.from_dict({"encoder": args.backbone}),
        train=TrainConfig(
            batch_size=args.batch,
            precision=args.precision,
            ema=0.999,
            threads=threads,
            phases=(PhaseConfig(epochs=args.epochs, lr=1e-3),),
            augment=AugmentConfig(erasing=0.2),
        ),
    )


def trained(file: Path, run: Path) -> None:
    """Train as a file says, in this process or as one of several, and leave the weights in the run folder."""
    network = train(configs.load(file), run)
    if is_main():
        weights = {name: value.contiguous() for name, value in network.state_dict().items()}
        safetensors.torch.save_file(weights, run / WEIGHTS)


def measure(config: Config, processes: int, folder: Path) -> list[dict[str, str]]:
    """The history of a run in processes of its own."""
    folder.mkdir(parents=True)
    (folder / "given.toml").write_text(configs.dumps(config))
    launcher = (
        ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
        if processes > 1
        else []
    )
    words = [
        sys.executable,
        *launcher,
        __file__,
        "--train",
        str(folder / "given.toml"),
        "--into",
        str(folder / "run"),
    ]
    subprocess.run(words, check=True, stderr=subprocess.DEVNULL)
    with (folder / "run/history.csv").open() as file:
        return list(csv.DictReader(file))


def apart(one: list[dict[str, str]], other: list[dict[str, str]]) -> float:
    """The largest difference of any validation figure of two histories."""
    pairs = [
        (a[key], b[key]) for a, b in zip(one, other, strict=True) for key in a if key.startswith("validation")
    ]
    return max(abs(float(a) - float(b)) for a, b in pairs)


def weights_apart(one: Path, other: Path) -> float:
    """The largest difference of any weight of two runs."""
    first, second = (safetensors.torch.load_file(run / WEIGHTS) for run in (one, other))
    return max(float((first[name].double() - second[name].double()).abs().max()) for name in first)


def compare(args: argparse.Namespace) -> None:
    """Run all ways in turn and print what they give."""
    speeds: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        folder, histories = Path(name), {}
        for number in range(args.rounds):
            for way, (processes, threads) in WAYS.items():
                history = measure(configuration(args, threads), processes, folder / way / str(number))
                speeds[way].append(statistics.median(float(row["faces_per_second"]) for row in history[1:]))
                histories[way] = history
        start = next(iter(WAYS))
        print(
            f"{args.backbone}, batch {args.batch}, {args.precision}, {args.faces} faces, "
            f"torch {torch.__version__}"
        )
        for way, values in speeds.items():
            last = str(args.rounds - 1)
            weights = weights_apart(folder / start / last / "run", folder / way / last / "run")
            print(
                f"{way:28} {statistics.median(values):7.0f} faces/s "
                f"({min(values):.0f} to {max(values):.0f})  "
                f"x {statistics.median(values) / statistics.median(speeds[start]):.2f}  "
                f"weights within {weights:.1e}, figures within {apart(histories[start], histories[way]):.1e}"
            )


def main() -> None:
    """Compare, or, started by itself, train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--faces", type=int, default=4096)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--backbone", default="compact")
    parser.add_argument("--precision", default="bf16-mixed")
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.train:
        trained(args.train, args.into)
    elif args.data is None or args.epochs < 2:
        parser.error("--data FILE is needed, and at least two epochs")
    else:
        compare(args)


if __name__ == "__main__":
    main()
