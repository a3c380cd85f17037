"""Who is who: the tracker on simulated faces whose truth is known; prints the Markdown table of
docs/concepts/tracking.md.

    python benchmarks/tracking.py [--videos 12]

Faces 60 to 110 pixels wide wander over 640x360 for 20 seconds at 25 frames/s. Somebody vanishes for 0.1 to
0.8 s every six seconds on average; who is more than half hidden behind another is not found, who is less
scores lower. Boxes are off by 3 % of their size in place and width. IDF1: the share of faces with the right
id, under the best pairing of ids and people (Ristani et al. 2016; here every face is a true one). Switches:
how often a person's id changes.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mien.predict.tracks import Tracker
from mien.records import Box, Face

Array = NDArray[np.float64]
Shot = tuple[float, list[tuple[int, Face]]]
SIZE, EDGE, RATE, SECONDS = np.array([640.0, 360.0]), 50, 25, 20
JITTER = 0.03


@dataclass(frozen=True)
class World:
    """What is simulated: `speed` 1 is a face width a second and more; a share `miss` of faces is not found;
    of the frames one in `every` is taken."""

    people: int = 3
    speed: float = 1.0
    miss: float = 0.05
    every: int = 1

    def video(self, seed: int) -> Iterator[Shot]:
        """Time, and who is found where, in any order."""
        rng = np.random.default_rng(seed)
        side = rng.uniform(60, 110, self.people)
        place = np.stack([rng.uniform(80, limit - 80, self.people) for limit in SIZE], axis=1)
        speed, away = np.zeros((self.people, 2)), np.zeros(self.people)
        for number in range(SECONDS * RATE):
            self._move(place, speed, side, rng)
            away = np.maximum(0, away - 1 / RATE)
            if rng.random() < 1 / RATE / 6:
                away[rng.integers(self.people)] = rng.uniform(0.1, 0.8)
            hidden = _hidden(place, side)
            there = [
                k
                for k in range(self.people)
                if away[k] == 0 and hidden[k] <= 0.5 and rng.random() >= self.miss
            ]
            found = [(k, _seen(place[k], side[k], hidden[k], rng)) for k in there]
            if number % self.every == 0:
                yield number / RATE, [found[k] for k in rng.permutation(len(found))]

    def _move(self, place: Array, speed: Array, side: Array, rng: np.random.Generator) -> None:
        push = side[:, None] * self.speed * np.sqrt(2 / RATE / 0.8) * np.array([1, 0.4])
        speed += -speed / RATE / 0.8 + rng.normal(0, 1, speed.shape) * push
        place += speed / RATE
        speed[(place < EDGE) | (place > SIZE - EDGE)] *= -1
        np.clip(place, EDGE, SIZE - EDGE, out=place)


def _hidden(place: Array, side: Array) -> Array:
    """Of each the share that the one who covers it most hides; later ones stand before earlier ones."""
    apart = np.abs(place[:, None] - place[None])
    least = np.minimum(side[:, None], side[None])[..., None]
    shared = (
        np.clip((side[:, None] + side[None])[..., None] / 2 - apart, 0, least).prod(axis=2)
        / side[:, None] ** 2
    )
    return np.asarray(np.triu(shared, 1).max(axis=1), np.float64)


def _seen(place: Array, side: float, hidden: float, rng: np.random.Generator) -> Face:
    width = side * np.exp(rng.normal(0, JITTER))
    left, top = place + rng.normal(0, JITTER, 2) * side - width / 2
    return Face(Box(round(left), round(top), round(width), round(width)), (), max(0.3, 0.95 - 1.2 * hidden))


def scores(world: World, seed: int, tracker: Tracker) -> tuple[float, int]:
    """IDF1 and switches of one video."""
    pairs: Counter[tuple[int, int]] = Counter()
    last: dict[int, int] = {}
    switches = 0
    for time, found in world.video(seed):
        for (person, _), face in zip(found, tracker.update([face for _, face in found], time), strict=True):
            assert face.track is not None
            pairs[person, face.track] += 1
            switches += last.get(person, face.track) != face.track
            last[person] = face.track
    counts = np.zeros((world.people, 1 + max(track for _, track in pairs)))
    for (person, track), count in pairs.items():
        counts[person, track] = count
    return float(counts[linear_sum_assignment(-counts)].sum() / counts.sum()), switches


ROWS: dict[str, tuple[World, Callable[[], Tracker]]] = {
    "as usual": (World(), Tracker),
    "twice as fast": (World(speed=2.0), Tracker),
    "30 % of faces missed": (World(miss=0.3), Tracker),
    "six people": (World(people=6), Tracker),
    "a frame every 0.2 s": (World(every=5), Tracker),
    "a frame every 0.5 s": (World(every=12), Tracker),
    "a frame every 0.5 s, patience 1 s": (World(every=12), partial(Tracker, patience=1.0)),
    "a frame every second": (World(every=25), Tracker),
}


def main() -> None:
    """Simulate and print."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--videos", type=int, default=12)
    given = words.parse_args()
    print("| | IDF1 | switches a video |\n|---|---|---|")
    for name, (world, make) in ROWS.items():
        found = np.array([scores(world, seed, make()) for seed in range(given.videos)])
        print(f"| {name} | {found[:, 0].mean():.2f} | {found[:, 1].mean():.1f} |", flush=True)


if __name__ == "__main__":
    main()
