"""How fast a FER-2013 CSV becomes a store, against the usual reading: pandas, then `np.array(row.split())` for each row.

    python benchmarks/import.py fer2013.csv [--runs 3]
    python benchmarks/import.py                           # on noise of the same shape, 5,000 rows

Each reading runs in a process of its own, in turn; the median time and the highest peak memory are shown. The usual reading
ends with the pixels in memory; mien also checks every field, takes the SHA-256, writes the store and reads its schema back.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

USUAL = """
import numpy as np, pandas as pd
def load(source, out):
    table = pd.read_csv(source)
    faces = np.stack([np.array(row.split(), dtype=np.uint8) for row in table["pixels"]]).reshape(-1, 48, 48)
    return len(faces)
"""
MIEN = """
from pathlib import Path
from mien.datasets import import_dataset
def load(source, out):
    return len(import_dataset(Path(source), Path(out)))
"""
MEASURE = """
import json, resource, sys, time
start = time.perf_counter()
rows = load(*sys.argv[1:])
seconds = time.perf_counter() - start
print(json.dumps([rows, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
LIMITS = {"ratio": 5.0, "megabytes": 1000.0}


def measure(code: str, source: Path, out: Path) -> tuple[int, float, float]:
    """Rows, seconds and peak memory in MiB of one reading in a fresh process."""
    run = subprocess.run(
        [sys.executable, "-c", code + MEASURE, str(source), str(out)], check=True, capture_output=True, text=True
    )  # fmt: skip
    rows, seconds, megabytes = json.loads(run.stdout)
    return int(rows), float(seconds), float(megabytes)


def write_noise(path: Path, rows: int = 5000) -> Path:
    """A file of the right form whose faces are noise."""
    noise = random.Random(0)
    with path.open("w") as file:
        file.write("emotion,pixels,Usage\n")
        for row in range(rows):
            pixels = " ".join(map(str, noise.choices(range(256), k=48 * 48)))
            file.write(f"{row % 7},{pixels},Training\n")
    return path


def main() -> None:
    """Measure, show a table, and leave with 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, nargs="?", help="fer2013.csv")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = args.source or write_noise(Path(folder, "noise.csv"))
        out = Path(folder, "faces.h5")
        runs = [(measure(USUAL, source, out), measure(MIEN, source, out)) for _ in range(args.runs)]
    table = Table("reading", "rows", "seconds", "peak memory, MiB", title=f"{source.name}, median of {args.runs}")
    found = []
    for name, results in zip(("pandas + split", "mien, into a store"), zip(*runs, strict=True), strict=True):
        seconds, megabytes = statistics.median(run[1] for run in results), max(run[2] for run in results)
        found.append((seconds, megabytes))
        table.add_row(name, str(results[0][0]), f"{seconds:.2f}", f"{megabytes:.0f}")
    ratio = found[0][0] / found[1][0]
    Console().print(table)
    print(
        f"{ratio:.1f} times faster (wanted: {LIMITS['ratio']}), {found[1][1]:.0f} MiB (allowed: {LIMITS['megabytes']:.0f})"
    )
    raise SystemExit(ratio < LIMITS["ratio"] or found[1][1] > LIMITS["megabytes"])


if __name__ == "__main__":
    main()
