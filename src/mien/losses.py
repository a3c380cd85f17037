"""Losses: `(scores, target, context) -> scalar`, one registry for all kinds of head.

`scores` are raw (N, K); `target` is (N, K): probabilities for CLASS and DISTRIBUTION (one-hot, votes or
mixed), 0 or 1 for TAGS, numbers for VALUES. Rows without a target are removed before a loss sees them. What
each loss estimates: docs/reference/losses.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .errors import ConfigError, lookup
from .models import activate
from .tasks import Head, Kind

_TINY = 1e-12


@dataclass(frozen=True)
class LossContext:
    """What a loss may need besides: the head, label smoothing 0…1 (CLASS only), class weights (K,)."""

    head: Head
    smoothing: float = 0.0
    class_weights: Tensor | None = None


Loss = Callable[[Tensor, Tensor, LossContext], Tensor]


def cross_entropy(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """Soft cross-entropy -sum q ln p, with class weights where they are set."""
    weights = torch.ones(scores.shape[1]) if context.class_weights is None else context.class_weights
    weighted = target * weights.to(scores)
    return -(weighted * scores.log_softmax(1)).sum() / weighted.sum().clamp_min(_TINY)


def kl(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """Kullback-Leibler divergence from prediction to target, sum q ln(q / p)."""
    return F.kl_div(scores.log_softmax(1), target, reduction="batchmean")


def js(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """Jensen-Shannon divergence, at most ln 2."""
    output = scores.softmax(1)
    middle = ((output + target) / 2).clamp_min(_TINY).log()
    first, second = (F.kl_div(middle, side, reduction="batchmean") for side in (output, target))
    return (first + second) / 2


def l1(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """Sum of absolute differences over labels (twice the total variation); VALUES: mean, in half ranges."""
    return _difference(scores, target, context).abs().sum(1).mean()


def mse(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """Sum of squared differences over labels (the Brier score); for VALUES the mean, in half ranges."""
    return _difference(scores, target, context).square().sum(1).mean()


def energy(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """-(p - q)' D (p - q): a squared Cramér-type distance, proper if D is of strict negative type."""
    difference = scores.softmax(1) - target
    return -((difference @ _distances(context, scores)) * difference).sum(1).mean()


