"""`mien evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional

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
    out: Path | None = None
    """Folder for the files (default: the run folder, where they replace those of an earlier evaluation)."""
    json: bool = False
    """Print results.json on stdout."""

    def run(self) -> None:
        """Evaluate and show the metrics beside chance."""
        from functools import partial

        from rich.console import Console
        from rich.progress import track

        from ..evaluate import PREDICTIONS, RESULTS, evaluate

        console = Console(stderr=True)
        bar = partial(track, description="Predicting", console=console, transient=True)
        results = evaluate(self.model, self.data, self.split, self.out, bar)
        if self.json:
            return print_json(results)
        _show(results, console)
        folder = self.out or (self.model if self.model.is_dir() else self.model.parent)
        return say(f"{folder / RESULTS}\n{folder / PREDICTIONS}")


def _show(results: dict[str, Any], console: Any) -> None:
    """One table a head: each metric with its direction, the value, and what always answering the mean target reaches."""
    data = results["data"]
    say(f"{results['run']} on {data['rows']} faces of {data['store']}, split {data['split']}")
    if data["trained_on"]:
        say("Careful: the model was trained on these faces; they say nothing about new ones.")
    for name, head in results["heads"].items():
        console.print(_table(name, head))
    for head in results["task"]["heads"]:
        if head["name"] not in results["heads"]:
            say(f"Not scored: {head['name']} (the store has no such target).")


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
