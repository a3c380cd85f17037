"""`mien data`: import, show, check, audit, clean, split and draw data sets."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import OmitArgPrefixes, Positional, subcommand

from ..choices import Colour, VoteRule
from .audit import DataAudit, DataClean
from .terminal import exit_when_interrupted, new_table, print_json, progress_bar, say, show

_SHOWN = 10


@dataclass
class DataImport:
    """Read a data set, in any known layout, into a store."""

    source: Positional[Path]
    """The file or folder as it was downloaded and unpacked."""
    out: Path
    """The store to write, such as faces.h5."""
    layout: str = "auto"
    """Which importer reads it; auto finds it by the files."""
    votes: VoteRule = "raw"
    """FER+: the rule that turns ten votes into a distribution over eight emotions."""
    labels: str = ""
    """Names of the classes, in order, where the files do not give them: a,b,c or the name of a label
    space."""
    validation: float = 0.1
    """Share to validate on, where the data set has no such split: of everything, or of its training split."""
    test: float = 0.1
    """Share to test on, where the data set has no splits at all."""
    seed: int = 0
    """Seed of those splits: stratified, groups and equal pictures kept together."""
    skip_bad: bool = False
    """Leave out rows and pictures that cannot be used, and list them."""
    json: bool = False
    """Print one JSON object instead of text."""

    def run(self) -> None:
        """Import the data set and show what was found."""
        from ..datasets import import_dataset
        from ..datasets.summary import summary
        from ..store import Splitting

        start = time.perf_counter()
        rules = Splitting(self.validation, self.test, self.seed)
        resume = f"{self.out} is not written, the same command goes on from what is finished"
        with exit_when_interrupted(resume), progress_bar(f"reading {self.source.name}") as progress:
            store = import_dataset(
                self.source, self.out, self.layout, votes=self.votes, labels=self.labels, splitting=rules,
                skip_bad=self.skip_bad, progress=progress,
            )  # fmt: skip
        found = summary(store) | {"seconds": round(time.perf_counter() - start, 2)}
        if self.json:
            print_json(found)
        else:
            _show_import(found)


@dataclass
class DataInfo:
    """Show what a store holds: classes by split, votes, inputs, sources."""

    file: Positional[Path]
    """The store."""
    json: bool = False
    """Print one JSON object instead of text."""

    def run(self) -> None:
        """Show the store's contents."""
        from ..datasets.summary import summary
        from ..store import Store

        found = summary(Store(self.file))
        if self.json:
            print_json(found)
        else:
            _show_info(found)


@dataclass
class DataCheck:
    """Check a store's checksums and its schema."""

    file: Positional[Path]
    """The store."""

    def run(self) -> None:
        """Check the store and report that it is whole; a damaged store raises StoreError."""
        from ..store import Store, check

        store = Store(self.file)
        check(store)
        say(f"{self.file}: whole ({len(store)} faces, every checksum holds)")


@dataclass
class DataSplit:
    """Split a store into shards: stores of consecutive rows, and a small one that reads them all as one."""

    file: Positional[Path]
    """The store."""
    out: Path
    """The small store to write, such as shards/faces.h5; beside it come shards/faces-00.h5 and so on."""
    shards: int = 8
    """The number of shards."""

    def run(self) -> None:
        """Write the shards."""
        from ..store import Store, write_shards

        store = write_shards(self.out, Store(self.file), self.shards)
        say(f"{len(store)} faces -> {self.out}, in {len(store.shards)} shards beside it")


