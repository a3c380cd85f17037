"""The page's own colours by name, and a colour for each label of a head."""

from __future__ import annotations

from ..labels import LabelSpace, canonical
from ..palette import EMOTIONS

_NAMELESS = tuple(EMOTIONS.values())[1:]

#: The page's colours by name: on light paper, on dark paper.
PAGE: dict[str, tuple[str, str]] = {
    "paper": ("#fbfbfc", "#14171a"),
    "card": ("#ffffff", "#1b1f23"),
    "ink": ("#1b2026", "#e6e9ec"),
    "muted": ("#5b6470", "#9aa4af"),
    "line": ("#e2e6ea", "#2c3238"),
    "accent": ("#2b59c3", "#86abf5"),
    "second": ("#b4540a", "#eba15c"),
}

#: Stand-ins that plots are drawn with; on the page each becomes `var(--name)`, so a plot follows the paper.
STAND_IN: dict[str, str] = {name: f"#0a0b{number:02x}" for number, name in enumerate(PAGE, 1)}


def colours(space: LabelSpace) -> dict[str, str]:
    """A colour for each label: the emotion's own; others take turns, or share the accent where they are too many."""
    found = {label: EMOTIONS.get(canonical(label)) for label in space.labels}
    few = list(found.values()).count(None) <= len(_NAMELESS)
    turns = iter(_NAMELESS)
    return {label: colour or (next(turns) if few else "var(--accent)") for label, colour in found.items()}
