"""`tools/terminal.py`: what stays on a screen, and sessions as SVG."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def tool(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("terminal_tool", root / "tools" / "terminal.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_bar_that_takes_itself_away_is_shown_as_it_last_stood(tool: ModuleType) -> None:
    said = (
        "\x1b[?25lBar 10%\r\x1b[2KBar \x1b[32m90%\x1b[0m\r\x1b[2KBar 98%\r\n"
        "\x1b[?25h\r\x1b[1A\x1b[2Kwrote\r\nend\r\n"
    )
    assert tool.screen(said) == ["Bar 98%", "wrote", "end", ""]
    assert tool.screen("\x1b[1mone\x1b[0m\r\ntwo") == ["\x1b[1mone\x1b[0m", "two"]


def test_a_session_runs_in_a_terminal_and_names_nobodys_server(tool: ModuleType, tmp_path: Path) -> None:
    svg = tool.drawn(["test -t 1 && printf 'is\\033[31mred\\033[0m\\n'"], tmp_path, "one")
    assert svg.startswith("<svg")
    assert ">is</text>" in svg
    assert ">red</text>" in svg
    assert "font-face" not in svg
    assert "url(http" not in svg


def test_a_session_that_names_the_folder_is_refused(tool: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="pwd: names the folder that it ran in"):
        tool.drawn(["pwd"], tmp_path, "one")
