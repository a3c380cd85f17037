"""`mien evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, UseAppendAction

from .show import print_json, say


@dataclass
class Evaluate:
    """Score a trained model on a split of a store; writes results.json and predictions.parquet."""

    model: Positional[Path]
    """The run folder, or a model.onnx."""
    data: Path | None = None
    """The store (default: the one the run was trained on)."""
    split: str = ""
    """train, validation or test (default: the run's validation split)."""
    match: Annotated[tuple[str, ...], UseAppendAction] = ()
    """HEAD=TARGET: which target of the store answers a head of the model (default: the one of its name, else the one that
    shares most labels)."""
    out: Path | None = None
    """Folder for the files (default: the run folder, where they replace those of an earlier evaluation; with another store
    than the run's own, or with --match, on-STORE-SPLIT in it)."""
    json: bool = False
    """Print results.json on stdout."""

    def run(self) -> None:
        """Evaluate and show the metrics beside chance."""
        from functools import partial

        from rich.console import Console
        from rich.progress import track

        from ..evaluate import PREDICTIONS, RESULTS, destination, evaluate
        from ..matching import wishes

        console = Console(stderr=True)
        bar = partial(track, description="Predicting", console=console, transient=True)
        match = wishes(self.match)
        results = evaluate(self.model, self.data, self.split, self.out, bar, match=match)
        if self.json:
            return print_json(results)
        _show(results, console)
        folder = self.out or destination(self.model, self.data, self.split, match)
        return say(f"{folder / RESULTS}\n{folder / PREDICTIONS}")


def _show(results: dict[str, Any], console: Any) -> None:
    """One table a head: each metric with its direction, the value, and what always answering the mean target reaches."""
    from ..matching import sentences

    data = results["data"]
    say(f"{results['run']} on {data['rows']} faces of {data['store']}, split {data['split']}")
    if data["trained_on"]:
        say("Careful: the model was trained on these faces; they say nothing about new ones.")
    for name, head in results["heads"].items():
        console.print(_table(name, head))
        if "at_thresholds" in head:
            say(f"  {_at_thresholds(head['at_thresholds'], data['chosen_on'])}")
        for sentence in sentences(name, head["compared"]) if "compared" in head else ():
            say(f"  {sentence}")
    for head in results["task"]["heads"]:
        if head["name"] not in results["heads"]:
            say(f"Not scored: {head['name']} (no target of the store fits).")


def _at_thresholds(at: dict[str, Any], same: bool) -> str:
    from ..metrics.tags import sentence

    figures = ", ".join(f"{name} {_number(at[name])}" for name in ("macro_f1", "micro_f1", "jaccard"))
    return f"{figures}. {sentence(at['chosen'], same)}"


def _table(name: str, head: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(title=f"{name} ({head['rows']} annotated)", title_justify="left")
    table.add_column("metric")
    columns = head.get("per_column", [])
    for title in ("value", *(column["label"] for column in columns), "chance"):
        table.add_column(title, justify="right")
    for metric, found in head["metrics"].items():
        values = (found["value"], *(column[metric] for column in columns), head["chance"][metric])
        table.add_row(f"{metric} {'↑' if found['higher_is_better'] else '↓'}", *map(_number, values))
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:z.4f}"
