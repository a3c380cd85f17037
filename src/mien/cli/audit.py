"""`mien data audit` and `mien data clean`: what is wrong with a store, and a new store without it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from ..choices import Split
from ..errors import ConfigError
from .terminal import new_table, print_json, progress_bar, say, show

if TYPE_CHECKING:
    from .. import audit as auditing

_COLOURS = {"error": "red", "warning": "yellow", "note": ""}


@dataclass
class DataAudit:
    """Look for blank and duplicate pictures, leaks between splits, and contradictory or impossible
    annotations."""

    file: Positional[Path]
    """The store."""
    out: Path | None = None
    """The folder for audit.html and audit.json (default: beside the store, its name with -audit)."""
    json: bool = False
    """Print one JSON object instead of text, and write nothing unless --out is given."""

    def run(self) -> None:
        """Audit the store, show the findings, and write the page."""
        from ..store import Store

        store = Store(self.file)
        found = _audited(store)
        folder = self.out or (None if self.json else self.file.with_name(f"{self.file.stem}-audit"))
        page = _write(found, store, folder) if folder else None
        if self.json:
            print_json(found.to_dict())
            return
        _show(found)
        say(f"pictures side by side: {page} ({page.stat().st_size / 1e6:.2f} MB)" if page else "")


@dataclass
class DataClean:
    """Write a new store without what an audit finds; the new store records what was dropped, and why."""

    file: Positional[Path]
    """The store. It is left as it is."""
    out: Path
    """The store to write."""
    drop: tuple[str, ...] = ()
    """Findings to drop by their code, such as constant duplicate leak, or for one head
    conflict:expression7."""
    rows: Path | None = None
    """A text file of more rows to drop, whatever their split: a source or a row number on each line."""
    splits: tuple[Split, ...] = ("train",)
    """Splits that findings may take rows from; by default test sets stay whole, so that figures remain
    comparable."""
    json: bool = False
    """Print one JSON object instead of text."""

    def run(self) -> None:
        """Audit the store, choose what to drop, write the clean store, and show what was dropped."""
        from ..audit import clean
        from ..store import Store

        if not self.drop and not self.rows:
            raise ConfigError(f"nothing to drop: give --drop (of: {', '.join(clean.DROPPABLE)}) or --rows")
        clean.check_out(self.out, self.file)
        store = Store(self.file)
        clean.check_names(self.drop, store)
        by_hand = clean.read_rows(self.rows, store) if self.rows else []
        found = _audited(store)
        decided = clean.plan(found, store, self.drop, self.splits, by_hand)
        options = {"dropped": " ".join(self.drop), "dropped from": " ".join(self.splits)}
        new = clean.clean(found, store, self.out, decided, options)
        counts = {
            split: [len(store.rows(split)), len(new.rows(split)) if split in new.splits else 0]
            for split in store.splits
        }
        result: dict[str, Any] = {"store": str(self.out), "splits": counts}
        result |= {"dropped": dict(decided.dropped), "kept": dict(decided.kept)}
        if self.json:
            print_json(result)
        else:
            _show_clean(result)


def _audited(store: Any) -> auditing.Audit:
    from ..audit import audit

    with progress_bar(f"looking at {store.path.name}") as progress:
        return audit(store, progress=progress)


def _write(found: auditing.Audit, store: Any, folder: Path) -> Path:
    import json

    from ..files import write_text
    from ..report.audit import write_audit

    write_text(folder / "audit.json", json.dumps(found.to_dict(), ensure_ascii=False) + "\n")
    return write_audit(found, store, folder / "audit.html")


def _show(found: auditing.Audit) -> None:
    """Print a table of the findings: a row for each, a column for each split."""
    table = new_table(f"{found.store}: {found.faces} faces, {len(found.findings)} findings")
    table.add_column("finding", no_wrap=True)
    for split in found.splits:
        table.add_column(split, justify="right")
    table.add_column("what")
    for finding in found.findings:
        counts = [str(finding.by_split[split]) if finding.rows else "-" for split in found.splits]
        table.add_row(finding.name, *counts, finding.says, style=_COLOURS[finding.check.severity])
    show(table)
    say(f"nothing found: {', '.join(found.nothing)}")


def _show_clean(result: dict[str, Any]) -> None:
    for name, count in result["dropped"].items():
        say(f"dropped {count} for {name}")
    for name, count in result["kept"].items():
        say(f"kept {count} of {name}: their split stays whole (--splits names those that may lose rows)")
    counts = ", ".join(f"{split} {after} of {before}" for split, (before, after) in result["splits"].items())
    say(f"{counts} -> {result['store']}")
