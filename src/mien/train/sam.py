"""Sharpness-aware minimisation (Foret et al. 2021, arXiv 2010.01412): step by the gradient where the loss nearby is highest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from . import global_batch


class Sam:
    """Moves the learning weights of a network `rho` up the gradient of a loss, and back to exactly where they were."""

    def __init__(self, network: nn.Module, rho: float) -> None:
        self.network, self.rho = network, rho
        self.moved: list[Tensor] = []
        self.before: list[Tensor] = []

    @torch.no_grad()
    def perturb(self, loss: Tensor) -> None:
        """Add rho g / |g|, g being the gradient of `loss` over all weights together; frees the graph of the loss."""
        weights = [weight for weight in self.network.parameters() if weight.requires_grad]
        found = torch.autograd.grad(loss, weights, allow_unused=True)
        pairs = [(weight, slope) for weight, slope in zip(weights, found, strict=True) if slope is not None]
        self.moved, slopes = (
            [weight for weight, _ in pairs],
            global_batch.all_reduce_mean([slope for _, slope in pairs]),
        )
        self.before = [weight.detach().clone() for weight in self.moved]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(slopes)))
        torch._foreach_add_(self.moved, list(torch._foreach_mul(slopes, self.rho / (norm + 1e-12))))
        torch.clear_autocast_cache()  # it may hold the weights in 16 bits as they were

    @torch.no_grad()
    def restore(self) -> None:
        """Undo the last `perturb`, to the last bit."""
        torch._foreach_copy_(self.moved, self.before)
        self.moved, self.before = [], []


@contextmanager
def still_statistics(network: nn.Module) -> Iterator[None]:
    """Let batch norms in training go by the batch as ever, but leave their running statistics alone."""
    tracking = [m for m in network.modules() if isinstance(m, _NormBase) and m.training and m.track_running_stats]
    for norm in tracking:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in tracking:
            norm.track_running_stats = True
