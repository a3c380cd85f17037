"""`json`: one document with everything, the model and what could not be read included."""

from __future__ import annotations

import json
from pathlib import Path

from ...predict.results import ModelOrigin, Result
from ...records import ReadError
from .writer import TextDocument

SCHEMA = 1


class Document(TextDocument):
    """Written as it grows: only what could not be read is kept until the end."""

    between = ",\n"

    def __init__(self, path: Path, origin: ModelOrigin) -> None:
        """Open it. Raises OSError naming the file."""
        model = {"name": origin.name, "sha256": origin.sha256, "heads": list(origin.heads)}
        record = {"schema": SCHEMA, "model": model, "settings": origin.settings}
        start = json.dumps(record, ensure_ascii=False)
        self.head = start[:-1] + ', "pictures": [\n'
        self._failed: list[ReadError] = []
        super().__init__(path, origin)

    def texts(self, result: Result) -> list[str]:
        """The frame as an object."""
        return [json.dumps(result.to_dict(), ensure_ascii=False)]

    def fail(self, fault: ReadError) -> None:
        """Keep it for the end."""
        self._failed.append(fault)

    def close(self) -> None:
        """End the lists and put the file in its place."""
        failed = [
            {"source": fault.source, "frame": fault.index, "timestamp": fault.time, "error": fault.reason}
            for fault in self._failed
        ]
        self.tail = "\n], " + json.dumps({"failed": failed}, ensure_ascii=False)[1:] + "\n"
        super().close()
