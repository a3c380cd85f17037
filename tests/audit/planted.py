"""Stores of noise in which every fault is planted on purpose, for the audit to find."""

from dataclasses import replace

import numpy as np

from mien import store
from mien.media import image as pictures
from mien.records import Box, Sample
from mien.tasks import TASKS

HEADS = (*TASKS["affect"].heads, *TASKS["distribution8"].heads, *TASKS["emotic"].heads)


def noise(seed, side=48, shape=()):
    """Smooth noise, so that a small change leaves its hash alone; different seeds have nothing in common."""
    draw = np.random.default_rng(seed)
    small = draw.integers(0, 256, (12, 12, *shape), np.uint8)
    return np.ascontiguousarray(np.repeat(np.repeat(small, side // 12, axis=0), side // 12, axis=1))


def sample(name, image, split="train", targets=None, **more):
    """Return a sample without a fault unless something else is given."""
    return Sample.of_image(image, sound() if targets is None else targets, split, name, **more)


def sound(label="happy", **more):
    """Targets of every head in `HEADS` that contradict nothing."""
    return {
        "expression8": label,
        "valence_arousal": {"valence": 0.5 if label == "happy" else -0.5, "arousal": 0.1},
        "distribution8": {label: 7, "neutral": 3},
        "tags": ["Happiness"],
        "vad": {"valence": 6, "arousal": 5, "dominance": 5},
    } | more


def write(path, samples, heads=HEADS):
    """A store of what these heads are given by these samples."""
    names = {head.name for head in heads}
    return store.write(
        path,
        (replace(one, targets={k: one.targets[k] for k in one.targets.keys() & names}) for one in samples),
        heads,
        store.Origin("test", "1", {"origin.csv": "0" * 64}, {}, ["old: fault"], ["old note"]),
    )


def fair(count=20):
    """Samples that differ in everything: half happy, half angry, a quarter of them to validate on."""
    for k in range(count):
        label = ("happy", "angry")[k // 2 % 2]
        yield sample(f"fair{k}", noise(100 + k), "validation" if k % 4 == 3 else "train", sound(label))


def faulty():
    """One of each fault that pixels of one size can have: rows 0 to 19 are fair, the names say what the
    others are."""
    yield from fair()
    black = np.zeros((48, 48), np.uint8)
    faint = np.full((48, 48), 128, np.uint8)
    faint[:4] = 131
    brighter = np.clip(noise(3) * 0.8 + 30, 0, 255).astype(np.uint8)
    bare = {"expression8", "valence_arousal", "distribution8", "tags", "vad"}
    yield sample("black", black)
    yield sample("grey", black + 90, "validation")
    yield sample("faint", faint)
    yield sample("twin-a", noise(1))
    yield sample("twin-b", noise(1))
    yield sample("leak-a", noise(2))
    yield sample("leak-b", noise(2), "validation")
    yield sample("near-a", noise(3))
    yield sample("near-b", brighter, "test", sound("angry"))
    yield sample("conflict-a", noise(4))
    yield sample("conflict-b", noise(4), targets=sound("sad", tags=["Sadness"]))
    yield sample("outside", noise(5), targets=sound(vad={"valence": 11, "arousal": 5, "dominance": 5}))
    yield sample("sums", noise(6), targets=sound(distribution8={"happy": 0.5, "neutral": 0.1}))
    yield sample("no-vote", noise(7), targets=sound(distribution8={"happy": 0}))
    yield sample("uniform", noise(8), targets=sound(distribution8=dict.fromkeys(HEADS[0].space.labels, 1)))
    yield sample("far", noise(9), targets=sound(valence_arousal={"valence": 0.9, "arousal": 0.9}))
    yield sample("against", noise(10), targets=sound(valence_arousal={"valence": -0.6, "arousal": 0.1}))
    yield sample("tagless", noise(11), targets=sound(tags=[]))
    yield sample("bare", noise(12), targets={})
    yield sample("partly", noise(13), targets=sound(valence_arousal={"valence": 0.5}))
    yield sample(
        "tagged", noise(14), targets={name: target for name, target in sound().items() if name != "tags"}
    )
    yield sample("box-out", noise(15), box=Box(40, 0, 20, 20))
    yield sample("box-empty", noise(16), box=Box(4, 4, 0, 9))
    yield sample("group-a", noise(17), group="anna")
    yield sample("group-b", noise(18), "test", group="anna")
    assert bare == {head.name for head in HEADS}


def mixed():
    """Encoded pictures of mixed sizes: row 0 to 9 fair, then tiny, long, heavy, broken, and two persons of
    one picture."""
    for k in range(10):
        yield sample(f"fair{k}", pictures.encode(noise(k, 96, (3,)), quality=80))
    yield sample("tiny", pictures.encode(noise(20, 24)))
    yield sample("long", pictures.encode(np.vstack([noise(30 + k, 96) for k in range(4)])))
    yield sample(
        "heavy", pictures.encode(np.random.default_rng(0).integers(0, 256, (700, 700, 3), np.uint8), "PNG")
    )
    yield sample("broken", b"this is no picture")
    both = pictures.encode(noise(50, 96))
    yield sample("broken-too", b"nor is this")
    yield sample("left", both, box=Box(0, 0, 40, 90))
    yield sample("right", both, "test", sound("angry"), box=Box(50, 0, 40, 90))
