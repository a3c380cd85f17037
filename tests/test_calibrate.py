"""What is chosen on the validation split."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import calibrate as calibration
from mien import matching, metrics
from mien.calibrate import METHODS, aimed_at, calibrate, calibrate_head, fit_temperature, fit_vector
from mien.errors import ConfigError
from mien.labels import LabelSpace
from mien.metrics import tags
from mien.predict import scaling
from mien.predict.engine import Engine
from mien.predict.scaling import Scaling
from mien.records import Sample
from mien.store import Origin, Store, write
from mien.tasks import TASKS, Head, Kind, Task
from tests.tiny_model import write_model

CLASS, VOTES = TASKS["expression7"].heads[0], TASKS["distribution8"].heads[0]


def test_thresholds_are_those_of_the_models_answers_on_the_split(tmp_path: Path, faces: Path) -> None:
    model, store = write_model(tmp_path / "model.onnx", TASKS["emotic"]), Store(faces)
    rows, head = store.rows("validation"), TASKS["emotic"].heads[0]
    found = calibrate(model, store, "validation")
    assert list(found) == ["thresholds"]
    chosen = found["thresholds"]
    assert list(chosen) == ["tags"]
    assert list(chosen["tags"]) == list(head.space.labels)
    outputs = Engine(model).probabilities(store.images(rows))["tags"]
    assert list(chosen["tags"].values()) == tags.best_thresholds(outputs, store.target(head, rows)).tolist()
    assert chosen["tags"]["Happiness"] != 0.5
    assert chosen["tags"]["Yearning"] == 0.5
    assert calibrate(model, store, "train") != {"thresholds": chosen}


class Unlabelled(Store):
    def annotations(self, name, rows):  # type: ignore[no-untyped-def]
        return np.full_like(super().annotations(name, rows), np.nan)


@pytest.mark.parametrize("task", ["emotic", "affect"])
def test_heads_that_nobody_annotated_choose_nothing(tmp_path: Path, faces: Path, task: str) -> None:
    assert calibrate(write_model(tmp_path / "model.onnx", TASKS[task]), Unlabelled(faces), "validation") == {}


@pytest.fixture
def renamed(tmp_path: Path, faces: Path) -> Path:
    """The same faces, their seven labels under other names and in another order."""
    there, seven = Store(faces), TASKS["expression7"].heads[0]
    codes = Head(
        "codes",
        Kind.CLASS,
        LabelSpace("codes", ("Joy", "Anger", "Neutral", "Sadness", "Surprised", "Fearful", "Disgusted")),
    )

    def samples(split: str) -> Iterator[Sample]:
        rows = there.rows(split)
        targets = there.target(seven, rows)
        for sample, row in zip(there.samples(rows), targets, strict=True):
            label = None if np.isnan(row).any() else seven.space.labels[row.argmax()]
            yield replace(sample, targets={} if label is None else {"codes": label})

    path = tmp_path / "renamed.h5"
    write(
        path, [sample for split in there.splits for sample in samples(split)], (codes,), Origin("test", "1")
    )
    return path


@pytest.mark.parametrize("method", METHODS)
def test_another_store_calibrates_by_the_names_of_its_labels(
    tmp_path: Path, faces: Path, renamed: Path, method: str
) -> None:
    """As evaluation matches them: other spellings in another order under another target's name choose the
    same."""
    model = write_model(tmp_path / "model.onnx", TASKS["expression7"])
    other = calibrate(model, Store(renamed), "validation", method)
    assert other == calibrate(model, Store(faces), "validation", method)
    assert other["calibration"]["expression7"]["rows"] > 0


@pytest.mark.parametrize("method", METHODS)
def test_a_store_that_lacks_a_label_calibrates_the_others_and_promises_no_sets(
    tmp_path: Path, renamed: Path, method: str
) -> None:
    task, store = TASKS["expression8"], Store(renamed)
    head, model = task.heads[0], write_model(tmp_path / "model.onnx", TASKS["expression8"])
    found = calibrate(model, store, "validation", method)
    (mapping,) = matching.match(task, store, {}, other=False)
    assert mapping.model_only == ["contempt"]
    rows = store.rows("validation")
    output, target = (
        Engine(model).probabilities(store.images(rows))["expression8"],
        mapping.targets(store, rows),
    )
    expected = calibrate_head(mapping.compared, mapping.answers(output), target, "validation", method)
    assert found["temperature"]["expression8"] == expected.temperature
    assert found["calibration"]["expression8"] == expected.calibration
    assert found["conformal"] == {}
    if expected.scaling:
        scale = found["scaling"]["expression8"]["scale"]
        assert list(scale) == list(head.space.labels)
        assert scale["contempt"] == pytest.approx(np.mean(list(expected.scaling["scale"].values())))
        assert {label: scale[label] for label in expected.scaling["scale"]} == expected.scaling["scale"]
    assert calibrated(model, found, "expression8").task == task


def test_heads_that_a_store_does_not_answer_keep_what_the_model_held(
    tmp_path: Path, faces: Path, renamed: Path
) -> None:
    task = Task("two", (*TASKS["expression7"].heads, *TASKS["emotic"].heads[:1]))
    model = write_model(tmp_path / "model.onnx", task, changes={"thresholds": {"tags": {"Anger": 0.3}}})
    assert "thresholds" not in calibrate(model, Store(renamed), "validation")
    held = {
        "temperature": {"expression7": 1.5, "expression8": 0.7},
        "conformal": {"expression8": {"threshold": 0.2}},
    }
    task = Task(
        "two", (*TASKS["expression7"].heads, Head("expression8", Kind.CLASS, LabelSpace("x", ("a", "b"))))
    )
    found = calibrate(write_model(tmp_path / "two.onnx", task, changes=held), Store(renamed), "validation")
    assert found["temperature"]["expression8"] == 0.7
    assert found["temperature"]["expression7"] != 1.5
    assert found["conformal"]["expression8"] == {"threshold": 0.2}


def calibrated(model: Path, said: dict[str, Any], task: str = "affect") -> Engine:
    """The same model with what was found in its description, as it went through JSON."""
    return Engine(
        write_model(model.parent / "calibrated.onnx", TASKS[task], changes=json.loads(json.dumps(said)))
    )


@pytest.mark.parametrize("method", METHODS)
def test_the_engine_answers_as_the_description_promises(tmp_path: Path, faces: Path, method: str) -> None:
    model, store = write_model(tmp_path / "model.onnx", TASKS["affect"]), Store(faces)
    said = calibrate(model, store, "validation", method)
    assert list(said) == ["temperature", "scaling", "label_temperature", "calibration", "conformal"]
    rows, head = store.rows("validation"), TASKS["affect"].heads[0]
    target, engine = store.target(head, rows), calibrated(model, said)
    raw, found = (one.probabilities(store.images(rows))[head.name] for one in (Engine(model), engine))
    told, sets = said["calibration"][head.name], said["conformal"][head.name]
    for when, output in (("before", raw), ("after", found)):
        assert {name: metrics.score(name, output, target, head) for name in told[when]} == pytest.approx(
            told[when]
        )
    assert (told["method"], told["split"], told["rows"]) == (
        method,
        "validation",
        (~np.isnan(target[:, 0])).sum(),
    )
    assert engine.conformal == {head.name: sets["threshold"]}
    assert (found == raw).all() == (method == "none")
    assert bool(said["scaling"]) == (method == "vector")
    assert (said["temperature"][head.name] == 1) == (method != "temperature")
    assert told["temperature"] == said["temperature"][head.name]


def test_calibrating_again_starts_from_the_graph(tmp_path: Path, faces: Path) -> None:
    model, store = write_model(tmp_path / "model.onnx", TASKS["affect"]), Store(faces)
    said = calibrate(model, store, "validation", "vector")
    assert calibrate(calibrated(model, said).path, store, "validation", "vector") == said


def test_an_unknown_method_is_refused(tmp_path: Path, faces: Path) -> None:
    model = write_model(tmp_path / "model.onnx", TASKS["affect"])
    with pytest.raises(ConfigError, match=r"unknown calibration 'heat'.*none, temperature, vector"):
        calibrate(model, Store(faces), "validation", "heat")


def world(rows: int, labels: int = 7, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (rows, labels) that are true, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    p = scaling.softmax(rng.normal(0, 1.5, (rows, labels)))
    drawn = (p.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1).clip(max=labels - 1)
    return p, np.eye(labels)[drawn]


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_a_known_temperature_is_found(temperature: float) -> None:
    p, true = world(20_000)
    said = scaling.softmax(temperature * np.log(p))
    assert 1 / fit_temperature(said, p).scale[0] == pytest.approx(
        temperature, rel=1e-6
    )  # votes without noise
    assert 1 / fit_temperature(said, true).scale[0] == pytest.approx(temperature, rel=0.05)


def test_known_scales_and_biases_are_found() -> None:
    p, _ = world(20_000, 5)
    rng = np.random.default_rng(2)
    scale, bias = rng.uniform(0.5, 2.0, 5), rng.normal(0, 0.5, 5)
    bias -= bias.mean()
    target = np.asarray(Scaling(scale, bias).apply(p), np.float64)
    found = fit_vector(p, target)
    np.testing.assert_allclose(found.scale, scale, atol=5e-3)
    np.testing.assert_allclose(found.bias, bias, atol=5e-3)
    noisy = np.stack([rng.multinomial(1, row / row.sum()) for row in target])
    np.testing.assert_allclose(fit_vector(p, noisy).bias, bias, atol=0.2)


def cross_entropy(output: np.ndarray, target: np.ndarray) -> float:
    return float(-(target * scaling.logarithms(output)).sum(axis=1).mean())


def test_a_fit_never_does_worse_than_none_and_vector_than_temperature() -> None:
    for seed in range(8):
        p, true = world(40, seed=seed)
        said = (
            np.random.default_rng(seed).dirichlet(np.ones(7), 40)
            if seed % 2
            else p**3 / (p**3).sum(1, keepdims=True)
        )
        losses = [
            cross_entropy(METHODS[name](said, true).apply(said), true)
            for name in ("none", "temperature", "vector")
        ]
        assert losses[0] + 1e-6 >= losses[1]
        assert losses[1] + 1e-6 >= losses[2]


def test_flat_answers_keep_their_temperature() -> None:
    _, true = world(50)
    assert (
        fit_temperature(np.full((50, 7), 1 / 7, np.float32).astype(np.float64), true).scale.tolist()
        == [1] * 7
    )


def test_faces_that_are_all_told_apart_end_at_the_bounds() -> None:
    low, high = calibration.BOUNDS
    p, true = np.full((30, 7), 0.1), np.eye(7)[np.arange(30) % 7]
    right = p + 0.3 * true
    assert 1 / fit_temperature(right, true).scale[0] == pytest.approx(low)
    assert 1 / fit_temperature(right, np.roll(true, 1, axis=1)).scale[0] == pytest.approx(high)
    found = fit_vector(right, true)
    assert np.isfinite(found.bias).all()
    assert ((found.scale >= 1 / high - 1e-9) & (found.scale <= 1 / low + 1e-9)).all()
    certain = np.asarray(true, np.float64)
    assert np.isfinite(fit_temperature(certain, np.roll(true, 1, axis=1)).scale).all()


def test_classes_are_fitted_to_the_label_and_distributions_to_the_votes() -> None:
    shares = np.array([[0.6, 0.4] + [0.0] * 6])
    assert aimed_at(VOTES, shares) is shares
    assert aimed_at(TASKS["affect"].heads[0], shares).tolist() == [[1] + [0] * 7]
    p, _ = world(4000, 8)
    votes = np.stack([np.random.default_rng(k).multinomial(10, row) for k, row in enumerate(p)]) / 10
    assert calibrate_head(VOTES, p, votes, "validation").temperature == pytest.approx(1, abs=0.05)
    assert calibrate_head(TASKS["affect"].heads[0], p, votes, "validation").temperature < 0.8


def voted(rows: int = 4000, raters: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Shares (rows, 8) that raters vote by, and what they voted."""
    p, _ = world(rows, 8)
    draw = np.random.default_rng(1)
    return p, np.stack([draw.multinomial(raters, row) for row in p]) / raters


