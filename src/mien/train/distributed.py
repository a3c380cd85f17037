"""One training in several processes: who is who, what they tell each other, and a step that is the same however many they are.

torchrun, or SLURM's srun, starts the processes and says in the environment which is which. Each holds the same network and the
same part of every batch (`rank_slice`); `all_gather` brings the parts together, with gradients.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
import torch.nn.functional as F
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor
from torch.overrides import TorchFunctionMode

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


def rank_slice(size: int) -> slice:
    """This process's part of so many things in a row: parts are equal to within one, and together they are all."""
    return slice(size * rank() // world_size(), size * (rank() + 1) // world_size())


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
        # Buffers never differ: batch norm's statistics are those of the whole batch in every process.
        "strategy": DDPStrategy(timeout=TIMEOUT, broadcast_buffers=False),
        "plugins": [TorchElasticEnvironment()],
    }


def all_gather(tensor: Tensor) -> Tensor:
    """The rows of all processes, each with as many, in the order of the batch.

    Gradients flow back to the process a row came from, from all that used it: the average over processes that DDP makes of
    them is the gradient of a loss which each process computes on the whole.
    """
    if world_size() == 1:
        return tensor
    rows: Tensor = _Gather.apply(tensor)
    return rows.flatten(0, 1)


def all_reduce_mean(tensors: list[Tensor]) -> list[Tensor]:
    """The mean over processes of each tensor."""
    if world_size() == 1:
        return tensors
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    parts = torch.split(flat / world_size(), [tensor.numel() for tensor in tensors])
    return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]


def global_batch() -> AbstractContextManager[Any]:
    """In its block a network treats the parts of all processes as one batch, in what it averages and in what it draws."""
    return nullcontext() if world_size() == 1 else _GlobalBatch()


def local_size() -> int:
    """The number of processes on this machine."""
    return int(os.environ["LOCAL_WORLD_SIZE"])


def _all_of(tensor: Tensor) -> Tensor:
    """What each process has of a tensor: (processes, *shape)."""
    found = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for _ in range(world_size())]
    dist.all_gather(found, tensor.contiguous())
    return torch.stack(found)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, tensor: Tensor) -> Tensor:
        return _all_of(tensor)

    @staticmethod
    def backward(_: Any, slope: Tensor) -> Tensor:
        total = slope.contiguous().clone()
        dist.all_reduce(total)
        return total[rank()]


class _Norm(torch.autograd.Function):
    """Batch norm by the statistics of all processes; torch's own (SyncBatchNorm) refuses a processor's tensors."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        running = torch.zeros(2, x.shape[1], device=x.device, dtype=_exact(x))  # their kind is that of the statistics
        mean, variance = torch.batch_norm_update_stats(x, running[0], running[1], 0.0)
        means, variances = _all_of(torch.stack((mean, variance))).unbind(1)
        mean = means.mean(0)
        variance = (variances + (means - mean).square()).mean(0)
        ctx.save_for_backward(x, weight, mean, variance)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance)
        return F.batch_norm(x, mean, variance, weight, bias, eps=eps), mean, variance

    @staticmethod
    def backward(ctx: Any, slope: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, mean, variance = ctx.saved_tensors
        given = slope, x, weight, mean, variance, None, None, False, ctx.eps, [True] * 3
        own, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(*given)
        sums = torch.stack((by_weight, by_bias))
        dist.all_reduce(sums)
        # The share of the statistics, which every x moves: -w/s (mean of slope + x^ mean of slope x^), with x^ = (x - mean) / s.
        mean_product, mean_slope = sums * (x.shape[1] / (x.numel() * world_size()))
        inverse = (variance + ctx.eps).rsqrt()
        by_x = -weight * inverse.square() * mean_product
        constant = -weight * inverse * mean_slope - by_x * mean
        # x * by_x + constant, in one pass.
        shared = F.batch_norm(x, torch.zeros_like(mean), torch.ones_like(mean), by_x, constant, eps=0.0)
        return own.add_(shared), by_weight, by_bias, None


def _exact(x: Tensor) -> torch.dtype:
    """What its statistics are kept in: 32 bits at least."""
    return torch.promote_types(x.dtype, torch.float32)


def _batch_norm(
    x: Tensor, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None, **how: Any
) -> Tensor:
    if not how.get("training"):
        return F.batch_norm(x, running_mean, running_var, weight, bias, **how)
    weight = torch.ones(x.shape[1], device=x.device, dtype=_exact(x)) if weight is None else weight
    bias = torch.zeros_like(weight) if bias is None else bias
    out: Tensor
    out, mean, variance = _Norm.apply(x, weight, bias, how["eps"])
    if running_mean is not None:
        many = x.numel() * world_size() // x.shape[1]
        running_mean.lerp_(mean, how["momentum"])
        running_var.lerp_(variance * many / max(many - 1, 1), how["momentum"])
    return out


def _dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Of vectors drawn for the whole batch; of anything larger, where that would cost much, apart in each process."""
    if not training or not p:
        return F.dropout(x, p, training, inplace)
    if x.ndim > 2:
        seed = int(torch.randint(2**62, ()))
        source = torch.Generator(x.device).manual_seed(seed + rank())
        return x * torch.empty_like(x).bernoulli_(1 - p, generator=source).div_(1 - p)
    return x * _drawn(lambda shape: F.dropout(x.new_ones(shape), p), x.shape)


def _dropout2d(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    if not training or not p or x.ndim != 4:
        return F.dropout2d(x, p, training, inplace)
    return x * _drawn(lambda shape: F.dropout2d(x.new_ones(shape), p), (*x.shape[:2], 1, 1))


def _rand(*size: Any, **kinds: Any) -> Tensor:
    shape = tuple(size[0]) if size and not isinstance(size[0], int) else size
    return _drawn(lambda whole: torch.rand(whole, **kinds), shape) if shape else torch.rand(shape, **kinds)


def _bernoulli(x: Tensor, *given: Any, **kinds: Any) -> Tensor:
    if x.ndim == 0 or x.numel() > len(x):
        return x.bernoulli_(*given, **kinds)
    return x.copy_(_drawn(lambda shape: x.new_empty(shape).bernoulli_(*given, **kinds), x.shape))


def _drawn(draw: Callable[[tuple[int, ...]], Tensor], shape: tuple[int, ...]) -> Tensor:
    """This process's rows of what is drawn for the whole batch."""
    rows = shape[0] * world_size()
    return draw((rows, *shape[1:]))[rank_slice(rows)]


_SHARED: dict[Any, Callable[..., Tensor]] = {
    F.batch_norm: _batch_norm,
    F.dropout: _dropout,
    F.dropout2d: _dropout2d,
    torch.rand: _rand,
    Tensor.bernoulli_: _bernoulli,
}


class _GlobalBatch(TorchFunctionMode):
    def __torch_function__(self, function: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _SHARED.get(function, function)(*args, **(kwargs or {}))
