"""What every format of results shares: rows as they come, and a file that is valid whenever work stops."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Protocol

from ... import files
from ...errors import ConfigError
from ...labels import EXPRESSION7, canonical
from ...predict.results import ModelOrigin, Result
from ...prediction import Prediction
from ...records import ReadError


class Writer(Protocol):
    """Writes results to one file, frame by frame, never half a frame."""

    #: The last frame of each source that an earlier run wrote, in the order of their last rows.
    done: Mapping[str, int]

    def add(self, result: Result) -> None:
        """Write one frame. Raises OSError naming the file; what was written before stays valid."""

    def fail(self, fault: ReadError) -> None:
        """Note what could not be read, where the format has a place for it."""

    def close(self) -> None:
        """Finish the file with all that was added, after an interruption too; a second call does nothing."""


class AtomicWriter:
    """Writes beside the target and takes its place at the end, in part after an interruption."""

    def __init__(self, path: Path, origin: ModelOrigin) -> None:
        """Begin. Raises OSError naming the file."""
        self.path, self.origin = path, origin
        self.done: Mapping[str, int] = {}
        self._stack = ExitStack()
        self.over = False
        with self.writing():
            self.part = self._stack.enter_context(files.atomic_write(path))
            path.parent.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Give the whole file up if something cannot be written."""
        try:
            with files.with_filename(self.path):
                yield
        except OSError as error:
            self.over = True
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise

    def finish(self) -> bool:
        """Whether there is a file to finish still; only once."""
        over, self.over = self.over, True
        return not over

    def fail(self, fault: ReadError) -> None:
        """Have no place for it."""


class TextDocument(AtomicWriter):
    """The base of formats that are one text: a head, texts with something between them, a tail."""

    head, between, tail = "", "", ""

    def __init__(self, path: Path, origin: ModelOrigin) -> None:
        """Write the head. Raises OSError naming the file."""
        super().__init__(path, origin)
        self._empty = True
        with self.writing():
            self._file: IO[str] = self._stack.enter_context(self.part.open("w", encoding="utf-8", newline=""))
            self._file.write(self.head)

    def add(self, result: Result) -> None:
        """Write one frame's texts."""
        with self.writing():
            for text in self.texts(result):
                self._file.write(text if self._empty else self.between + text)
                self._empty = False

    def texts(self, result: Result) -> list[str]:
        """What the file says of one frame."""
        raise NotImplementedError

    def close(self) -> None:
        """Write the tail and put the file in its place."""
        if self.finish():
            with self.writing():
                self._file.write(self.tail)
                self._stack.close()


def csv_line(cells: Iterable[object]) -> str:
    """Pack cells into a line of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def seven(origin: ModelOrigin, what: str) -> str:
    """Name the head of the seven basic expressions, the smallest if several have them. Raises ConfigError."""
    exclusive = [head for head in origin.task if head.kind.is_exclusive]
    heads = [head for head in exclusive if all(label in head.space for label in EXPRESSION7.labels)]
    if not heads:
        labels = ", ".join(EXPRESSION7.labels)
        raise ConfigError(f"format {what}: the model has no head with {labels}; use csv or json")
    return min(heads, key=len).name


def emotions(found: Prediction, head: str) -> dict[str, float]:
    """Probabilities of a head by canonical label."""
    return {canonical(label): value for label, value in found.outputs[head].items()}
