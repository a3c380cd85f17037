"""Prediction by one process and by workers of Ray: the same rows? how fast? what if one is killed? And what
each stage costs.

    python benchmarks/scale.py [--pictures 2000] [--workers 2] [--yunet FILE]

1. Processor time of each stage, one thread: decode, look for faces, crop, network (float and int8), write
   Parquet.
2. The pictures, 640x480 with one to three drawn faces, through the local engine and through Ray: pictures a
   second, rows held
   against each other. With --yunet it finds the faces, else Haar.
3. Ray once more, one worker killed (SIGKILL) midway: complete? any row twice?
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from predict import scene

from mien import machine
from mien.bundle import find
from mien.detect import detector
from mien.media import image
from mien.outputs.formats import open_writer
from mien.outputs.formats.parquet import Parquet
from mien.predict import Settings, load
from mien.predict.results import Result, origin
from mien.records import Items, Moment, Pixels, ReadError
from mien.scale import plan


def draw(folder: Path, count: int) -> None:
    """`count` different JPEG files: 40 drawn scenes, each moved aside and lit in its own way."""
    rng = np.random.default_rng(0)
    kinds = [scene(rng, (640, 480), 1 + number % 3) for number in range(40)]
    for number in range(count):
        moved = np.roll(kinds[number % 40], rng.integers(-60, 60, 2), axis=(0, 1))
        lit = np.asarray(cv2.convertScaleAbs(moved, alpha=rng.uniform(0.8, 1.1)), np.uint8)
        (folder / f"{number:05}.jpg").write_bytes(image.encode(lit, quality=90))


def costs(files: list[Path], yunet: Path | None) -> Iterator[tuple[str, float, str]]:
    """Each stage with its milliseconds of processor time, and of what."""
    cv2.setNumThreads(1)
    seen: list[Pixels] = []
    yield "decode", timed(lambda file: seen.append(image.read(file)), files), "picture"
    haar = detector("haar")
    found: list[Any] = []
    yield "look for faces, Haar", timed(lambda pixels: found.append(haar(pixels)), seen), "picture"
    if yunet:
        yield "look for faces, YuNet", timed(detector("yunet", yunet), seen), "picture"
    each = [(pixels, face.box) for pixels, faces in zip(seen, found, strict=True) for face in faces]
    model = load(threads=1)
    crops: list[Any] = []
    (cut,) = model.engine.inputs.transforms.values()
    yield "crop", timed(lambda one: crops.append(cut.fit(Items([one[0]], [one[1]]))[0]), each), "face"
    for name in ("face", "face-int8"):
        engine = load(find(name), threads=1).engine
        rows = np.stack(crops)
        for size in (1, 16):
            batches = [rows[start : start + size] for start in range(0, len(rows), size)]
            yield (
                f"network {name}, {size} at a time",
                timed(engine.probabilities, batches) * len(batches) / len(rows),
                "face",
            )
    with tempfile.TemporaryDirectory() as folder:
        writer = Parquet(Path(folder, "a.parquet"), origin(model.engine))
        answers = []
        for file, pixels, faces in zip(files, seen, found, strict=True):
            height, width = pixels.shape[:2]
            answers.append(
                Result(Moment({}, str(file), 0, None), width, height, model.predict_faces(pixels, faces))
            )
        rows_of = sum(max(1, len(answer.predictions)) for answer in answers)
        write = timed(writer.add, answers) + timed(lambda _: writer.close(), [None]) / len(answers)
        yield "write Parquet", write, "picture"
        yield "Parquet, bytes", Path(folder, "a.parquet").stat().st_size / rows_of, "row"


def timed(step: Callable[[Any], Any], items: list[Any]) -> float:
    """Milliseconds of processor time an item, the first of them done before."""
    start = time.process_time()
    for item in items:
        step(item)
    return 1000 * (time.process_time() - start) / len(items)


def local(folder: Path, out: Path, settings: Settings) -> float:
    """All pictures by the local engine; seconds from the model being open."""
    job = load().read([folder], settings)
    start = time.perf_counter()
    writer = open_writer(out, job.origin)
    for item in job.results():
        if isinstance(item, ReadError):
            raise SystemExit(item.reason)
        writer.add(item)
    writer.close()
    return time.perf_counter() - start


def spread(
    folder: Path, out: Path, settings: Settings, workers: int, *, kill: bool = False
) -> tuple[float, float]:
    """All pictures by Ray; seconds in all, and pictures a second from the first finished shard to the
    last."""
    start, ends, frames = time.perf_counter(), list[float](), list[int]()
    for count in plan([str(folder)], out, settings=settings, shard=50).run(workers):
        ends.append(time.perf_counter())
        frames.append(count.frames)
        if kill and len(ends) == 4:
            os.kill(victim(), signal.SIGKILL)
    steady = sum(frames[workers:]) / max(1e-9, ends[-1] - ends[workers - 1])
    return time.perf_counter() - start, steady


def victim() -> int:
    """The process of one of our own workers."""
    parents, workers = dict[int, int](), list[int]()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if b"MapWorker" in (folder / "cmdline").read_bytes():
                workers.append(int(folder.name))
        except OSError:
            continue
    ours = [pid for pid in workers if parents.get(parents.get(pid, 0)) == os.getpid()]
    if not ours:
        raise SystemExit("no worker found to kill")
    return ours[0]


def held_against(ours: pd.DataFrame, theirs: pd.DataFrame) -> str:
    """How two tables of results differ, in words."""
    if not (list(ours.columns) == list(theirs.columns) and ours.source.tolist() == theirs.source.tolist()):
        return f"DIFFERENT: {len(ours)} and {len(theirs)} rows"
    other = [name for name in ours if not ours[name].equals(theirs[name])]
    if not other:
        return f"{len(ours)} rows, identical"
    numbers = [name for name in other if ours[name].dtype == float]
    most = max((float((ours[name] - theirs[name]).abs().max()) for name in numbers), default=0.0)
    words = sorted(set(other) - set(numbers))
    return f"{len(ours)} rows, identical but for {most:.1e} at most{f' and {words}' if words else ''}"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--yunet", type=Path)
    asked = parser.parse_args()
    print(f"{date.today()}, {machine.describe()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "pictures")
        folder.mkdir()
        draw(folder, asked.pictures)
        files = sorted(folder.iterdir())
        print(
            f"{len(files)} pictures, "
            f"{sum(file.stat().st_size for file in files) / len(files) / 1000:.0f} kB each"
        )
        for name, cost, what in costs(files[:200], asked.yunet):
            print(f"{name:32} {cost:8.3f} {'' if 'bytes' in name else 'ms '}a {what}")
        cv2.setNumThreads(-1)
        settings = Settings("yunet", asked.yunet) if asked.yunet else Settings()
        took = local(folder, Path(scratch, "local.parquet"), settings)
        print(f"local: {took:.1f} s, {len(files) / took:.1f} pictures/s")
        rows = pd.read_parquet(Path(scratch, "local.parquet"))
        for kill in (False, True):
            out = Path(scratch, f"parts-{kill}")
            took, steady = spread(folder, out, settings, asked.workers, kill=kill)
            found = pd.read_parquet(out)
            twice = int(found.duplicated(["source", "frame", "face_id"]).sum())
            what = "ray, one killed" if kill else "ray"
            print(f"{what}: {took:.1f} s in all, {steady:.1f} pictures/s once going; {twice} rows twice")
            print(f"  against local: {held_against(found, rows)}")


if __name__ == "__main__":
    main()
