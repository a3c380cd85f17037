"""The page of a study in a real browser: axe-core finds nothing serious, nothing scrolls sideways, every tick
can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mien import config as configs
from mien.tune import finish, trials, work
from tests.browsing import hold_accessible, opened
from tests.tune.studies import TOML, study_config, without_training

#: A range of less than a decade, a long name, and words to choose from.
MORE = """weight_decay = {low = 0.02, high = 0.1, log = true}
optimizer = {choices = ["adamw", "sgd", "nadam"]}
[model]
backbone = {choices = ["compact", "mobilenetv3_small_100.lamb_in1k"]}
"""


def costs(run: Path, *_: object) -> float:
    config = configs.load(run / "config.toml")
    return float(config.model.shared["options"]["depth"]) + config.train.label_smoothing / 10


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Many pruned trials, two objectives, and none measured."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        without_training(patch)
        patch.setitem(trials.OBJECTIVES, "latency", costs)
        for name, count, rest in (
            ("pruned", 14, {"pruner": "median", "sampler": "random"}),
            ("front", 8, {"objectives": ("score", "latency")}),
            ("empty", 1, {"timeout": 1e-9}),
        ):
            wanted = study_config(tmp_path_factory.mktemp(name), count, text=TOML + MORE, **rest)
            found[name] = finish.write(work.tune(wanted))[-1]
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from opened()


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [("pruned", 1280, "dark"), ("pruned", 390, "light"), ("front", 1280, "light"), ("empty", 390, "dark")],
)
def test_the_page_is_accessible(
    browser: Any, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    hold_accessible(browser, pages[name], width, scheme)


def test_ticks_are_plain_numbers(pages: dict[str, Path]) -> None:
    text = pages["pruned"].read_text(encoding="utf-8")
    assert "mathdefault" not in text
    assert ">0.05<" in text  # within the one decade of weight_decay
    assert ">0.001<" in text  # of the rate's four
    assert "pruned after epoch" in text
