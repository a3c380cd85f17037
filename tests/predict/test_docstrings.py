"""The examples in docstrings run, with the bundled model."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import mien.media.limits
import mien.predict.model
import mien.predict.results
import mien.records
import mien.sources.per_source

MODULES = [mien.media.limits, mien.predict.model, mien.predict.results, mien.records, mien.sources.per_source]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.__name__))
def test_examples_run(module: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testmod(module, raise_on_error=False)  # type: ignore[arg-type]
    assert failed == 0
    assert tried


def test_examples_in_the_reference_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "python.md"
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testfile(str(page), module_relative=False)
    assert failed == 0
    assert tried
