"""The first section: what was trained on what, how well it does beside chance, and what the figures do not say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

import numpy as np

from ..tasks import Kind
from .palette import colours
from .record import HeadRecord, RunRecord
from .section import Section
from .words import duration, number

_CARDS = 4
#: What each kind of head answers with; {} is the number of its labels.
ANSWERS: dict[Kind, str] = {
    Kind.CLASS: "one of {} labels",
    Kind.DISTRIBUTION: "a distribution over {} labels",
    Kind.TAGS: "any of {} tags",
    Kind.VALUES: "{} values",
}


def section(record: RunRecord) -> Section:
    """Headline figures per head, and the facts of the run."""
    cards = [(one.head, one.measures[:_CARDS]) for one in record.heads if one.measures]
    note = "" if cards else "No figures: the run has not been evaluated yet (mien evaluate)."
    if record.data.get("trained_on"):
        note = "Measured on the very faces the model was trained on: this says little about other faces."
    data = {"cards": cards, "facts": [fact for fact in _facts(record) if fact[1]], "several": len(record.heads) > 1}
    return Section("Summary", "summary", data, note)


def shares(record: RunRecord) -> list[tuple[str, str, float]]:
    """(label, colour, share) of the raters' answers under the first head of probabilities; empty without predictions."""
    for one in record.heads:
        if one.outputs and one.head.kind in (Kind.CLASS, Kind.DISTRIBUTION):
            return _mean(one)
    return []


def _mean(one: HeadRecord) -> list[tuple[str, str, float]]:
    assert one.outputs
    mean = np.nanmean(one.outputs.true, axis=0)
    return [
        (label, colour, float(share))
        for (label, colour), share in zip(colours(one.head.space).items(), mean, strict=True)
    ]


def _facts(record: RunRecord) -> Iterator[tuple[str, str]]:
    """(what, value) pairs; those without a value are left out by the caller."""
    data, training = record.data, record.training
    kept = {key: value for key, value in {**data, **training}.items() if value not in (None, "")}
    yield "Task", record.task.name
    yield "Answers", ", ".join(ANSWERS[head.kind].format(len(head)) for head in record.task)
    yield "Data", PurePath(str(kept.get("store", ""))).name
    yield "Importer", str(kept.get("importer", ""))
    yield (
        "Measured on",
        f"{number(kept['rows'])} faces ({kept.get('split', 'split not known')})" if "rows" in kept else "",
    )
    yield "Trained on", f"{number(kept['train_rows'])} faces" if "train_rows" in kept else ""
    yield "SHA-256", str(kept.get("sha256", ""))[:12]
    yield "Parameters", number(kept["parameters"]) if "parameters" in kept else ""
    yield "Epochs", number(kept.get("epochs", ""))
    yield "Training time", duration(kept["seconds"]) if "seconds" in kept else ""
    yield "Machine", str(kept.get("machine", ""))
    yield "Seed", str(kept.get("seed", ""))
    yield "Date", record.date
    yield "Licence", record.licence
