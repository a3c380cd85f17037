"""The bundled models beside the `fer` package, in one run on the same faces and cores; prints a Markdown
table.

    python benchmarks/peers.py --data ferplus.h5 [--venv DIR] [--rounds 9] [--threads 2]

Each side gets an environment of its own from the package index (`--venv` keeps them, and reuses what is
there): this checkout with its core dependencies alone, and `fer` 25.10.3 with TensorFlow. `fer` is run twice:
as it comes (TFLite, a face at a time) and with `use_tflite=False` (Keras, a batch at a time). Faces of the
store's validation split (FER-2013's PublicTest), 48x48 grey and ready: no detector. `fer` gets them as it
prepares a face that it found: cv2.resize to 64x64, then to -1…1. Every contestant is a process of its own on
the same `--threads` cores; they are timed in turn, starting with another one each round, and medians are
compared.

FER-2013: 7 labels, which both sides know. FER+: the majority label of 8; `fer` has no contempt, so those
faces count as wrong. ECE (15 bins): how far each side's confidence in its label is from the share that is
right; of `fer` that is its largest probability. Load: importing, opening, and the first answer. Memory: the
peak of the process. Installed: all packages but pip.
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
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
FER = ("fer==25.10.3", "setuptools<81")
CONTESTANTS = {"face": "mien", "face-int8": "mien", "fer, TFLite (its default)": "fer", "fer, Keras": "fer"}
#: What `fer` answers, in its order; FER-2013's own order is the same.
LABELS7 = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
BATCH, SINGLES, BATCHES = 64, 25, 3

Array = NDArray[Any]
Answer = Callable[[Array], dict[str, Array]]


# In a contestant's process
# -------------------------------------------------------------------------------------------


def opened_mien(name: str) -> Answer:
    """A bundled model."""
    from mien import load

    model = load(name)
    return lambda faces: {head: np.asarray(rows) for head, rows in model.probabilities(faces).items()}


def opened_fer(name: str) -> Answer:
    """`fer`'s classifier on ready faces, prepared as its `detect_emotions` does."""
    import cv2
    import fer.fer  # type: ignore[import-not-found,unused-ignore]

    recogniser = fer.fer.FER(use_tflite="TFLite" in name)

    def answer(faces: Array) -> dict[str, Array]:
        ready = np.array([cv2.resize(face, (64, 64)) for face in faces], dtype="float32") / 255.0
        return {"expression7": np.asarray(recogniser._classify_emotions((ready - 0.5) * 2.0))}

    return answer


def work(name: str, faces: Array) -> None:
    """Answer commands, one a line: load, one, many, answers FILE, memory."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not mix with the answers
    answer: Answer | None = None
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        start = time.perf_counter()
        if command == "load":
            answer = {"mien": opened_mien, "fer": opened_fer}[CONTESTANTS[name]](name)
            answer(faces[:1])
            told = time.perf_counter() - start
        elif command == "memory":
            told = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        else:
            assert answer is not None
            told = timed(command, answer, faces) if not argument else kept(answer, faces, Path(argument))
        out.write(f"{told}\n")
        out.flush()


def timed(command: str, answer: Answer, faces: Array) -> float:
    """Median seconds for one face, or for a batch."""
    count, times = {"one": (1, SINGLES), "many": (BATCH, BATCHES)}[command]
    found = []
    for k in range(times):
        some = faces[k * count : (k + 1) * count]
        start = time.perf_counter()
        answer(some)
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def kept(answer: Answer, faces: Array, path: Path) -> float:
    """Save the answers to all faces."""
    parts = [answer(faces[start : start + BATCH]) for start in range(0, len(faces), BATCH)]
    found: dict[str, Any] = {head: np.concatenate([part[head] for part in parts]) for head in parts[0]}
    np.savez(path, **found)
    return 0.0


# In the process that compares
# ----------------------------------------------------------------------------------------


class Contestant:
    """One side in a process of its own."""

    def __init__(self, name: str, python: Path, faces: Path, threads: int) -> None:
        environment = os.environ | {
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "",
            "OMP_NUM_THREADS": str(threads),
        }
        self.name = name
        self.process = subprocess.Popen(
            [str(python), __file__, "--worker", name, "--faces", str(faces), "--threads", str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=faces.parent, env=environment,
        )  # fmt: skip

    def ask(self, command: str) -> float:
        """Send a command and wait for its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name}: stopped (see above)")
        return float(line)

    def close(self) -> None:
        """End its process."""
        self.process.communicate()


def environments(folder: Path) -> dict[str, Path]:
    """Pythons of both environments, made where they are not there yet."""
    wanted = {"mien": [str(ROOT)], "fer": list(FER)}
    for name, packages in wanted.items():
        if not (folder / name / "bin" / "python").exists():
            print(f"installing {' '.join(packages)} into {folder / name}", file=sys.stderr)
            venv.create(folder / name, with_pip=True)
            subprocess.run(
                [folder / name / "bin" / "python", "-m", "pip", "install", "--quiet", *packages], check=True
            )
    return {name: folder / name / "bin" / "python" for name in wanted}


def installed(python: Path) -> float:
    """Megabytes of all packages of an environment but pip."""
    code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    place = Path(said.stdout.strip())
    files = (
        path
        for part in place.iterdir()
        if not part.name.startswith("pip")
        for path in [part, *part.rglob("*")]
    )
    return sum(path.lstat().st_size for path in files if path.is_file()) / 1e6


