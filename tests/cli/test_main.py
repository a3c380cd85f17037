"""The command line as a whole: exit codes, what goes to stdout and stderr, and how faults are told."""

import runpy
from pathlib import Path

import pytest

from mien import __version__, cli
from mien.cli.models import Models
from mien.cli.train import Train
from mien.errors import ConfigError, DataError


def left(*words: str) -> int | str | None:
    """The exit code of one command."""
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    return caught.value.code


def raising(fault: BaseException) -> object:
    def run(self: object) -> None:
        raise fault

    return run


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["--version"])
    assert capsys.readouterr().out == f"mien {__version__}\n"


def test_help_lists_the_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert left("--help") == 0
    out = capsys.readouterr().out
    assert all(
        verb in out
        for verb in ("data", "train", "evaluate", "report", "predict", "export", "models", "--debug")
    )


@pytest.mark.parametrize("verb", ["data", "train", "evaluate", "report", "predict", "export", "models"])
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert left(verb, "--help") == 0
    assert f"usage: mien {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["fly"], ["train"], ["--bogus"]])
def test_wrong_use_leaves_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert left(*words) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert "mien" in captured.err


def test_an_unknown_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert left("models", "--bogus") == 2
    assert capsys.readouterr().err == "mien: unknown option --bogus (see mien models --help)\n"


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (DataError("a.csv:3: no pixels"), 1, "mien: a.csv:3: no pixels\n"),
        (ConfigError("a.toml: bad"), 2, "mien: a.toml: bad\n"),
        (KeyboardInterrupt(), 130, "mien: stopped; nothing is half written, run the same command again\n"),
        (KeyboardInterrupt(15), 143, "mien: stopped; nothing is half written, run the same command again\n"),
    ],
)
def test_a_fault_is_one_line(
    fault: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Models, "run", raising(fault))
    assert left("models") == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", said)


def test_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Models, "run", raising(DataError("a.csv:3: no pixels")))
    assert left("models", "--debug") == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Models, "run", raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main(["models"])


def test_train_gets_its_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(Train, "run", lambda self, overrides: seen.extend([self.config, self.out, overrides]))
    cli.main(["train", "a.toml", "--train.batch_size", "3", "--out", "runs/a", "--heads.my-head.weight=2"])
    assert seen == [Path("a.toml"), Path("runs/a"), ["--train.batch_size", "3", "--heads.my-head.weight=2"]]


def test_python_m_mien(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["mien", "--version"])
    runpy.run_module("mien", run_name="__main__")
    assert capsys.readouterr().out == f"mien {__version__}\n"
