"""A small store of scenes in the manner of EMOTIC: what surrounds a person decides the tags, the person's box
the mood."""

import numpy as np

from mien import store
from mien.media.image import encode
from mien.records import Box, Sample
from mien.tasks import TASKS
from tests import tiny_run


def samples(count):
    """Noise of a bright or dark place with a bright or dark person in it; pictures differ in size."""
    draw = np.random.default_rng(8)
    for k in range(count):
        place, person = 60 + 130 * (k % 2), 60 + 130 * (k // 2 % 2)
        picture = draw.normal(place, 20, (40 + k % 7, 56 + k % 5, 3))
        box = Box(int(draw.integers(-2, 36)), int(draw.integers(0, 12)), 14, 22)
        picture[box.y : box.y + box.height, max(box.x, 0) : box.x + box.width] += person - place
        mood = {"valence": person / 25, "arousal": 10 - person / 25}
        targets = {
            "tags": ["Peace"] if k % 2 else ["Fear", "Pain"],
            "vad": mood | ({"dominance": person / 25} if k % 3 else {}),
        }
        pixels = np.clip(picture, 0, 255).astype(np.uint8)
        yield Sample.of_image(
            encode(pixels, "PNG"), targets, "train" if k % 5 > 1 else "validation", f"scene{k}", box
        )


def write(path, count=80):
    """A store of these scenes, three of five to train on."""
    return store.write(path, samples(count), TASKS["emotic"].heads, store.Origin("test", "1"))


def config(path, model=None, **train):
    """A configuration that looks at the person and the place, and trains in a moment."""
    both = {"size": 16, "colour": "rgb", "views": ["crop", "picture"], "margin": 0.1, **(model or {})}
    return tiny_run.config(path, "emotic", both, **train)
