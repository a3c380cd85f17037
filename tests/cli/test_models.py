"""`mien models`."""

from __future__ import annotations

import json

import pytest

from mien import cli, extras
from mien.errors import MissingExtraError


def test_our_own_backbones_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["models"])
    told = capsys.readouterr()
    assert "compact" in told.out
    assert "resnet50" not in told.out
    assert "names of timm" in told.err


def test_a_search_finds_timms(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    cli.main(["models", "--search", "EfficientNet_B0", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["own"] == []
    entry = next(entry for entry in found["timm"] if entry["name"] == "efficientnet_b0")
    assert entry["size"] == 224
    assert entry["licence"] == "apache-2.0"
    monkeypatch.setenv("COLUMNS", "120")
    cli.main(["models", "--search", "efficientnet_b0"])
    assert "tf_efficientnet_b0" in capsys.readouterr().out


def test_a_search_without_an_answer_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["models", "--search", "nosuchnet"])
    told = capsys.readouterr()
    assert told.out == ""
    assert "no backbone's name contains 'nosuchnet'" in told.err


def test_without_the_extra_it_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(module: str, extra: str) -> object:
        raise MissingExtraError(f'{module} is not installed; run: pip install "mien[{extra}]"')

    monkeypatch.setattr(extras, "require", absent)
    with pytest.raises(SystemExit) as caught:
        cli.main(["models"])
    assert caught.value.code == 1
    assert 'pip install "mien[train]"' in capsys.readouterr().err
