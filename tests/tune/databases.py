"""A PostgreSQL of a test's own: Debian's programs, on loopback, a free port, gone afterwards."""

import contextlib
import getpass
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

USER = "postgres"
#: It lasts for one test, so nothing waits for the disk.
OPTIONS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=30",
)


def programs():
    """The newest folder of PostgreSQL's programs, None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextlib.contextmanager
def postgresql():
    """The address of an empty database. Skips where PostgreSQL is not installed, or cannot be run by this
    user."""
    binaries, root = programs(), getpass.getuser() == "root"
    if binaries is None or (root and shutil.which("runuser") is None):
        pytest.skip("needs postgresql")
    switch = ["runuser", "-u", USER, "--"] if root else []  # initdb refuses root
    folder = Path(
        tempfile.mkdtemp(prefix="mien-pg-")
    )  # a socket's path must be short, and its owner reach it
    if root:
        shutil.chown(folder, USER)

    def run(name, *words):
        command = [*switch, str(binaries / name), "-D", f"{folder}/data", *words]
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)

    try:
        run("initdb", "-U", USER, "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8")
        port = _free_port()
        flags = " ".join(f"-c {option}" for option in OPTIONS)
        run(
            "pg_ctl",
            "-w",
            "-l",
            f"{folder}/log",
            "-o",
            f"-h 127.0.0.1 -p {port} -k {folder} {flags}",
            "start",
        )
        try:
            yield f"postgresql://{USER}@127.0.0.1:{port}/{USER}"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
