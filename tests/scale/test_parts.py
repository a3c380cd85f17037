"""Parts and their manifest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mien.errors import ConfigError
from mien.outputs.formats import open_writer
from mien.predict import Settings, load
from mien.records import ReadError
from mien.scale import parts
from mien.scale.folders import Folder

MANIFEST = {"version": "1", "model": "m", "inputs": {"count": 1000, "sha256": "ab" * 32}, "shard": 3}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(str(tmp_path / "out"))


def test_a_part_is_the_parquet_of_the_local_engine_with_its_count(here: Path) -> None:
    import pyarrow.parquet as pq

    reading = load("model.onnx").read(["pics"], Settings("cropped"))
    data, count = parts.part_of(7, reading.results(), reading.origin)
    Path("part.parquet").write_bytes(data)
    writer = open_writer(Path("local.parquet"), reading.origin)
    for item in reading.results():
        if not isinstance(item, ReadError):
            writer.add(item)
    writer.close()
    ours, theirs = pq.read_table("part.parquet"), pq.read_table("local.parquet")
    assert ours.schema.equals(theirs.schema)
    assert ours.equals(theirs)
    assert (count.part, count.frames, count.faces, count.empty) == (7, 8, 8, 0)
    assert [fault.source for fault in count.faults] == ["pics/bad.jpg"]
    assert parts.Count.from_json(pq.read_metadata("part.parquet").metadata[parts.KEY]) == count


def test_a_folder_is_begun_and_gone_on_with(here: Path, folder: Folder) -> None:
    reading = load("model.onnx").read(["pics"], Settings("cropped"))
    assert parts.begin(folder, MANIFEST) == {}
    assert json.loads(Path(folder.location, parts.MANIFEST).read_text()) == MANIFEST
    counts = {}
    for number in (0, 2):
        data, counts[number] = parts.part_of(number, reading.results(), reading.origin)
        folder.write(parts.name_of(number), data)
    folder.write(parts.name_of(1), b"PAR1, half of it")
    assert parts.begin(folder, MANIFEST | {"version": "2"}) == counts, "the damaged one is done again"
    assert parts.finished(folder) == {0, 1, 2}
    assert parts.begin(folder, MANIFEST | {"shard": 4}, overwrite=True) == {}
    assert folder.names() == {parts.MANIFEST}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "n"}, "out: holds results of other model ('m', now 'n'); give the same"),
        (
            {"inputs": {"count": 2, "sha256": "cd" * 32}},
            "of other inputs (1,000, abababababab, now 2, cdcdcdcdcdcd)",
        ),
        ({"shard": 4}, "other shard ('3', now '4')"),
    ],
)
def test_a_folder_of_something_else_is_refused(
    folder: Folder, change: dict[str, object], message: str
) -> None:
    parts.begin(folder, MANIFEST)
    with pytest.raises(ConfigError) as caught:
        parts.begin(folder, MANIFEST | change)
    assert message in str(caught.value)


def test_foreign_and_damaged_folders_are_refused(folder: Folder) -> None:
    folder.write("holiday.jpg", b"1")
    with pytest.raises(ConfigError, match=r"holds holiday.jpg but no _manifest.json; choose an empty folder"):
        parts.begin(folder, MANIFEST)
    folder.remove("holiday.jpg")
    folder.write(parts.MANIFEST, b"{")
    with pytest.raises(ConfigError, match="damaged"):
        parts.begin(folder, MANIFEST)
