"""`tools/bundle.py`: a run into the package, on a small run and folders of the test's own."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mien import bundle, export
from mien.predict.engine import Engine
from mien.train import train
from tests import tiny_run


@pytest.fixture
def tool(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool, writing into this test's folder."""
    spec = importlib.util.spec_from_file_location("bundle_tool", root / "tools" / "bundle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "card.md").write_text(f"# Card\n{module.BEGIN}stale\n{module.END}Prose stays.\n")
    monkeypatch.setattr(module, "BUNDLE", tmp_path / "bundle")
    monkeypatch.setattr(module, "CARD", tmp_path / "card.md")
    return module


def test_one_command_replaces_models_sums_and_figures(
    tool: ModuleType,
    faces: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = tmp_path / "run"
    export.export(run, train(tiny_run.config(faces, "distribution8"), run))
    before = sorted(path.name for path in run.iterdir())
    monkeypatch.setattr(sys, "argv", ["bundle.py", str(run), "--name", "small"])
    tool.main()
    assert sorted(path.name for path in run.iterdir()) == before, "the run stays as it was"
    assert list(bundle.checksums(tmp_path / "bundle")) == ["small", "small-int8"]
    for name in ("small", "small-int8"):
        engine = Engine(bundle.find(name, tmp_path / "bundle"))
        assert engine.name == name
        told = {(one["head"], one["target"]): one for one in engine.metadata["figures"]}
        assert list(told) == [("distribution8", "distribution8"), ("distribution8", "expression8")]
        assert set(told["distribution8", "expression8"]["metrics"]) == set(tool.ON_MAJORITY)
        low, high = told["distribution8", "distribution8"]["metrics"]["kl"]["interval"]
        assert low <= told["distribution8", "distribution8"]["metrics"]["kl"]["value"] <= high
    card = (tmp_path / "card.md").read_text()
    assert card.startswith("# Card\n")
    assert card.endswith("Prose stays.\n")
    assert "stale" not in card
    assert "faces, label temperature " in card
    assert " across five folds, " in card
    assert "| head | against | faces | metric | `small` | `small-int8` |" in card
    assert "Per class, distribution8 against expression8:" in card
    assert "| happy |" in card
    assert capsys.readouterr().out in card


def test_the_card_in_the_repository_is_of_the_bundled_models(root: Path) -> None:
    card = (root / "docs" / "reference" / "model-card.md").read_text()
    for name in bundle.checksums():
        for record in Engine(bundle.find(name), threads=1).metadata["figures"]:
            for metric in ("kl", "log_loss"):
                if metric in record["metrics"]:
                    assert f"{record['metrics'][metric]['value']:.4f}" in card
