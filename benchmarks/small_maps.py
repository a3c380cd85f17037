"""What laying small feature maps side by side is worth in training: forward and backward of a batch, with and
without.

    python benchmarks/small_maps.py --networks configs/face.toml resnet18 [--batch 64] [--precision bf16]

A network is a configuration's, or a backbone by name. The two take turns, `--rounds` times, and the medians
of the processor's time are compared, so other work hardly matters.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import torch
from torch import nn

from mien import config as configs
from mien import models
from mien.model_config import ModelConfig
from mien.models.small_maps import lay_side_by_side
from mien.tasks import TASKS

PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}
TASK = TASKS["expression7"]


def step(network: nn.Module, pixels: torch.Tensor, kind: torch.dtype) -> Callable[[], None]:
    """Forward and backward of a batch."""
    labels = torch.randint(0, 7, (len(pixels),))

    def once() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=kind == torch.bfloat16):
            scores = network(pixels)[TASK.heads[0].name]
        torch.autograd.backward(nn.functional.cross_entropy(scores.float(), labels))

    return once


def times(steps: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Median seconds of each, in turn; the first two rounds do not count."""
    took: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 2):
        for name, once in steps.items():
            start = time.process_time()
            once()
            took[name].append(time.process_time() - start)
    return {name: statistics.median(seconds[2:]) for name, seconds in took.items()}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", default=["configs/face.toml", "resnet18"])
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=["bf16", "fp32"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(
        f"| network, {args.size}x{args.size}, batch {args.batch} | precision "
        "| alone, ms | side by side, ms | times as fast |"
    )
    print("|---|---|---|---|---|")
    for name in args.networks:
        config = configs.load(Path(name)).model.to_dict() if name.endswith(".toml") else {"encoder": name}
        alone = (
            models.build(ModelConfig.from_dict({**config, "size": args.size}), TASK)
            .train()
            .to(memory_format=torch.channels_last)
        )
        beside = deepcopy(alone)
        lay_side_by_side(beside)
        pixels = torch.randn(args.batch, 1, args.size, args.size).to(memory_format=torch.channels_last)
        for precision in args.precision:
            steps = {
                key: step(net, pixels, PRECISIONS[precision]) for key, net in (("0", alone), ("1", beside))
            }
            without, with_ = times(steps, args.rounds).values()
            print(
                f"| {name} | {precision} | {without * 1e3:.0f} | {with_ * 1e3:.0f} | {without / with_:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
