"""A few kills of the quick jobs (`python -m tests.chaos` kills all of them, fifty times each), and what would
notice."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos import jobs, strike, torment

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("words", [["--only", "import", "train", "evaluate", "--kills", "1", "--changes"]])
def test_killed_and_started_again_nothing_is_lost(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [
        line for line in done.stdout.splitlines() if line.startswith(("| import", "| train", "| evaluate"))
    ]
    assert [line.split("|")[2].strip() for line in lines] == ["1"] * 3
    assert all(line.endswith("| 0 |") for line in lines)


@pytest.mark.parametrize(
    "name", ["a.json", "a.csv", "a.toml", "a.html", "a.ckpt", "a.h5", "a.onnx", "a.parquet"]
)
def test_half_a_file_is_noticed(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text('a,b\n{"half"')
    with pytest.raises(AssertionError, match=rf"{name} is not whole|a\.csv"):
        jobs.check(tmp_path)


def test_what_a_part_holds_is_nobody_s_business(tmp_path: Path) -> None:
    (tmp_path / ".a.json.part-here-1").write_text("{")
    assert jobs.check(tmp_path) == 0


def test_how_a_stopped_command_must_end() -> None:
    whole = strike.End(128 + signal.SIGTERM, 1.0, ["open a"])
    said = "trial 0: 0.5\nmien: stopped; the same command goes on\n"
    assert torment._wrong(whole, signal.SIGTERM, said, []) == []
    assert torment._wrong(whole._replace(status=1), signal.SIGTERM, said, []) == ["status 1"]
    assert torment._wrong(whole, signal.SIGTERM, "Traceback\n" + said, ["a.part"])[1:] == ["a.part is left"]
    assert (
        torment._wrong(whole._replace(changes=["os.remove b/a.part"]), signal.SIGTERM, said, ["a.part"]) == []
    )
    assert torment._wrong(whole._replace(status=1), signal.SIGKILL, "no", []) == ["status 1: no"]
