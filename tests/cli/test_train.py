import json
import subprocess
import sys

import pytest

from mien import config as configs
from mien.cli import main


@pytest.fixture
def toml(tiny, tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(configs.dumps(tiny()))
    return path


def test_one_command_trains_exports_evaluates_and_reports(toml, tmp_path, capsys):
    run = tmp_path / "run"
    main(["train", str(toml), "--out", str(run), "--json", "--train.seed", "3"])
    out, said = capsys.readouterr()
    results = json.loads(out)
    assert results["training"]["seed"] == 3
    assert results["data"]["split"] == "validation"
    assert "epoch 2/2" in said
    there = {path.name for path in run.iterdir()}
    wanted = {
        "config.toml",
        "history.csv",
        "results",
        "predictions",
        "model.safetensors",
        "model.json",
        "model.onnx",
    }
    assert there == wanted | {"report.html", "checkpoints", "tensorboard"}
    assert results["heads"]["expression7"]["metrics"]["accuracy"]["value"] == pytest.approx(
        json.loads((run / "model.json").read_text())["metrics"]["expression7"]["accuracy"]
    )


def test_export_writes_the_model_anew(toml, tmp_path, capsys):
    run = tmp_path / "run"
    main(["train", str(toml), "--out", str(run)])
    (run / "model.onnx").unlink()
    main(["export", str(run)])
    assert (run / "model.onnx").exists()
    assert "model.onnx" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--train.seeds", "3"], "unknown key 'train.seeds', did you mean 'seed'"),
        (["--train.batch_size", "many"], "train.batch_size = 'many'"),
        (["--model.encoder", "test_resnet"], "does not take model.options"),
        (["--data.store", "nowhere.h5"], "nowhere.h5: no such store"),
    ],
)
def test_faults_are_one_line(words, text, toml, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", str(toml), "--out", str(tmp_path / "run"), *words])
    said = capsys.readouterr().err
    assert stop.value.code == (1 if "store" in text else 2)
    assert said.count("\n") == 1
    assert text in said
    assert not (tmp_path / "run").exists()


def test_without_torch_training_says_what_to_install(toml, tmp_path):
    code = (
        "import sys\n"
        "class Without:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'torch': raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "from mien.cli import main; main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "train", str(toml), "--out", str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert 'pip install "mien[train]"' in done.stderr
    assert not (tmp_path / "run").exists()
