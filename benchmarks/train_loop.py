"""How much of a bare forward-backward loop's speed the full training loop keeps, and how it compares with
ImageFolder.

    python benchmarks/train_loop.py --data faces.h5 [--epochs 2] [--faces 8192] [--backbone compact]

bare         the same network and precision, forward and backward on one batch in memory, no data, no
optimizer full         `mien train`: data, augmentation, optimizer, averaging of weights, logging (validation
not counted) imagefolder  torchvision's ImageFolder + DataLoader (2 workers) with the same augmentation,
forward, backward, optimizer,
             on the same faces as PNG files

The three are run in turn, `--rounds` times, and the median of each is compared, since a machine's speed
drifts.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
import torchvision
from PIL import Image

from mien import models
from mien.config import AugmentConfig, Config, DataConfig, PhaseConfig, TrainConfig
from mien.model_config import ModelConfig
from mien.models.small_maps import lay_side_by_side
from mien.store import Store
from mien.tasks import TASKS
from mien.train import train

HEAD = TASKS["expression7"].heads[0]


def configuration(args: argparse.Namespace) -> Config:
    """The recipe that is timed."""
    phase = PhaseConfig(epochs=args.epochs, lr=1e-3)
    return Config(
        "expression7",
        data=DataConfig(store=str(args.data), limit=args.faces),
        model=ModelConfig.from_dict({"encoder": args.backbone}),
        train=TrainConfig(
            precision="bf16-mixed", ema=0.999, phases=(phase,), augment=AugmentConfig(erasing=0.2)
        ),
    )


def network(config: Config) -> torch.nn.Module:
    """The network, ready to train."""
    made = models.build(config.model, config.resolved_task()).train().to(memory_format=torch.channels_last)
    lay_side_by_side(made)
    return made


def forward_backward(net: torch.nn.Module, pixels: torch.Tensor, labels: torch.Tensor) -> None:
    """One step without an optimizer."""
    with torch.autocast("cpu", torch.bfloat16):
        scores = net(pixels)[HEAD.name]
    torch.autograd.backward(F.cross_entropy(scores.float(), labels))


def bare(config: Config, steps: int) -> float:
    """Faces per second of forward and backward alone."""
    net, size = network(config), config.train.batch_size
    pixels = torch.randn(size, 1, 48, 48).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 7, (size,))
    for step in range(steps + 3):
        if step == 3:
            start = time.perf_counter()
        net.zero_grad()
        forward_backward(net, pixels, labels)
    return steps * size / (time.perf_counter() - start)


def full(config: Config) -> float:
    """Faces per second of the whole loop's training part, from the second epoch on."""
    with tempfile.TemporaryDirectory() as folder:
        train(config, Path(folder) / "run")
        with (Path(folder) / "run" / "history.csv").open() as file:
            return statistics.median(float(row["faces_per_second"]) for row in list(csv.DictReader(file))[1:])


def imagefolder(config: Config, folder: Path, steps: int) -> float:
    """Faces per second with torchvision's folder data set and loader."""
    from torchvision.transforms import v2

    augment = v2.Compose(
        [
            v2.Grayscale(),
            v2.ToImage(),
            v2.RandomHorizontalFlip(),
            v2.RandomAffine(10, (0.1, 0.1), (0.9, 1.1)),
            v2.ColorJitter(0.2, 0.2),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.5], [0.25]),
            v2.RandomErasing(0.2),
        ]
    )
    faces = torchvision.datasets.ImageFolder(str(folder), augment)
    loader = torch.utils.data.DataLoader(
        faces, config.train.batch_size, shuffle=True, num_workers=2, drop_last=True
    )
    net = network(config)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    seen, start = 0, 0.0
    for step, (pixels, labels) in enumerate(loader):
        if step == 3:
            start = time.perf_counter()
        optimizer.zero_grad()
        forward_backward(net, pixels.to(memory_format=torch.channels_last), labels)
        optimizer.step()
        seen += len(labels) if step >= 3 else 0
        if step == steps + 2:
            break
    return seen / (time.perf_counter() - start)


def write_folder(store: Store, folder: Path, count: int) -> None:
    """The first faces of the training split as PNG files in class folders."""
    rows = store.rows("train")[:count]
    classes = store.target(HEAD, rows).argmax(axis=1)
    for row, image, label in zip(rows, store.images(rows), classes, strict=True):
        place = folder / HEAD.space.labels[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{row}.png")


def main() -> None:
    """Run the three in turn and print medians and ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--faces", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backbone", default="compact")
    args = parser.parse_args()
    config = configuration(args)
    threads = len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    speeds: dict[str, list[float]] = {"bare": [], "full": [], "imagefolder": []}
    with tempfile.TemporaryDirectory() as folder:
        write_folder(Store(args.data), Path(folder), args.faces)
        for _ in range(args.rounds):
            speeds["bare"].append(bare(config, 40))
            speeds["full"].append(full(replace(config)))
            speeds["bare"].append(bare(config, 40))
            speeds["imagefolder"].append(imagefolder(config, Path(folder), 40))
    middle = {name: statistics.median(values) for name, values in speeds.items()}
    print(
        f"{args.backbone}, batch {config.train.batch_size}, bf16, "
        f"{threads} threads, torch {torch.__version__}"
    )
    for name, value in middle.items():
        low, high = min(speeds[name]), max(speeds[name])
        print(
            f"{name:12} {value:8.0f} faces/s ({low:.0f} to {high:.0f})  "
            f"{value / config.train.batch_size:6.2f} steps/s"
        )
    print(
        f"full / bare {middle['full'] / middle['bare']:.3f}   "
        f"full / imagefolder {middle['full'] / middle['imagefolder']:.2f}"
    )


if __name__ == "__main__":
    main()