@dataclass
class DataSketch:
    """Draw faces whose truth is known exactly for every task, into a store or into a folder as a real data
    set has them."""

    out: Positional[Path]
    """The store to write, or with --layout the folder."""
    layout: str = ""
    """Write a folder in the layout of a real data set, such as affectnet, for `mien data import` to read."""
    scenes: bool = False
    """Draw pictures of one to three people, in colour, instead of faces."""
    candid: bool = False
    """Let all people show exactly what they feel, without a resting face of their own, all equally vivid."""
    count: int = 2000
    """How many faces, or pictures."""
    size: int | None = None
    """Height in pixels: by default 48 for a face, 240 for a scene, that of the real pictures for a layout."""
    colour: Colour = "grey"
    """Of the faces in a store."""
    seed: int = 0
    """The same seed draws the same faces."""

    def run(self) -> None:
        """Draw the faces."""
        from .. import synthetic

        if self.layout:
            synthetic.write_folder(self.out, self.layout, self.count, self.size, self.seed)
            say(f"drawn in the layout of {self.layout} -> {self.out}")
            return
        size, candid = self.size or (240 if self.scenes else 48), self.candid
        if self.scenes:
            store = synthetic.write_scenes(self.out, self.count, size, self.seed, candid=candid)
        else:
            store = synthetic.write_store(self.out, self.count, size, self.seed, self.colour, candid=candid)
        say(f"{len(store)} drawn faces -> {self.out}")


@dataclass
class Data:
    """Import, show, check, audit, clean, split and draw data sets."""

    verb: OmitArgPrefixes[
        Annotated[DataImport, subcommand("import", prefix_name=False)]
        | Annotated[DataInfo, subcommand("info", prefix_name=False)]
        | Annotated[DataCheck, subcommand("check", prefix_name=False)]
        | Annotated[DataAudit, subcommand("audit", prefix_name=False)]
        | Annotated[DataClean, subcommand("clean", prefix_name=False)]
        | Annotated[DataSplit, subcommand("split", prefix_name=False)]
        | Annotated[DataSketch, subcommand("sketch", prefix_name=False)]
    ]

    def run(self) -> None:
        """Run the chosen verb."""
        self.verb.run()


def _show_import(found: dict[str, Any]) -> None:
    say(f"recognised as {found['importer']}")
    for note in found["notes"]:
        say(f"  {note}")
    _show_head(found["heads"][0], found["splits"])
    _show_left_out(found["left_out"])
    say(f"{found['faces']} faces in {found['seconds']} s -> {found['store']} ({_megabytes(found)})")


def _show_info(found: dict[str, Any]) -> None:
    size = "x".join(map(str, found["picture"])) if found["picture"] else "picture files"
    say(f"{found['store']}: {found['faces']} faces, {size}, {_megabytes(found)}")
    options = "".join(f", {key} {value}" for key, value in found["options"].items())
    say(f"importer: {found['importer']} {found['version']}{options}")
    for name, checksum in found["inputs"].items():
        say(f"input: {name}  sha256 {checksum}")
    for note in found["notes"]:
        say(f"note: {note}")
    say(f"sources: {', '.join(found['sources'])}")
    for name in ("boxes", "groups"):
        if found[name]:
            say(f"{name}: {found[name]}")
    for name, values in found["attributes"].items():
        say(f"{name}: {', '.join(f'{value} {count}' for value, count in values.items())}")
    for head in found["heads"]:
        _show_head(head, found["splits"])
    _show_left_out(found["left_out"])


def _show_head(head: dict[str, Any], splits: dict[str, int]) -> None:
    """Print a table of a head: a row for each label, a column for each split."""
    table = new_table(f"{head['name']} ({head['kind']}, {head['meaning']})")
    table.add_column("label")
    for split in splits:
        table.add_column(split, justify="right")
    for label, numbers in head["labels"].items():
        table.add_row(label, *(_number(numbers[split]) for split in splits))
    table.add_section()
    table.add_row("annotated", *(f"{head['annotated'][split]} of {faces}" for split, faces in splits.items()))
    show(table)
    for name, value in head["votes"].items():
        say(f"  {name}: {value}")


def _show_left_out(faults: list[str]) -> None:
    if faults:
        say(f"left out: {len(faults)}")
    for fault in faults[:_SHOWN]:
        say(f"  {fault}")
    if len(faults) > _SHOWN:
        say(f"  and {len(faults) - _SHOWN} more (all of them: mien data info --json)")


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _megabytes(found: dict[str, Any]) -> str:
    return f"{found['bytes'] / 1e6:.1f} MB"