def emd(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """Earth mover's distance over ground distance D, by 50 Sinkhorn steps at temperature max D / 20."""
    distances = _distances(context, scores)
    temperature = distances.max() / 20
    kernel = -distances / temperature
    source, sink = scores.log_softmax(1), target.clamp_min(_TINY).log()
    left, right = torch.zeros_like(source), torch.zeros_like(sink)
    for _ in range(50):
        left = source - torch.logsumexp(kernel + right[:, None, :], dim=2)
        right = sink - torch.logsumexp(kernel + left[:, :, None], dim=1)
    plan = (left[:, :, None] + kernel + right[:, None, :]).exp()
    return (plan * distances).sum(dim=(1, 2)).mean()


def sampled(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """Cross-entropy with a label drawn from the votes at each call (FER+'s 'probability' scheme)."""
    return F.cross_entropy(scores, torch.multinomial(target, 1).squeeze(1))


def multi_target(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """FER+'s 'multi_target' scheme: -ln max (t p) with t = 0.999 where a label was kept, else 0.001."""
    allowed = 0.999 * (target > 0) + 0.001
    return -(allowed.log() + scores.log_softmax(1)).amax(1).mean()


def bce(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """Binary cross-entropy, mean over tags; class weights multiply the loss where a tag is present."""
    weights = None if context.class_weights is None else context.class_weights.to(scores)
    return F.binary_cross_entropy_with_logits(scores, target, pos_weight=weights)


def focal(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """Focal loss with gamma 2 (Lin et al. 2017, arXiv 1708.02002): easy samples weigh little."""
    if context.head.kind is Kind.TAGS:
        loss = F.binary_cross_entropy_with_logits(scores, target, reduction="none")
        return ((1 - (-loss).exp()).square() * loss).mean()
    log = scores.log_softmax(1)
    return -(target * (1 - log.exp()).square() * log).sum(1).mean()


def emotic_discrete(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """Sum over tags of (p - q)² / ln(1.2 + share of the batch with the tag) (EMOTIC, Kosti et al. 2020)."""
    weights = 1 / (1.2 + target.mean(0)).log()
    return (weights * _difference(scores, target, context).square()).sum(1).mean()


def smooth_l1(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """Absolute difference in half ranges, quadratic below 2/9: a point of 1…10 (Kosti et al. 2020)."""
    difference = _difference(scores, target, context)
    return F.smooth_l1_loss(difference, torch.zeros_like(difference), beta=2 / 9)


def ccc(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """1 - concordance correlation coefficient over the batch, for one column of VALUES."""
    output = activate(context.head, scores)
    centred, centred_target = output - output.mean(0), target - target.mean(0)
    covariance = (centred * centred_target).mean(0)
    spreads = centred.square().mean(0) + centred_target.square().mean(0)
    scale = spreads + (output.mean(0) - target.mean(0)).square()
    return (1 - 2 * covariance / scale.clamp_min(1e-8)).mean()


LOSSES: dict[str, Loss] = {
    loss.__name__: loss
    for loss in (
        *(cross_entropy, kl, js, l1, mse, energy, emd, sampled, multi_target),
        *(bce, focal, emotic_discrete, smooth_l1, ccc),
    )
}

#: The losses that use class weights.
WEIGHTED = frozenset({"cross_entropy", "bce"})
_TAGS_OR_VALUES = frozenset({"bce", "emotic_discrete", "smooth_l1", "ccc"})

#: The losses that each kind of head can be trained with.
FITTING: dict[Kind, frozenset[str]] = {
    Kind.TAGS: frozenset({"bce", "focal", "emotic_discrete", "mse", "l1"}),
    Kind.VALUES: frozenset({"ccc", "smooth_l1", "mse", "l1"}),
    Kind.CLASS: frozenset(LOSSES) - _TAGS_OR_VALUES,
    Kind.DISTRIBUTION: frozenset(LOSSES) - _TAGS_OR_VALUES,
}


def check(head: Head) -> None:
    """Raise ConfigError if a loss is unknown, unfit for the head's kind, or ignores class weights."""
    for name, _ in head.loss:
        lookup(LOSSES, name, f"loss of head {head.name}")
        if name not in FITTING[head.kind]:
            choices = ", ".join(sorted(FITTING[head.kind]))
            raise ConfigError(f"head {head.name}: '{name}' is no loss for {head.kind} (one of: {choices})")
    if head.class_weights and not uses_class_weights(head):
        weighted, terms = " and ".join(sorted(WEIGHTED)), ", ".join(name for name, _ in head.loss)
        raise ConfigError(f"head {head.name}: class_weights act on {weighted} alone, its loss is {terms}")


def uses_class_weights(head: Head) -> bool:
    """Whether a loss of the head uses class weights."""
    return any(name in WEIGHTED for name, _ in head.loss)


def annotated(head: Head, target: Tensor) -> bool:
    """Whether any target of this head is present; `head_loss` is 0 if not."""
    missing = target.isnan()
    return not bool((missing if head.kind is Kind.VALUES else missing.any(dim=1)).all())


def head_loss(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """Add up the head's weighted losses over present targets (not NaN); 0, with a gradient, if none is."""
    if context.head.kind is Kind.VALUES:
        pairs = [_present(scores[:, [k]], target[:, [k]]) for k in range(scores.shape[1])]
    else:
        pairs = [_present(scores, _smoothed(target, context))]
    with torch.autocast(scores.device.type, enabled=False):
        parts = [_weighted_sum(output.float(), present, context) for output, present in pairs if len(output)]
    return torch.stack(parts).mean() if parts else scores.sum() * 0.0


def distillation(scores: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """T² KL(q || softmax(scores / T)), with `taught` q (N, K) the teachers' probability at temperature T.

    Hinton et al. 2015, arXiv 1503.02531; T² keeps the size of the gradient independent of the temperature.
    """
    with torch.autocast(scores.device.type, enabled=False):
        log = (scores.float() / temperature).log_softmax(1)
        return temperature**2 * F.kl_div(log, taught, reduction="batchmean")


def _present(scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    present = ~target.isnan().any(dim=1)
    return (scores, target) if bool(present.all()) else (scores[present], target[present])


def _smoothed(target: Tensor, context: LossContext) -> Tensor:
    """Smooth the target of a CLASS head by a share spread over all labels; others stay as they are."""
    if context.head.kind is not Kind.CLASS or not context.smoothing:
        return target
    return target * (1 - context.smoothing) + context.smoothing / target.shape[1]


def _weighted_sum(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    terms = [weight * LOSSES[name](scores, target, context) for name, weight in context.head.loss]
    return torch.stack(terms).sum()


def _difference(scores: Tensor, target: Tensor, context: LossContext) -> Tensor:
    """Output minus target; VALUES in half ranges, so that a loss has the same size on -1…1 and on 1…10."""
    low, high = context.head.bounds if context.head.kind is Kind.VALUES else (-1.0, 1.0)
    return (activate(context.head, scores) - target) * (2 / (high - low))


def _distances(context: LossContext, scores: Tensor) -> Tensor:
    """Ground distance between the head's labels (K, K)."""
    return torch.tensor(context.head.space.distances()).to(scores)
