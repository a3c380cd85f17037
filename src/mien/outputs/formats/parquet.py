"""`parquet`: the columns of `csv` with their types, in row groups as they come."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ConfigError
from ...extras import require
from ...predict.results import ModelOrigin, Result, Row, columns
from ...records import Box
from .resume import OTHER_COLUMNS, ResumeState
from .writer import AtomicWriter

if TYPE_CHECKING:
    import pyarrow

GROUP = 8192
_TEXTS = ("source", "dominant", "tags", "model", "model_sha256", "settings")
_NUMBERS = ("frame", "shot", "width", "height", "faces", "face_id", *(f"box_{name}" for name in Box._fields))


class Parquet(AtomicWriter):
    """Rows are gathered to groups of GROUP. The groups of an earlier run are copied first."""

    def __init__(self, path: Path, origin: ModelOrigin) -> None:
        """Begin, or go on. Raises OSError naming the file, ConfigError where it holds something else."""
        self._arrow = require("pyarrow", "evaluate")
        parquet = require("pyarrow.parquet", "evaluate")
        self._schema = _schema(self._arrow, origin)
        earlier = _opened(parquet, path, self._schema, origin) if path.exists() else None
        super().__init__(path, origin)
        self._rows: list[Row] = []
        with self.writing():
            self._writer: Any = parquet.ParquetWriter(self.part, self._schema)
            self._stack.callback(_shut, self._writer)
            if earlier:
                file, self.done = earlier
                for group in range(file.num_row_groups):
                    self._writer.write_table(file.read_row_group(group))
                file.close()

    def add(self, result: Result) -> None:
        """Take one frame's rows."""
        self._rows += result.rows(self.origin)
        if len(self._rows) >= GROUP:
            self._flush()

    def close(self) -> None:
        """Write what was gathered and the footer, and put the file in its place."""
        if self.finish():
            self._flush()
            with self.writing():
                self._writer.close()
                self._stack.close()

    def _flush(self) -> None:
        with self.writing():
            if self._rows:
                self._writer.write_table(self._arrow.Table.from_pylist(self._rows, self._schema))
        self._rows = []


def _shut(writer: Any) -> None:
    """Close a writer whose file may not take its footer any more."""
    with suppress(OSError, ValueError):
        writer.close()


def _schema(arrow: Any, origin: ModelOrigin) -> pyarrow.Schema:
    kinds = dict.fromkeys(_TEXTS, arrow.string()) | dict.fromkeys(_NUMBERS, arrow.int64())
    kinds |= {"abstained": arrow.bool_(), "landmarks": arrow.list_(arrow.list_(arrow.float64()))}
    return arrow.schema([(name, kinds.get(name, arrow.float64())) for name in columns(origin.task)])


def _opened(parquet: Any, path: Path, schema: Any, origin: ModelOrigin) -> tuple[Any, dict[str, int]]:
    try:
        file = parquet.ParquetFile(path)
    except (ValueError, OSError):
        raise ConfigError(f"{path}: not a Parquet file; choose another file or --overwrite") from None
    if not file.schema_arrow.equals(schema):
        file.close()
        raise ConfigError(f"{path}: {OTHER_COLUMNS}")
    held = ResumeState(path, origin)
    for batch in file.iter_batches(columns=["source", "frame", "faces", "model", "model_sha256", "settings"]):
        for row in batch.to_pylist():
            held.take(row)
    return file, held.done
