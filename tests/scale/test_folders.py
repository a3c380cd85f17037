"""Folders here and on object storage."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien.errors import ConfigError, InputError
from mien.media.limits import Limits
from mien.records import ReadError
from mien.scale.folders import Folder, address_of, stored
from mien.sources import Sampling
from tests.scale.objects import Bucket
from tests.sources.media import PEOPLE, compose


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("s3://b/x", "s3://b/x"),
        (Path("s3://b/x y"), "s3://b/x y"),
        ("gs://b", "gs://b"),
        ("abfss://box@account.dfs.core.windows.net/x", "abfss://box@account.dfs.core.windows.net/x"),
        ("pictures/s3", ""),
        ("http://b/x", ""),
        ("/s3:/x", ""),
    ],
)
def test_addresses(given: str | Path, address: str) -> None:
    assert address_of(given) == address


def test_keys_do_not_belong_into_an_address() -> None:
    with pytest.raises(ConfigError, match=r"s3://…@…: no keys") as caught:
        address_of("s3://me:secret@b/x")
    assert "secret" not in str(caught.value)


def test_a_folder_here(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "new"))
    assert folder.names() == set()
    folder.write("a.bin", b"12")
    (tmp_path / "new" / ".a.bin.part-1").touch()
    assert folder.names() == {"a.bin"}
    with folder.open("a.bin") as file:
        assert file.read() == b"12"
    folder.remove("a.bin")
    assert folder.names() == set()


def test_a_folder_on_object_storage(bucket: Bucket) -> None:
    folder = Folder(f"s3://b/out?{bucket.address}")
    assert folder.names() == set()
    folder.write("a.bin", b"12")
    assert bucket.objects["b/out/a.bin"] == b"12"
    assert folder.names() == {"a.bin"}
    with folder.open("a.bin") as file:
        assert file.read() == b"12"
    folder.remove("a.bin")
    assert folder.names() == set()


def test_pictures_on_object_storage(here: Path, bucket: Bucket) -> None:
    for name in ("0.png", "1.png", "bad.jpg"):
        bucket.objects[f"b/pics/set/{name}"] = (here / "pics" / name).read_bytes()
    bucket.objects |= {
        f"b/pics/{name}": b"" for name in ("a.mien.png", ".hidden.png", "__MACOSX/x.png", "notes.txt")
    }
    found = stored(f"s3://b/pics?{bucket.address}", Sampling())
    assert [source.name for source in found] == [
        f"s3://b/pics/set/{name}" for name in ("0.png", "1.png", "bad.jpg")
    ]
    first, _, bad = ([*source] for source in found)
    assert first[0].pixels.shape[:2] == (40, 50)
    assert "s3://b/pics/set/bad.jpg: not a picture" in bad[0].reason
    (one,) = stored(f"s3://b/pics/set/1.png?{bucket.address}", Sampling())
    assert one.name == "s3://b/pics/set/1.png"
    bucket.refused.add("b/pics/set/0.png")
    (fault,) = found[0]
    assert isinstance(fault, ReadError)
    assert fault.reason.startswith("s3://b/pics/set/0.png: ")
    with pytest.raises(InputError, match="no pictures or videos there"):
        stored(f"s3://b/elsewhere?{bucket.address}", Sampling())


def test_a_video_on_object_storage(tmp_path: Path, bucket: Bucket) -> None:
    compose(tmp_path / "v.mp4", PEOPLE, 0.5)
    bucket.objects["b/v.mp4"] = (tmp_path / "v.mp4").read_bytes()
    (video,) = stored(f"s3://b/v.mp4?{bucket.address}", Sampling(limit=3))
    assert video.moving
    assert [(frame.source, frame.index) for frame in video] == [
        ("s3://b/v.mp4", number) for number in range(3)
    ]


def test_what_is_too_large_is_not_fetched(bucket: Bucket) -> None:
    bucket.objects["b/large.png"] = b"1234"
    (fault,) = next(iter(stored(f"s3://b/large.png?{bucket.address}", Sampling(), Limits(max_bytes=3))))
    assert fault.reason == "s3://b/large.png: 4 bytes, at most 3 are fetched"


def test_an_address_that_is_none() -> None:
    with pytest.raises(InputError, match=r"s3://b/x\?nonsense=1: "):
        Folder("s3://b/x?nonsense=1").names()
