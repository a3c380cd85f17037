"""`mien models`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mien import bundle, cli, extras
from mien.errors import MissingExtraError


@pytest.fixture
def no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without the train extra."""

    def absent(module: str, extra: str) -> object:
        raise MissingExtraError(f'{module} is not installed; run: pip install "mien[{extra}]"')

    monkeypatch.setattr(extras, "require", absent)


def test_bundled_models_and_our_own_encoders_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["models"])
    told = capsys.readouterr()
    assert "compact" in told.out
    assert "resnet50" not in told.out
    assert "names of timm" in told.err
    for name, digest in bundle.checksums().items():
        assert name in told.out
        assert f"sha256: {digest}" in told.out
    assert "expression7 (3589 faces of validation): accuracy" in told.out
    assert "licence: weights Apache-2.0" in told.out


def test_bundled_models_are_listed_without_the_train_extra(
    no_extra: None, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["models", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert [model["name"] for model in told["bundled"]] == ["face", "face-int8"]
    assert [model["default"] for model in told["bundled"]] == [True, False]
    for model in told["bundled"]:
        assert model["sha256"] == bundle.checksums()[model["name"]]
        assert list(model["heads"]) == ["distribution8", "expression7"]
        low, high = model["figures"][0]["metrics"]["kl"]["interval"]
        assert low < model["figures"][0]["metrics"]["kl"]["value"] < high
    assert told["own"] == []
    cli.main(["models"])
    assert 'pip install "mien[train]"' in capsys.readouterr().err


def test_a_damaged_bundled_model_is_one_line(
    no_extra: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(bundle.FOLDER, tmp_path / "bundle"))
    (folder / "face.onnx").write_bytes(b"half")
    real = bundle.find
    monkeypatch.setattr(bundle, "find", lambda name: real(name, folder))
    with pytest.raises(SystemExit) as caught:
        cli.main(["models"])
    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith(f"mien: {folder / 'face.onnx'}: the bundled model is damaged")


def test_a_search_finds_timms(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    cli.main(["models", "--search", "EfficientNet_B0", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["own"] == []
    assert "bundled" not in found
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
    assert "no encoder's name contains 'nosuchnet'" in told.err


def test_without_the_extra_a_search_says_what_to_install(
    no_extra: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["models", "--search", "resnet"])
    assert caught.value.code == 1
    assert 'pip install "mien[train]"' in capsys.readouterr().err
