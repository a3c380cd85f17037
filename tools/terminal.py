"""Remake the pictures of terminal sessions in the docs: python tools/terminal.py [--data STORE]

Runs the commands of `SESSIONS` for real, each session in a fresh folder with drawn photographs, and draws
what came out as SVG. A progress bar, which takes itself away when the work is done, is shown as it last
stood. `mien evaluate` needs a store of FER-2013 with FER+ votes; without --data that session is left as it
is.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.text import Text

from mien import bundle
from mien.files import write_text
from mien.synthetic import photo

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDTH = 100
SESSIONS = {
    "terminal-predict": ["mien predict holiday/ --out faces.csv --sheet faces.jpg"],
    "terminal-models": ["mien models"],
    "terminal-evaluate": ["mien evaluate face --data ferplus.h5 --split validation"],
}
_PHOTOS = 40
_CODES = re.compile(r"\x1b\[(\?)?([\d;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+|\x1b")


def ran(command: str, folder: Path) -> bytes:
    """What a command writes to a terminal of `WIDTH` columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, WIDTH, 0, 0))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    set_ = {"PATH": path, "TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": str(WIDTH)}
    with subprocess.Popen(
        ["sh", "-c", command],
        cwd=folder,
        env=os.environ | set_,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        output = b"".join(_read(ours))
    os.close(ours)
    return output


def _read(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            yield os.read(terminal, 65536)
        except OSError:  # its other end was closed
            return


def screen(output: str) -> list[str]:
    """The lines that stay on the screen, with their colours, and the last state of a bar where it was taken
    away."""
    lines, row, bar = [""], 0, ""
    for found in _CODES.finditer(output):
        text, (private, count, code) = found[0], found.groups()
        if text == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif code == "K":
            bar = lines[row] or bar
            lines[row] = ""
        elif code == "A":
            row = max(0, row - int(count or 1))
        elif code in ("m", None) and text not in ("\r", "\x1b") and not private:
            lines[row] += text
    return [bar, *lines] if "%" in bar else lines


def drawn(commands: Sequence[str], folder: Path, name: str) -> str:
    """The session as SVG."""
    console = Console(
        record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor"
    )
    for command in commands:
        console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
        for line in screen(ran(command, folder).decode()):
            if str(folder) in line:
                raise SystemExit(f"{command}: names the folder that it ran in: {line}")
            text = Text.from_ansi(line)
            for start in range(0, max(1, len(text)), WIDTH):
                console.print(text[start : start + WIDTH])
    svg = console.export_svg(title="mien", unique_id=name)
    # rich names a font on somebody's server; any monospaced one will do.
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def furnish(folder: Path, data: Path | None) -> None:
    """Put what the commands name into a folder."""
    (folder / "holiday").mkdir()
    for seed in range(_PHOTOS):
        pixels, _ = photo(seed=seed, faces=1 + seed % 3, size=(640, 360))
        Image.fromarray(pixels).save(folder / "holiday" / f"{seed + 1:03}.jpg", quality=90)
    (folder / "face").mkdir()
    shutil.copyfile(bundle.find("face"), folder / "face" / "model.onnx")
    if data is not None:
        (folder / "ferplus.h5").symlink_to(data.resolve())


def main() -> None:
    """Draw all sessions."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="a store of FER-2013 with FER+ votes, for `mien evaluate`")
    parser.add_argument("--out", type=Path, default=IMAGES)
    args = parser.parse_args()
    for name, commands in SESSIONS.items():
        if name == "terminal-evaluate" and args.data is None:
            continue
        with tempfile.TemporaryDirectory() as temporary:
            furnish(Path(temporary), args.data)
            write_text(args.out / f"{name}.svg", drawn(commands, Path(temporary), name))


if __name__ == "__main__":
    main()
