"""Operators over the batch of all processes: parts of it, gathered rows, means, statistics and draws.

Each process holds an equal part of every batch (`rank_slice`) and computes the loss of the whole batch from
gathered scores (`all_gather`). Within the network each process works on its own part: dropout is drawn apart,
and batch norms see the whole batch on GPUs alone (`synchronise_norms`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from timm.layers.norm_act import convert_sync_batchnorm
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from . import distributed


def rank_slice(size: int) -> slice:
    """The positions of this process among `size`: parts differ by one at most, and together cover all."""
    rank, processes = distributed.rank(), distributed.world_size()
    return slice(size * rank // processes, size * (rank + 1) // processes)


def all_gather(tensor: Tensor) -> Tensor:
    """Concatenate the rows of all processes, each with as many, in the order of the batch.

    Gradients flow back to the process a row came from. DDP's average of them is the gradient of a loss that
    each process computes on the whole batch.
    """
    if distributed.world_size() == 1:
        return tensor
    rows: Tensor = _Gather.apply(tensor)
    return rows.flatten(0, 1)


def all_reduce_mean(tensors: list[Tensor]) -> list[Tensor]:
    """Average each tensor over the processes."""
    if distributed.world_size() == 1:
        return tensors
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    parts = torch.split(flat / distributed.world_size(), [tensor.numel() for tensor in tensors])
    return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]


@contextmanager
def rank_draws() -> Iterator[None]:
    """Give each process its own random numbers in the block; after it all draw the same again.

    So dropout drops apart in each process, while augmentation and losses, which are drawn for the whole
    batch, agree. One process alone draws on as if there were no block.
    """
    if distributed.world_size() == 1:
        yield
        return
    seed = int(torch.randint(2**62, ()))
    with torch.random.fork_rng([torch.cuda.current_device()] if torch.cuda.is_available() else []):
        torch.manual_seed(seed + distributed.rank())
        yield


def synchronise_norms(network: nn.Module) -> None:
    """Replace batch norms by SyncBatchNorm, for statistics of the whole batch, where several GPUs train.

    It refuses tensors of CPUs. There each process keeps the noisier statistics of its part: with 32 samples
    weights end 4 to 8 % from those of one process, with 8 about 21 % (docs/how-to/many-machines.md).
    """
    if distributed.world_size() > 1 and torch.cuda.is_available():
        convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]


@torch.no_grad()
def average_statistics(network: nn.Module) -> None:
    """Average the running statistics of batch norms over the processes, each of which updated its own."""
    if distributed.world_size() == 1:
        return
    own = [m for m in network.modules() if isinstance(m, _NormBase) and not isinstance(m, nn.SyncBatchNorm)]
    norms = [norm for norm in own if norm.training]
    running = [norm.running_mean for norm in norms] + [norm.running_var for norm in norms]
    if statistics := [value for value in running if value is not None]:
        torch._foreach_copy_(statistics, all_reduce_mean(statistics))


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, tensor: Tensor) -> Tensor:
        tensor = tensor.contiguous()
        parts = [torch.empty_like(tensor) for _ in range(distributed.world_size())]
        dist.all_gather(parts, tensor)
        return torch.stack(parts)

    @staticmethod
    def backward(_: Any, slope: Tensor) -> Tensor:
        total = slope.contiguous().clone()
        dist.all_reduce(total)
        return total[distributed.rank()]
