"""`mien train`: from a TOML file to a run folder with a model, its figures and a report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from .show import print_json, say


@dataclass
class Train:
    """Train, evaluate, export and report as a TOML file says; `--section.key value` changes one of its values.

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
        from .. import config
        from ..workflow import train_model

        settings = config.load(self.config, overrides)
        folder = self.out or Path("runs") / self.config.stem
        try:
            results = train_model(settings, folder, resume=self.resume)
        except KeyboardInterrupt:
            say(f"mien: stopped; {folder} keeps what is finished, the same command with --resume goes on")
            raise SystemExit(130) from None
        if self.json:
            print_json(results)
        say(f"model  {folder / 'model.onnx'}\nreport {folder / 'report.html'}")
