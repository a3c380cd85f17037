"""The page in a real browser: axe-core finds nothing serious, and nothing scrolls sideways. Runs where both
are installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mien.report import write_report
from tests.browsing import hold_accessible, opened


@pytest.fixture(scope="module")
def pages(runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Between them these two have every kind of block."""
    out = tmp_path_factory.mktemp("pages")
    return {name: write_report(runs[name], out=out / f"{name}.html") for name in ("distribution8", "emotic")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from opened()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
@pytest.mark.parametrize("name", ["distribution8", "emotic"])
def test_the_page_is_accessible(
    browser: Any, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    hold_accessible(browser, pages[name], width, scheme)
