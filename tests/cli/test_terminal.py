"""Progress bars."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from mien.cli.terminal import progress_over
from mien.records import Moment, ReadError


class Film:
    name, moving, count = "a.mp4", True, 10


class Photo:
    name, moving, count = "b.png", False, 1


def test_the_bar_counts_sources_and_shares_of_videos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress_over([Film(), Photo()]) as progress:  # type: ignore[list-item]
        places = []
        for item in (
            Moment({"image": np.zeros((1, 1), np.uint8)}, "a.mp4", 4, 0.2),
            ReadError("b.png", "no"),
            ReadError("c", "no"),
        ):
            progress._updated = 0.0
            progress.step(item)  # type: ignore[arg-type]
            places.append(progress._bar.tasks[0].completed)
        time.sleep(0.01)
        assert places == [0.5, 2.0, 2.0]
        assert 0 < progress.rate < 1000
        assert "3 frames" in progress._bar.tasks[0].fields["speed"]


def test_without_a_terminal_there_is_no_bar() -> None:
    with progress_over([]) as progress:
        progress.step(ReadError("a", "no"))
        assert progress._bar is None
