"""The data card: which faces these are, where they come from, and how they are annotated."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from ..datasets.summary import summary
from ..labels import LabelSpace
from ..palette import colours
from ..render import blocks
from ..render.blocks import Block, Cell, Facts, Points, Section, Subhead, Table
from ..render.text import number, signed
from ..store import Store
from .record import RunRecord

_NOTES = 12


def section(record: RunRecord) -> Section:
    """Return what the run records of its data and, where the store is at hand, what it holds."""
    data = record.data
    facts = [
        ("Store", PurePath(str(data.get("store") or "")).name),
        ("Importer", str(data.get("importer") or "")),
        ("Evaluated split", str(data.get("split") or "")),
        ("SHA-256", str(data.get("sha256") or "")),
    ]
    if record.store is None:
        note = f"Counts of faces and labels are left out: {record.store_note}." if record.store_note else ""
        return Section("Data", note=note, blocks=_facts(facts))
    found = summary(record.store)
    return Section(
        "Data", blocks=(*_facts([*facts, *_more(found)]), *_store(found, record.store, _asked(record)))
    )


def _asked(record: RunRecord) -> set[str]:
    """The store's targets that the model is held against."""
    return {str(result.compared.get("target") or result.head.name) for result in record.heads}


def _facts(pairs: list[tuple[str, str]]) -> tuple[Block, ...]:
    known = tuple(pair for pair in pairs if pair[1])
    return (Facts(known),) if known else ()


def _more(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Facts that only the store knows."""
    yield "Faces", number(found["faces"])
    for split, count in found["splits"].items():
        yield f"of these {split}", number(count)
    yield "Picture", " × ".join(map(str, found["picture"])) if found["picture"] else "of mixed sizes"
    yield "With a box", number(found["boxes"]) if found["boxes"] else ""
    yield "Groups", number(found["groups"]) if found["groups"] else ""
    yield "Left out at import", number(len(found["left_out"]))
    for name, sha256 in list(found["inputs"].items())[:_NOTES]:
        yield f"Input {name}", sha256[:12]


def _store(found: Mapping[str, Any], store: Store, asked: Collection[str]) -> Iterator[Block]:
    shown = [pair for pair in zip(found["heads"], store.heads, strict=True) if pair[1].name in asked]
    for table, head in shown:
        yield Subhead(head.name, f"{table['meaning']} by split")
        yield _labels(table, head.space)
        votes = ", ".join(f"{what} {figure:.3g}" for what, figure in table["votes"].items())
        if votes:
            yield blocks.key(f"Votes: {votes}.")
    others = ", ".join(head.name for head in store.heads if head.name not in asked)
    if others:
        yield blocks.key(f"Not asked of this model, but in the store too: {others}.")
    if found["attributes"]:
        yield Subhead("Attributes", "the commonest values and their faces")
        yield Facts(tuple((name, _counts(counts)) for name, counts in found["attributes"].items()))
    notes = found["notes"][:_NOTES]
    if notes:
        yield Subhead("Notes of the importer")
        yield Points(tuple((text,) for text in notes))


def _labels(table: Mapping[str, Any], space: LabelSpace) -> Table:
    """Return the faces, or the mean share or value, of each label in each split."""
    splits, colour = list(table["annotated"]), colours(space)
    rows = [
        (Cell(label, dot=colour[label]), *(Cell(_number(by_split[split])) for split in splits))
        for label, by_split in table["labels"].items()
    ]
    counts = (Cell(number(table["annotated"][split]), soft=True) for split in splits)
    rows.append((Cell("annotated", soft=True), *counts))
    return Table(f"Labels of {table['name']}", blocks.columns("Label", *splits), tuple(rows))


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return number(value) if isinstance(value, int) else signed(value, 3)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(
        f"{count:,} others" if name == "…" else f"{name} {count:,}" for name, count in counts.items()
    )
