"""The PDF: the same content as the page, without a second copy, readable by machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from mien.render import blocks, pdf
from mien.render.blocks import Section
from mien.render.page import TEMPLATES
from mien.report import summary, write_report
from mien.report.record import read
from mien.report.writing import sections

from .conftest import TASKS


def test_the_pdf_lies_beside_the_page_and_is_accessible(tmp_path: Path, runs: dict[str, Path]) -> None:
    page = write_report(runs["expression7"], out=tmp_path / "r.html", pdf_too=True)
    data = page.with_suffix(".pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert len(data) < 5_000_000
    assert b"pdfuaid" in data
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.html", "r.pdf"]


@pytest.mark.parametrize("name", TASKS)
def test_typst_shows_every_heading_of_the_tree(name: str, runs: dict[str, Path]) -> None:
    record = read(runs[name])
    tree = sections(record)
    compiler = pdf.compiler(pdf.document(record.name, tree, summary.shares(record)))
    _, warnings = compiler.compile_with_warnings(format="pdf", pdf_standards=["ua-1"])
    assert warnings == []
    shown = [plain(heading["body"]) for heading in json.loads(compiler.query("heading"))]
    assert [title for title in shown if title in set(titles(tree))] == list(titles(tree))


def titles(tree: tuple[Section, ...]) -> Iterator[str]:
    for section in tree:
        yield section.title
        yield from titles(section.children)


def plain(content: Any) -> str:
    """The text of typst's content as JSON, up to what stands beside a title."""
    if isinstance(content, list):
        return "".join(map(plain, content))
    return str(content.get("text", "")) or "".join(plain(part) for part in content.get("children", ())[:1])


def test_every_block_has_a_way_onto_the_page_and_into_the_pdf() -> None:
    typst = (TEMPLATES / "report.typ").read_text(encoding="utf-8")
    for block in get_args(blocks.Block):
        kind = blocks.kind(object.__new__(block))
        assert (TEMPLATES / "blocks" / f"{kind}.html").is_file(), kind
        assert f'kind == "{kind}"' in typst, kind
        assert fields(block), kind


def test_colours_are_those_of_light_paper_and_no_variable_is_left(runs: dict[str, Path]) -> None:
    record = read(runs["emotic"])
    text = json.dumps(pdf.document(record.name, sections(record), []))
    assert "var(--" not in text
    assert "#2b59c3" in text


def test_a_face_is_wrapped_so_that_its_pixels_stay_sharp() -> None:
    face = blocks.FaceCard("data:image/png;base64,AA+/=", True, "x", "alt")
    document = pdf.document("n", (Section("S", blocks=(blocks.FaceCards((face,)),)),), [])
    picture = document["nodes"][0]["blocks"][0]["faces"][0]["picture"]
    assert picture.startswith("<svg xmlns=")
    assert 'image-rendering="optimizeSpeed" href="data:image/png;base64,AA+/="' in picture


def test_words_of_data_sets_are_words_in_the_pdf_too(tmp_path: Path) -> None:
    evil = '#panic("x") *b* $y$ <script> \\ ' + "a" * 90
    tree = (
        Section(
            evil,
            note=evil,
            blocks=(blocks.text(evil), blocks.Facts(((evil, evil),)), blocks.Code(evil, evil)),
        ),
    )
    pdf.write(tmp_path / "evil.pdf", evil, tree)
    assert (tmp_path / "evil.pdf").stat().st_size > 1000


def test_a_block_of_all_kinds_without_content(tmp_path: Path) -> None:
    bare = (
        blocks.Cards((blocks.Card("a", "1"),)), blocks.Points((("a",),)), blocks.FaceCards(()),
        blocks.Plots(()), blocks.Legend("scales"), blocks.BarList("b", (("l", "var(--accent)", 0.2, 0.0),)),
        blocks.Callout((("a",),)), blocks.Subhead("s"),
    )  # fmt: skip
    pdf.write(tmp_path / "bare.pdf", "n", (Section("S", blocks=bare),))
    assert (tmp_path / "bare.pdf").read_bytes().startswith(b"%PDF-")
