"""What an importer is, and the journal it keeps while it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import DataError
from ..records import Sample
from ..tasks import Head


@dataclass
class Journal:
    """How to read, and what was met: SHA-256 of the inputs, decisions taken (`notes`) and faults (`left_out`).

    `progress` is called now and then with the share done: bytes or files read, and their total. An importer that yields
    items to be loaded says beforehand how many (`total`).
    """

    source: str = ""
    skip_bad: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    progress: Callable[[int, int], None] | None = None
    total: int = 0
    inputs: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def advance(self, done: int, total: int) -> None:
        """Say how far reading is."""
        if self.progress:
            self.progress(done, total)

    def bad(self, fault: str) -> None:
        """Report a row or picture that cannot be used: noted when those are skipped, else raised as DataError."""
        if not self.skip_bad:
            raise DataError(f"{fault} (--skip-bad imports the rest)")
        self.left_out.append(fault)


#: What `read` yields: a sample, or work that makes one and that is done on any core while others are read. The work may
#: raise DataError or InputError, which is reported as `Journal.bad` would; or answer None: nothing to keep here.
Item = Sample | Callable[[], Sample | None]


@dataclass(frozen=True)
class Importer:
    """A layout that can be read. `recognises` only looks and never raises; `read` gives items in a fixed order, cheaply:
    pictures as paths, files of one sample inside its work, because a resumed import asks for all of them again.

    `heads` may depend on what is there. Raise `version` when the same input comes out differently.
    """

    name: str
    looks_for: str
    heads: tuple[Head, ...] | Callable[[Path, Journal], tuple[Head, ...]]
    recognises: Callable[[Path], bool]
    read: Callable[[Path, Journal], Iterator[Item]]
    version: str = "1"

    def heads_of(self, root: Path, journal: Journal) -> tuple[Head, ...]:
        """The targets that this source has. Raises DataError."""
        return self.heads if isinstance(self.heads, tuple) else self.heads(root, journal)
