"""One colour for each label and one set of papers, wherever they are shown: reports, annotated pictures,
plots, terminal.

Emotions differ in hue after Okabe-Ito and Tol, kept within one band of lightness so that each stands
out at 3:1 from light and dark paper; nothing relies on colour alone.
"""

from .labels import LabelSpace, canonical

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
#: For labels that are no emotion of these, after those of the emotions that their space lacks.
OTHERS = ("#b06a3c", "#5c78e0", "#d1548a", "#6f9a2e", "#a55fd0", "#b3855a")
#: What labels share that are too many for a colour each.
SHARED = "#5580e0"

#: Colours of a page or plot by name: on light paper, on dark paper.
PAGE: dict[str, tuple[str, str]] = {
    "paper": ("#fbfbfc", "#14171a"),
    "card": ("#ffffff", "#1b1f23"),
    "ink": ("#1b2026", "#e6e9ec"),
    "muted": ("#5b6470", "#9aa4af"),
    "line": ("#e2e6ea", "#2c3238"),
    "accent": ("#2b59c3", "#86abf5"),
    "second": ("#b4540a", "#eba15c"),
}
_BRIGHTER = 1.35


def colours(space: LabelSpace) -> dict[str, str]:
    """A colour for each label, for light and dark paper: the emotion's own; others take turns, or share one
    if too many."""
    found = {label: EMOTIONS.get(canonical(label)) for label in space.labels}
    free = [colour for colour in (*EMOTIONS.values(), *OTHERS) if colour not in found.values()]
    few = list(found.values()).count(None) <= len(free)
    turns = iter(free)
    return {label: colour or (next(turns) if few else SHARED) for label, colour in found.items()}


def bright(colour: str) -> tuple[int, int, int]:
    """A colour as red, green and blue 0…255, made brighter without a change of hue: for text and lines on
    dark grounds."""
    parts = bytes.fromhex(colour[1:])
    red, green, blue = (round(part * min(_BRIGHTER, 255 / max(parts))) for part in parts)
    return red, green, blue
