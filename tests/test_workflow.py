"""The whole way in one call: from a configuration in any form to a run folder with figures and a report."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import mien
from mien import config
from mien.errors import ConfigError


def test_a_table_becomes_a_run(tiny, tmp_path):
    results = mien.train_model(
        tiny().to_dict(), str(tmp_path / "run"), {"train.seed": 4, "train.phases.0.epochs": 1}
    )
    assert results == json.loads((tmp_path / "run" / "results" / "validation.json").read_text())
    assert (results["training"]["seed"], results["training"]["epochs"]) == (4, 1)
    assert (tmp_path / "run" / "report.html").stat().st_size > 1000
    assert mien.load(tmp_path / "run").task.name == "expression7"
    with pytest.raises(ConfigError, match="holds a run already"):
        mien.train_model(tiny(), tmp_path / "run")


def test_a_run_goes_on_from_its_file(tiny, tmp_path):
    (tmp_path / "tiny.toml").write_text(config.dumps(tiny()))
    first = mien.train_model(str(tmp_path / "tiny.toml"), tmp_path / "run")
    again = mien.train_model(tmp_path / "tiny.toml", tmp_path / "run", resume=True)
    assert first["heads"] == again["heads"]


@pytest.mark.parametrize(
    ("given", "changes", "text"),
    [
        ({"tusk": "affect"}, {}, "config: unknown key 'tusk', did you mean 'task'"),
        ({}, {"train.sead": 1}, "changes: unknown key 'train.sead', did you mean 'seed'"),
        ({}, {"train.seed": "1"}, "changes: train.seed = '1': must be a whole number"),
        ({}, {"train.phases.3.lr": 1.0}, "train.phases.3.lr: cannot go down to '3'"),
        ("nowhere.toml", {}, "nowhere.toml: no such file"),
    ],
)
def test_faults_are_named_before_anything_is_written(given, changes, text, tmp_path):
    with pytest.raises(ConfigError, match=text.replace("'", ".")):
        mien.train_model(given, tmp_path / "run", changes)
    assert list(tmp_path.iterdir()) == []


def test_without_torch_it_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "class Without:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'torch': raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "import mien\n"
        "try: mien.train_model({}, sys.argv[1])\n"
        "except mien.MienError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run")], capture_output=True, text=True, check=True
    )
    assert 'pip install "mien[train]"' in done.stdout
