"""Tasks: the shipped ones, one declared in TOML, changes to heads, and what is refused."""

import tomllib
from typing import Any

import pytest

from mien.errors import ConfigError
from mien.labels import EXPRESSION8, LabelSpace
from mien.tasks import DEFAULT_LOSS, DEFAULT_METRICS, TASKS, Head, Kind, Task, loss_terms

SHIPPED = {
    "expression7": [("expression7", Kind.CLASS, 7)],
    "expression8": [("expression8", Kind.CLASS, 8)],
    "distribution8": [("distribution8", Kind.DISTRIBUTION, 8)],
    "compound11": [("compound11", Kind.CLASS, 11)],
    "distribution13": [("distribution13", Kind.DISTRIBUTION, 13)],
    "affect": [("expression8", Kind.CLASS, 8), ("valence_arousal", Kind.VALUES, 2)],
    "emotic": [("tags", Kind.TAGS, 26), ("vad", Kind.VALUES, 3)],
}
OWN = """
name = "mood"

[[heads]]
name = "mood"
kind = "class"
labels = ["up", "down"]
metrics = ["macro_f1"]
loss = { cross_entropy = 1.0, focal = 0.5 }

[[heads]]
name = "pain"
kind = "values"
labels = ["intensity"]
bounds = [0, 10]
weight = 2
"""


def test_shipped_tasks() -> None:
    assert {name: [(h.name, h.kind, len(h)) for h in task] for name, task in TASKS.items()} == SHIPPED
    assert all(name == task.name for name, task in TASKS.items())


@pytest.mark.parametrize("task", list(TASKS.values()), ids=list(TASKS))
def test_tasks_survive_json(task: Task) -> None:
    assert Task.from_dict(task.to_dict()) == task


def test_every_kind_has_a_loss_and_metrics() -> None:
    assert set(DEFAULT_LOSS) == set(DEFAULT_METRICS) == set(Kind)
    head = Head("x", Kind.VALUES, LabelSpace("x", ("a",)))
    assert head.loss == (("ccc", 1.0), ("mse", 1.0))
    assert head.metrics[0] == "ccc"


def test_the_main_head_is_the_first_that_answers_with_one_label() -> None:
    assert [kind for kind in Kind if kind.is_exclusive] == [Kind.CLASS, Kind.DISTRIBUTION]
    values, face = TASKS["affect"].heads[1], TASKS["affect"].heads[0]
    assert TASKS["affect"].main_head == Task("turned", (values, face)).main_head == face
    assert TASKS["emotic"].main_head is None


def test_a_task_of_ones_own_in_toml() -> None:
    task = Task.from_dict(tomllib.loads(OWN))
    assert task.head("mood") == Head(
        "mood", Kind.CLASS, LabelSpace("mood", ("up", "down")),
        loss=(("cross_entropy", 1.0), ("focal", 0.5)), metrics=("macro_f1",),
    )  # fmt: skip
    assert task.head("pain") == Head(
        "pain", Kind.VALUES, LabelSpace("pain", ("intensity",)), (0.0, 10.0), weight=2.0
    )
    assert Task.from_dict(task.to_dict()) == task


def test_a_head_may_borrow_a_shipped_space() -> None:
    assert (
        Head.from_dict({"name": "mine", "kind": "distribution", "space": "expression8"}).space == EXPRESSION8
    )


def test_loss_terms() -> None:
    assert loss_terms("kl") == (("kl", 1.0),)
    assert loss_terms({"kl": 0.5, "energy": 2.0}) == (("kl", 0.5), ("energy", 2.0))


def test_changes_to_a_head_leave_the_rest() -> None:
    task = TASKS["affect"].changed({"valence_arousal": {"loss": "mse", "weight": 1, "metrics": ["rmse"]}})
    assert task.heads[0] == TASKS["affect"].heads[0]
    changed = task.head("valence_arousal")
    assert (changed.loss, changed.weight, changed.metrics) == ((("mse", 1.0),), 1.0, ("rmse",))
    assert (changed.bounds, changed.space) == ((-1.0, 1.0), TASKS["affect"].heads[1].space)


