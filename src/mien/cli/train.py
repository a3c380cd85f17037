"""`mien train`: from a TOML file to a run folder with model, results and report."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from .. import machine
from .terminal import exit_when_interrupted, print_json, say

if TYPE_CHECKING:
    from ..config import Config


@dataclass
class Train:
    """Train, evaluate, export and report as a TOML file says; `--section.key value` changes one of its
    values.

    Examples: `mien train configs/ferplus.toml --data.store faces.h5 --train.seed 3`, or one phase's rate with
    `--train.phases.0.lr 1e-3`. See configs/ for commented files.
    """

    config: Positional[Path]
    """The TOML file."""
    out: Path | None = None
    """Run folder (default: runs/<name of the file>)."""
    resume: bool = False
    """Go on with the run in that folder."""
    json: bool = False
    """Print the results as one JSON object on stdout."""

    def run(self, overrides: list[str]) -> None:
        """Train, export, evaluate on the validation split, and write the report."""
        from ..workflow import train_model

        settings = self._settings(overrides)
        folder = self.out or Path("runs") / self.config.stem
        again = ["mien", "train", str(self.config), "--out", str(folder), *overrides, "--resume"]
        with exit_when_interrupted(f"{folder} keeps every finished epoch; go on with: {shlex.join(again)}"):
            results = train_model(settings, folder, resume=self.resume)
        if not machine.is_main():
            return
        if self.json:
            print_json(results)
        say(f"model  {folder / 'model.onnx'}\nreport {folder / 'report.html'}")

    def _settings(self, overrides: list[str]) -> Config:
        """Load the configuration; of several processes rank 0 alone reports an error."""
        from .. import config

        if not machine.launched():
            return config.load(self.config, overrides, say)
        from ..train import distributed

        return distributed.run_on_all(lambda: config.load(self.config, overrides, say))
