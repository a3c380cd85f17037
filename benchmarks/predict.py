"""Speed and memory of prediction, as ratios within one run: python benchmarks/predict.py RUN --yunet FILE
[--photos 1000] …

1. A folder of photos, 1280x720: the share of time that is neither detector nor network (decode, crop, format,
   write), in
   processor time of the whole process, which a busy machine does not change.
2. A video of two faces, 640x480: processor time a frame, and frames a second overlapped and one step after
   the other.
3. Memory over many frames and pictures: the process's peak.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien import synthetic
from mien.detect import Detector
from mien.media import image
from mien.outputs.formats import open_writer
from mien.predict import Model, Settings, load
from mien.predict.job import PredictionJob
from mien.predict.pipeline import stream
from mien.predict.results import Result
from mien.predict.session import Session
from mien.prediction import Prediction
from mien.records import Box, Face, Moment, Pixels, ReadError, Subject


@dataclass
class Clock:
    """Processor and wall seconds spent inside calls."""

    cpu: float = 0.0
    wall: float = 0.0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, timed."""

        def timed(*given: Any) -> Any:
            cpu, wall = time.process_time(), time.perf_counter()
            try:
                return call(*given)
            finally:
                self.cpu += time.process_time() - cpu
                self.wall += time.perf_counter() - wall

        return timed


class Timed:
    """A model whose network is timed, apart from the crops that it is given."""

    def __init__(self, model: Model, clock: Clock) -> None:
        self.model = model
        session = model.engine._session

        class TimedSession:
            run = staticmethod(clock.around(session.run))

        model.engine._session = TimedSession()

    def recognise(
        self, moments: Sequence[Moment], subjects: Sequence[Sequence[Subject]]
    ) -> list[list[Prediction]]:
        """Say what each face shows."""
        return self.model.recognise(moments, subjects)


def scene(rng: np.random.Generator, size: tuple[int, int], faces: int) -> Pixels:
    """Drawn faces side by side on a blurred ground, uint8 (H, W, 3)."""
    width, height = size
    ground = cv2.resize(rng.integers(60, 190, (9, 16, 3), np.uint8), size, interpolation=cv2.INTER_CUBIC)
    picture = np.asarray(ground, np.uint8).copy()
    side = min(height * 2 // 5, width // (faces + 1))
    for place in range(faces):
        look = synthetic.draw_appearance(rng)
        look = replace(look, view=replace(look.view, roll=0.0, yaw=0.0, blur=0.0))
        left = int(width * (place + 0.5) / faces - side / 2)
        top = int(rng.integers(0, height - side))
        picture[top : top + side, left : left + side] = synthetic.face("happiness", look, side, "rgb")
    return picture


def photos(folder: Path, count: int) -> None:
    """`count` JPEG files of 40 different scenes with one to three faces."""
    rng = np.random.default_rng(0)
    kinds = [image.encode(scene(rng, (1280, 720), 1 + n % 3), quality=90) for n in range(min(40, count))]
    for number, data in zip(range(count), cycle(kinds)):
        (folder / f"{number:05}.jpg").write_bytes(data)


def video(path: Path, frames: int) -> None:
    """H.264, 640x480, two faces that sway, 30 frames a second."""
    import av

    still = scene(np.random.default_rng(3), (640, 480), 2)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 640, 480, "yuv420p", 2_000_000
        for number in range(frames):
            moved = np.roll(still, int(20 * np.sin(number / 15)), axis=1)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(moved, "rgb24")))
        file.mux(stream.encode(None))


def go(job: PredictionJob, out: Path) -> int:
    """Read everything into a file; the number of faces."""
    writer, faces = open_writer(out, job.origin, overwrite=True), 0
    for item in job.results():
        if isinstance(item, ReadError):
            raise SystemExit(item.reason)
        writer.add(item)
        faces += len(item.predictions)
    writer.close()
    return faces


