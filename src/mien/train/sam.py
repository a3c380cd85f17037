"""Sharpness-aware minimisation: step by the gradient at the weights nearby whose loss is highest.

Foret et al. 2021, arXiv 2010.01412.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from . import global_batch


class Sam:
    """Moves learning weights of a network by `rho` up the gradient of a loss, and restores them exactly."""

    def __init__(self, network: nn.Module, rho: float) -> None:
        self.network, self.rho = network, rho
        self.moved: list[Tensor] = []
        self.before: list[Tensor] = []

    @torch.no_grad()
    def perturb(self, loss: Tensor) -> None:
        """Add rho g / |g|, with g the gradient of `loss` over all weights; frees the loss's graph."""
        weights = [weight for weight in self.network.parameters() if weight.requires_grad]
        gradients = torch.autograd.grad(loss, weights, allow_unused=True)
        self.moved = [weight for weight, slope in zip(weights, gradients, strict=True) if slope is not None]
        slopes = global_batch.all_reduce_mean([slope for slope in gradients if slope is not None])
        self.before = [weight.detach().clone() for weight in self.moved]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(slopes)))
        torch._foreach_add_(self.moved, list(torch._foreach_mul(slopes, self.rho / (norm + 1e-12))))
        torch.clear_autocast_cache()  # it may hold the weights in 16 bits as they were

    @torch.no_grad()
    def restore(self) -> None:
        """Restore the weights from before the last `perturb`, bit for bit."""
        torch._foreach_copy_(self.moved, self.before)
        self.moved, self.before = [], []


@contextmanager
def frozen_statistics(network: nn.Module) -> Iterator[None]:
    """Keep the running statistics of batch norms in training from being updated in the block."""
    norms = [norm for norm in network.modules() if isinstance(norm, _NormBase)]
    tracking = [norm for norm in norms if norm.training and norm.track_running_stats]
    for norm in tracking:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in tracking:
            norm.track_running_stats = True
