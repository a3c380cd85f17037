"""The last section: how to make it all again; commands, the configuration as the run resolved it, and versions."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import PurePath

from ..render.blocks import Block, Code, Facts, Subhead
from ..render.section import Section
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
    """The commands that train, evaluate and report this run again."""
    name, data = shlex.quote(record.name), record.data
    if record.config:
        yield f"mien train {name}/config.toml --out {name}"
    if data.get("split"):
        store = PurePath(str(data.get("store") or "")).name
        matched = [(one.head.name, str(one.compared["target"])) for one in record.heads if one.compared.get("target")]
        words = ["mien", "evaluate", record.name, *(["--data", store] if store else []), "--split", str(data["split"])]
        yield shlex.join([*words, *(word for head, target in matched for word in ("--match", f"{head}={target}"))])
    yield f"mien report {name}"
