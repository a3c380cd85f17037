"""Files are whole or absent."""

import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mien.files import atomic_write, sha256, write_text


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_replacing_writes_the_file_and_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    with atomic_write(path) as part:
        part.write_text("whole")
        assert not path.exists()
        assert part.parent == path.parent
    assert path.read_text() == "whole"
    assert names(path.parent) == ["file.txt"]


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_fault_in_the_middle_leaves_the_old_file(tmp_path: Path, fault: type[BaseException]) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def interrupted() -> None:
        with atomic_write(path) as part:
            part.write_text("half")
            raise fault

    with pytest.raises(fault):
        interrupted()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_a_fault_before_the_first_byte_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "file.txt"):
        pass
    assert names(tmp_path) == []


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    code = f"""
import os, signal
from pathlib import Path
from mien.files import atomic_write
with atomic_write(Path({str(path)!r})) as part:
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert path.read_text() == "old"


def test_write_text_is_utf8(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "grün\n")
    assert (tmp_path / "a.txt").read_bytes() == "grün\n".encode()


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_what_killed_processes_left_is_cleared_away(tmp_path):
    here, gone = platform.node(), subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = {
        "dead": f".other.h5.part-{here}-{gone.pid}",
        "alive": f".a.csv.part-{here}-{os.getppid()}",
        "silent": ".b.h5.part-elsewhere-7",
        "elsewhere": ".c.h5.part-elsewhere-7",
        "mine": ".part-of-my-diary",
    }
    for name in names.values():
        (tmp_path / name).touch()
    os.utime(tmp_path / names["silent"], (0, 0))
    write_text(tmp_path / "a.csv", "whole")
    left = {path.name for path in tmp_path.iterdir()} - {"a.csv"}
    assert left == {names["alive"], names["elsewhere"], names["mine"]}
