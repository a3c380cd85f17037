"""The bar."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from mien.cli.watching import watching
from mien.records import Fault, Frame


class Film:
    name, moving, count = "a.mp4", True, 10


class Photo:
    name, moving, count = "b.png", False, 1


def test_the_bar_counts_sources_and_shares_of_videos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with watching([Film(), Photo()]) as watch:  # type: ignore[list-item]
        places = []
        for item in (Frame(np.zeros((1, 1), np.uint8), "a.mp4", 4, 0.2), Fault("b.png", "no"), Fault("c", "no")):
            watch._told = 0.0
            watch.step(item)  # type: ignore[arg-type]
            places.append(watch._bar.tasks[0].completed)
        time.sleep(0.01)
        assert places == [0.5, 2.0, 2.0]
        assert 0 < watch.rate < 1000
        assert "3 frames" in watch._bar.tasks[0].fields["said"]


def test_without_a_terminal_there_is_no_bar() -> None:
    with watching([]) as watch:
        watch.step(Fault("a", "no"))
        assert watch._bar is None
