"""The machine a figure was measured on, how many of its cores this process may use, and how it holds memory."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_CPU_INFO = Path("/proc/cpuinfo")
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of glibc's mallopt(3)


def usable_cores(quota: Path = _CPU_QUOTA) -> int:
    """Cores this process may use: its affinity (in a container not the machine's count), cut by the cgroup's CPU quota."""
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
    """Whether this process is the one that writes and speaks for all that were started together."""
    return not launched() or os.environ.get("RANK", os.environ.get("SLURM_PROCID")) == "0"


def alive(process: int) -> bool:
    """Whether a process of this number runs on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return True


@contextmanager
def kept_memory() -> Iterator[None]:
    """Meanwhile glibc keeps freed memory for what is asked for next: else large tensors get new, zeroed pages at every step."""
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_MMAP_MAX, 0)
    libc.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:  # as mallopt(3) says it was
        libc.mallopt(_MMAP_MAX, 65536)
        libc.mallopt(_TRIM_THRESHOLD, 128 * 1024)
        libc.malloc_trim(0)


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
