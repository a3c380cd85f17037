"""Every metric of a head with its interval, beside what those reach who never look at a face."""

from ...render import blocks
from ...render.blocks import Block, Cell, Column, Section, Strong, Table
from ...render.text import between, format_metric, meaning, number, title
from .. import sentences
from ..results import HeadRecord, MetricResult

#: References in the results: column title, and what it stands for.
REFERENCES: dict[str, tuple[str, str]] = {
    "uniform": ("Uniform", "the same probability for every label"),
    "marginal": ("Chance", "the raters' mean answer, given to every face"),
    "oracle": ("Oracle", "knows each face's top label, and answers the mean of the faces that share it"),
    "noise_floor": (
        "Noise floor",
        "knows what raters would say on average, and meets another handful of them: nobody can do better",
    ),
}


def measures(result: HeadRecord) -> Section:
    """The table of metrics, or a note that there are no figures."""
    if not result.measures:
        return Section("Measures", note="No figures for this head: the run has not been evaluated on it.")
    known = [name for name in REFERENCES if any(name in measure.references for measure in result.measures)]
    heads = blocks.columns("Measure", "Value", *(REFERENCES[name][0] for name in known))
    rows = tuple(_row(measure, known) for measure in result.measures)
    table = Table("Measures", (*heads, Column("What it says", "says")), rows)
    intro = [blocks.text(f"On {number(result.rows)} annotated faces. ↑ higher is better, ↓ lower is better.")]
    if result.compared:
        intro.append(blocks.note(" ".join(sentences.comparison(result.head.name, result.compared))))
    return Section("Measures", blocks=(*intro, table, *_key(result, known)))


def _row(measure: MetricResult, known: list[str]) -> tuple[Cell, ...]:
    value = format_metric(measure.value, measure.name)
    return (
        Cell(title(measure.name), up=measure.higher_is_better),
        Cell(value, strong=True, under=between(measure.interval, measure.name)),
        *(Cell(format_metric(measure.references.get(name), measure.name), soft=True) for name in known),
        Cell(meaning(measure.name)),
    )


def _key(result: HeadRecord, known: list[str]) -> list[Block]:
    if not known:
        return []
    runs: list[str | Strong] = []
    for name in known:
        heading, what = REFERENCES[name]
        runs += [Strong(heading), f": {what}. "]
    source = result.found.get("references_from")
    return [blocks.key(*runs, f"Means are taken from the {source} split." if source else "")]
