"""The command line: parse, call, show. Each verb's `run` imports what is heavy, so `--help` is instant."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import tyro

from ..errors import ConfigError, MienError
from ..signals import sigterm_as_interrupt
from .compare import Compare
from .data import Data
from .evaluate import Evaluate
from .export import Export
from .models import Models
from .predict import Predict, predict
from .report import Report
from .terminal import exit_when_interrupted
from .train import Train
from .tune import Tune

_ABOUT = """Read affect from faces: from data sets to trained, evaluated and reported models, from pictures
to probabilities.

Every verb takes --debug, which shows the traceback of a fault."""

Verb = (
    Annotated[Data, tyro.conf.subcommand("data", prefix_name=False)]
    | Annotated[Train, tyro.conf.subcommand("train", prefix_name=False)]
    | Annotated[Tune, tyro.conf.subcommand("tune", prefix_name=False)]
    | Annotated[Evaluate, tyro.conf.subcommand("evaluate", prefix_name=False)]
    | Annotated[Compare, tyro.conf.subcommand("compare", prefix_name=False)]
    | Annotated[Report, tyro.conf.subcommand("report", prefix_name=False)]
    | Annotated[
        Predict,
        tyro.conf.subcommand("predict", prefix_name=False, constructor=predict),
        tyro.conf.OmitArgPrefixes,
        tyro.conf.FlagCreatePairsOff,
    ]
    | Annotated[Export, tyro.conf.subcommand("export", prefix_name=False)]
    | Annotated[Models, tyro.conf.subcommand("models", prefix_name=False)]
)


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and exit with 0 (done), 1 (failed) or 2 (wrong use)."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    if words == ["--version"]:
        from ..version import __version__

        sys.stdout.write(f"mien {__version__}\n")
        return
    verb, rest = tyro.cli(Verb, prog="mien", description=_ABOUT, args=words, return_unknown_args=True)
    if rest and not isinstance(verb, (Train, Tune)):
        sys.stderr.write(f"mien: unknown option {rest[0]} (see mien {words[0]} --help)\n")
        raise SystemExit(2)
    try:
        kept = "nothing is half written, run the same command again"
        with sigterm_as_interrupt(), exit_when_interrupted(kept):
            verb.run(*([rest] if isinstance(verb, (Train, Tune)) else []))
    except (MienError, OSError) as error:
        if debug:
            traceback.print_exc()
        sys.stderr.write(f"mien: {_message(error)}\n")
        raise SystemExit(2 if isinstance(error, ConfigError) else 1) from None


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)
