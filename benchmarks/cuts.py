"""Cuts found in composed videos, and what is taken for one: python benchmarks/cuts.py [--videos 20]
[--pictures FILE …]

Scenes are drawn faces before grounds: blurred patches, plain walls, the two photographs of scikit-learn, and
those given. A video of 25 frames/s has eight shots of one to three seconds. In half of the cuts another
person's face fills the same place; in a third the ground is another part of the same picture, or another
wall. In each shot one thing happens: a camera that stands, pans, whips, shakes, follows or zooms, a lamp that
goes out, a flash of one to three frames, somebody who walks past close to the lens. Every picture goes
through noise and JPEG. Printed are recall (a cut found in its very frame), precision and false cuts by what
happened; also where frames are taken more seldom, and for dissolves; and the processor time a frame takes.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from mien import synthetic
from mien.media.image import read
from mien.predict.shot_detection import ShotDetector
from mien.records import Pixels

RATE, WIDTH, HEIGHT = 25, 640, 480
HAPPENS = ("still", "pan", "whip", "shake", "follow", "zoom", "lamp", "flash", "passer")


@dataclass(frozen=True)
class Shot:
    """A ground and the middle of what is seen of it, a face (look, middle, side), what happens, and how many
    frames long."""

    ground: int
    middle: tuple[float, float]
    zoom: float
    face: tuple[int, float, float, int]
    happens: str
    length: int
    towards: tuple[float, float] = (1.0, 0.0)
    burnt: tuple[int, int] = field(default=(0, 0))


def grounds(files: list[Path]) -> list[Pixels]:
    """Pictures larger than a frame: photographs, patches, plain walls."""
    from sklearn.datasets import load_sample_images

    found = [np.asarray(picture, np.uint8) for picture in load_sample_images().images] + [
        read(path) for path in files
    ]
    found = [picture if picture.ndim == 3 else np.stack([picture] * 3, axis=2) for picture in found]
    for seed in range(8):
        rng = np.random.default_rng(seed)
        patches = (
            rng.integers(0, 255, (12, 16, 3))
            if seed < 3
            else rng.integers(50, 200, 3) + rng.normal(0, 10, (4, 5, 3))
        )
        large = cv2.resize(patches.clip(0, 255).astype(np.uint8), (1100, 825), interpolation=cv2.INTER_CUBIC)
        found.append(np.asarray(large, np.uint8))
    return [_enlarged(picture) for picture in found]


def _enlarged(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    scale = max(1100 / width, 825 / height)
    return np.asarray(cv2.resize(picture, (round(width * scale), round(height * scale))), np.uint8)


def edited(rng: np.random.Generator, count: int, shots: int = 8) -> list[Shot]:
    """Shots one after the other."""
    found: list[Shot] = []
    for _ in range(shots):
        face = (
            int(rng.integers(12)),
            rng.uniform(160, 480),
            rng.uniform(150, 330),
            int(rng.uniform(80, 300)),
        )
        ground = int(rng.integers(count))
        if found and rng.random() < 0.5:  # somebody else at the same place
            last = found[-1].face
            face = (
                (last[0] + int(rng.integers(1, 12))) % 12,
                last[1] + rng.normal(0, 10),
                last[2] + rng.normal(0, 8),
                last[3],
            )
        middle = (rng.uniform(380, 720), rng.uniform(280, 540))
        if found and rng.random() < 0.33:  # the same place from another side
            ground, before = found[-1].ground, found[-1].middle[0]
            middle = (before + (260 if before < 550 else -260), middle[1])
            if ground >= count - 5:
                ground = count - 5 + (ground - count + 5 + int(rng.integers(1, 5))) % 5
        elif found and ground == found[-1].ground:
            ground = (ground + 1) % count
        angle, start = rng.uniform(0, 2 * np.pi), int(rng.integers(5, 15))
        happens = HAPPENS[int(rng.integers(len(HAPPENS)))]
        towards, burnt = (
            (float(np.cos(angle)), float(np.sin(angle))),
            (start, start + int(rng.integers(1, 4))),
        )
        length = int(rng.integers(RATE, 3 * RATE))
        found.append(Shot(ground, middle, rng.uniform(0.9, 1.4), face, happens, length, towards, burnt))
    return found


@cache
def _face(look: int) -> tuple[Pixels, np.ndarray]:
    """A face, 240 pixels wide, and how much of each pixel it covers."""
    drawn = synthetic.draw_appearance(np.random.default_rng(look))
    view = replace(drawn.view, roll=0.0, yaw=0.0, shift=(0.0, 0.0), zoom=1 / 1.3, blur=0.0)
    mask = np.zeros((240, 240), np.float32)
    cv2.ellipse(mask, (120, 120), (100, 115), 0, 0, 360, 1.0, -1)
    emotion = ("happiness", "sadness", "surprise")[look % 3]
    return synthetic.face(emotion, replace(drawn, view=view), 240, "rgb"), cv2.GaussianBlur(mask, (0, 0), 3)


def rendered(shot: Shot, pictures: list[Pixels], frame: int, rng: np.random.Generator) -> np.ndarray:
    """One frame, float32, before noise."""
    speed = {"pan": 12.0, "follow": 12.0, "whip": 70.0 if 10 <= frame < 15 else 0.0}.get(shot.happens, 0.0)
    gone = speed * (frame - 10 if shot.happens == "whip" else frame)
    if shot.happens == "whip" and frame >= 15:
        gone = 70.0 * 4
    moved = np.array(shot.towards) * gone
    if shot.happens == "shake":
        moved = rng.normal(0, 8, 2)
    zoom = shot.zoom * (1.015**frame if shot.happens == "zoom" else 1.0)
    x, y = np.array(shot.middle) + moved
    turn = cv2.getRotationMatrix2D((x, y), rng.normal(0, 1.0) if shot.happens == "shake" else 0.0, zoom)
    turn[:, 2] += np.array([WIDTH / 2 - x, HEIGHT / 2 - y])
    picture = cv2.warpAffine(
        pictures[shot.ground], turn, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    ).astype(np.float32)
    look, left, top, side = shot.face
    apart = np.zeros(2) if shot.happens == "follow" else moved
    _paste(picture, _face(look), left - apart[0] + 3 * np.sin(frame / 6), top - apart[1], side)
    if shot.happens == "passer" and 10 <= frame < 25:
        _paste(picture, _face((look + 5) % 12), -150 + 65 * (frame - 10), 260, 420)
    return picture


def _paste(picture: np.ndarray, drawn: tuple[Pixels, np.ndarray], x: float, y: float, side: int) -> None:
    face, mask = (cv2.resize(part, (side, side)) for part in drawn)
    left, top = round(x - side / 2), round(y - side / 2)
    rows, columns = slice(max(0, top), min(HEIGHT, top + side)), slice(max(0, left), min(WIDTH, left + side))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    inner = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
    share = mask[inner][..., None]
    picture[rows, columns] = picture[rows, columns] * (1 - share) + face[inner] * share


def finished(picture: np.ndarray, shot: Shot, frame: int, rng: np.random.Generator) -> Pixels:
    """Light, noise and JPEG."""
    if shot.happens == "lamp" and frame >= 12:
        picture = picture * 0.6
    if shot.happens == "flash" and shot.burnt[0] <= frame < shot.burnt[1]:
        picture = picture * (1.5 + shot.zoom) + 50
    noisy = (picture + rng.normal(0, 3, picture.shape[:2])[..., None]).clip(0, 255).astype(np.uint8)
    data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def frames(
    shots: list[Shot], pictures: list[Pixels], rng: np.random.Generator, dissolve: int = 0
) -> Iterator[tuple[Pixels, int, str]]:
    """Each frame, the number of its shot, and what happens in it; a shot fades into the next over `dissolve`
    frames."""
    for number, shot in enumerate(shots):
        for frame in range(shot.length):
            picture = rendered(shot, pictures, frame, rng)
            left = shot.length - frame
            if dissolve and left < dissolve and number + 1 < len(shots):
                share = 1 - left / dissolve
                picture = picture * (1 - share) + rendered(shots[number + 1], pictures, 0, rng) * share
            yield finished(picture, shot, frame, rng), number, shot.happens


@dataclass
class Count:
    """Cuts that were there, found, and invented; the last by what happened. A shot that goes on after a flash
    is no cut."""

    there: int = 0
    found: int = 0
    false: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def take(self, given: list[tuple[Pixels, int, str]], step: int) -> None:
        """Go through a video, every `step` frames."""
        shots, last, known, before = ShotDetector(), 0, 0, 0
        for number, (picture, truth, happens) in enumerate(given[::step]):
            start = time.thread_time()
            told = shots.update(picture, number * step / RATE)
            self.seconds += time.thread_time() - start
            self.seen[happens] += 1
            cut = told != last
            if truth != before:
                self.there += 1
                self.found += cut and told > known
            elif cut:
                self.false[happens] += 1 if told > known else -1
            last, known, before = told, max(known, told), truth

    def row(self, name: str) -> str:
        """The counts as a row of Markdown."""
        false = sum(self.false.values())
        share = self.found / max(1, self.found + false)
        what = ", ".join(f"{name} {count}" for name, count in self.false.most_common())
        found = self.found / max(1, self.there)
        return f"| {name} | {self.there} | {found:.3f} | {share:.3f} | {false} ({what}) |"


def main() -> None:
    """Compose, look for cuts, print."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--videos", type=int, default=20)
    words.add_argument("--pictures", type=Path, nargs="*", default=[])
    given = words.parse_args()
    cv2.setNumThreads(1)
    pictures = grounds(given.pictures)
    counts = {
        name: Count()
        for name in ("every frame", "a frame every 0.2 s", "a frame every 0.5 s", "dissolves of 0.5 s")
    }
    for seed in range(given.videos):
        rng = np.random.default_rng(seed)
        shots = edited(rng, len(pictures))
        video = list(frames(shots, pictures, rng))
        for name, step in zip(counts, (1, 5, 12), strict=False):
            counts[name].take(video, step)
        if seed < given.videos // 4:
            counts["dissolves of 0.5 s"].take(list(frames(shots, pictures, rng, 12)), 1)
    print("| | cuts | recall | precision | false cuts |\n|---|---|---|---|---|")
    for name, count in counts.items():
        print(count.row(name))
    whole = counts["every frame"]
    print(
        f"\n{1e3 * whole.seconds / sum(whole.seen.values()):.2f} ms a frame; "
        f"frames by what happens: {dict(whole.seen)}"
    )


if __name__ == "__main__":
    main()
