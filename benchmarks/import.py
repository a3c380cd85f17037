"""How fast a FER-2013 CSV becomes a store, against the usual readings: pandas, then for each row
`np.array(row.split())` (turned into numbers afterwards) or, faster, `np.array(row.split(), dtype=np.uint8)`.

    python benchmarks/import.py fer2013.csv [--runs 3]
    python benchmarks/import.py                           # on noise of the same shape, 5,000 rows

Each reading runs in a process of its own, in turn; the median time and the highest peak memory are shown. The
usual readings end with the pixels in memory; mien also checks every field, takes the SHA-256, writes the
store and reads every byte back.
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
    faces = np.stack([{array} for row in table["pixels"]]).reshape(-1, 48, 48)
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
READINGS = {
    "pandas, np.array(row.split())": USUAL.format(array="np.array(row.split()).astype(np.uint8)"),
    "pandas, np.array(row.split(), dtype=np.uint8)": USUAL.format(
        array="np.array(row.split(), dtype=np.uint8)"
    ),
    "mien, into a store": MIEN,
}
#: Least ratio to the first reading, most memory of the last.
LIMITS = {"ratio": 5.0, "megabytes": 1000.0}


def measure(code: str, source: Path, out: Path) -> tuple[int, float, float]:
    """Rows, seconds and peak memory in MiB of one reading in a fresh process."""
    run = subprocess.run(
        [sys.executable, "-c", code + MEASURE, str(source), str(out)],
        check=True, capture_output=True, text=True,
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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, nargs="?", help="fer2013.csv")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = args.source or write_noise(Path(folder, "noise.csv"))
        out = Path(folder, "faces.h5")
        runs = [[measure(code, source, out) for code in READINGS.values()] for _ in range(args.runs)]
    seconds = [statistics.median(run[k][1] for run in runs) for k in range(len(READINGS))]
    megabytes = [max(run[k][2] for run in runs) for k in range(len(READINGS))]
    table = Table(
        "reading",
        "rows",
        "seconds",
        "times mien's",
        "peak memory, MiB",
        title=f"{source.name}, median of {args.runs}",
    )
    for k, name in enumerate(READINGS):
        ratio = seconds[k] / seconds[-1]
        table.add_row(name, str(runs[0][k][0]), f"{seconds[k]:.2f}", f"{ratio:.1f}", f"{megabytes[k]:.0f}")
    Console(width=100).print(table)
    raise SystemExit(seconds[0] / seconds[-1] < LIMITS["ratio"] or megabytes[-1] > LIMITS["megabytes"])


if __name__ == "__main__":
    main()
