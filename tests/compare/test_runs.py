"""Reading runs, refusing those that cannot be compared, and gathering seeds."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from mien.compare.runs import RunGroup, check, group_runs, load, shared
from mien.errors import ConfigError, ModelError
from mien.run_folder import split_files
from mien.tasks import TASKS, Head, Task
from tests.compare.runs_on_disk import FERPLUS, make

EARLIER = Path(__file__).parents[1] / "earlier"


def compared(*folders: Path) -> tuple[Head, ...]:
    """The heads of runs that can be compared."""
    runs = [load(folder) for folder in folders]
    check(runs)
    return shared(runs)


def fault(*folders: Path) -> str:
    """The line that runs get which cannot be compared."""
    with pytest.raises((ConfigError, ModelError)) as caught:
        compared(*folders)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_run_is_read_from_its_folder(tmp_path: Path) -> None:
    run = load(make(tmp_path / "a", seed=4))
    assert (run.record.name, run.seed, run.model) == ("a", 4, tmp_path / "a" / "model.onnx")
    assert run.record.history
    assert run.measure("expression7", "accuracy")
    assert run.measure("expression7", "emd") is None


def test_an_evaluation_inside_a_run_has_that_runs_model_and_history(tmp_path: Path) -> None:
    make(tmp_path / "a")
    inner = tmp_path / "a" / "on-other"
    for name in ("results", "predictions"):
        shutil.copytree(tmp_path / "a" / name, inner / name)
    run = load(inner)
    assert run.folder == inner
    assert run.model == tmp_path.resolve() / "a" / "model.onnx"
    assert run.record.history
    assert "[train]" in run.record.config
    command = f"mien evaluate {tmp_path / 'a'} --data FILE --split test"
    with pytest.raises(ModelError, match=re.escape(f"of the split 'test', only of validation ({command})")):
        load(inner, "test")


def test_an_evaluation_of_the_int8_model_is_of_that_file(tmp_path: Path) -> None:
    run = make(tmp_path / "a", model="model-int8.onnx")
    assert load(run).model is None
    shutil.copy(run / "model.onnx", run / "model-int8.onnx")
    assert load(run).model == run / "model-int8.onnx"


def test_an_evaluation_without_a_run_has_neither(tmp_path: Path) -> None:
    run = make(tmp_path / "a")
    for name in ("config.toml", "history.csv", "model.onnx"):
        (run / name).unlink()
    read = load(run)
    assert read.model is None
    assert read.record.history is None
    assert len(group_runs([read, read])) == 2, "nothing says that they have one configuration"


@pytest.mark.parametrize("name", ["results", "predictions"])
def test_what_is_missing_is_named(tmp_path: Path, name: str) -> None:
    run = make(tmp_path / "a")
    shutil.rmtree(run / name)
    missing = f"has no {name} of the split 'validation'"
    assert fault(run) == f"{run}: {missing} (mien evaluate {run} --split validation)"
    assert fault(tmp_path / "b") == f"{tmp_path / 'b'}: no such folder"


def test_results_of_the_old_schema_are_to_be_evaluated_again(tmp_path: Path) -> None:
    assert "evaluate again" in fault(make(tmp_path / "a", schema=1))


def test_two_runs_are_needed_and_each_once(tmp_path: Path) -> None:
    run = make(tmp_path / "a")
    assert fault(run) == "a comparison needs two runs or more, given: 1"
    assert fault(run, tmp_path / "a" / ".." / "a").endswith("given twice")


def test_any_split_is_compared_and_a_run_without_it_is_named(tmp_path: Path) -> None:
    first, other = make(tmp_path / "a", split="test"), make(tmp_path / "b")
    assert load(first, "test").record.split == "test"
    command = f"mien evaluate {first} --split validation"
    assert (
        fault(other, first) == f"{first}: has no results of the split 'validation', only of test ({command})"
    )


@pytest.mark.parametrize("name", ["faces", "scenes"])
def test_a_run_of_an_earlier_version_is_compared_with_one_scored_anew(name: str, tmp_path: Path) -> None:
    first, other = (shutil.copytree(EARLIER / name, tmp_path / folder) for folder in ("old", "new"))
    for path, old in zip(
        split_files(other, "validation"), ("results.json", "predictions.parquet"), strict=True
    ):
        path.parent.mkdir()
        (other / old).rename(path)
    assert [head.name for head in compared(first, other)] == [
        one.head.name for one in load(first).record.heads
    ]
    assert load(first).record.data == load(other).record.data


def test_other_data_is_refused(tmp_path: Path) -> None:
    first, other = make(tmp_path / "a"), make(tmp_path / "b", data={"sha256": "cd" * 32})
    words = "other data, faces.h5 (SHA-256 cdcdcdcdcdcd) instead of faces.h5 (SHA-256 abababababab)"
    text = fault(first, other)
    assert text.startswith(f"{other} cannot be compared with {first}: {words}; evaluate both on the same")


def test_other_rows_are_refused(tmp_path: Path) -> None:
    text = fault(make(tmp_path / "a"), make(tmp_path / "b", rows=80))
    assert "other rows, 80 faces instead of 90" in text


def test_other_targets_of_a_head_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make(tmp_path / "a")
    from tests.compare import runs_on_disk

    answers = runs_on_disk.answers
    monkeypatch.setattr(
        runs_on_disk, "answers", lambda *given: tuple(np.roll(x, 1, axis=1) for x in answers(*given))
    )
    assert fault(first, make(tmp_path / "b")).endswith("other targets of head 'expression7'")


def test_only_heads_that_all_have_are_compared(tmp_path: Path) -> None:
    both = make(tmp_path / "both", task=FERPLUS)
    one = make(tmp_path / "one", task=TASKS["expression8"])
    other = make(tmp_path / "other")
    assert [head.name for head in compared(both, one)] == ["expression8"]
    assert "no head with the same labels in common" in fault(both, other)
    assert "other: expression7" in fault(both, other)


def test_runs_that_differ_only_in_the_seed_are_one_row(tmp_path: Path) -> None:
    runs = [
        load(make(tmp_path / "net_seed0", seed=0)),
        load(make(tmp_path / "slow", config={"train": {"batch_size": 32}})),
        load(
            make(
                tmp_path / "net_seed1", seed=1, config={"name": "another", "data": {"store": "elsewhere.h5"}}
            )
        ),
    ]
    rows = group_runs(runs)
    assert [(row.title, len(row.runs)) for row in rows] == [("net (2 seeds)", 2), ("slow", 1)]
    assert [row.name for row in group_runs(runs, seeds=False)] == ["net_seed0", "slow", "net_seed1"]


def test_the_same_seed_twice_is_no_second_seed(tmp_path: Path) -> None:
    runs = [load(make(tmp_path / name, seed=3)) for name in "ab"]
    assert [row.title for row in group_runs(runs)] == ["a", "b"]


@pytest.mark.parametrize(
    ("names", "name"),
    [(("resnet18-s1", "resnet18-s2"), "resnet18"), (("a", "b"), "a"), (("vit.16.0", "vit.16.1"), "vit.16")],
)
def test_seeds_are_named_by_what_they_share(tmp_path: Path, names: tuple[str, str], name: str) -> None:
    runs = [load(make(tmp_path / one, seed=seed)) for seed, one in enumerate(names)]
    assert group_runs(runs)[0].name == name


def test_runs_of_one_name_are_told_apart_by_folder(tmp_path: Path) -> None:
    runs = [
        load(make(tmp_path / name / "run", config={"train": {"batch_size": size}}))
        for name, size in (("a", 8), ("b", 9))
    ]
    assert [row.name for row in group_runs(runs)] == [
        str(tmp_path / "a" / "run"),
        str(tmp_path / "b" / "run"),
    ]


def test_training_numbers_are_means_over_seeds(tmp_path: Path) -> None:
    runs = [
        load(make(tmp_path / f"a{seed}", seed=seed, training={"seconds": 60.0 * seed})) for seed in (1, 2)
    ]
    entry = RunGroup("a", tuple(runs))
    assert (entry.mean("seconds"), entry.mean("epochs"), entry.mean("unheard_of")) == (90.0, 6.0, None)


def test_the_truth_is_the_same_in_every_fake_run(tmp_path: Path) -> None:
    task: Task = TASKS["expression7"]
    heads = [
        load(make(tmp_path / str(seed), task=task, seed=seed)).head("expression7").outputs for seed in (0, 1)
    ]
    assert heads[0]
    assert heads[1]
    assert np.array_equal(heads[0].true, heads[1].true)
    assert not np.array_equal(heads[0].predicted, heads[1].predicted)
