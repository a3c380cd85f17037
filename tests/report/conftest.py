"""Run folders of every kind of head, made once, and a way to read pages as a browser does."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from . import fake_run

TASKS = ("expression7", "distribution8", "affect", "emotic")
_VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """A page as tags with their attributes, its text, and whether every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run folder per kind of task, with its store beside it. Not to be changed."""
    folder = tmp_path_factory.mktemp("runs")
    return {name: fake_run.make(folder / name, name, count=120) for name in TASKS}


@pytest.fixture
def parse() -> Callable[[Path], Page]:
    """Read a page from its file."""
    return lambda path: Page(path.read_text(encoding="utf-8"))
