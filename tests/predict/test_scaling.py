"""Temperature and vector scaling as the engine applies them."""

import numpy as np
import pytest

from mien.predict import scaling
from mien.predict.scaling import Scaling
from mien.tasks import TASKS

HEAD = TASKS["expression7"].heads[0]
P = np.random.default_rng(0).dirichlet(np.ones(7), 50)


def test_a_temperature_is_a_power() -> None:
    powers = P ** (1 / 1.7)
    found = scaling.temperature_scaling(1.7, 7).apply(P)
    np.testing.assert_allclose(found, powers / powers.sum(axis=1, keepdims=True), atol=1e-6)
    assert found.dtype == np.float32
    np.testing.assert_allclose(scaling.temperature_scaling(1, 7).apply(P), P, atol=1e-6)


def test_a_certain_answer_stays_one() -> None:
    certain = np.eye(7, dtype=np.float32)
    for value in (0.05, 1.5, 20.0):
        found = scaling.temperature_scaling(value, 7).apply(certain)
        assert np.isfinite(found).all()
        assert found.argmax(axis=1).tolist() == list(range(7))
        assert found.sum(axis=1) == pytest.approx(1)


def test_scales_and_biases_are_read_by_label_and_the_temperature_divides_the_scales() -> None:
    rng = np.random.default_rng(1)
    scale, bias = rng.uniform(0.5, 2, 7), rng.normal(size=7)
    said = Scaling(scale, bias).to_dict(HEAD)
    assert said["scale"]["disgust"] == scale[HEAD.space.index("disgust")]
    shuffled = {side: dict(sorted(said[side].items(), reverse=True)) for side in said}
    found = scaling.read({"temperature": {HEAD.name: 2.0}, "scaling": {HEAD.name: shuffled}}, HEAD)
    assert found is not None
    powers = np.exp(scale * np.log(P) / 2 + bias)
    np.testing.assert_allclose(found.apply(P), powers / powers.sum(axis=1, keepdims=True), atol=1e-6)


def test_a_model_that_says_nothing_is_left_alone() -> None:
    assert scaling.read({}, HEAD) is None
    assert scaling.read({"temperature": {HEAD.name: 1.0}, "scaling": {}}, HEAD) is None
    tags = TASKS["emotic"].heads[0]
    assert scaling.read({"temperature": {tags.name: 3.0}}, tags) is None


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_temperature_that_cannot_be_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="head 'expression7': temperature"):
        scaling.read({"temperature": {HEAD.name: value}}, HEAD)
