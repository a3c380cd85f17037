"""Sinks by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.errors import ConfigError
from mien.outputs.show import SINKS, open_sink
from mien.outputs.show.picture import Pictures
from mien.tasks import TASKS, Task
from tests.outputs.show.streams import face, step

NAMES = {"pictures": "drawn", "video": "v.mp4", "timeline": "t.svg", "sheet": "s.png", "page": "p.html"}
VALUES = Task("only", (TASKS["affect"].head("valence_arousal"),))


def test_an_unknown_sink_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown way to show results 'film'"):
        open_sink("film", tmp_path)


@pytest.mark.parametrize("kind", SINKS)
@pytest.mark.parametrize(
    "task", [TASKS["expression7"], TASKS["affect"], TASKS["emotic"], VALUES], ids=lambda task: task.name
)
def test_every_sink_shows_every_task(tmp_path: Path, kind: str, task: Task) -> None:
    sink = open_sink(kind, tmp_path / NAMES[kind])
    for index in range(4):
        pixels = np.full((90, 120, 3), 60 * index, np.uint8)
        faces = [face((10, 10, 60, 60), "happy", task=task)] if index != 2 else []
        sink.add(step(faces, index / 10, index=index, pixels=pixels))
    sink.close()
    assert sink.written
    assert all(path.stat().st_size > 300 for path in sink.written)


@pytest.mark.parametrize("kind", sorted(set(SINKS) - {"pictures"}))
def test_what_is_given_up_leaves_no_file(tmp_path: Path, kind: str) -> None:
    sink = open_sink(kind, tmp_path / NAMES[kind])
    sink.add(step([face((10, 10, 60, 60))], 0.0))
    sink.discard()
    sink.close()
    assert list(tmp_path.rglob("*")) == []


def test_pictures_are_called_after_their_sources_and_frames(tmp_path: Path) -> None:
    sink = Pictures(tmp_path, {"c/x.png": "chosen"})
    for source in ("a/face.jpg", "b/Face.png", "c/x.png"):
        sink.add(step([], None, source=source))
    sink.add(step([], 0.5, source="film.mp4", index=12))
    sink.close()
    sink.discard()
    assert [path.name for path in sink.written] == [
        "face.mien.png", "Face-2.mien.png", "chosen.mien.png", "film-000012.mien.png",
    ]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in sink.written)
    with Image.open(sink.written[0]) as image:
        assert image.size == (640, 480)
