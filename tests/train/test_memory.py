"""Memory that training frees is used again."""

import platform
import resource
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from mien.train import loop


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library frees as it likes")
def test_freed_memory_is_kept_for_what_comes_next() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:  # in a heap that other tests left no holes in
        kept, after = fresh.submit(_new_pages_meanwhile_and_after).result()
    pages = 40 * 2**20 // resource.getpagesize()
    assert kept < pages / 10
    assert after > 3 * pages


def _new_pages_meanwhile_and_after() -> tuple[int, int]:
    with loop.reused_memory():
        _new_pages()
        kept = _new_pages()
    return kept, _new_pages()


def _new_pages() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        assert b"x" * (40 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_other_c_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(loop.ctypes, "CDLL", lambda _: pytest.fail("no such library here"))
    with loop.reused_memory():
        pass
