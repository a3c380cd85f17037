"""A small store with every kind of target, and the smallest configuration that trains on it."""

import numpy as np

from mien import store
from mien.config import from_dict
from mien.labels import EMOTION13, EXPRESSION8
from mien.records import Sample
from mien.tasks import TASKS

HEADS = (
    *TASKS["affect"].heads,
    *TASKS["expression7"].heads,
    *TASKS["distribution8"].heads,
    *TASKS["distribution13"].heads,
    *TASKS["emotic"].heads,
    *TASKS["compound11"].heads,
)


def samples(count):
    """Bright or dark noise: the brighter, the happier. Some targets are missing."""
    draw = np.random.default_rng(5)
    for k in range(count):
        name = ("happy", "sad", "neutral")[k % 3]
        level = {"happy": 190, "sad": 60, "neutral": 125}[name]
        image = np.clip(draw.normal(level, 40, (24, 24)), 0, 255).astype(np.uint8)
        targets = {
            "expression7": name,
            "distribution8": {label: 7 if label == name else 3 / 7 for label in EXPRESSION8.labels},
            "distribution13": {label: 0.88 if label == name else 0.01 for label in EMOTION13.labels},
            "tags": ["Happiness", "Peace"] if name == "happy" else ["Sadness"],
            "vad": {"valence": level / 25.0, "arousal": 5.0},
            "compound11": {"happy": "happily surprised", "sad": "sadly fearful", "neutral": "sadly angry"}[
                name
            ],
        }
        if k % 7:
            targets["expression8"] = name
            targets["valence_arousal"] = {"valence": (level - 125) / 80} | ({"arousal": 0.1} if k % 5 else {})
        yield Sample.of_image(image, targets, "train" if k % 4 else "validation", f"face{k}")


def write(path):
    """A store of 96 faces of 24x24, 72 of them to train on."""
    return store.write(path, samples(96), HEADS, store.Origin("test", "1"))


def config(path, task="expression7", model=None, **train):
    """A configuration that trains on it in a moment."""
    table = {
        "task": task,
        "data": {"store": str(path)},
        "model": {"size": 24, "options": {"widths": [4, 8], "depth": 1}, **(model or {})},
        "train": {"batch_size": 16, "threads": 1, "phases": [{"epochs": 2, "lr": 0.01}], **train},
    }
    return from_dict(table, "test")
