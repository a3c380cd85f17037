"""What the figures do not say, in plain words: verdicts on differences, and what to be careful of."""

from collections.abc import Iterator, Sequence
from typing import Any

from ..render.text import title as metric_title
from ..tasks import Head
from .differences import ComparedMetric, Difference, Draws
from .runs import Run, RunGroup
from .table import Quantity

_NOISE = {"faces": "other faces of the same kind", "seeds": "other seeds"}


def verdict(
    first: RunGroup, other: RunGroup, metric: ComparedMetric, column: Quantity, apart: Difference
) -> str:
    """One sentence: how much better a row is than the first one, and whether that is more than noise."""
    what = metric_title(metric.name)
    if apart.faces is None:
        return (
            f"{other.title}: {what} cannot be held against that of {first.title}, one of them is undefined."
        )
    unit = " points" if column.scale == 100 else ""
    better = "better" if (apart.value if metric.higher_is_better else -apart.value) > 0 else "worse"
    text = f"{other.title}: {what} {column.text(abs(apart.value))}{unit} {better} than {first.title}"
    if not apart.noise:
        ends = f"{_between(column, apart.faces)}{unit}{_p(apart)}"
        return f"{text}, more than noise (95 % interval of the difference {ends})."
    lows, highs = zip(*filter(None, (apart.faces, apart.seeds)), strict=True)
    ends = f"{_between(column, (min(lows), max(highs)))}{unit}{_p(apart)}"
    others = " or ".join(_NOISE[name] for name in apart.noise)
    return f"{text}, but that lies inside the noise: with {others} it could be anything from {ends}."


def _between(column: Quantity, interval: tuple[float, float]) -> str:
    low, high = (f"{'+' if side > 0 else ''}{column.text(side)}" for side in interval)
    return f"{low} to {high}"


def _p(apart: Difference) -> str:
    return f"; McNemar {apart.p_text}" if apart.p_text else ""


def caveats(groups: Sequence[RunGroup], heads: Sequence[Head], draws: Draws) -> tuple[str, ...]:
    """What a reader must know of these runs before trusting an order."""
    runs = [run for group in groups for run in group.runs]
    return (*_seen(runs), *_unequal(runs), *_left_out(runs, heads), *_ungrouped(runs[0], draws))


def _seen(runs: Sequence[Run]) -> Iterator[str]:
    """Figures on faces that helped to make the model."""
    learnt, chosen = (
        [run.record.name for run in runs if run.record.data.get(key)] for key in ("trained_on", "chosen_on")
    )
    if learnt:
        yield f"{', '.join(learnt)}: trained on these very faces, so the figures say nothing of new ones."
    if chosen:
        who = "every run" if len(chosen) == len(runs) else ", ".join(chosen)
        yield (
            f"The best epoch of {who} was chosen on these very faces, which flatters the figures a little: "
            "compare on the test split before you report them."
        )


def _unequal(runs: Sequence[Run]) -> Iterator[str]:
    """What was not the same in training."""
    if faces := _different(runs, "train_rows"):
        counts = ", ".join(f"{count:,}" for count in sorted(faces))
        yield f"The runs were not trained on equally many faces: {counts}."
    if machines := _different(runs, "machine"):
        yield f"Training times come from different machines: {'; '.join(sorted(machines))}."


def _different(runs: Sequence[Run], key: str) -> set[Any]:
    found = {run.record.training.get(key) for run in runs} - {None}
    return found if len(found) > 1 else set()


def _left_out(runs: Sequence[Run], heads: Sequence[Head]) -> Iterator[str]:
    kept = {head.name for head in heads}
    names = dict.fromkeys(scored.head.name for run in runs for scored in run.record.heads)
    if left := [name for name in names if name not in kept]:
        yield f"Not compared, because not every run was scored on it with the same labels: {', '.join(left)}."


def _ungrouped(first: Run, draws: Draws) -> Iterator[str]:
    if first.record.intervals.get("unit") == "group" and not draws.grouped:
        yield (
            f"The predictions of {first.record.name} name no groups (evaluate it again): differences are "
            "drawn face by face, and their intervals are too narrow."
        )
