"""`mien export`: write a run's ONNX model again, checked against torch, and its int8 version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from .. import extras
from ..choices import Calibration
from ..errors import ModelError
from .terminal import print_json, say

if TYPE_CHECKING:
    from ..export.checking import Likeness, Loss


@dataclass
class Export:
    """Write a run's model.onnx from its weights; it is kept only if it answers as torch does."""

    run_folder: Positional[Path]
    """The run, as `mien train` wrote it."""
    int8: bool = False
    """Write model-int8.onnx too: smaller and faster, calibrated with training faces, its temperature fitted
    anew."""
    check: bool = False
    """Compare the models with torch, and int8 with float, on real faces of the run's store, and time them."""
    calibration: Calibration | None = None
    """Calibrate anew on the validation split, in this way (default: what the model holds stays)."""
    data: Path | None = None
    """Store to calibrate anew on, and to take faces from (default: the run's own)."""
    json: bool = False
    """Print one JSON object on stdout."""

    def run(self) -> None:
        """Export, check and print. Raises ModelError where a model does not answer as torch does."""
        extras.require("torch", "train")
        from .. import export

        recalibrate = self.data if self.calibration or not (self.int8 or self.check) else None
        models = [export.export(self.run_folder, calibration=self.calibration or "", store=recalibrate)]
        if self.int8:
            models.append(export.quantise(self.run_folder, self.data))
        for path in models:
            say(f"model {path} ({path.stat().st_size / 1e6:.1f} MB, ONNX opset {export.OPSET})")
        if self.check:
            self._check(models)

    def _check(self, models: list[Path]) -> None:
        from ..export import TOLERANCE, checking

        alike = checking.against_torch(self.run_folder, self.data)
        record = {"torch": [*map(vars, alike)]}
        _say_alike("ONNX against torch", alike)
        if len(models) > 1:
            twins, losses = checking.against_float(self.run_folder, models[1], self.data)
            record |= {"int8": [*map(vars, twins)], "metrics": [*map(vars, losses)]}
            _say_alike("int8 against float", twins)
            _say_losses(losses)
        record["speed"] = self._time(models)
        if self.json:
            print_json(record)
        if (worst := max(likeness.largest for likeness in alike)) > TOLERANCE:
            allowed = f"at most {TOLERANCE:.0e} is allowed"
            raise ModelError(f"{models[0]}: answers differ from torch by {worst:.1e}, {allowed}")

    def _time(self, models: list[Path]) -> list[dict[str, float | str]]:
        from ..predict import speed

        timing = speed.measure(models, threads=1, budget=30)
        timings: list[dict[str, float | str]] = []
        for path, measured in zip(models, timing.speeds, strict=True):
            size, milliseconds = path.stat().st_size / 1e6, measured.latency * 1e3
            say(f"{path.name}: {size:.1f} MB, one face {milliseconds:.2f} ms, {measured.rate:.0f} faces/s")
            figures = {"megabytes": size, "milliseconds": milliseconds, "faces_per_second": measured.rate}
            timings.append({"model": path.name, **figures})
        say(timing.describe())
        return timings


def _say_alike(title: str, found: list[Likeness]) -> None:
    for likeness in found:
        share = likeness.agreement
        same = "" if share is None else f", same label on {share:.2%}"
        largest = f"largest difference {likeness.largest:.1e}{same}"
        say(f"{title}, {likeness.faces} faces, {likeness.head}: {largest}")


def _say_losses(losses: list[Loss]) -> None:
    for loss in losses:
        change = f"{loss.before:.4f} in float, {loss.after:.4f} in int8 ({loss.after - loss.before:+.4f})"
        say(f"{loss.head} {loss.metric}: {change}")
