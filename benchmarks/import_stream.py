"""A large set of JPEGs into one store: time, memory and size, then random reads of the store against the
files.

    python benchmarks/import_stream.py FOLDER [--count 100000]

Draws the set into FOLDER in the layout of AffectNet (224x224, labels as 0-d `.npy` text) unless it is there
already.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from mien.datasets import import_dataset
from mien.labels import AFFECTNET8
from mien.machine import describe, usable_cores
from mien.media import image
from mien.store import Store
from mien.synthetic import face

SIDE, STEP = 224, 10_000
READS, ROUNDS = 4_000, 3


def draw(folder: Path, count: int) -> None:
    """Draw the set: some hundred faces, each time in other light and noise."""
    for name in ("images", "annotations"):
        (folder / "train_set" / name).mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(partial(_draw_some, folder, count), range(0, count, 1000)):
            pass


def _draw_some(folder: Path, count: int, start: int) -> None:
    draw = np.random.default_rng(start)
    faces = [face(label, int(draw.integers(1 << 30)), SIDE, "rgb") for label in AFFECTNET8.labels]
    for number in range(start, min(start + 1000, count)):
        code = int(draw.integers(len(faces)))
        noise = draw.integers(-12, 13, (SIDE // 2, SIDE // 2, 3), np.int16).repeat(2, 0).repeat(2, 1)
        pixels = np.clip(faces[code] * draw.uniform(0.7, 1.1) + noise, 0, 255).astype(np.uint8)
        (folder / f"train_set/images/{number}.jpg").write_bytes(cv2.imencode(".jpg", pixels)[1].tobytes())
        for name, value in {"exp": code, "val": draw.uniform(-1, 1), "aro": draw.uniform(-1, 1)}.items():
            np.save(folder / f"train_set/annotations/{number}_{name}.npy", np.array(str(value)))


def measure_import(folder: Path, out: Path) -> None:
    """Import, and print the seconds of every 10,000 pictures."""
    marks = [(0, time.perf_counter())]

    def progress(done: int, _total: int) -> None:
        if done - marks[-1][0] >= STEP:
            marks.append((done, time.perf_counter()))

    start = time.perf_counter()
    store = import_dataset(folder, out, "affectnet", progress=progress)
    seconds = time.perf_counter() - start
    took = [(b - a) * STEP / (n - m) for (m, a), (n, b) in pairwise(marks)]
    print(f"{len(store)} pictures in {seconds:.1f} s ({len(store) / seconds:.0f} a second)")
    print("seconds for each 10,000 pictures:", " ".join(f"{value:.1f}" for value in took))
    print(f"joining the parts, checking every byte: {seconds - (marks[-1][1] - start):.1f} s")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    jpegs = sum(entry.stat().st_size for entry in os.scandir(folder / "train_set/images"))
    print(
        f"store {out.stat().st_size / 1e6:.1f} MB, JPEGs {jpegs / 1e6:.1f} MB: "
        f"{out.stat().st_size / jpegs:.4f}"
    )


def measure_reading(folder: Path, store: Store) -> None:
    """Random reads, 64 at a time, of bytes and of pixels: the store and the files in turn."""
    rows = np.random.default_rng(0).permutation(len(store))[:READS]
    paths = [folder / source for source in store.texts("source", np.sort(rows))]
    batches = [np.sort(rows)[np.random.default_rng(k).permutation(READS)[:64]] for k in range(READS // 64)]
    by_row = dict(zip(np.sort(rows).tolist(), paths, strict=True))
    jobs: dict[str, Callable[[np.ndarray], object]] = {
        "bytes from the store": store.encoded,
        "bytes from the files": lambda batch: [by_row[row].read_bytes() for row in batch.tolist()],
        "pixels from the store": store.images,
        "pixels from the files": lambda batch: [image.read(by_row[row]) for row in batch.tolist()],
    }
    rates: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            start = time.perf_counter()
            for batch in batches:
                job(batch)
            rates[name].append(len(batches) * 64 / (time.perf_counter() - start))
    for name, found in rates.items():
        print(f"{name}: {np.median(found):.0f} a second")
    for what in ("bytes", "pixels"):
        ratio = np.median(rates[f"{what} from the store"]) / np.median(rates[f"{what} from the files"])
        print(f"{what}, store over files: {ratio:.2f}")


def main() -> None:
    """Draw, import, read."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=100_000)
    args = parser.parse_args()
    if not (args.folder / f"train_set/images/{args.count - 1}.jpg").exists():
        draw(args.folder, args.count)
    out = args.folder.with_suffix(".h5")
    print(f"{describe()}, {usable_cores()} threads")
    measure_import(args.folder, out)
    measure_reading(args.folder, Store(out))


if __name__ == "__main__":
    main()