def one_after_the_other(job: PredictionJob, out: Path, timed: Timed, find: Detector) -> int:
    """The same without threads, so that processor time can be told apart."""
    writer, faces = open_writer(out, job.origin, overwrite=True), 0
    for frame in (item for source in job.sources for item in source):
        if isinstance(frame, ReadError):
            raise SystemExit(frame.reason)
        height, width = frame.pixels.shape[:2]
        (found,) = timed.recognise([frame], [find(frame.pixels)])
        writer.add(Result(frame.without_media(), width, height, found))
        faces += len(found)
    writer.close()
    return faces


def measured(model: Path, inputs: Path, settings: Settings, out: Path) -> dict[str, float]:
    """Overlapped and one step after the other: seconds, processor seconds, and the share beyond detector and
    network."""
    start, cpu = time.perf_counter(), time.process_time()
    faces = go(load(model).read([inputs], settings), out)
    overlapped, used = time.perf_counter() - start, time.process_time() - cpu
    frames = len({(row["source"], row["frame"]) for row in map(json.loads, out.read_text().splitlines())})
    clock, opened = Clock(), load(model)
    job, timed = opened.read([inputs], settings), Timed(opened, clock)
    start, cpu = time.perf_counter(), time.process_time()
    one_after_the_other(job, out, timed, clock.around(job.detector))
    alone, total = time.perf_counter() - start, time.process_time() - cpu
    return {
        "frames": frames,
        "faces_a_frame": faces / frames,
        "cpu_ms_a_frame": 1e3 * used / frames,
        "frames_a_second": frames / overlapped,
        "frames_a_cpu_second": frames / used,
        "frames_a_second_one_after_the_other": frames / alone,
        "share_beyond_detector_and_network": 1 - clock.cpu / total,
    }


def memory(model: Path, frames: Iterable[Moment], origin: PredictionJob, out: Path) -> dict[str, float]:
    """Peak memory in MB after the first tenth, and at the end, of many frames that are drawn as they come."""

    def one(pixels: Pixels) -> list[Face]:  # noqa: ARG001
        return [Face(Box(100, 100, 96, 96))]

    writer, marks = open_writer(out, origin.origin, overwrite=True), []
    session = partial(Session, load(model), one)
    for number, item in enumerate(stream(session, frames), 1):
        writer.add(item)  # type: ignore[arg-type]
        if number % 1000 == 0:
            marks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    writer.close()
    return {"mb_after_1000": marks[0], "mb_at_the_end": marks[-1]}


def still_frames(count: int, size: tuple[int, int], moving: bool) -> Iterator[Moment]:
    """Fresh pixels each, as a decoder gives them."""
    base = scene(np.random.default_rng(0), size, 2)
    for number in range(count):
        yield Moment(
            {"image": base.copy()},
            "a.mp4" if moving else f"{number}.jpg",
            number if moving else 0,
            number / 30 if moving else None,
        )


def main() -> None:
    """Measure and print one JSON object."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("model", type=Path, help="a model.onnx or a run folder")
    words.add_argument("--yunet", type=Path, required=True)
    words.add_argument("--photos", type=int, default=1000)
    words.add_argument("--frames", type=int, default=300)
    words.add_argument("--memory", type=int, default=10_000)
    given = words.parse_args()
    found: dict[str, Any] = {"cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "photos").mkdir()
        photos(folder / "photos", given.photos)
        video(folder / "two.mp4", given.frames)
        out = folder / "out.jsonl"
        yunet = Settings("yunet", given.yunet)
        for title, inputs in (("photos", folder / "photos"), ("video", folder / "two.mp4")):
            found[title] = measured(given.model, inputs, yunet, out)
        job = load(given.model).read([folder / "two.mp4"], yunet)
        for title, size, moving in (("frames", (640, 480), True), ("pictures", (1280, 720), False)):
            frames = still_frames(given.memory, size, moving)
            found[f"memory_{title}"] = memory(given.model, islice(frames, given.memory), job, out)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
