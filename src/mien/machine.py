"""The machine: its processor, the cores this process may use, and whether others were started with it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_CPU_INFO = Path("/proc/cpuinfo")


def usable_cores(quota: Path = _CPU_QUOTA) -> int:
    """The number of cores this process may use: its CPU affinity, limited by the cgroup's CPU quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        limit, period = quota.read_text().split()
        return max(1, min(cores, int(limit) // int(period)))
    except (OSError, ValueError):
        return cores


def launched() -> bool:
    """Whether torchrun or SLURM's srun started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", os.environ.get("SLURM_STEP_NUM_TASKS", "1"))) > 1


def is_main() -> bool:
    """Whether this process has rank 0 of those started together: it alone writes files and prints."""
    return not launched() or os.environ.get("RANK", os.environ.get("SLURM_PROCID")) == "0"


def describe(info: Path = _CPU_INFO) -> str:
    """The processor, the cores in use and the operating system, in words."""
    try:
        lines = info.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    cores = usable_cores()
    return f"{name}, {cores} core{'s' if cores > 1 else ''}, {platform.system()}"
