"""One colour for each emotion, wherever it is shown: reports and annotated pictures.

Emotions are told apart by hue after Okabe-Ito and Tol, kept within one band of lightness so that each stands out at 3:1
from light and dark paper; nothing relies on colour alone.
"""

from __future__ import annotations

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
_BRIGHTER = 1.35


def bright(colour: str) -> tuple[int, int, int]:
    """A colour as red, green and blue 0…255, made brighter without a change of hue: for dark grounds."""
    parts = bytes.fromhex(colour[1:])
    red, green, blue = (round(part * min(_BRIGHTER, 255 / max(parts))) for part in parts)
    return red, green, blue
