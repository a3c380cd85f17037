"""Planning and going on, with a worker in this process; the same through the command line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mien import cli
from mien.cli.predict import Predict
from mien.errors import ConfigError, InputError, MienError
from mien.predict import Settings
from mien.scale import plan
from mien.scale.worker import Worker
from tests.scale.objects import Bucket
from tests.sources.media import PEOPLE, compose
from tests.tiny_model import write_model

CROPPED = Settings("cropped")


def sizes(inputs: list[str], **more: object) -> list[list[str]]:
    job = plan(inputs, "sizes", "model.onnx", CROPPED, overwrite=True, **more)  # type: ignore[arg-type]
    return [[Path(source.name).name for source in shard.sources] for shard in job.shards]


def test_shards_in_order_and_a_video_alone(here: Path) -> None:
    compose(here / "pics" / "4v.mp4", PEOPLE, 0.2)
    names = ["0.png", "1.png", "2.png", "3.png", "4.png"]
    after = ["5.png", "6.png", "7.png", "bad.jpg"]
    assert sizes(["pics"], shard=3) == [names[:3], names[3:], ["4v.mp4"], after[:3], after[3:]]
    assert sizes(["pics"]) == [names, ["4v.mp4"], after]


def test_the_same_rows_as_the_local_engine(
    here: Path, alone: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    compose(here / "pics" / "v.mp4", PEOPLE, 0.4)
    words = [
        "predict",
        "pics",
        "none*.png",
        "--model",
        "model.onnx",
        "--faces",
        "haar",
        "--track",
        "--every",
        "0.1s",
    ]
    for more in (["--out", "local.parquet"], ["--engine", "ray", "--out", "parts", "--shard", "3"]):
        with pytest.raises(SystemExit) as caught:
            cli.main([*words, *more])
        assert caught.value.code == 1
        assert "2 of 11 inputs could not be read" in capsys.readouterr().err
    pd.testing.assert_frame_equal(pd.read_parquet("parts"), pd.read_parquet("local.parquet"))
    assert alone == [0, 1, 2, 3]


def test_only_what_is_missing_is_done(
    here: Path, alone: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = Predict(("pics",), "model.onnx", faces="cropped", engine="ray", out=Path("parts"), shard=4)
    for done in ([0, 1, 2], [0, 1, 2, 1], [0, 1, 2, 1]):
        with pytest.raises(InputError, match="1 of 9 inputs could not be read"):
            asked.run()
        assert alone == done
        told = capsys.readouterr().err
        assert "bad.jpg: not a picture" in told
        assert "8 pictures or frames, 8 faces, 0 without a face" in told
        if alone == [0, 1, 2]:
            Path("parts/part-000001.parquet").unlink()
    assert "3 of 3 parts are there already" in told
    with pytest.raises(ConfigError, match="other settings"):
        Predict(("pics",), "model.onnx", engine="ray", out=Path("parts"), shard=4).run()
    write_model(here / "model.onnx", changes={"name": "other"})
    with pytest.raises(ConfigError, match="other model"):
        asked.run()


def test_from_and_to_object_storage(here: Path, alone: list[int], bucket: Bucket) -> None:
    for path in (here / "pics").iterdir():
        bucket.objects[f"b/in/{path.name}"] = path.read_bytes()
    address, out = f"s3://b/in?{bucket.address}", f"s3://b/out?{bucket.address}"
    words = [
        "predict",
        address,
        "pics/0.png",
        "--model",
        "model.onnx",
        "--faces",
        "cropped",
        "--engine",
        "ray",
    ]
    for _ in range(2):
        with pytest.raises(SystemExit):
            cli.main([*words, "--shard", "5", "--out", out])
    assert alone == [0, 1]
    made = {name.removeprefix("b/out/") for name in bucket.objects if name.startswith("b/out/")}
    assert made == {"_manifest.json", "part-000000.parquet", "part-000001.parquet"}
    Path("part.parquet").write_bytes(bucket.objects["b/out/part-000000.parquet"])
    sources = ["pics/0.png", *(f"s3://b/in/{n}.png" for n in range(4))]
    assert pd.read_parquet("part.parquet").source.tolist() == sources


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "--engine ray needs --out FOLDER"),
        (["--out", "x", "--format", "csv"], "writes parquet, not csv"),
        (["--out", "x", "--json", "--sheet", "a.png"], "leave out --json, --sheet"),
        (["--out", "x", "--shard", "0"], "shards of 0 inputs"),
        (["--out", "model.onnx"], "model.onnx: a file; results of many workers go into a folder"),
        (["camera:0", "--out", "x"], "camera:0: a camera cannot be shared among workers"),
        (["--out", "pics"], "pics: holds 0.png but no _manifest.json"),
    ],
)
def test_wrong_use(here: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["predict", "pics", *words, "--model", "model.onnx", "--engine", "ray"])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_parts_that_are_missing_are_told(
    here: Path, alone: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mien.scale.cluster.spread", lambda *_: iter(()))
    job = plan(["pics"], "parts", "model.onnx", CROPPED, shard=4)
    with pytest.raises(MienError, match=r"3 of 3 parts are missing \(the first: part-000000.parquet\)"):
        list(job.run())


def test_stopping_keeps_what_is_finished(
    here: Path, alone: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import signal

    work = Worker.work
    monkeypatch.setattr(Worker, "work", lambda *given: (os.kill(os.getpid(), signal.SIGINT), work(*given))[1])
    with pytest.raises(SystemExit) as caught:
        Predict(("pics",), "model.onnx", faces="cropped", engine="ray", out=Path("parts"), shard=4).run()
    assert caught.value.code == 130
    assert alone == [0]
    assert Path("parts/part-000000.parquet").exists()


def test_a_worker_tells_what_it_cannot_do(here: Path, alone: list[int]) -> None:
    job = plan(["pics"], "parts", "model.onnx", CROPPED)
    write_model(here / "model.onnx", changes={"name": "other"})
    with pytest.raises(MienError, match=r"model.onnx: another model than where the job was started"):
        list(job.run())
    Path("model.onnx").unlink()
    with pytest.raises(MienError, match="no such model"):
        list(job.run())


def test_a_worker_that_cannot_write_tells_it(
    here: Path, alone: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "parts/part-000000.parquet")

    job = plan(["pics"], "parts", "model.onnx", CROPPED)
    monkeypatch.setattr("mien.scale.folders.Folder.write", full)
    with pytest.raises(MienError, match="No space left on device"):
        list(job.run())
    monkeypatch.setattr("mien.scale.folders.Folder.write", lambda *_: 1 / 0)
    with pytest.raises(MienError, match="ZeroDivisionError: division by zero"):
        list(job.run())
