"""What a file of results holds already, so that a run goes on where an earlier one stopped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import ConfigError
from ...predict.results import ModelOrigin
from ...predict.settings import current_words

OTHER_COLUMNS = "holds other columns than this model's; choose another file or --overwrite"


class ResumeState:
    """Reads an earlier run's rows. `done`: the last whole frame of each source, that of the last row last."""

    def __init__(self, path: Path, origin: ModelOrigin) -> None:
        """Rows of `path`; only those of the same model and settings can be gone on with."""
        self._path, self._origin = path, origin
        self.done: dict[str, int] = {}
        self._last: tuple[str, int] | None = None
        self._rows = 0

    def take(self, row: Mapping[str, Any]) -> bool:
        """Take a row; True for the last of its frame. Raises ConfigError for another model or settings."""
        origin = self._origin
        found, needed = f"{row['model']} {row['model_sha256'][:12]}", f"{origin.name} {origin.sha256[:12]}"
        self._check_same("model", found, needed)
        self._check_same("settings", current_words(row["settings"]), origin.settings)
        frame = row["source"], int(row["frame"])
        self._rows = self._rows + 1 if frame == self._last else 1
        self._last = frame
        if self._rows < int(row["faces"]):
            return False
        self.done[frame[0]] = max(frame[1], self.done.pop(frame[0], 0))
        return True

    def _check_same(self, what: str, found: str, needed: str) -> None:
        if found != needed:
            raise ConfigError(
                f"{self._path}: holds results of other {what} ('{found}', now '{needed}'); "
                "give the same, choose another file or --overwrite"
            )
