"""Pictures of several people, as EMOTIC has them: coloured noise with boxes, tags, ratings."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mien.datasets.base import PendingSample
from mien.labels import EMOTIC26, VAD
from mien.records import Box, Sample

SPLITS = ("train", "train", "validation", "test")
#: How many people the pictures have, in turn.
PEOPLE = (1, 3, 2, 1)


def drawn(pictures: int = 8, width: int = 60, height: int = 40) -> list[Sample]:
    """Samples of so many pictures, those of one picture one after another; every tag occurs."""
    rng = np.random.default_rng(7)
    samples, tag = [], 0
    for number in range(pictures):
        image = rng.integers(0, 256, (height, width + number, 3), np.uint8)
        split = SPLITS[number % len(SPLITS)]
        for place in range(PEOPLE[number % len(PEOPLE)]):
            tags = [EMOTIC26.labels[(tag + step) % len(EMOTIC26)] for step in (2, 0, 1)]
            tag += 3
            ratings = rng.integers(1, 11, 3) if split == "train" else rng.integers(3, 30, 3) / 3
            targets = {"tags": tags, "vad": dict(zip(VAD.labels, map(float, ratings), strict=True))}
            about = {"gender": ("Male", "Female")[place % 2], "age": ("Kid", "Teenager", "Adult")[place % 3]}
            box = Box(2 + 15 * place, 3, 14, 30)
            source = f"drawn/{number}#{place}"
            samples.append(
                Sample.of_image(image, targets, split, source, box, group=f"drawn/{number}", attributes=about)
            )
    return samples


def made(items: Iterable[PendingSample]) -> list[Sample]:
    """The samples of an importer, with the work done that makes them."""
    found = [item if isinstance(item, Sample) else item() for item in items]
    return [sample for sample in found if sample is not None]


def facts_of(sample: Sample) -> tuple[object, ...]:
    """What a sample says of its person, to compare with another's."""
    tags = sorted(sample.targets.get("tags", []), key=EMOTIC26.index)
    vad = {name: round(value, 4) for name, value in sample.targets.get("vad", {}).items()}
    return (
        tags,
        vad,
        sample.split,
        sample.inputs["image"].region,
        sample.attributes["gender"],
        sample.attributes["age"],
    )
