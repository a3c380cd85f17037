"""A video through `mien` and through `fer`, in one run on the same cores; prints a Markdown table.

    python benchmarks/predict_peers.py --yunet FILE [--venv DIR] [--frames 150] [--rounds 3] [--threads 2]

The video of benchmarks/predict.py: 640x480, two faces. Each contestant is a process of its own on the same
cores, has its model opened and warm, and reads the file frame by frame; they run in turn, and medians are
compared. `mien` writes its table, the others only answer. `fer` 25.10.3 is asked by `detect_emotions` as its
documentation shows: with Haar as it comes (TFLite), with `use_tflite=False` (Keras), and with `mtcnn=True`.
The last is the loop that most programs around DeepFace are: cv2's Haar, then Keras' `predict` on one face
after the other; here with `fer`'s network, as DeepFace's is not in its package.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

#: How many faces it finds in each frame of a video.
Reader = Callable[[Path], Iterator[int]]
WARM = 5


def opened_mien(faces: str, yunet: Path) -> Reader:
    """The bundled model, writing JSON lines."""
    from mien.outputs.formats import open_writer
    from mien.predict import Settings, load
    from mien.records import ReadError

    model = load()
    settings = Settings(faces, yunet if faces == "yunet" else None)

    def read(video: Path) -> Iterator[int]:
        job = model.read([video], settings)
        writer = open_writer(video.with_suffix(".jsonl"), job.origin, overwrite=True)
        for result in job.results():
            if isinstance(result, ReadError):
                raise SystemExit(result.reason)
            writer.add(result)
            yield len(result.predictions)
        writer.close()

    return read


def opened_fer(**options: Any) -> Reader:
    """`fer`'s `detect_emotions`, frame by frame."""
    import fer.fer  # type: ignore[import-not-found,unused-ignore]

    recogniser = fer.fer.FER(**options)
    return lambda video: (len(recogniser.detect_emotions(frame)) for frame in frames_of(video))


def opened_loop() -> Reader:
    """cv2's Haar cascade and Keras' `predict`, a face at a time."""
    import fer
    from keras.models import load_model  # type: ignore[import-not-found,unused-ignore]

    network = load_model(Path(fer.__file__).parent / "data" / "emotion_model.hdf5", compile=False)
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")

    def read(video: Path) -> Iterator[int]:
        for frame in frames_of(video):
            grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
            boxes = cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5)
            for x, y, width, height in boxes:
                face = cv2.resize(grey[y : y + height, x : x + width], (64, 64)).astype(np.float32)
                network.predict((face / 127.5 - 1)[None, :, :, None], verbose=0)
            yield len(boxes)

    return read


def frames_of(video: Path) -> Iterator[Any]:
    """BGR pictures, as OpenCV reads them."""
    capture = cv2.VideoCapture(str(video))
    while (found := capture.read())[0]:
        yield found[1]
    capture.release()


CONTESTANTS: dict[str, tuple[str, Callable[[Path], Reader]]] = {
    "mien, YuNet": ("mien", lambda yunet: opened_mien("yunet", yunet)),
    "mien, Haar": ("mien", lambda yunet: opened_mien("haar", yunet)),
    "fer, Haar, TFLite (as it comes)": ("fer", lambda _: opened_fer()),
    "fer, Haar, Keras": ("fer", lambda _: opened_fer(use_tflite=False)),
    "fer, MTCNN, TFLite": ("fer", lambda _: opened_fer(mtcnn=True)),
    "Haar, Keras predict, a face at a time": ("fer", lambda _: opened_loop()),
}


def work(name: str, video: Path, yunet: Path) -> None:
    """Be one contestant: read the video once, warm, and print what it took as JSON."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not mix with the answer
    read = CONTESTANTS[name][1](yunet)
    first = read(video)
    for _ in range(WARM):
        next(first)
    first.close()  # type: ignore[attr-defined]
    start, cpu = time.perf_counter(), time.process_time()
    faces = list(read(video))
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    told = {"seconds": seconds / len(faces), "cpu": used / len(faces), "faces": sum(faces) / len(faces)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    out.write(json.dumps(told | {"memory": peak}))


def asked(name: str, pythons: dict[str, Path], given: argparse.Namespace, video: Path) -> dict[str, float]:
    """Run one contestant."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": str(given.threads)}
    words = [str(pythons[CONTESTANTS[name][0]]), __file__, "--worker", name, "--video", str(video)]
    words += ["--yunet", str(given.yunet), "--threads", str(given.threads)]
    ran = subprocess.run(
        words, stdout=subprocess.PIPE, text=True, check=True, cwd=video.parent, env=os.environ | quiet
    )
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def table(records: dict[str, dict[str, float]]) -> str:
    """The comparison as Markdown; how many times as fast the first contestant is."""
    best = next(iter(records.values()))
    lines = [
        "| | frames/s | × | processor ms a frame | × | faces found a frame | peak memory, MB |",
        "|---" * 7 + "|",
    ]
    for name, one in records.items():
        cells = [
            f"{1 / one['seconds']:.1f}",
            f"{one['seconds'] / best['seconds']:.1f}",
            f"{1e3 * one['cpu']:.0f}",
        ]
        cells += [f"{one['cpu'] / best['cpu']:.1f}", f"{one['faces']:.2f}", f"{one['memory']:,.0f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def compare(given: argparse.Namespace, folder: Path) -> str:
    """Run all contestants in turn, beginning with another one each round."""
    from peers import environments  # type: ignore[import-not-found,unused-ignore]
    from predict import video  # type: ignore[import-not-found,unused-ignore]

    video(folder / "two.mp4", given.frames)
    pythons = environments(given.venv or folder) | {"mien": Path(sys.executable)}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
    names = list(CONTESTANTS)
    for number in range(given.rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            found[name].append(asked(name, pythons, given, folder / "two.mp4"))
            print(f"round {number + 1}: {name}: {found[name][-1]}", file=sys.stderr)
    records = {
        name: {key: statistics.median(one[key] for one in ran) for key in ran[0]}
        for name, ran in found.items()
    }
    how = f"{given.frames} frames, {given.threads} threads, medians of {given.rounds} rounds."
    return f"{table(records)}\n\n{how}"


def main() -> None:
    """Compare, or be one of those compared."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--yunet", type=Path, required=True)
    words.add_argument("--venv", type=Path, help="folder of the environments, as of benchmarks/peers.py")
    words.add_argument("--frames", type=int, default=150)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--threads", type=int, default=2)
    words.add_argument("--worker", help=argparse.SUPPRESS)
    words.add_argument("--video", type=Path, help=argparse.SUPPRESS)
    given = words.parse_args()
    given.yunet, given.venv = given.yunet.resolve(), given.venv and given.venv.resolve()
    if given.worker:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: given.threads])
        work(given.worker, given.video, given.yunet)
        return
    with tempfile.TemporaryDirectory() as folder:
        print(compare(given, Path(folder)))


if __name__ == "__main__":
    main()
