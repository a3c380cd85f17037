"""Timing with a clock of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mien.errors import ModelError
from mien.predict import speed
from mien.predict.speed import BATCH, BATCHES, ROUNDS, measure
from tests import tiny_model


class Clock:
    """Seconds that pass by the number of faces a model was given: `one` for one, `many` for a batch."""

    def __init__(self, one: float, many: float) -> None:
        self.now, self.costs = 0.0, {1: one, BATCH: many}
        self.order: list[tuple[str, int]] = []

    def __call__(self) -> float:
        return self.now

    def engine(self) -> Callable[..., Any]:
        """Engine.outputs that takes the time."""

        def outputs(engine: Any, samples: Any) -> None:
            slow, count = 3.0 if engine.path.stem == "slow" else 1.0, len(samples["image"].data)
            self.now += self.costs[count] * slow
            self.order.append((engine.path.stem, count))

        return outputs


@pytest.fixture
def pair(tmp_path: Path) -> list[Path]:
    return [
        tiny_model.write_model(tmp_path / "fast.onnx"),
        tiny_model.write_model(tmp_path / "slow.onnx", transform=tiny_model.RGB),
    ]


def test_models_take_turns_and_medians_count(pair: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(0.002, 0.064)
    monkeypatch.setattr(speed.Engine, "outputs", clock.engine())
    told: list[tuple[int, int]] = []
    found = measure(pair, 2, clock=clock, progress=lambda done, total: told.append((done, total)))
    assert [one.latency for one in found.speeds] == pytest.approx([0.002, 0.006])
    assert [one.rate for one in found.speeds] == pytest.approx([1000.0, 1000.0 / 3])
    assert (found.threads, found.rounds) == (2, ROUNDS)
    assert told == [(done, ROUNDS) for done in range(1, ROUNDS + 1)]
    rounds = [name for name, size in clock.order[4:] if size == BATCH]
    assert rounds[: 6 * BATCHES : BATCHES] == ["fast", "slow", "slow", "fast", "fast", "slow"], (
        "in turn, starting at another one"
    )
    assert rounds.count("fast") == rounds.count("slow") == ROUNDS * BATCHES
    assert "2 threads" in found.describe()
    assert f"{ROUNDS} rounds" in found.describe()


def test_slow_models_get_fewer_rounds_but_three(pair: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(1.0, 30.0)
    monkeypatch.setattr(speed.Engine, "outputs", clock.engine())
    assert measure(pair, 1, budget=1.0, clock=clock).rounds == 3


def test_real_models_of_any_colour(pair: list[Path]) -> None:
    found = measure(pair, 1, budget=0.0)
    assert all(one.latency > 0 and one.rate > 0 for one in found.speeds)
    assert "on 1 thread of" in found.describe()


def test_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_text("no model")
    with pytest.raises(ModelError, match="not an ONNX model"):
        measure([tmp_path / "model.onnx"])
