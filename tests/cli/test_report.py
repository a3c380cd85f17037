"""`mien report`: where the page lies, and what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien import cli

from ..report import fake_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake_run.make(tmp_path_factory.mktemp("cli"), count=60)


def test_says_where_the_report_is_and_its_size(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["report", str(run)])
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"report: {run / 'report.html'} (0.")
    assert err.endswith(" MB)\n")


def test_writes_elsewhere_with_faces_from_another_file(run: Path, tmp_path: Path) -> None:
    faces = (run.parent / "faces.h5").rename(run.parent / "moved.h5")
    try:
        cli.main(["report", str(run), "--out", str(tmp_path / "a" / "b.html"), "--data", str(faces)])
    finally:
        faces.rename(run.parent / "faces.h5")
    assert "data:image/png" in (tmp_path / "a" / "b.html").read_text(encoding="utf-8")


def test_a_pdf_beside_the_page(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["report", str(run), "--pdf", "--out", str(tmp_path / "a.html")])
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    assert [line.split(" (")[0] for line in capsys.readouterr().err.splitlines()] == [
        f"report: {tmp_path / 'a.html'}",
        f"report: {tmp_path / 'a.pdf'}",
    ]


@pytest.mark.parametrize("words", [["nowhere"], ["RUN", "--data", "nothing.h5"]])
def test_what_is_not_there_is_told_in_one_line(
    run: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["report", *[str(run) if word == "RUN" else word for word in words]])
    assert caught.value.code == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "no run folder" in err or "no such store" in err