def clear(votes: np.ndarray) -> np.ndarray:
    """The label of more than half of the votes, one-hot, NaN where there is none."""
    return np.where(votes.max(axis=1, keepdims=True) > 0.5, np.eye(8)[votes.argmax(axis=1)], np.nan)


def test_shares_of_votes_become_confidence_in_the_label() -> None:
    p, votes = voted()
    labels = clear(votes)
    found = calibrate_head(VOTES, p, votes, "validation", labels=labels)
    told = found.calibration["label"]
    assert found.temperature == pytest.approx(1, abs=0.05)
    assert found.label_temperature == told["temperature"] < 0.6
    assert told["before"]["ece"] > 0.15
    assert max(told["after"]["ece"], told["cross_fitted"]["ece"]) < 0.03
    assert told["after"]["log_loss"] <= told["cross_fitted"]["log_loss"] < told["before"]["log_loss"]
    assert told["rows"] == (~np.isnan(labels[:, 0])).sum() < 4000
    assert "kl" not in told["after"]
    known = ~np.isnan(labels[:, 0])
    fitted = scaling.temperature_scaling(found.temperature, 8).apply(p)
    sharp = scaling.temperature_scaling(told["temperature"], 8).apply(fitted)
    assert metrics.score("ece", sharp[known], labels[known], VOTES) == pytest.approx(told["after"]["ece"])


