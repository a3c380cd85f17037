"""Colours: one per emotion, readable on light and dark paper, and the page's own colours by name.

Emotions are told apart by hue after Okabe-Ito and Tol, kept within one band of lightness so that each stands out at
3:1 from both papers; no plot relies on colour alone.
"""

from __future__ import annotations

from ..labels import LabelSpace, canonical

EMOTIONS: dict[str, str] = {
    "neutral": "#868e96",
    "happy": "#c08400",
    "sad": "#2f7fc4",
    "surprise": "#159bb0",
    "fear": "#8b6bd1",
    "disgust": "#1f9d6b",
    "angry": "#d8502f",
    "contempt": "#c2609f",
    "serene": "#45998c",
    "contemplative": "#a9719c",
    "secure": "#668bc4",
    "untroubled": "#9f8f38",
    "quiet": "#8a9440",
}
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
