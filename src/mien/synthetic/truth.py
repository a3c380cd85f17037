"""The true targets of a drawn face: exact functions of its distribution over eight emotions."""

import numpy as np

from ..labels import (
    EMOTION13,
    EXPRESSION7,
    EXPRESSION8,
    VAD,
    VAD_MEANS,
    VAD_SDS,
    VALENCE_AROUSAL,
    LabelSpace,
    canonical,
)
from ..records import Target
from ..tasks import TASKS, Head
from .expression import Array, valence_arousal

HEADS: tuple[Head, ...] = (
    TASKS["expression8"].head("expression8"),
    TASKS["expression7"].head("expression7"),
    TASKS["distribution8"].head("distribution8"),
    TASKS["distribution13"].head("distribution13"),
    TASKS["affect"].head("valence_arousal"),
    *TASKS["emotic"].heads,
)

#: The standard deviation that neutral is given in valence and in arousal, where none is published.
NEUTRAL_SPREAD = 0.1
#: A tag of EMOTIC applies where its weights, times the shares of the emotions, reach this.
TAG_THRESHOLD = 0.5
#: What the tags of EMOTIC mean on a drawn face: weights of the eight emotions. Made up for drawing.
TAGS: dict[str, dict[str, float]] = {
    "Affection": {"happy": 0.6, "neutral": 0.3},
    "Anger": {"angry": 1.0},
    "Annoyance": {"angry": 0.6, "contempt": 0.6},
    "Anticipation": {"surprise": 1.0, "happy": 0.6},
    "Aversion": {"disgust": 1.0, "fear": 0.5, "contempt": 0.5},
    "Confidence": {"contempt": 1.0, "neutral": 0.6, "happy": 0.6},
    "Disapproval": {"contempt": 1.0, "disgust": 1.0},
    "Disconnection": {"neutral": 1.0, "contempt": 1.0, "sad": 0.4},
    "Disquietment": {"fear": 1.0, "surprise": 0.6},
    "Doubt/Confusion": {"surprise": 0.6, "fear": 0.6, "contempt": 0.6},
    "Embarrassment": {"sad": 0.6, "fear": 0.3, "contempt": 0.3},
    "Engagement": {"happy": 1.0, "surprise": 1.0, "angry": 1.0},
    "Esteem": {"happy": 0.6, "surprise": 0.6, "neutral": 0.3},
    "Excitement": {"happy": 1.0, "surprise": 1.0},
    "Fatigue": {"sad": 0.6, "neutral": 0.6},
    "Fear": {"fear": 1.0},
    "Happiness": {"happy": 1.0},
    "Pain": {"sad": 0.6, "disgust": 0.6, "fear": 0.6},
    "Peace": {"neutral": 0.8},
    "Pleasure": {"happy": 0.8, "neutral": 0.3},
    "Sadness": {"sad": 1.0},
    "Sensitivity": {"sad": 0.8, "fear": 0.8},
    "Suffering": {"sad": 1.0, "disgust": 0.3, "fear": 0.6},
    "Surprise": {"surprise": 1.0},
    "Sympathy": {"sad": 0.6, "happy": 0.6, "surprise": 0.4},
    "Yearning": {"sad": 0.8, "surprise": 0.6, "neutral": 0.4},
}

_NAMES = [canonical(label) for label in EMOTION13.labels]
_MEANS = np.array([VAD_MEANS[name][:2] for name in _NAMES])
_SDS = np.array([VAD_SDS.get(name, (NEUTRAL_SPREAD, NEUTRAL_SPREAD)) for name in _NAMES])
_PLACES = np.array([VAD_MEANS[label] for label in EXPRESSION8.labels], np.float64)
_WEIGHTS = np.array([[weights.get(label, 0.0) for label in EXPRESSION8.labels] for weights in TAGS.values()])


def distribution13(valence: float, arousal: float) -> Array:
    """Return probabilities (13,) in the order of EMOTION13: the posterior of its normal distributions.

    arXiv 2602.06778, with the means and standard deviations it prints; neutral's 0 is read as NEUTRAL_SPREAD.
    """
    logs = -(((valence, arousal) - _MEANS) ** 2 / (2 * _SDS**2) + np.log(_SDS)).sum(axis=1)
    shares = np.exp(logs - logs.max())
    return np.asarray(shares / shares.sum())


def vad(probabilities: Array) -> Array:
    """Return (valence, arousal, dominance) in 1…10 of a distribution (8,): its emotions' mean position."""
    return np.asarray(5.5 + 4.5 * (probabilities @ _PLACES))


def tags(probabilities: Array) -> tuple[str, ...]:
    """Return the tags of EMOTIC that apply to a distribution (8,)."""
    return tuple(np.array(list(TAGS))[_WEIGHTS @ probabilities >= TAG_THRESHOLD].tolist())


def targets(probabilities: Array) -> dict[str, Target]:
    """Return the targets of all heads for a distribution (8,); no `expression7` for contempt."""
    label = EXPRESSION8.labels[int(probabilities.argmax())]
    place = valence_arousal(probabilities)
    found: dict[str, Target] = {
        "expression8": label,
        "distribution8": _named(EXPRESSION8, probabilities),
        "distribution13": _named(EMOTION13, distribution13(*place)),
        "valence_arousal": _named(VALENCE_AROUSAL, place),
        "tags": tags(probabilities),
        "vad": _named(VAD, vad(probabilities)),
    }
    return found | ({"expression7": label} if label in EXPRESSION7 else {})


def _named(space: LabelSpace, values: Array) -> dict[str, float]:
    return dict(zip(space.labels, values.tolist(), strict=True))
