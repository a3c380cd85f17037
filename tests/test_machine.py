import os
import platform
import resource
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from mien import machine


@pytest.mark.parametrize(
    ("quota", "cores"), [("200000 100000", 2), ("50000 100000", 1), ("max 100000", None), ("nonsense", None)]
)
def test_usable_cores_heeds_the_quota_of_a_container(quota: str, cores: int | None, tmp_path: Path) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota)
    there = len(os.sched_getaffinity(0))
    assert machine.usable_cores(file) == (there if cores is None else min(cores, there))
    assert machine.usable_cores(tmp_path / "absent") == there


def test_a_machine_is_described_by_its_processor(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nmodel name\t: Abacus 9000\nmodel name\t: Abacus 9000\n")
    cores = machine.usable_cores()
    assert machine.describe(info).startswith(f"Abacus 9000, {cores} core")
    assert machine.describe(tmp_path / "absent")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library frees as it likes")
def test_freed_memory_is_kept_for_what_comes_next() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:  # in a heap that other tests left no holes in
        kept, after = fresh.submit(_new_pages_meanwhile_and_after).result()
    pages = 40 * 2**20 // resource.getpagesize()
    assert kept < pages / 10
    assert after > 3 * pages


def _new_pages_meanwhile_and_after() -> tuple[int, int]:
    with machine.kept_memory():
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
    monkeypatch.setattr(machine.ctypes, "CDLL", lambda _: pytest.fail("no such library here"))
    with machine.kept_memory():
        pass
