"""The section Reproduce: the commands that make the run again, its configuration as resolved, and
versions."""

import shlex
from collections.abc import Iterator
from pathlib import PurePath

from ..render.blocks import Block, Code, Facts, Section, Subhead
from .record import RunRecord


def section(record: RunRecord) -> Section:
    """Commands, versions, and config.toml as text."""
    note = "" if record.config else "The run holds no config.toml."
    return Section("Reproduce", note=note, blocks=tuple(_blocks(record)))


def _blocks(record: RunRecord) -> Iterator[Block]:
    yield Subhead("Commands", "from the folder that holds the run folder and the store")
    yield Code("\n".join(commands(record)))
    if record.versions:
        yield Subhead("Versions")
        yield Facts(tuple((name, str(version)) for name, version in record.versions.items()))
    if record.config:
        yield Code(record.config, "config.toml")


def commands(record: RunRecord) -> Iterator[str]:
    """The commands that train the run, evaluate it on each split and report it again."""
    name = shlex.quote(record.name)
    if record.config:
        yield f"mien train {name}/config.toml --out {name}"
    for scored in record.splits:
        yield _evaluate(scored)
    other = record.splits and record.split != record.splits[0].split
    yield f"mien report {name}" + (f" --split {record.split}" if other else "")


def _evaluate(record: RunRecord) -> str:
    """The command that evaluates the run on the record's split."""
    store = PurePath(str(record.data.get("store") or "")).name
    model = record.name if record.model == "model.onnx" else f"{record.name}/{record.model}"
    words = ["mien", "evaluate", model, *(["--data", store] if store else []), "--split", record.split]
    for result in record.heads:
        if target := result.compared.get("target"):
            words += ["--match", f"{result.head.name}={target}"]
    return shlex.join(words)
