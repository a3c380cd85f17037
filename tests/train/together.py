"""Run by `test_distributed.py` in two processes under torchrun: several trainings, then one in which the
second process dies."""

import contextlib
import io
import json
import os
import signal
import sys
from pathlib import Path

import coverage
import safetensors.torch
import torch.distributed as dist

from mien import config as configs
from mien import machine
from mien.cli import main
from mien.train import batches, train

CONFIG = {
    "task": "affect",
    "model": {
        "backbone": "convnext_atto",
        "size": 32,
        "dropout": 0.0,
        "options": {"depths": [1] * 4, "dims": [4, 8, 8, 8]},
    },
    "train": {
        "batch_size": 16,
        "threads": 1,
        "head_weights": "uncertainty",
        "balance": "loss",
        "ema": 0.9,
        "clip": 1.0,
        "sam": 0.05,
        "label_smoothing": 0.1,
        "augment": {"mixup": 0.4, "cutmix": 0.4, "erasing": 0.5, "mix_until": 0.6},
        "phases": [
            {"epochs": 1, "frozen": True, "lr": 0.01},
            {"epochs": 3, "lr": 0.005, "schedule": "plateau"},
        ],
    },
}


#: A network with batch norms, whose statistics are each process's own on a processor, and dropout, which is
#: drawn apart.
NORMS = {"size": 24, "dropout": 0.0, "options": {"widths": [4, 8], "depth": 2, "dropout": 0.0}}
DROPOUT = {
    "size": 24,
    "dropout": 0.5,
    "options": {"widths": [4, 8], "depth": 2, "dropout": 0.2, "drop_path": 0.3},
}


class HaltError(Exception):
    """Ends a training at the end of an epoch."""


def config(store, model=None, **train):
    """What all of these trainings do, with changes."""
    table = {**CONFIG, "data": {"store": str(store)}, "train": {**CONFIG["train"], **train}}
    table["model"] = model or CONFIG["model"]
    return configs.from_dict(table, "test")


def halt(epoch):
    """A watcher that ends a training in that epoch, before its checkpoint."""

    def watch(number, _):
        if number == epoch:
            raise HaltError

    return watch


def noted(orders):
    """Note the positions that this process is given, epoch by epoch."""
    given = batches.EpochOrder.__iter__

    def iterate(self):
        orders.append([])
        for picks in given(self):
            orders[-1].append(picks)
            yield picks

    batches.EpochOrder.__iter__ = iterate


def refused(work):
    """What a piece of work that must fail ends with, and what it says."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            work()
        except (Exception, SystemExit) as fault:
            return [type(fault).__name__, str(fault), said.getvalue()]
    return ["nothing", "", said.getvalue()]


def save(network, path):
    """Save the weights and running statistics of a network."""
    safetensors.torch.save_file(
        {name: value.contiguous() for name, value in network.state_dict().items()}, path
    )


def sums(network):
    """The sum of each weight and running statistic of a network."""
    return [value.double().sum().item() for value in network.state_dict().values()]


def together(folder):
    """Train; what this process saw of it goes into a file of its own."""
    tiny, orders = config(folder / "faces.h5"), []
    noted(orders)
    network = train(tiny, folder / "two")
    seen = {"orders": list(orders), "ranks": []}
    if machine.is_main():
        save(network, folder / "two.safetensors")
    resumed = train(tiny, folder / "one-two", resume=True)
    seen["resumed"], seen["whole"] = sums(resumed), sums(network)
    norms = train(config(folder / "faces.h5", NORMS), folder / "norms-two")
    seen["norms"] = sums(norms)
    seen["dropout"] = sums(train(config(folder / "faces.h5", DROPOUT), folder / "dropout-two"))
    if machine.is_main():
        save(norms, folder / "norms-two.safetensors")
    seen["halted"] = refused(lambda: train(tiny, folder / "two-one", on_epoch=halt(3)))
    seen["again"] = refused(lambda: train(tiny, folder / "two"))
    seen["uneven"] = refused(lambda: train(config(folder / "faces.h5", batch_size=15), folder / "uneven"))
    seen["absent"] = refused(lambda: main(["train", str(folder / "absent.toml")]))
    seen["compiled"] = refused(lambda: train(config(folder / "faces.h5", compile=True), folder / "compiled"))
    (folder / f"seen{dist.get_rank()}.json").write_text(json.dumps(seen))
    if (measured := coverage.Coverage.current()) is not None:
        measured.stop()
        measured.save()
    dist.barrier()
    if dist.get_rank() == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    train(tiny, folder / "dead")


if __name__ == "__main__":
    if os.environ.get("MIEN_COVERAGE"):
        measured = coverage.Coverage(
            os.environ["MIEN_COVERAGE"], data_suffix=True, branch=True, source=["mien"]
        )
        measured.start()
    together(Path(sys.argv[1]))
