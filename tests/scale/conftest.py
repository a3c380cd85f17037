"""Pictures in a folder, a tiny model, and workers in the test's own process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.errors import MienError
from mien.scale import Count, cluster
from mien.scale.worker import Order, Shard, Worker
from tests.scale.objects import Bucket, serving
from tests.tiny_model import write_model


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a model and nine pictures, of which the last cannot be read."""
    write_model(tmp_path / "model.onnx")
    (tmp_path / "pics").mkdir()
    for number in range(8):
        cv2.imwrite(
            str(tmp_path / "pics" / f"{number}.png"), np.full((40 + number, 50), 25 * number, np.uint8)
        )
    (tmp_path / "pics" / "bad.jpg").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let a worker in this process do the shards, as Ray would; the numbers of those done."""
    done: list[int] = []

    def spread(order: Order, shards: Sequence[Shard], workers: int = 0) -> Iterator[Count]:
        worker = Worker(order, 1)
        for shard in shards:
            row = shard.to_row()
            answer = worker({name: [value] for name, value in row.items()})
            if answer["error"][0]:
                raise MienError(answer["error"][0])
            done.append(shard.number)
            yield Count.from_json(answer["count"][0])

    monkeypatch.setattr(cluster, "spread", spread)
    return done


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Object storage, with keys that it does not look at."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with serving() as found:
        yield found
