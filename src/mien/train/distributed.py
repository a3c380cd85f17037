"""The process group of one training in several processes: joining it, ranks, barriers, objects sent to all, trainer options.

torchrun, or SLURM's srun, starts the processes and says in the environment which is which.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.strategies import DDPStrategy

from ..errors import ConfigError, MienError
from ..machine import is_main, launched, usable_cores

#: How long the processes wait for one that says nothing before they end the run.
TIMEOUT = timedelta(minutes=30)

Result = TypeVar("Result")


def world_size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def local_size() -> int:
    """The number of processes on this machine."""
    return int(os.environ["LOCAL_WORLD_SIZE"])


def cores_per_process() -> int:
    """Cores for this process: those of the machine over the processes on it."""
    return max(1, usable_cores() // (local_size() if world_size() > 1 else 1))


def join() -> None:
    """Join the processes that were started together with this one, if there are any. Raises ConfigError."""
    if dist.is_initialized() or not launched():
        return
    if "RANK" not in os.environ:
        os.environ.update(from_slurm(os.environ))
    if not torch.cuda.is_available():
        dist.init_process_group("gloo", timeout=TIMEOUT)
        return
    if local_size() > torch.cuda.device_count():
        raise ConfigError(
            f"{local_size()} processes on this machine, which shows them {torch.cuda.device_count()} GPUs: "
            "start one process a GPU, with all of them to be seen"
        )
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("cpu:gloo,cuda:nccl", timeout=TIMEOUT)


def barrier() -> None:
    """Wait until all have come so far. The group itself lasts as long as the process: it cannot be made twice in one."""
    if world_size() > 1:
        dist.barrier()


def from_slurm(environ: Mapping[str, str]) -> dict[str, str]:
    """What torchrun would say of this process, by what srun says. Raises ConfigError where nodes differ in tasks."""
    tasks, nodes = int(environ["SLURM_STEP_NUM_TASKS"]), int(environ["SLURM_STEP_NUM_NODES"])
    if environ["SLURM_STEP_TASKS_PER_NODE"].partition("(")[0] != str(tasks // nodes) or tasks % nodes:
        raise ConfigError(
            f"srun started {environ['SLURM_STEP_TASKS_PER_NODE']} tasks a node, every node must have as many (--ntasks-per-node)"
        )
    return {
        "RANK": environ["SLURM_PROCID"],
        "LOCAL_RANK": environ["SLURM_LOCALID"],
        "GROUP_RANK": environ["SLURM_NODEID"],
        "WORLD_SIZE": str(tasks),
        "LOCAL_WORLD_SIZE": str(tasks // nodes),
        "MASTER_ADDR": environ.get(
            "MASTER_ADDR", SLURMEnvironment.resolve_root_node_address(environ["SLURM_STEP_NODELIST"])
        ),
        "MASTER_PORT": environ.get("MASTER_PORT", str(15000 + int(environ["SLURM_JOB_ID"]) % 10000)),
    }


def run_on_all(work: Callable[[], Result]) -> Result:
    """What a piece of work gives, where it succeeds in every process; else the first fault, told by the first process alone."""
    join()
    if world_size() == 1:
        return work()
    result, fault = None, None
    try:
        result = work()
    except (MienError, OSError) as error:
        fault = error
    faults = [found for found in all_gather_object(fault) if found is not None]
    if not faults:
        return result  # type: ignore[return-value]
    if is_main():
        raise faults[0]
    time.sleep(1)  # a launcher ends all processes with the first that fails: not before it was told
    raise SystemExit(1)


def broadcast_from_main(work: Callable[[], Result]) -> Result:
    """What a piece of work gives that the first process does, in all of them; see `run_on_all`."""
    found = [run_on_all(lambda: work() if is_main() else None)]
    if world_size() > 1:
        dist.broadcast_object_list(found, 0)
    return found[0]  # type: ignore[return-value]


def all_gather_object(thing: Result) -> list[Result]:
    """What each process has, in order. Anything that can be pickled, and on a GPU not large."""
    if world_size() == 1:
        return [thing]
    found: list[Any] = [None] * world_size()
    dist.all_gather_object(found, thing)
    return found


def trainer_options() -> dict[str, Any]:
    """What Lightning is told of the processes; `plugins` is a list to add to."""
    common = {"use_distributed_sampler": False}
    if world_size() == 1:
        return {**common, "devices": 1, "plugins": [LightningEnvironment()]}
    return {
        **common,
        "accelerator": "gpu" if torch.cuda.is_available() else "cpu",
        "devices": local_size(),
        "num_nodes": world_size() // local_size(),
        # Buffers never differ: running statistics are those of the whole batch, or averaged after each step.
        "strategy": DDPStrategy(timeout=TIMEOUT, broadcast_buffers=False),
        "plugins": [TorchElasticEnvironment()],
    }
