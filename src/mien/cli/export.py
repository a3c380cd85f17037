"""`mien export`: write a run's ONNX model anew, checked against torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from .show import say


@dataclass
class Export:
    """Write a run's model.onnx from its weights; it is kept only if it answers as torch does."""

    run_folder: Positional[Path]
    """The run, as `mien train` wrote it."""
    calibration: Literal["", "temperature", "vector", "none"] = ""
    """Calibrate anew on the validation split, in this way (default: what the model holds stays)."""
    data: Path | None = None
    """Store to calibrate anew on (default: the run's own)."""

    def run(self) -> None:
        """Export and say where."""
        from ..extras import require

        require("torch", "train")
        from .. import export

        path = export.export(self.run_folder, calibration=self.calibration, store=self.data)
        say(f"model {path} ({path.stat().st_size / 1e6:.1f} MB)")
