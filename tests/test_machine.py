import os
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
