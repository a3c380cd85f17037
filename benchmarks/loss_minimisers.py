"""What each loss makes a network answer, if the network could answer anything: the p of least expected loss
over the votes.

    python benchmarks/loss_minimisers.py [--votes 10] [--losses "l1;emd"]

A face has true shares q of eight emotions. Its target is y = n / N with n ~ Multinomial(N, q). No votes are
drawn: every n that can occur counts with its probability, so nothing depends on a seed. p minimises the mean
of the real loss of `mien.losses` over them, and is compared with q. `--votes 0`: y = q, votes without noise.
The FER+ rules drop single votes, so their rows need more than one.

Three Markdown tables. First, for each loss and face: KL(q || p) in nats (inf where p gives nothing to a label
that has voters), the total variation between them, and the entropy of p less that of q (negative: p is more
peaked). Second, the expected loss of p = q: what is left for a perfect network. Third, the length of the
gradient with respect to the scores of a sure mistake: all votes say sad, p says happy.
"""

from __future__ import annotations

import argparse
import itertools
import math
import warnings
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from mien.datasets.fer2013 import ferplus_rules
from mien.labels import EXPRESSION8
from mien.losses import LOSSES, LossContext
from mien.tasks import Head, Kind

FACES: dict[str, dict[str, float]] = {
    "clear": {"happy": 0.92, "surprise": 0.05, "neutral": 0.03},
    "doubtful": {"neutral": 0.38, "sad": 0.28, "contempt": 0.14, "angry": 0.12, "disgust": 0.08},
    "two peaks": {"surprise": 0.53, "fear": 0.36, "neutral": 0.11},
    "neighbours": {"angry": 0.46, "fear": 0.33, "disgust": 0.21},
}
#: Row of the table: the weighted losses, and the FER+ rule that makes the target of the votes.
ROWS: dict[str, tuple[dict[str, float], str]] = {
    "cross_entropy": ({"cross_entropy": 1.0}, "raw"),
    "kl": ({"kl": 1.0}, "raw"),
    "mse": ({"mse": 1.0}, "raw"),
    "energy": ({"energy": 1.0}, "raw"),
    "cross_entropy + energy": ({"cross_entropy": 1.0, "energy": 1.0}, "raw"),
    "js": ({"js": 1.0}, "raw"),
    "l1": ({"l1": 1.0}, "raw"),
    "emd": ({"emd": 1.0}, "raw"),
    "cross_entropy + emd": ({"cross_entropy": 1.0, "emd": 1.0}, "raw"),
    "cross_entropy + 0.1 emd": ({"cross_entropy": 1.0, "emd": 0.1}, "raw"),
    "focal": ({"focal": 1.0}, "raw"),
    "multi_target": ({"multi_target": 1.0}, "raw"),
    "cross_entropy, rule crossentropy": ({"cross_entropy": 1.0}, "crossentropy"),
    "cross_entropy, rule majority": ({"cross_entropy": 1.0}, "majority"),
    "multi_target, rule multi_target": ({"multi_target": 1.0}, "multi_target"),
}
#: What a sure mistake gives to the wrong label.
SURE = ("0.5", "0.9", "0.99", "0.999")
#: Losses with corners, which a quasi-Newton method does not get round, or with several minima.
CORNERS = frozenset({"l1", "multi_target"})
CONTEXT = LossContext(Head("distribution8", Kind.DISTRIBUTION, EXPRESSION8))
Expected = Callable[[Tensor], Tensor]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--votes", type=int, default=10)
    parser.add_argument("--losses", default=";".join(ROWS), help="rows of the table, separated by semicolons")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="There is a performance drop")
    wanted = args.losses.split(";")
    rows = [name for name, (_, rule) in ROWS.items() if name in wanted and (rule == "raw" or args.votes > 1)]
    found = {name: [answer(name, truth(face), args.votes) for face in FACES] for name in rows}
    print(f"N = {args.votes or 'infinite'}: KL(q || p) / total variation / entropy of p less that of q\n")
    print_table(tuple(FACES), {name: [cell for cell, _ in cells] for name, cells in found.items()})
    print("\nExpected loss of p = q\n")
    print_table(tuple(FACES), {name: [f"{floor:.4f}" for _, floor in cells] for name, cells in found.items()})
    print("\nLength of the gradient of a sure mistake\n")
    plain = [name for name in rows if name in LOSSES]
    print_table(SURE, {name: [f"{pull(name, float(p)):.3f}" for p in SURE] for name in plain})


def print_table(columns: tuple[str, ...], cells: dict[str, list[str]]) -> None:
    """A Markdown table with a row for each loss."""
    print("| loss |", " | ".join(columns), "|")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in cells.items():
        print(f"| {name} |", " | ".join(row), "|")


