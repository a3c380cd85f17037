"""One detector and one model used from many threads: equal answers, at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.detect import Detector, Haar, YuNet, pool
from mien.detect.pool import Pool
from mien.predict import Model
from tests.drawn import scene

PICTURE = scene(640, 320, [(430, 60, 120), (80, 50, 160)])


def eight_times(call: Callable[[], object]) -> list[object]:
    with ThreadPoolExecutor(8) as threads:
        return [future.result(60) for future in [threads.submit(call) for _ in range(8)]]


class Meeting:
    """An object whose method `name` goes on once another thread is in it too: alone it fails after a
    while."""

    def __init__(self, real: Any, name: str, barrier: threading.Barrier) -> None:
        self._real, self._name, self._barrier = real, name, barrier

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            self._barrier.wait(30)
        return getattr(self._real, name)


@pytest.fixture
def two_at_least(monkeypatch: pytest.MonkeyPatch) -> threading.Barrier:
    monkeypatch.setattr(pool, "usable_cores", lambda: 2)
    return threading.Barrier(2)


def test_haar_finds_the_same_from_many_threads_at_the_same_time(two_at_least: threading.Barrier) -> None:
    haar = Haar()
    alone = haar(PICTURE)
    assert len(alone) == 2
    make = haar._cascades._make
    haar._cascades = Pool(lambda: Meeting(make(), "detectMultiScale", two_at_least))  # type: ignore[arg-type,return-value]
    assert eight_times(lambda: haar(PICTURE)) == [alone] * 8


def test_yunet_finds_the_same_from_many_threads_at_the_same_time(
    two_at_least: threading.Barrier, yunet: Path
) -> None:
    detector: Detector = YuNet(yunet)
    alone = detector(PICTURE)
    networks = detector._networks  # type: ignore[attr-defined]
    detector._networks = Pool(lambda: Meeting(networks._make(), "detect", two_at_least))  # type: ignore[attr-defined]
    assert eight_times(lambda: detector(PICTURE)) == [alone] * 8


def test_a_model_says_the_same_from_many_threads_at_the_same_time(
    affect: Model, two_at_least: threading.Barrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops = np.random.default_rng(0).integers(0, 255, (3, 48, 48), np.uint8)
    alone = affect.probabilities(crops)
    monkeypatch.setattr(affect.engine, "_session", Meeting(affect.engine._session, "run", two_at_least))
    for found in eight_times(lambda: affect.probabilities(crops)):
        assert isinstance(found, dict)
        for head, rows in alone.items():
            np.testing.assert_array_equal(found[head], rows)


def test_a_pool_makes_no_more_than_it_needs_and_waits_where_all_are_lent(
    two_at_least: threading.Barrier,
) -> None:
    made: list[int] = []
    numbers = Pool(lambda: made.append(len(made)) or made[-1])
    for _ in range(3):
        with numbers.lent() as number:
            assert number == 0
    with numbers.lent(), numbers.lent() as second:
        assert second == 1
        third = threading.Thread(target=lambda: numbers.lent().__enter__())
        third.start()
        third.join(0.1)
        assert third.is_alive(), "two are all there are"
    third.join(30)
    assert made == [0, 1]
    with pytest.raises(ValueError, match="out"), numbers.lent():
        raise ValueError("out")
