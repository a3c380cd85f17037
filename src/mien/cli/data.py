"""`mien data`: import, look at, check and draw data sets."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import OmitArgPrefixes, Positional, subcommand

from .show import print_json, say

_SHOWN = 10


@dataclass
class Import:
    """Read a data set, in whatever layout it has, into a store."""

    source: Positional[Path]
    """The file or folder as it was downloaded and unpacked."""
    out: Path
    """The store to write, such as faces.h5."""
    layout: str = "auto"
    """Which importer reads it; auto looks."""
    votes: Literal["raw", "majority", "probability", "crossentropy", "multi_target"] = "raw"
    """FER+: the rule that turns ten votes into a distribution over eight emotions."""
    skip_bad: bool = False
    """Leave out rows and pictures that cannot be used, and list them."""
    json: bool = False
    """Print one JSON object instead of text."""

    def run(self) -> None:
        """Import, and say what was found."""
        from ..datasets import import_dataset
        from ..datasets.summary import summary

        start = time.perf_counter()
        with _bar(f"reading {self.source.name}") as progress:
            store = import_dataset(
                self.source, self.out, self.layout, votes=self.votes, skip_bad=self.skip_bad, progress=progress
            )
        found = summary(store) | {"seconds": round(time.perf_counter() - start, 2)}
        if self.json:
            print_json(found)
        else:
            _show_import(found)


@dataclass
class Info:
    """Show what a store holds: classes by split, votes, inputs, sources."""

    file: Positional[Path]
    """The store."""
    json: bool = False
    """Print one JSON object instead of text."""

    def run(self) -> None:
        """Show it."""
        from ..datasets.summary import summary
        from ..store import Store

        found = summary(Store(self.file))
        if self.json:
            print_json(found)
        else:
            _show_info(found)


@dataclass
class Check:
    """Hold every byte of a store against its checksum, and the store against its schema."""

    file: Positional[Path]
    """The store."""

    def run(self) -> None:
        """Say that it is whole; a damaged one raises StoreError."""
        from ..store import Store

        store = Store(self.file)
        store.check()
        say(f"{self.file}: whole ({len(store)} faces, every checksum holds)")


@dataclass
class Sketch:
    """Draw faces whose label, distribution and valence-arousal are known exactly, into a store."""

    out: Positional[Path]
    """The store to write."""
    count: int = 2000
    """How many faces."""
    size: int = 48
    """Side of a face in pixels."""
    seed: int = 0
    """The same seed draws the same faces."""

    def run(self) -> None:
        """Draw them."""
        from ..datasets.sketch import write_store

        store = write_store(self.out, self.count, self.size, self.seed)
        say(f"{len(store)} drawn faces -> {self.out}")


@dataclass
class Data:
    """Import, look at, check and draw data sets."""

    verb: OmitArgPrefixes[
        Annotated[Import, subcommand("import", prefix_name=False)]
        | Annotated[Info, subcommand("info", prefix_name=False)]
        | Annotated[Check, subcommand("check", prefix_name=False)]
        | Annotated[Sketch, subcommand("sketch", prefix_name=False)]
    ]

    def run(self) -> None:
        """Run the chosen verb."""
        self.verb.run()


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on stderr, where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show_import(found: dict[str, Any]) -> None:
    say(f"recognised as {found['importer']}")
    for note in found["notes"]:
        say(f"  {note}")
    _show_head(found["heads"][0], found["splits"])
    _show_left_out(found["left_out"])
    say(f"{found['faces']} faces in {found['seconds']} s -> {found['store']} ({_megabytes(found)})")


def _show_info(found: dict[str, Any]) -> None:
    picture = "x".join(map(str, found["picture"])) if found["picture"] else "mixed sizes"
    say(f"{found['store']}: {found['faces']} faces, {picture}, {_megabytes(found)}")
    options = "".join(f", {key} {value}" for key, value in found["options"].items())
    say(f"importer: {found['importer']} {found['version']}{options}")
    for name, checksum in found["inputs"].items():
        say(f"input: {name}  sha256 {checksum}")
    for note in found["notes"]:
        say(f"note: {note}")
    say(f"sources: {', '.join(found['sources'])}")
    for head in found["heads"]:
        _show_head(head, found["splits"])
    _show_left_out(found["left_out"])


def _show_head(head: dict[str, Any], splits: dict[str, int]) -> None:
    """A table of a head: one line a label, one column a split."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, title=f"{head['name']} ({head['kind']}, {head['meaning']})", title_justify="left")
    table.add_column("label")
    for split in splits:
        table.add_column(split, justify="right")
    for label, numbers in head["labels"].items():
        table.add_row(label, *(_number(numbers[split]) for split in splits))
    table.add_section()
    table.add_row("annotated", *(f"{head['annotated'][split]} of {faces}" for split, faces in splits.items()))
    Console(stderr=True).print(table)
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
