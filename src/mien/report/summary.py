"""The first section: what was trained on what, how well it does beside chance, and what the figures do not
say."""

from collections.abc import Iterator
from pathlib import PurePath

import numpy as np

from ..palette import colours
from ..render import blocks
from ..render.blocks import Block, Callout, Card, Cards, Cell, Column, Facts, Section, Strong, Subhead, Table
from ..render.text import between, duration, format_metric, number, percent, title
from ..tasks import Kind
from .record import RunRecord
from .results import HeadRecord, MetricResult

_CARDS = 4
#: What each kind of head answers with; {} is the number of its labels.
ANSWERS: dict[Kind, str] = {
    Kind.CLASS: "one of {} labels",
    Kind.DISTRIBUTION: "a distribution over {} labels",
    Kind.TAGS: "any of {} tags",
    Kind.VALUES: "{} values",
}
_CAREFUL = Callout(
    (
        (
            Strong("What is measured:"),
            " how a face looks to raters, not what the person feels. The figures hold for faces like those "
            "measured on; they may be worse for other ages, skin tones, poses, cultures and cameras.",
        ),
        (
            Strong("Not for use"),
            " at work or in school, where the law of the European Union forbids it but for medical or safety "
            "reasons, nor to judge people in hiring, insurance, policing or migration.",
        ),
    )
)


def section(record: RunRecord) -> Section:
    """Headline figures per head with their intervals, and the facts of the run."""
    measured = [result for result in record.heads if result.measures]
    note = "" if measured else "No figures: the run has not been evaluated yet (mien evaluate)."
    if record.data.get("trained_on"):
        note = "Measured on the very faces the model was trained on: this says little about other faces."
    facts = Facts(tuple(fact for fact in _facts(record) if fact[1]))
    shown: list[Block] = []
    for result in measured:
        shown += [*_headline(result, len(record.heads) > 1), *_by_split(record, result)]
    small_print = [blocks.key(text) for text in [intervals(record)] if text]
    return Section("Summary", note=note, blocks=(*shown, *small_print, facts, _CAREFUL))


def intervals(record: RunRecord) -> str:
    """How the intervals were made; '' without any."""
    if not record.intervals or not any(
        measure.interval for result in record.heads for measure in result.measures
    ):
        return ""
    level, draws = percent(float(record.intervals["level"])), number(record.intervals["draws"])
    unit = "groups of faces that belong together" if record.intervals.get("unit") == "group" else "faces"
    return f"Small figures: {level} intervals, from {draws} bootstrap draws of {unit}."


def shares(record: RunRecord) -> list[tuple[str, str, float]]:
    """(label, colour, share) of the raters' answers under the first head of probabilities; empty without
    predictions."""
    for result in record.heads:
        if result.outputs and result.head.kind in (Kind.CLASS, Kind.DISTRIBUTION):
            return _mean(result)
    return []


def _mean(result: HeadRecord) -> list[tuple[str, str, float]]:
    assert result.outputs
    means = np.nanmean(result.outputs.true, axis=0).tolist()
    return list(zip(result.head.space.labels, colours(result.head.space).values(), means, strict=True))


def _headline(result: HeadRecord, several: bool) -> list[Block]:
    cards = tuple(_card(measure, place == 0) for place, measure in enumerate(result.measures[:_CARDS]))
    return [*([Subhead(result.head.name)] if several else []), Cards(cards)]


def _by_split(record: RunRecord, result: HeadRecord) -> list[Block]:
    """The headline figures of a head on every split that was scored; nothing where that is one."""
    if len(record.splits) < 2:
        return []
    names = [measure.name for measure in result.measures[:_CARDS]]
    columns = (*blocks.columns("Split", "Faces", *map(title, names)), Column("Scored on"))
    rows = []
    for scored in record.splits:
        head = next(head for head in scored.heads if head.head.name == result.head.name)
        found = {measure.name: measure for measure in head.measures}
        first = Cell(scored.split, strong=scored.split == record.split, under=_seen(scored, record))
        figures = (_figure(found.get(name)) for name in names)
        rows.append((first, Cell(number(head.rows), soft=True), *figures, Cell(scored.date, soft=True)))
    return [Table(f"{result.head.name} by split", columns, tuple(rows))]


def _figure(measure: MetricResult | None) -> Cell:
    if measure is None:
        return Cell("–")
    return Cell(format_metric(measure.value, measure.name), under=between(measure.interval, measure.name))


def _seen(scored: RunRecord, record: RunRecord) -> str:
    """What keeps the figures of a split from being those of new faces, or from being compared with the
    others'."""
    data = scored.data
    notes = ("trained on", data.get("trained_on")), ("best epoch chosen on", data.get("chosen_on"))
    other = data.get("sha256") != record.data.get("sha256")
    words = [
        *(text for text, applies in notes if applies),
        *([f"of {PurePath(str(data.get('store'))).name}"] * other),
    ]
    return ", ".join(words)


def _card(measure: MetricResult, lead: bool) -> Card:
    """A figure with its interval, and chance under it."""
    chance = "" if measure.chance is None else f"chance {format_metric(measure.chance, measure.name)}"
    under = tuple(line for line in (between(measure.interval, measure.name), chance) if line)
    flag = "no better than chance" if measure.beats_chance is False else ""
    value, up = format_metric(measure.value, measure.name), measure.higher_is_better
    return Card(title(measure.name), value, under, up, lead=lead, flag=flag)


def _facts(record: RunRecord) -> Iterator[tuple[str, str]]:
    """(what, value) pairs; those without a value are left out by the caller."""
    data, training = record.data, record.training
    kept = {key: value for key, value in {**data, **training}.items() if value not in (None, "")}
    yield "Task", record.task.name
    yield "Answers", ", ".join(ANSWERS[head.kind].format(len(head)) for head in record.task)
    yield "Data", PurePath(str(kept.get("store", ""))).name
    split = kept.get("split", "split not known")
    yield "Measured on", f"{number(kept['rows'])} faces ({split})" if "rows" in kept else ""
    yield "Trained on", f"{number(kept['train_rows'])} faces" if "train_rows" in kept else ""
    yield "Parameters", number(kept["parameters"]) if "parameters" in kept else ""
    yield "Epochs", number(kept.get("epochs", ""))
    yield "Training time", duration(kept["seconds"]) if "seconds" in kept else ""
    yield "Machine", str(kept.get("machine", ""))
    yield "Seed", str(kept.get("seed", ""))
    yield "Date", record.date
