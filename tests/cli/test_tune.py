import json
import sys

import optuna
import pytest

from mien import config as configs
from mien.cli import main
from mien.cli.tune import StatusLine
from mien.tune import trials
from tests.tune import studies

LR = "lr = {low = 1e-3, high = 1e-1, log = true}"


@pytest.fixture
def toml(tiny, tmp_path):
    path = tmp_path / "tiny.toml"
    text = configs.dumps(tiny(phases=[{"epochs": 2, "lr": 0.0125}]))
    path.write_text(text.replace("lr = 0.0125", LR))
    return path


def test_one_command_trains_trials_and_makes_the_best_a_run(toml, tmp_path, capsys):
    words = [
        "tune",
        str(toml),
        "--out",
        str(tmp_path / "study"),
        "--objectives",
        "score",
        "latency",
        "--json",
    ]
    main([*words, "--trials", "2", "--train.batch_size", "24"])
    out, said = capsys.readouterr()
    found = json.loads(out)
    assert [row["state"] for row in found["trials"]] == ["complete", "complete"]
    assert all(0 < row["values"][0] <= 1 and row["values"][1] > 0 for row in found["trials"])
    assert found["trials"][0]["drawn"]["train.phases.0.lr"] == pytest.approx(0.001)
    assert said.count("trial ") == 2
    best = tmp_path / "study/best"
    assert {"report.html", "results", "model.onnx"} <= {path.name for path in best.iterdir()}
    wanted = configs.load(tmp_path / "study/best.toml")
    assert configs.load(best / "config.toml") == wanted
    assert wanted.train.batch_size == 24
    heads = json.loads((best / "results" / "validation.json").read_text())["heads"]
    accuracy = heads["expression7"]["metrics"]["accuracy"]["value"]
    assert accuracy == pytest.approx(
        found["trials"][found["best"]]["values"][0]
    )  # the weights are the trial's own


def test_the_table_shows_the_best_trials(toml, tmp_path, monkeypatch, capsys):
    studies.without_training(monkeypatch)
    words = ["tune", str(toml), "--out", str(tmp_path / "study"), "--trials", "5", "--no-best"]
    main(words)
    first = capsys.readouterr().err
    assert "5 trials finished, 5 measured" in first
    assert "expression7.accuracy" in " ".join(first.split())
    main(words)
    queue_again = capsys.readouterr().err
    assert "trial 0:" in first
    assert "trial 0:" not in queue_again
    assert "study.html" in queue_again
    assert not (tmp_path / "study/best").exists()


def test_faults_are_one_line(toml, tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["tune", str(toml), "--train.phases.0.lr", "0.1"])
    assert stop.value.code == 2
    assert "nothing varies" in capsys.readouterr().err
    studies.without_training(monkeypatch)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(trials, "trained", interrupted)
    with pytest.raises(SystemExit) as stop:
        main(["tune", str(toml), "--out", str(tmp_path / "study")])
    assert stop.value.code == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_without_optuna_it_says_what_to_install(toml, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SystemExit):
        main(["tune", str(toml)])
    assert 'pip install "mien[tune]"' in capsys.readouterr().err


def test_the_live_line_is_for_a_terminal_alone(monkeypatch, capsys):
    line = StatusLine()
    line("epoch 1", False)
    line("trial 0", True)
    assert capsys.readouterr().err == "trial 0\n"
    line.live = True
    line("epoch 1", False)
    line("trial 0", True)
    assert capsys.readouterr().err == "\r\x1b[2Kepoch 1\r\x1b[2Ktrial 0\n"


def test_a_study_of_nothing_but_impossible_trials_says_so(toml, tmp_path, monkeypatch, capsys):
    studies.without_training(monkeypatch)

    def pruned(*_):
        raise optuna.TrialPruned

    monkeypatch.setattr(trials, "trained", pruned)
    with pytest.raises(SystemExit):
        main(["tune", str(toml), "--out", str(tmp_path / "study"), "--trials", "2"])
    assert "no trial could be measured" in capsys.readouterr().err
