"""The runner of ablations: its statistics by hand, and a small one on noise."""

import math
from pathlib import Path

import pytest
from scipy import stats

from benchmarks import recipe
from benchmarks.recipe import Outcome
from mien import config as configs
from mien.errors import ConfigError

METRIC = "expression7.accuracy"


def outcomes(*values: float) -> list[Outcome]:
    return [Outcome({METRIC: value}, 100, 0.5) for value in values]


def test_differences_are_paired_by_seed() -> None:
    mean, half = recipe.difference([0.72, 0.71, 0.76], [0.70, 0.70, 0.70])
    wanted = stats.ttest_rel([0.72, 0.71, 0.76], [0.70, 0.70, 0.70]).confidence_interval(0.95)
    assert (mean - half, mean + half) == pytest.approx((wanted.low, wanted.high))
    mean, half = recipe.difference([0.72], [0.70])
    assert mean == pytest.approx(0.02)
    assert math.isnan(half)


def test_the_table_by_hand() -> None:
    lines = recipe.table({"": outcomes(0.5, 0.7), "train.sam=0.1": outcomes(0.6, 0.9)}, [METRIC]).splitlines()
    assert lines[2] == "| base | 0.6000 ± 0.1414 |  | 100 | 0.5 |"
    assert lines[3] == "| train.sam=0.1 | 0.7500 ± 0.2121 | +0.1500 (-0.4853 to +0.7853) | 100 | 0.5 |"
    alone = recipe.table({"": outcomes(0.5), "x=1": outcomes(0.6)}, [METRIC]).splitlines()
    assert alone[3] == "| x=1 | 0.6000 | +0.1000 | 100 | 0.5 |"


def test_runs_are_trained_once_and_gone_on_with(tiny, tmp_path, capsys, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    base = tiny(phases=[{"epochs": 1}, {"epochs": 1}])
    (tmp_path / "base.toml").write_text(configs.dumps(base))
    trained: list[Path] = []
    train = recipe.train

    def counted(config: configs.Config, run: Path, resume: bool) -> None:
        trained.append(run.relative_to(tmp_path))
        train(config, run, resume)

    monkeypatch.setattr(recipe, "train", counted)
    words = [
        str(tmp_path / "base.toml"),
        "--data",
        base.data.store,
        "--out",
        str(tmp_path / "out"),
        "--metrics",
        METRIC,
    ]
    words += [
        "--set",
        "train.threads=1",
        "--seeds",
        "0",
        "1",
        "--change",
        "model.options.depth=2 train.clip=1",
    ]
    recipe.main(words)
    printed = capsys.readouterr().out
    changed = "model.options.depth=2_train.clip=1"
    assert trained == [Path("out", name, seed) for name in ("base", changed) for seed in "01"]
    assert printed.count(" | 8 | 0.0 |") == 2  # two phases of four steps
    (tmp_path / "out" / changed / "1/checkpoints/2/best.ckpt").unlink()
    recipe.main(words)
    assert trained[4:] == [Path("out", changed, "1")]
    assert capsys.readouterr().out.splitlines()[:3] == printed.splitlines()[:3]
    with pytest.raises(ConfigError, match="base/0: holds a run of another configuration"):
        recipe.main([*words, "--set", "train.clip=2"])
    with pytest.raises(ConfigError, match=r"unknown key 'train\.clap'"):
        recipe.main([*words, "--change", "train.clap=2"])
    with pytest.raises(ConfigError, match=r"unknown metric 'expression7\.acuracy', did you mean"):
        recipe.main([*words, "--metrics", "expression7.acuracy"])


def test_a_change_may_be_a_whole_configuration(tiny, tmp_path) -> None:  # type: ignore[no-untyped-def]
    base, other = tmp_path / "base.toml", tmp_path / "best.toml"
    base.write_text(configs.dumps(tiny(clip=1.0)))
    other.write_text(configs.dumps(tiny(clip=2.0, label_smoothing=0.1)))
    found = recipe.loaded(base, f"train.seed=3 {other} train.clip=5", [METRIC])
    assert (found.train.seed, found.train.clip, found.train.label_smoothing) == (3, 5.0, 0.1)
    assert recipe.loaded(base, "train.seed=3", [METRIC]).train.clip == 1.0


def test_another_split_is_scored_by_the_exported_run(tiny, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    done: list[str] = []
    heads = {"expression7": {"metrics": {"accuracy": {"value": 0.25}}}}

    def scored(run: Path, split: str, draws: int) -> dict[str, object]:
        done.append(f"{run.name} {split} {draws}")
        return {"heads": heads}

    monkeypatch.setattr(recipe, "outcome", lambda *_: outcomes(0.5)[0])
    monkeypatch.setattr(recipe, "train", lambda *_, resume: "network")
    monkeypatch.setattr(recipe, "export", lambda run, network: (run / "model.onnx").write_text(network))
    monkeypatch.setattr(recipe, "evaluate", scored)
    for split, value in (("test", 0.25), ("test", 0.25), ("", 0.5)):
        assert recipe.scored(tiny(), tmp_path, [METRIC], split).values == {METRIC: value}
    assert done == [f"{tmp_path.name} test 0"] * 2
    assert (tmp_path / "model.onnx").read_text() == "network"
