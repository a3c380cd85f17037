"""The one vocabulary: every class name, order, alias and position in valence, arousal and dominance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from .errors import DataError

#: Other spellings met in data sets, in lower case, and the name they stand for here.
ALIASES: dict[str, str] = {
    "anger": "angry", "disgusted": "disgust", "fearful": "fear", "afraid": "fear", "happiness": "happy",
    "joy": "happy", "sadness": "sad", "surprised": "surprise", "normal": "neutral", "neutrality": "neutral",
    "contemptuous": "contempt", "nf": "no-face", "no face": "no-face", "not a face": "no-face",
    "disquitement": "disquietment", "doubt": "doubt/confusion", "confusion": "doubt/confusion",
    "doubt confusion": "doubt/confusion",
}  # fmt: skip

#: Valence, arousal, dominance in -1…1 (None: not known). Valence and arousal: Russell & Mehrabian 1977,
#: "Evidence for a three-factor theory of emotions", means as used by the AffectNet distribution labels (arXiv
#: 2602.06778). Dominance: the same study's PAD table.
VAD_MEANS: dict[str, tuple[float, float, float | None]] = {
    "neutral": (0.0, 0.0, 0.0), "happy": (0.81, 0.51, 0.46), "sad": (-0.63, -0.27, -0.33),
    "surprise": (0.40, 0.67, -0.13), "fear": (-0.64, 0.60, -0.43), "disgust": (-0.60, 0.35, 0.11),
    "angry": (-0.51, 0.59, 0.25), "contempt": (-0.23, 0.31, 0.18), "serene": (0.65, -0.33, None),
    "contemplative": (0.15, -0.18, None), "secure": (0.74, -0.13, None), "untroubled": (0.79, -0.01, 0.33),
    "quiet": (0.19, -0.40, None),
}  # fmt: skip

#: Standard deviation of valence and of arousal where VAD_MEANS says the mean: with it the normal distribution
#: of each of the 13 emotions of arXiv 2602.06778. None is known for neutral (0 is printed there).
VAD_SDS: dict[str, tuple[float, float]] = {
    "happy": (0.21, 0.26), "sad": (0.23, 0.34), "surprise": (0.30, 0.27), "fear": (0.20, 0.32),
    "disgust": (0.20, 0.41), "angry": (0.20, 0.33), "contempt": (0.39, 0.33), "serene": (0.29, 0.36),
    "contemplative": (0.41, 0.30), "secure": (0.22, 0.32), "untroubled": (0.25, 0.46), "quiet": (0.57, 0.21),
}  # fmt: skip


def canonical(name: str) -> str:
    """The name a spelling stands for: lower case, without blanks around it, aliases resolved."""
    plain = " ".join(name.strip().lower().replace("_", " ").split())
    return ALIASES.get(plain, plain)


@dataclass(frozen=True)
class LabelSpace:
    """The ordered labels of a head, compared in canonical form. Raises ValueError on repeats."""

    name: str
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.labels:
            raise ValueError(f"label space '{self.name}' has no labels")
        if len(self._index) != len(self.labels):
            raise ValueError(f"label space '{self.name}' names a label twice: {', '.join(self.labels)}")

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {canonical(label): position for position, label in enumerate(self.labels)}

    def __contains__(self, name: str) -> bool:
        return canonical(name) in self._index

    def index(self, name: str) -> int:
        """Position of a name, under any spelling. Raises DataError naming the choices."""
        try:
            return self._index[canonical(name)]
        except KeyError:
            choices = ", ".join(self.labels)
            raise DataError(f"'{name}' is no label of {self.name} (one of: {choices})") from None

    def mapping_to(self, other: LabelSpace) -> tuple[int | None, ...]:
        """For each label here, its position in `other`, or None where `other` lacks it."""
        return tuple(other._index.get(canonical(label)) for label in self.labels)

    @property
    def positions(self) -> tuple[tuple[float, float], ...] | None:
        """(valence, arousal) of each label in -1…1, or None if a label has no known position."""
        found = [VAD_MEANS.get(canonical(label)) for label in self.labels]
        return tuple(spot[:2] for spot in found if spot) if all(found) else None

    def distances(self, axes: int = 3) -> tuple[tuple[float, ...], ...]:
        """Ground distance between labels, 0 or 1 where a position is not known; else Euclidean in as many of
        valence, arousal and dominance as all labels have, at most `axes`."""
        found = [VAD_MEANS.get(canonical(label)) for label in self.labels]
        spots = [spot for spot in found if spot is not None]
        if len(spots) < len(self.labels):
            return tuple(tuple(float(i != j) for j in range(len(self))) for i in range(len(self)))
        points = [tuple(axis for axis in spot if axis is not None) for spot in spots]
        axes = min(axes, *map(len, points))
        return tuple(tuple(math.dist(a[:axes], b[:axes]) for b in points) for a in points)


EXPRESSION7 = LabelSpace("expression7", ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"))
EXPRESSION8 = LabelSpace(
    "expression8", ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt")
)  # fmt: skip
FERPLUS10 = LabelSpace("ferplus10", (*EXPRESSION8.labels, "unknown", "no-face"))
AFFECTNET8 = LabelSpace(
    "affectnet8", ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
)  # fmt: skip
EMOTION13 = LabelSpace(
    "emotion13", (*AFFECTNET8.labels, "serene", "contemplative", "secure", "untroubled", "quiet")
)  # fmt: skip
#: Two relatives of the 13-value distributions, in the order of their code (jbcnrlz/emotion_recognition).
EMOTION14 = LabelSpace(
    "emotion14",
    ("happy", "contempt", "elated", "hopeful", "surprised", "proud", "loved", "angry", "astonished",
     "disgusted", "fearful", "sad", "fatigued", "neutral"),
)  # fmt: skip
UNIVERSAL8 = LabelSpace(
    "universal8", ("happy", "contempt", "surprise", "angry", "disgust", "fear", "sad", "neutral")
)  # fmt: skip
COMPOUND11 = LabelSpace(
    "compound11",
    ("happily surprised", "happily disgusted", "sadly fearful", "sadly angry", "sadly surprised",
     "sadly disgusted", "fearfully angry", "fearfully surprised", "angrily surprised", "angrily disgusted",
     "disgustedly surprised"),
)  # fmt: skip
EMOTIC26 = LabelSpace(
    "emotic26",
    ("Affection", "Anger", "Annoyance", "Anticipation", "Aversion", "Confidence", "Disapproval",
     "Disconnection", "Disquietment", "Doubt/Confusion", "Embarrassment", "Engagement", "Esteem",
     "Excitement", "Fatigue", "Fear", "Happiness", "Pain", "Peace", "Pleasure", "Sadness", "Sensitivity",
     "Suffering", "Surprise", "Sympathy", "Yearning"),
)  # fmt: skip
VALENCE_AROUSAL = LabelSpace("valence_arousal", ("valence", "arousal"))
VAD = LabelSpace("vad", ("valence", "arousal", "dominance"))

_ALL = (
    EXPRESSION7, EXPRESSION8, FERPLUS10, AFFECTNET8, EMOTION13, EMOTION14, UNIVERSAL8, COMPOUND11, EMOTIC26,
    VALENCE_AROUSAL, VAD,
)  # fmt: skip
SPACES: dict[str, LabelSpace] = {space.name: space for space in _ALL}
