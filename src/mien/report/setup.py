"""The last section: the configuration as the run resolved it, and the versions it ran with."""

from __future__ import annotations

from .record import RunRecord
from .section import Section


def section(record: RunRecord) -> Section:
    """config.toml as text, and versions."""
    note = "" if record.config else "The run holds no config.toml."
    return Section("Configuration", "setup", {"config": record.config, "versions": record.versions}, note)
