"""`mien evaluate`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, UseAppendAction

from .terminal import new_table, print_json, progress_bar, say, show


@dataclass
class Evaluate:
    """Score a trained model on a split of a store; writes results/SPLIT.json and
    predictions/SPLIT.parquet."""

    model: Positional[Path]
    """The run folder, or a model.onnx."""
    data: Path | None = None
    """The store (default: the one the run was trained on)."""
    split: str = ""
    """train, validation or test (default: the run's validation split)."""
    match: Annotated[tuple[str, ...], UseAppendAction] = ()
    """HEAD=TARGET: which target of the store answers a head of the model (default: the one of its name, else
    the one that shares most labels)."""
    out: Path | None = None
    """Folder for the files (default: the run folder; on-STORE in it for another store than the run's own or
    with --match). They replace those of an earlier evaluation of the same split."""
    draws: int = 1000
    """Bootstrap draws for the 95 % intervals; 0: neither intervals nor subgroups."""
    by: Annotated[tuple[str, ...], UseAppendAction] = ()
    """An attribute of the store to tell figures apart by (default: all it has)."""
    json: bool = False
    """Print the results as JSON on stdout."""

    def run(self) -> None:
        """Evaluate and show each metric beside what it is measured against."""
        from ..evaluate import destination, evaluate
        from ..matching import parse_match
        from ..metrics.distributions import spare_backends
        from ..run_folder import split_files

        spare_backends()
        match = parse_match(self.match)
        with progress_bar("predicting") as progress:
            results = evaluate(
                self.model, self.data, self.split, self.out, progress,
                match=match, draws=self.draws, by=self.by,
            )  # fmt: skip
        if self.json:
            return print_json(results)
        _show(results)
        folder = self.out or destination(self.model, self.data, match)
        return say("\n".join(map(str, split_files(folder, results["data"]["split"]))))


def _show(results: dict[str, Any]) -> None:
    """One table a head: each metric with its direction, value, interval, and references."""
    data, drawn = results["data"], results["intervals"]
    say(f"{results['run']} on {data['rows']} faces of {data['store']}, split {data['split']}")
    if data["trained_on"]:
        say("Careful: the model was trained on these faces; they say nothing about new ones.")
    for name, head in results["heads"].items():
        show(_table(name, head))
        for note in _notes(name, head, data["chosen_on"]):
            say(f"  {note}")
    if drawn["draws"]:
        say(f"95 % intervals: {drawn['draws']} bootstrap draws by {drawn['unit']}.")
    for head in results["task"]["heads"]:
        if head["name"] not in results["heads"]:
            say(f"Not scored: {head['name']} (no target of the store fits).")


def _notes(name: str, head: dict[str, Any], same: bool) -> Iterator[str]:
    """What a person should know beside the table of a head."""
    from ..report.sentences import comparison

    if "at_thresholds" in head:
        yield _at_thresholds(head["at_thresholds"], same)
    if "calibration" in head:
        yield _certainty(head)
    for attribute, found in head.get("subgroups", {}).items():
        yield from _gap(attribute, found["gaps"])
    if "compared" in head:
        yield from comparison(name, head["compared"])


def _gap(attribute: str, gaps: dict[str, Any]) -> Iterator[str]:
    """How far apart the groups of an attribute lie, by the metric that stands first."""
    for metric, gap in list(gaps.items())[:1]:
        apart = f"{_number(gap['gap'])} ({_interval(gap['interval'])})"
        yield f"By {attribute}: {metric} lies {apart} between {gap['best']} and {gap['worst']}."


def _at_thresholds(at: dict[str, Any], same: bool) -> str:
    from ..report.sentences import thresholds

    figures = ", ".join(f"{name} {_number(at[name])}" for name in ("macro_f1", "micro_f1", "jaccard"))
    return f"{figures}. {thresholds(at['chosen'], same)}"


def _certainty(head: dict[str, Any]) -> str:
    """How far confidence can be trusted, in a line."""
    errors = head["calibration"]
    text = f"Confidence is off by {errors['ece']:.1%} on average (ECE)."
    votes = f"{errors['vote_ece']:.1%}" if "vote_ece" in errors else ""
    if votes:
        text = f"Confidence is off by {votes} on average from the raters' votes (vote ECE)"
        text = f"{text}, by {errors['ece']:.1%} from being right about their top label (ECE)."
    if "label" in errors:
        votes = f" Shares of votes are off by {votes} (vote ECE)." if votes else ""
        text = f"Confidence in the label is off by {errors['label']['ece']:.1%} on average (ECE).{votes}"
    if "conformal" not in head:
        return text
    sets = head["conformal"]
    held = f"hold the true label in {sets['coverage']:.1%}, with {sets['mean_size']:.2f} labels on average"
    return f"{text} Sets that promise {sets['level']:.0%} {held}."


def _table(name: str, head: dict[str, Any]) -> Any:
    table = new_table(f"{name} ({head['rows']} annotated)", collapse_padding=True, pad_edge=False)
    table.add_column("metric", no_wrap=True)
    columns, references = head.get("per_column", []), head["references"]
    drawn = any(found["interval"] for found in head["metrics"].values())
    names = *(column["label"] for column in columns), *(name.replace("_", " ") for name in references)
    for words in ("value", *["95 %"] * drawn, *names):
        table.add_column(words, justify="right", no_wrap=words == "95 %")
    for metric, found in head["metrics"].items():
        values = [numbers[metric] for numbers in (*columns, *references.values())]
        cells = [_number(found["value"]), *[_interval(found["interval"])] * drawn, *map(_number, values)]
        table.add_row(f"{metric} {'↑' if found['higher_is_better'] else '↓'}", *cells)
    return table


def _interval(ends: list[float] | None) -> str:
    return "–" if ends is None else f"{_number(ends[0])} … {_number(ends[1])}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:z.4f}"
