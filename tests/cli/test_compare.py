"""`mien compare`: what it prints, what it writes, and what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mien import cli
from tests.compare.runs_on_disk import make


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("runs")
    return [
        str(make(folder / "plain", skill=0.4)),
        str(make(folder / "bold", skill=2.0, config={"train": {"clip": 1.0}})),
    ]


def test_a_table_for_people_and_files_beside(
    runs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    cli.main(["compare", *runs, "--threads", "1"])
    out, err = capsys.readouterr()
    assert out == ""
    for word in (
        "plain",
        "bold",
        "Accuracy, %",
        "Faces/s ↑",
        "more than noise",
        "1 thread of",
        "95 % interval",
    ):
        assert word in err, word
    assert err.endswith(
        "".join(f"comparison/comparison.{end}\n" for end in ("html", "csv", "md", "tex", "json"))
    )
    assert (tmp_path / "comparison" / "comparison.html").stat().st_size > 10_000


def test_a_narrow_terminal_gets_metrics_and_costs_one_below_the_other(
    runs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    cli.main(["compare", *runs, "--no-speed", "--out", str(tmp_path)])
    lines = capsys.readouterr().err.splitlines()
    assert sum(line.strip().startswith("plain") for line in lines) == 2
    assert [line for line in lines if "[" in line and "]" not in line] == [], "no interval is broken"


def test_json_alone_on_stdout(
    runs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    cli.main(["compare", *runs, "--json", "--no-speed"])
    table = json.loads(capsys.readouterr().out)
    assert [run["name"] for run in table["runs"]] == ["plain", "bold"]
    assert table["speed"] is None
    assert list(tmp_path.iterdir()) == [], "nothing is written unless --out is given"


@pytest.mark.parametrize(
    ("form", "start"),
    [("markdown", "| run | Log loss ↓ |"), ("latex", "% needs"), ("csv", "run,seeds,expression7.accuracy,")],
)
def test_one_format_on_stdout(
    runs: list[str], form: str, start: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    cli.main(["compare", *runs, "--format", form, "--no-speed", "--metrics", "log_loss", "--out", str(out)])
    assert capsys.readouterr().out.startswith(start)
    assert (out / "comparison.html").exists()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ([], 2, "needs two runs or more, given: 0"),
        (["RUN"], 2, "needs two runs or more, given: 1"),
        (["RUN", "RUN"], 2, "given twice"),
        (["RUN", "nowhere"], 1, "nowhere: no such folder"),
        (["RUN", "OTHER", "--metrics", "speed"], 2, "unknown metric 'speed'"),
        (["RUN", "OTHER", "--threads", "-1"], 2, "threads"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    runs: list[str], words: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"RUN": runs[0], "OTHER": runs[1]}
    with pytest.raises(SystemExit) as caught:
        cli.main(["compare", *(known.get(word, word) for word in words), "--no-speed"])
    err = capsys.readouterr().err
    assert caught.value.code == code
    assert says in err
    assert err.count("\n") == 1
