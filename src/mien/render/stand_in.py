"""The page's own colours by name, and a colour for each label of a head, as plots and blocks ask for them."""

from __future__ import annotations

from ..palette import PAGE, colours

__all__ = ["PAGE", "STAND_IN", "colours"]

#: Stand-ins that plots are drawn with; on the page each becomes `var(--name)`, so a plot follows the paper.
STAND_IN: dict[str, str] = {name: f"#0a0b{number:02x}" for number, name in enumerate(PAGE, 1)}