HEAD: dict[str, Any] = {"name": "h", "kind": "class", "labels": ["a", "b"]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "clas"}, "unknown kind of head 'h' 'clas', did you mean 'class'"),
        ({"kind": 3}, "head 'h': kind = 3: must be a text in quotes"),
        ({"labels": "ab"}, "head 'h': labels = 'ab': must be a list"),
        ({"labels": [1, 2]}, "head 'h': labels.0 = 1: must be a text in quotes"),
        ({"labels": ["sad", "Sadness"]}, "head 'h': label space 'h' names a label twice: sad, Sadness"),
        ({"labels": []}, "head 'h': needs 'labels' (a list of names) or 'space' (one of: expression7, "),
        ({"labels": [], "space": "expresion7"}, "did you mean 'expression7'"),
        ({"kind": "values"}, "head 'h': needs bounds = [low, high], such as [-1.0, 1.0], given []"),
        ({"bounds": [1.0]}, "given [1.0]"),
        ({"bounds": ["low", "high"]}, "head 'h': bounds.0 = 'low': must be a number"),
        ({"bounds": [1.0, -1.0]}, "head 'h': bounds [1.0, -1.0] must be [low, high] with low < high"),
        ({"bounds": [float("-inf"), 1]}, "head 'h': bounds.0 = -inf: must be a finite number"),
        ({"weight": -1.0}, "head 'h': weight = -1.0: must be 0 or more"),
        ({"weight": "2"}, "head 'h': weight = '2': must be a number"),
        ({"metrics": "accuracy"}, "head 'h': metrics = 'accuracy': must be a list"),
        ({"loss": 3}, "head 'h': loss = 3: must be a text in quotes or a table"),
        ({"loss": {"kl": "much"}}, "head 'h': loss.kl = 'much': must be a number"),
        ({"lables": ["a"]}, "head 'h': unknown key 'lables', did you mean 'labels'?"),
        ({"name": "a.b"}, "head 'a.b': a name is made of letters, digits, _ and -"),
        ({"name": ""}, "a name is made of letters"),
    ],
)
def test_a_bad_head_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Head.from_dict({**HEAD, **change})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "task 'custom': heads must be there"),
        ({"name": "t", "heads": []}, "task 't': heads must be there"),
        ({"name": "t", "heads": [HEAD, HEAD]}, "have different names, given ['h', 'h']"),
        ({"name": "t", "heads": {"h": HEAD}}, "task: heads = {'h': "),
        ({"name": "t", "heads": ["h"]}, "head '': 'h': must be a table"),
        ({"name": "t", "heads": [{"kind": "class"}]}, "head '': needs 'name'"),
        ({"name": "t", "heads": [{"name": "h"}]}, "head 'h': needs 'kind'"),
        ({"name": "t", "head": [HEAD]}, "task: unknown key 'head', did you mean 'heads'?"),
    ],
)
def test_a_bad_task_is_named(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Task.from_dict(table)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expresion7": {}}, "unknown head of task expression7 'expresion7', did you mean 'expression7'"),
        ({"expression7": {"kind": "tags"}},
         "unknown setting of head 'expression7' 'kind' (one of: class_weights, loss, metrics, weight)"),
        ({"expression7": {"weight": "heavy"}}, "head 'expression7': weight = 'heavy': must be a number"),
        ({"expression7": {"class_weights": {"contempt": 3.0}}},
         "head 'expression7': class_weights: 'contempt' is no label of expression7 "
         "(one of: angry, disgust, fear, "),
        ({"expression7": {"class_weights": {"happy": -1}}}, "class_weights.happy = -1.0: must be 0 or more"),
        ({"expression7": {"metrics": "kappa"}}, "metrics = 'kappa': must be a list"),
    ],
)  # fmt: skip
def test_a_bad_change_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TASKS["expression7"].changed(changes)
    assert message in str(caught.value)


def test_class_weights_are_set_by_name() -> None:
    head = (
        TASKS["expression8"].changed({"expression8": {"class_weights": {"Contempt": 3, "anger": 0}}}).heads[0]
    )
    assert head.class_weights == (("contempt", 3.0), ("angry", 0.0))
    assert Head.from_dict(head.to_dict()) == head
