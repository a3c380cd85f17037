"""Literals and `.npy` headers are read by many threads at once, which CPython's parser alone does not
stand."""

import gc
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest

from mien.datasets import safe_literals


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads that take turns as often as they can, in the midst of parsing too: there the garbage collector
    lets go."""

    def pause(*_: object) -> None:
        time.sleep(0)

    interval, often = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(20)
    gc.callbacks.append(pause)
    yield
    gc.callbacks.remove(pause)
    gc.set_threshold(*often)
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("restless")
def test_many_threads_at_once() -> None:
    file = BytesIO()
    np.save(file, 3.0)

    def read(_: int) -> list[float]:
        return [
            float(safe_literals.array(BytesIO(file.getvalue()))) + sum(safe_literals.value("[1, 2]"))
            for _ in range(1000)
        ]

    with ThreadPoolExecutor(4) as pool:
        assert {number for found in pool.map(read, range(4)) for number in found} == {6.0}
