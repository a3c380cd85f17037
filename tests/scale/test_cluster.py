"""Ray itself: one local cluster of two workers, of which one is killed."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from mien.cli.predict import Predict
from mien.errors import ConfigError, InputError
from mien.scale import cluster

#: A detector that kills its process once, the first time that it sees the fifth picture.
DEADLY = """
import os, signal
from pathlib import Path
from mien.detect import NoDetector

def find(pixels, whole=NoDetector(None, 0), killed=Path(__file__).with_name("killed")):
    if pixels.shape[0] == 44 and "RAY_JOB_ID" in os.environ and not killed.exists():
        killed.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(pixels)
"""


@pytest.mark.filterwarnings("ignore")
def test_two_workers_one_killed(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    (here / "deadly.py").write_text(DEADLY)
    monkeypatch.setenv("PYTHONPATH", f"{here}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.syspath_prepend(here)
    monkeypatch.setattr(cluster, "usable_cores", lambda: 2)
    asked = {"model": "model.onnx", "faces": "deadly:find"}
    with pytest.raises(InputError, match="1 of 9"):
        Predict(("pics",), **asked, out=Path("local.parquet")).run()
    with pytest.raises(InputError, match="1 of 9"):
        Predict(("pics",), **asked, out=Path("parts"), engine="ray", shard=2).run()
    assert (here / "killed").exists()
    rows = pd.read_parquet("parts")
    assert not rows.duplicated("source").any()
    pd.testing.assert_frame_equal(rows, pd.read_parquet("local.parquet"))
    assert len([*Path("parts").glob("part-*.parquet")]) == 5


@pytest.mark.parametrize(
    ("there", "asked", "shards", "found"),
    [(8, 0, 99, (8, 1)), (8, 2, 99, (2, 4)), (8, 3, 99, (3, 2)), (8, 0, 5, (5, 1))],
)
def test_workers_and_their_cores(there: int, asked: int, shards: int, found: tuple[int, int]) -> None:
    assert cluster._sized(there, asked, shards) == found


@pytest.mark.parametrize("asked", [-1, 9])
def test_more_workers_than_cores_are_refused(asked: int) -> None:
    with pytest.raises(ConfigError, match=f"--workers {asked}: must be 1 to 8"):
        cluster._sized(8, asked, 99)


@pytest.mark.parametrize(("address", "tries"), [("10.0.0.1:6379", 1), ("", 3)])
def test_a_cluster_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, address: str, tries: int
) -> None:
    given: list[object] = []

    class Ray:
        def is_initialized(self) -> bool:
            return False

        def init(self, address: str, **_: object) -> None:
            given.append(address)
            raise ConnectionError("nobody\nanswers")

        def shutdown(self) -> None:
            given.append("shut")

    ray = Ray()
    monkeypatch.setattr(cluster, "require", lambda *_: ray)
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(ConfigError, match="Ray cannot be reached or started: nobody answers"), cluster._ray():
        pass
    assert given == [address or "local", "shut"] * tries
