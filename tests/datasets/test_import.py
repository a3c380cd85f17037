"""`detect` and `import_dataset`: what holds for every layout."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.datasets import IMPORTERS, detect, import_dataset
from mien.datasets.base import ImportLog
from mien.datasets.fer2013.csv_release import EMOTIONS, USAGES
from mien.datasets.fer2013.faces import FaceTable
from mien.datasets.fer2013.official import OFFICIAL, note_counts
from mien.errors import ConfigError, DataError, StoreError
from mien.records import Sample

Write = Callable[..., Path]


def test_names_are_keys() -> None:
    assert {name: importer.name for name, importer in IMPORTERS.items()} == {name: name for name in IMPORTERS}


def test_unknown_source_lists_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no layout that is known here") as caught:
        detect(tmp_path)
    assert all(importer.looks_for in str(caught.value) for importer in IMPORTERS.values())
    with pytest.raises(DataError, match="no such file or folder"):
        detect(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no such file or folder"):
        import_dataset(tmp_path / "nowhere", tmp_path / "x.h5", "fer2013")


def test_unknown_layout_lists_the_choices(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown layout 'fer2014', did you mean 'fer2013'\?"):
        import_dataset(tmp_path, tmp_path / "x.h5", "fer2014")


def test_origin_is_recorded(write: Write, lines: list[str], tmp_path: Path) -> None:
    lines[2] = "x" + lines[2]
    source = write("fer2013.csv", lines)
    store = import_dataset(source, tmp_path / "faces.h5", skip_bad=True)
    assert store.meta["importer"] == "fer2013"
    assert store.meta["version"] == "1"
    assert list(store.meta["inputs"]) == ["fer2013.csv"]
    assert store.meta["left_out"] == [
        f"{source}, row 1 (line 3): emotion is 'x1', allowed are 0, 1, 2, 3, 4, 5, 6",
    ]
    assert "train (Training): 3 faces, the official set has 28709" in store.meta["notes"]
    assert len(store) == 7


def test_a_fault_leaves_the_old_store_and_no_part(write: Write, lines: list[str], tmp_path: Path) -> None:
    source, out = write("fer2013.csv", lines), tmp_path / "out" / "faces.h5"
    import_dataset(source, out)
    old = out.read_bytes()
    write("fer2013.csv", [*lines[:-1], "9,1 2 3,Training"])
    with pytest.raises(DataError):
        import_dataset(source, out)
    assert out.read_bytes() == old
    assert [path.name for path in out.parent.iterdir()] == ["faces.h5"]


def test_same_input_same_bytes(write: Write, lines: list[str], tmp_path: Path) -> None:
    source = write("fer2013.csv", lines)
    first, second = (import_dataset(source, tmp_path / name).path.read_bytes() for name in ("a.h5", "b.h5"))
    assert first == second


def test_only_bad_rows(write: Write, lines: list[str], tmp_path: Path) -> None:
    source = write("fer2013.csv", [lines[0], "9,1 2 3,Training"])
    with pytest.raises(DataError, match="no samples to import"):
        import_dataset(source, tmp_path / "faces.h5", skip_bad=True)
    assert not (tmp_path / "faces.h5").exists()


def test_outputs_that_cannot_be(write: Write, lines: list[str], tmp_path: Path) -> None:
    source = write("fer2013.csv", lines)
    with pytest.raises(DataError, match="is the data set itself"):
        import_dataset(source, source)
    with pytest.raises(StoreError, match="a folder; a store is a file"):
        import_dataset(source, tmp_path)
    with pytest.raises(StoreError, match="cannot be written"):
        import_dataset(source, source / "faces.h5")


def test_files_that_cannot_be_opened(write: Write, lines: list[str]) -> None:
    path = write("fer2013.csv", lines)
    table = FaceTable(path, ImportLog(), {"emotion": EMOTIONS, "usage": USAGES})
    path.unlink()
    with pytest.raises(DataError, match=r"fer2013\.csv: cannot be read: No such file"):
        list(table)
    with pytest.raises(DataError, match=r"fer2013\.csv: cannot be read: No such file"):
        FaceTable(path, ImportLog(), {})


def test_official_counts_are_told() -> None:
    log = ImportLog()
    image = np.zeros((1, 1), np.uint8)
    public = [
        Sample.of_image(image, {"expression7": label}, "validation", "")
        for label, n in OFFICIAL["validation"].items()
        for _ in range(n)
    ]
    assert len(list(note_counts([*public, Sample.of_image(image, {}, "test", "")], log))) == 3590
    assert log.notes == [
        "train (Training): no labelled faces",
        "validation (PublicTest): 3589 faces, the official counts in every class",
        "test (PrivateTest): no labelled faces",
    ]