def truth(face: str) -> Tensor:
    """The shares q of a face, (8,)."""
    shares = torch.zeros(len(EXPRESSION8), dtype=torch.float64)
    for label, share in FACES[face].items():
        shares[EXPRESSION8.index(label)] = share
    return shares


def answer(name: str, q: Tensor, votes: int) -> tuple[str, float]:
    """The cell of a loss and a face, and the expected loss of p = q."""
    terms, rule = ROWS[name]
    targets, weights = ballots(q, votes, rule)
    mean = partial(expected, terms, targets, weights)
    p = steps(mean, q) if CORNERS & set(terms) else quasi_newton(mean)
    missed = bool((p[q > 0] < 1e-4).any())
    kl = math.inf if missed else float(torch.xlogy(q, q / p).sum())
    gap = round(entropy(p) - entropy(q), 2) + 0.0
    floor = float(mean(q.clamp_min(1e-12).log()))
    return f"{kl:.3f} / {float((p - q).abs().sum() / 2):.3f} / {gap:+.2f}", floor


def ballots(q: Tensor, votes: int, rule: str) -> tuple[Tensor, Tensor]:
    """Every target that `votes` votes can make under a rule (rows, 8), and its probability."""
    if not votes:
        return q[None], torch.ones(1, dtype=q.dtype)
    labels = q.nonzero().flatten()
    counts = torch.zeros(math.comb(votes + len(labels) - 1, votes), len(q), dtype=q.dtype)
    counts[:, labels] = torch.tensor(list(shared_out(votes, len(labels))), dtype=q.dtype)
    logarithms = math.lgamma(votes + 1) - torch.lgamma(counts + 1).sum(1) + torch.xlogy(counts, q).sum(1)
    rows, present = ferplus_rules.target(rule, np.pad(counts.numpy(), ((0, 0), (0, 2))))
    targets, weights = torch.from_numpy(rows[present]), logarithms.exp()[torch.from_numpy(present)]
    return targets / targets.sum(1, keepdim=True), weights / weights.sum()


def shared_out(votes: int, labels: int) -> Iterator[tuple[int, ...]]:
    """All ways to share votes out among labels."""
    for bars in itertools.combinations(range(votes + labels - 1), labels - 1):
        edges = (-1, *bars, votes + labels - 1)
        yield tuple(right - left - 1 for left, right in itertools.pairwise(edges))


def expected(terms: dict[str, float], targets: Tensor, weights: Tensor, logits: Tensor) -> Tensor:
    """Mean loss of one answer over all targets."""

    def row(target: Tensor) -> Tensor:
        losses = [
            weight * LOSSES[name](logits[None], target[None], CONTEXT) for name, weight in terms.items()
        ]
        return torch.stack(losses).sum()

    return torch.func.vmap(row)(targets) @ weights


def pull(name: str, wrong: float) -> float:
    """Length of the gradient where p gives `wrong` to happy, the rest to all others alike, and every vote
    says sad."""
    p = torch.full((len(EXPRESSION8),), (1 - wrong) / (len(EXPRESSION8) - 1), dtype=torch.float64)
    p[EXPRESSION8.index("happy")] = wrong
    logits = p.log()[None].requires_grad_()
    target = torch.eye(len(EXPRESSION8), dtype=torch.float64)[[EXPRESSION8.index("sad")]]
    (gradient,) = torch.autograd.grad(LOSSES[name](logits, target, CONTEXT), logits)
    return float(gradient.norm())


def quasi_newton(mean: Expected) -> Tensor:
    """The best answer to a smooth loss, by L-BFGS from the uniform answer."""
    logits = torch.zeros(len(EXPRESSION8), dtype=torch.float64, requires_grad=True)
    search: torch.optim.Optimizer = torch.optim.LBFGS(
        [logits], max_iter=100, tolerance_grad=1e-7, tolerance_change=1e-11, line_search_fn="strong_wolfe"
    )

    def closure() -> float:
        search.zero_grad()
        value = mean(logits)
        torch.autograd.backward(value)
        return float(value.detach())

    search.step(closure)
    return logits.detach().softmax(0)


def steps(mean: Expected, q: Tensor, count: int = 400) -> Tensor:
    """The best answer by steps that shrink to nothing, from q and from near each label that has voters."""
    best, least = q, math.inf
    for start in (q, *(0.1 * q + 0.9 * torch.eye(len(q), dtype=q.dtype)[k] for k in q.nonzero().flatten())):
        logits = start.clamp_min(1e-4).log().requires_grad_()
        search = torch.optim.Adam([logits], lr=0.1)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(search, count)
        for _ in range(count):
            search.zero_grad()
            value = mean(logits)
            torch.autograd.backward(value)
            search.step()
            schedule.step()
        if value.item() < least - 1e-9:
            best, least = logits.detach().softmax(0), value.item()
    return best


def entropy(p: Tensor) -> float:
    """Entropy in nats."""
    return float(torch.special.entr(p).sum())


if __name__ == "__main__":
    main()