def test_without_labels_or_calibration_there_is_no_label_temperature() -> None:
    p, votes = voted(200)
    none = np.full_like(votes, np.nan)
    for found in (
        calibrate_head(VOTES, p, votes, "validation"),
        calibrate_head(VOTES, p, votes, "validation", labels=none),
        calibrate_head(VOTES, p, votes, "validation", "none", labels=clear(votes)),
    ):
        assert found.label_temperature is None
        assert not found.calibration.get("label")
    (one,) = np.flatnonzero(~np.isnan(clear(votes)[:, 0]))[:1]
    alone = calibrate_head(VOTES, p[[one]], votes[[one]], "validation", labels=clear(votes)[[one]])
    assert alone.calibration["label"]["cross_fitted"] == alone.calibration["label"]["before"]


@pytest.mark.parametrize("method", METHODS)
def test_a_distribution_travels_with_its_label_temperature(tmp_path: Path, faces: Path, method: str) -> None:
    task, store = TASKS["distribution8"], Store(faces)
    said = calibrate(write_model(tmp_path / "model.onnx", task), store, "validation", method)
    engine = calibrated(tmp_path / "model.onnx", said, "distribution8")
    assert engine.label_temperature == said["label_temperature"]
    assert bool(said["label_temperature"]) == (method != "none")
    if method != "none":
        known = ~np.isnan(store.target(store.head("expression8"), store.rows("validation"))[:, 0])
        assert said["calibration"]["distribution8"]["label"]["rows"] == known.sum() < len(known)


