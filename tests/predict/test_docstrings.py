"""The examples in docstrings run, with the bundled model."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import mien.predict.model
import mien.predict.results


@pytest.mark.parametrize("module", [mien.predict.model, mien.predict.results], ids=lambda module: str(module.__name__))
def test_examples_run(module: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testmod(module, raise_on_error=False)  # type: ignore[arg-type]
    assert failed == 0
    assert tried > 3
