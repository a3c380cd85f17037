"""Optional dependencies."""

import json
from pathlib import Path

import pytest

from mien.errors import MissingExtraError
from mien.extras import require


def test_require_imports() -> None:
    assert require("json", "all") is json


@pytest.mark.parametrize("module", ["mien_nowhere", "mien_nowhere.inner"])
def test_require_says_what_to_install(module: str) -> None:
    with pytest.raises(MissingExtraError) as caught:
        require(module, "report")
    assert str(caught.value) == 'mien_nowhere is not installed; run: pip install "mien[report]"'


def test_require_does_not_hide_a_fault_inside_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mien_broken.py").write_text("import mien_nowhere_either\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="mien_nowhere_either"):
        require("mien_broken", "report")
