"""`mien models`: the backbones a configuration can name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .show import print_json, say


@dataclass
class Models:
    """List the backbones that `model.backbone` of a configuration can name: our own and timm's."""

    search: str = ""
    """Only names that contain this text (timm's are listed with this alone)."""
    json: bool = False
    """Print one JSON object on stdout."""

    def run(self) -> None:
        """List them. Raises MissingExtraError without the train extra."""
        from ..extras import require

        require("torch", "train")
        timm = require("timm", "train")
        from ..models import BACKBONES

        text = self.search.lower()
        own = [name for name in BACKBONES if text in name]
        known = timm.list_models()
        theirs = [_described(timm, name) for name in known if text and text in name and name not in BACKBONES]
        if self.json:
            print_json({"own": own, "timm": theirs, "timm_total": len(known)})
            return
        _print(own, theirs)
        if not text:
            say(f"and {len(known)} names of timm: mien models --search resnet")
        elif not own + theirs:
            say(f"no backbone's name contains '{self.search}' ({len(known)} names of timm searched)")


def _described(timm: Any, name: str) -> dict[str, Any]:
    """What timm knows of its default weights for a name: their tag and licence (None: no weights), and input size."""
    config = timm.models.get_pretrained_cfg(name)
    weights = bool(config and config.has_weights)
    return {
        "name": name,
        "size": config.input_size[-1] if config else None,
        "weights": config.tag if weights else None,
        "licence": config.license if weights else None,
    }


def _print(own: list[str], theirs: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for title in ("backbone", "from", "size", "pretrained weights", "their licence"):
        table.add_column(title, overflow="fold", no_wrap=title == "backbone")
    for name in own:
        table.add_row(name, "mien", "any", "–", "–")
    for entry in theirs:
        table.add_row(entry["name"], "timm", *(str(entry[key] or "–") for key in ("size", "weights", "licence")))
    if table.row_count:
        Console().print(table)
