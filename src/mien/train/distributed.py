"""The process group of a training: joining it, ranks, barriers, objects sent to all, trainer options.

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

#: How long the processes wait for one that is silent before they end the run.
TIMEOUT = timedelta(minutes=30)

Result = TypeVar("Result")


def world_size() -> int:
    """The number of processes that train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """The number of this process among them, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def local_size() -> int:
    """The number of processes on this machine."""
    return int(os.environ["LOCAL_WORLD_SIZE"])


def cores_per_process() -> int:
    """The cores for this process: an equal share of the machine's."""
    return max(1, usable_cores() // (local_size() if world_size() > 1 else 1))


def join() -> None:
    """Join the process group, where a launcher started this process with others. Raises ConfigError."""
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
    """Wait until all processes have come here; the group stays, since a process cannot join a second."""
    if world_size() > 1:
        dist.barrier()


def from_slurm(environ: Mapping[str, str]) -> dict[str, str]:
    """Translate srun's environment into torchrun's. Raises ConfigError for nodes of unequal tasks."""
    tasks, nodes = int(environ["SLURM_STEP_NUM_TASKS"]), int(environ["SLURM_STEP_NUM_NODES"])
    per_node = environ["SLURM_STEP_TASKS_PER_NODE"]
    if per_node.partition("(")[0] != str(tasks // nodes) or tasks % nodes:
        text = f"srun started {per_node} tasks a node, every node must have as many"
        raise ConfigError(f"{text} (--ntasks-per-node)")
    root = SLURMEnvironment.resolve_root_node_address(environ["SLURM_STEP_NODELIST"])
    return {
        "RANK": environ["SLURM_PROCID"],
        "LOCAL_RANK": environ["SLURM_LOCALID"],
        "GROUP_RANK": environ["SLURM_NODEID"],
        "WORLD_SIZE": str(tasks),
        "LOCAL_WORLD_SIZE": str(tasks // nodes),
        "MASTER_ADDR": environ.get("MASTER_ADDR", root),
        "MASTER_PORT": environ.get("MASTER_PORT", str(15000 + int(environ["SLURM_JOB_ID"]) % 10000)),
    }


def run_on_all(work: Callable[[], Result]) -> Result:
    """Run `work` in every process and return its result.

    If it fails in any process, rank 0 raises the first error and the others exit with status 1.
    """
    join()
    if world_size() == 1:
        return work()
    result, failure = None, None
    try:
        result = work()
    except (MienError, OSError) as error:
        failure = error
    failures = [item for item in all_gather_object(failure) if item is not None]
    if not failures:
        return result  # type: ignore[return-value]
    if is_main():
        raise failures[0]
    time.sleep(1)  # a launcher ends all processes with the first that fails: rank 0 prints before that
    raise SystemExit(1)


def broadcast_from_main(work: Callable[[], Result]) -> Result:
    """Run `work` in rank 0 alone and return its result in all processes; errors as in `run_on_all`."""
    results = [run_on_all(lambda: work() if is_main() else None)]
    if world_size() > 1:
        dist.broadcast_object_list(results, 0)
    return results[0]  # type: ignore[return-value]


def all_gather_object(item: Result) -> list[Result]:
    """Return the object of each process, by rank. It must be picklable, and on a GPU small."""
    if world_size() == 1:
        return [item]
    items: list[Any] = [None] * world_size()
    dist.all_gather_object(items, item)
    return items


def trainer_options() -> dict[str, Any]:
    """Return the Trainer's options for the process group; `plugins` is a list to add to."""
    if world_size() == 1:
        return {"use_distributed_sampler": False, "devices": 1, "plugins": [LightningEnvironment()]}
    return {
        "use_distributed_sampler": False,
        "accelerator": "gpu" if torch.cuda.is_available() else "cpu",
        "devices": local_size(),
        "num_nodes": world_size() // local_size(),
        # Buffers never differ: running statistics are those of the whole batch, or averaged after each step.
        "strategy": DDPStrategy(timeout=TIMEOUT, broadcast_buffers=False),
        "plugins": [TorchElasticEnvironment()],
    }