def test_figures_across_folds_are_honest() -> None:
    p, true = world(60, seed=3)
    noise = np.random.default_rng(0).dirichlet(np.ones(7), 60)
    told = calibrate_head(CLASS, noise, true, "validation", "vector").calibration
    assert told["after"]["log_loss"] < told["before"]["log_loss"]
    assert told["cross_fitted"]["log_loss"] > told["after"]["log_loss"] + 0.1
    assert "kl" not in told["after"]
    plain = calibrate_head(CLASS, p, true, "validation", "none").calibration
    assert plain["cross_fitted"] == plain["after"] == pytest.approx(plain["before"], abs=1e-6)


def test_coverage_across_folds_is_the_promise() -> None:
    p, true = world(5000)
    sets = calibrate_head(CLASS, p**2 / (p**2).sum(axis=1, keepdims=True), true, "validation").conformal
    assert sets["cross_fitted"]["coverage"] == pytest.approx(0.9, abs=0.01)
    assert (sets["level"], sets["method"], sets["rows"]) == (0.9, "lac", 5000)
    assert 1 < sets["cross_fitted"]["mean_size"] < 7


def test_one_face_is_enough_to_go_on() -> None:
    p, true = world(1)
    told = calibrate_head(CLASS, p, true, "validation")
    assert told.conformal["threshold"] == 0
    assert told.conformal["cross_fitted"] == {"coverage": 1.0, "mean_size": 7.0, "sizes": {"7": 1}}
    assert told.calibration["cross_fitted"] == told.calibration["before"]