def chances(answers: dict[str, Array], temperature: float, labels8: tuple[str, ...]) -> dict[str, Array]:
    """How likely each label is to be FER-2013's and FER+'s, both (N, K); votes tell it by a label
    temperature."""
    from mien.predict import scaling

    seven = answers["expression7"]
    if "distribution8" in answers:
        return {
            "fer2013": seven,
            "ferplus": scaling.temperature_scaling(temperature, 8).apply(answers["distribution8"]),
        }
    eight = np.zeros((len(seven), 8))
    eight[:, [labels8.index(label) for label in LABELS7]] = seven
    return {"fer2013": seven, "ferplus": eight}


def reached(said: dict[str, Array], truth: dict[str, Array]) -> dict[str, float]:
    """Share right and ECE on FER-2013's label and on the FER+ majority (NaN rows: no answer known)."""
    from mien import metrics

    found = {}
    for name, true in truth.items():
        there = ~np.isnan(true).any(axis=1)
        rows, target = said[name][there].astype(np.float64), true[there].astype(np.float64)
        for key, metric in ((name, "accuracy"), (f"{name}_ece", "ece")):
            found[key] = metrics.plain(metrics.METRICS[metric].prepare(rows, target), len(rows))
    return found


def measured(contestants: list[Contestant], rounds: int) -> dict[str, dict[str, float]]:
    """Medians over rounds of all contestants in turn."""
    found: dict[str, dict[str, list[float]]] = {one.name: {"one": [], "many": []} for one in contestants}
    loads = {one.name: one.ask("load") for one in contestants}
    for number in range(rounds + 1):  # the first warms up
        for place in range(len(contestants)):
            one = contestants[(number + place) % len(contestants)]
            for command in ("one", "many"):
                taken = one.ask(command)
                if number:
                    found[one.name][command].append(taken)
        print(f"round {number} of {rounds}", file=sys.stderr)
    return {
        one.name: {key: statistics.median(times) for key, times in found[one.name].items()}
        | {"load": loads[one.name]}
        for one in contestants
    }


def table(records: dict[str, dict[str, float]]) -> str:
    """The comparison as Markdown; ratios against `fer` as it comes and with Keras."""
    usual, keras = (records[name] for name in CONTESTANTS if CONTESTANTS[name] == "fer")
    columns = [
        "",
        "FER-2013, 7 labels",
        "FER+ majority",
        "ECE (FER-2013, FER+)",
        "faces/s, one by one",
        "faces/s, 64 at a time",
    ]
    columns += ["× fer TFLite (1, 64)", "× fer Keras (1, 64)", "load, s", "peak memory, MB", "installed, MB"]
    lines = ["| " + " | ".join(columns) + " |"]
    lines.append("|---" * len(columns) + "|")
    for name, one in records.items():
        ratios = [
            f"{peer['one'] / one['one']:.1f}, {peer['many'] / one['many']:.1f}" for peer in (usual, keras)
        ]
        cells = [
            f"{one['fer2013']:.2%}",
            f"{one['ferplus']:.2%}",
            f"{one['fer2013_ece']:.3f}, {one['ferplus_ece']:.3f}",
            f"{1 / one['one']:,.0f}",
            f"{BATCH / one['many']:,.0f}",
        ]
        cells += [*ratios, f"{one['load']:.2f}", f"{one['memory']:,.0f}", f"{one['installed']:,.0f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def compare(args: argparse.Namespace, folder: Path) -> str:
    """Run all contestants and put their figures together."""
    from mien import load, machine
    from mien.store import Store

    store = Store(args.data)
    rows = store.rows("validation")
    heads = {"fer2013": store.head("expression7"), "ferplus": store.head("expression8")}
    truth = {name: store.target(head, rows) for name, head in heads.items()}
    np.save(folder / "faces.npy", store.images(rows))
    pythons = environments(args.venv or folder)
    contestants = [
        Contestant(name, pythons[side], folder / "faces.npy", args.threads)
        for name, side in CONTESTANTS.items()
    ]
    ours = [name for name, side in CONTESTANTS.items() if side == "mien"]
    heats = {name: load(name).engine.label_temperature.get("distribution8", 1.0) for name in ours}
    records = measured(contestants, args.rounds)
    for one in contestants:
        one.ask(f"answers {folder / 'answers.npz'}")
        with np.load(folder / "answers.npz") as answers:
            said = chances(dict(answers), heats.get(one.name, 1.0), heads["ferplus"].space.labels)
        size = installed(pythons[CONTESTANTS[one.name]])
        records[one.name] |= reached(said, truth) | {"memory": one.ask("memory"), "installed": size}
        one.close()
    if args.json:
        args.json.write_text(json.dumps(records, indent=1))
    counts = {name: int((~np.isnan(target).any(axis=1)).sum()) for name, target in truth.items()}
    there = f"{counts['fer2013']} and {counts['ferplus']} faces of PublicTest"
    words = f"{there}; {args.threads} threads of {machine.describe()}; {args.rounds} rounds."
    return f"{table(records)}\n\n{words}"


def main() -> None:
    """Compare, or be one of those compared."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a store of FER-2013 with FER+ (expression7, expression8)")
    parser.add_argument(
        "--venv", type=Path, help="folder of the two environments, kept and reused (default: a temporary one)"
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--faces", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
        work(args.worker, np.load(args.faces))
        return
    if not args.data:
        parser.error("--data is needed")
    args.venv = args.venv and args.venv.resolve()
    with tempfile.TemporaryDirectory() as folder:
        print(compare(args, Path(folder)))


if __name__ == "__main__":
    main()
