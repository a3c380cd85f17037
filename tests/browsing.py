"""Pages in a real browser, for tests that run where Chromium, playwright and axe are installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sync = pytest.importorskip(
    "playwright.sync_api", reason="needs playwright and axe-playwright-python from PyPI"
)
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs axe-playwright-python from PyPI"
)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def opened() -> Iterator[Any]:
    """A browser, for a fixture to yield."""
    if CHROMIUM is None:
        pytest.skip("needs chromium or google-chrome")
    with sync.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def hold_accessible(browser: Any, path: Path, width: int, scheme: str) -> None:
    """Hold a page to what everybody can read: axe-core finds nothing grave, and nothing sticks out at the
    side."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page.goto(path.as_uri())
    assert not [(rule, impact) for rule, impact in violations(page) if impact in ("serious", "critical")]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def violations(page: Any) -> list[tuple[str, str]]:
    """What axe-core finds: the rule and how grave it is."""
    return [(fault["id"], fault["impact"]) for fault in axe.Axe().run(page).response["violations"]]
