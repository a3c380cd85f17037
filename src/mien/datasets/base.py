"""What an importer is, and the log of an import: how to read, what was found, decided and left out."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import DataError, InputError
from ..progress import Progress, silent
from ..records import Sample
from ..tasks import Head


@dataclass
class ImportLog:
    """How to read, and what was found: SHA-256 of the `inputs`, decisions (`notes`), rows `left_out`.

    `progress` is called with what is done (bytes or files) and the total. An importer that yields pending
    samples sets `total` to their number before the first.
    """

    source: str = ""
    skip_bad: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    progress: Progress = silent
    total: int = 0
    inputs: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def reject(self, fault: str) -> None:
        """Leave out a row or picture that cannot be used; raise DataError where nothing may be skipped."""
        if not self.skip_bad:
            raise DataError(f"{fault} (--skip-bad imports the rest)")
        self.left_out.append(fault)

    @contextmanager
    def rejecting(self, where: str = "") -> Iterator[None]:
        """Reject what the block cannot read or use; `where` names the file and row unless the error does."""
        try:
            yield
        except (DataError, InputError, OSError) as error:
            self.reject(f"{where}: {error}" if where else str(error))

    def compare_counts(self, found: Iterable[str], published: Mapping[str, int]) -> None:
        """Note whether each name was found as often as published, and which were not."""
        counts = Counter(found)
        wrong = [name for name, count in published.items() if counts[name] != count]
        other = ", ".join(f"{name} {counts[name]} (official {published[name]})" for name in wrong)
        result = f"not the official counts: {other}" if other else "as published"
        self.notes.append(f"{counts.total()} pictures, {result}")


#: What `read` yields: a sample, or a function that makes one on any core. It may raise DataError or
#: InputError, which is rejected as by `ImportLog.reject`; None means nothing to keep.
PendingSample = Sample | Callable[[], Sample | None]


@dataclass(frozen=True)
class Importer:
    """A layout that can be read. `recognises` looks, never raises. `read` yields samples in a fixed order
    and cheaply, since a resumed import asks for all again: files as paths, or read in a sample's function.

    `heads` may depend on the source. Raise `version` when the same input comes out differently.
    """

    name: str
    looks_for: str
    heads: tuple[Head, ...] | Callable[[Path, ImportLog], tuple[Head, ...]]
    recognises: Callable[[Path], bool]
    read: Callable[[Path, ImportLog], Iterator[PendingSample]]
    version: str = "1"

    def heads_of(self, root: Path, log: ImportLog) -> tuple[Head, ...]:
        """Return the heads that this source has targets for. Raises DataError."""
        return self.heads if isinstance(self.heads, tuple) else self.heads(root, log)
