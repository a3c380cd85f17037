"""The documentation tells the truth: links lead somewhere, commands parse, examples are valid, every page is
listed."""

import dataclasses
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import tyro

from mien import cli, config
from mien.cli.train import Train
from mien.cli.tune import Tune
from mien.inputs import Input
from mien.media.image_transform import ImageTransform
from mien.tasks import TASKS
from mien.tune import space

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
names = pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])


def blocks(page: Path, *languages: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def commands(page: Path) -> list[list[str]]:
    """The words of each `mien …` line in the shell blocks of a page."""
    lines = "\n".join(blocks(page, "sh", "")).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("mien ")]


@names
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = [
        link.partition("#")[0]
        for link in re.findall(r"\]\(([^)\s]+)\)", text)
        if not re.match(r"https?:|#", link)
    ]
    assert [link for link in links if not (page.parent / link).exists()] == []


@names
def test_commands_are_understood(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in commands(page):
        try:
            verb, rest = tyro.cli(cli.Verb, args=words, return_unknown_args=True)
        except SystemExit:
            pytest.fail(f"mien {shlex.join(words)}\n{capsys.readouterr().err}")
        if isinstance(verb, Train):
            config.load(ROOT / verb.config, rest)
        elif isinstance(verb, Tune):
            space.load(ROOT / verb.config, rest)
        else:
            assert not rest, f"mien {shlex.join(words)}: unknown {rest}"


@names
def test_toml_examples_are_configurations(page: Path) -> None:
    for text in blocks(page, "toml"):
        table = tomllib.loads(text)
        heads = set(table.get("heads", {}))
        task = next(name for name, task in TASKS.items() if heads <= {head.name for head in task})
        space.read({"task": task, **table}, page.name)  # values may be left open


def test_the_reference_has_every_key() -> None:
    text = (DOCS / "reference" / "configuration.md").read_text(encoding="utf-8")
    tables = (config.Config, config.DataConfig, config.ModelConfig, config.TrainConfig, config.PhaseConfig)
    tables = (*tables, config.AugmentConfig, config.TeacherConfig)
    tables = (*tables, Input, ImageTransform)
    internal = {"shared", "transform"}  # in a file their keys stand by themselves
    keys = {field.name for table in tables for field in dataclasses.fields(table)} - internal
    assert [key for key in keys if not re.search(rf"[`.\[]{key}[`.\]]", text)] == []


def test_every_page_is_listed() -> None:
    text = (DOCS / "README.md").read_text(encoding="utf-8")
    pages = [
        str(page.relative_to(DOCS))
        for page in PAGES
        if page.is_relative_to(DOCS) and page.name != "README.md"
    ]
    assert [page for page in pages if f"({page})" not in text] == []


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.toml")), ids=lambda path: path.name)
def test_shipped_configurations_are_valid(path: Path) -> None:
    found = space.read(config.parsed(path), path.name)
    assert found.config(found.defaults).train.phases
    assert bool(found.parameters) == path.name.startswith("tune_")
