"""FER+ joined to FER-2013 by row, and Microsoft's own folders."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.datasets import detect, import_dataset
from mien.datasets.base import ImportLog
from mien.datasets.fer2013 import ferplus, ferplus_folders
from mien.errors import ConfigError, DataError
from mien.records import Sample

Faces = NDArray[np.uint8]
Write = Callable[..., Path]
HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
VOTES = [
    (4, 0, 0, 1, 3, 2, 0, 0, 0, 0),
    (0, 9, 1, 0, 0, 0, 0, 0, 0, 0),
    (0, 0, 0, 0, 0, 0, 0, 0, 0, 10),
    (2, 3, 0, 0, 0, 0, 0, 0, 5, 0),
    (5, 5, 0, 0, 0, 0, 0, 0, 0, 0),
    (0, 0, 0, 0, 0, 0, 0, 9, 0, 0),
    (1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    (0, 0, 6, 0, 0, 0, 4, 0, 0, 0),
]
LABELS = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt")


@pytest.fixture
def votes() -> list[str]:
    usages = ["Training"] * 4 + ["PublicTest"] * 2 + ["PrivateTest"] * 2
    names = [f"fer{row + 5:07d}.png" for row in range(8)]
    names[2] = ""
    rows = zip(usages, names, VOTES, strict=True)
    return [HEADER, *(",".join([usage, name, *map(str, row)]) for usage, name, row in rows)]


@pytest.fixture
def folder(write: Write, lines: list[str], votes: list[str]) -> Path:
    write("fer2013.csv", lines)
    return write("fer2013new.csv", votes).parent


def samples(folder: Path, rule: str = "raw", **options: Any) -> list[Sample]:
    return list(ferplus.read(folder, ImportLog(options={"votes": rule}, **options)))


def fault(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        samples(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{folder}/", "")


def test_votes_of_the_same_row(folder: Path, faces: Faces) -> None:
    found = samples(folder)
    assert len(found) == 8
    assert np.array_equal(found[3].inputs["image"].data, faces[3])
    assert found[0].targets == {
        "expression7": "angry",
        "distribution8": dict(zip(LABELS, VOTES[0], strict=False)),
        "votes10": dict(zip((*LABELS, "unknown", "no-face"), VOTES[0], strict=True)),
    }
    assert found[1].targets["expression8"] == "happy"
    assert found[5].targets["expression8"] == "contempt"
    assert [row for row, sample in enumerate(found) if "expression8" in sample.targets] == [1, 5, 7]
    assert [row for row, sample in enumerate(found) if "distribution8" not in sample.targets] == [2, 3]
    assert all("votes10" in sample.targets for sample in found)


@pytest.mark.parametrize(
    ("rule", "row", "target"),
    [
        ("majority", 1, {"happy": 1.0}),
        ("probability", 0, {"neutral": 4 / 7, "angry": 3 / 7}),  # 7 of the 9 that count are over 3/4
        ("crossentropy", 7, {"surprise": 0.6, "fear": 0.4}),
        ("multi_target", 0, {"neutral": 0.5, "angry": 0.5}),
    ],
)
def test_rules(folder: Path, rule: str, row: int, target: dict[str, float]) -> None:
    given = samples(folder, rule)[row].targets["distribution8"]
    assert given == {label: pytest.approx(target.get(label, 0.0)) for label in LABELS}


def test_columns_go_by_name(folder: Path, write: Write, votes: list[str]) -> None:
    swapped = []
    for line in votes:
        cells = line.split(",")
        swapped.append(",".join([*cells[2:], cells[1], f" {cells[0]} "]))
    before = [sample.targets for sample in samples(folder)]
    write("fer2013new.csv", swapped)
    assert [sample.targets for sample in samples(folder)] == before


def test_journal_says_which_files_were_used(folder: Path) -> None:
    log = ImportLog()
    list(ferplus.read(folder, log))
    assert (
        log.inputs["fer2013new.csv"] == hashlib.sha256((folder / "fer2013new.csv").read_bytes()).hexdigest()
    )
    assert set(log.inputs) == {"fer2013.csv", "fer2013new.csv"}
    assert "votes from fer2013new.csv, joined by the order of the rows (not by image name)" in log.notes


def test_files_that_part_ways(folder: Path, write: Write, lines: list[str], votes: list[str]) -> None:
    write("fer2013new.csv", [*votes[:4], *votes[5:]])
    assert (
        fault(folder)
        == "fer2013new.csv, row 3: Usage is 'PublicTest', but fer2013.csv has a face of 'train' there"
    )
    write("fer2013new.csv", votes[:-1])
    assert fault(folder) == "fer2013new.csv: 7 rows, fer2013.csv has more; they are joined row by row"
    write("fer2013new.csv", votes)
    write("fer2013.csv", lines[:-2])
    assert fault(folder) == "fer2013new.csv: 8 rows, fer2013.csv has 6; they are joined row by row"


def test_a_bad_row_of_pixels_does_not_shift_the_votes(folder: Path, write: Write, lines: list[str]) -> None:
    lines[3] = "9" + lines[3][1:]
    lines[8] = lines[8].replace(" ", " x", 1)
    write("fer2013.csv", lines)
    found = samples(folder, skip_bad=True)
    assert [sample.source.rpartition(":")[2] for sample in found] == list("013456")
    assert found[4].targets["expression8"] == "contempt"


@pytest.mark.parametrize(
    "row", ["Training,a.png,4,0,0,0,1,0,0,4,1,x", "Training,a.png,4,0,0,0,1,0,0,4,1,11", "Training,4,0"]
)
def test_bad_votes(folder: Path, write: Write, votes: list[str], row: str) -> None:
    write("fer2013new.csv", [votes[0], row, *votes[2:]])
    assert fault(folder).startswith("fer2013new.csv, row 0 (line 2): votes '")
    if row.count(",") == 11:
        assert set(samples(folder, skip_bad=True)[0].targets) == {"expression7"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"version https://git-lfs.github.com/spec/v1", "fer2013new.csv: a Git LFS pointer"),
        (
            b"Usage,neutral,happiness\nTraining,1,2\n",
            "fer2013new.csv: needs the columns Usage, neutral, happy,",
        ),
        (b"emotion,pixels,Usage\n", "fer2013new.csv: needs the columns"),
        (
            HEADER.encode() + b'\nTraining,"' + b"x" * 200_000 + b'"\n',
            "fer2013new.csv: cannot be read as CSV",
        ),
    ],
)
def test_impostors(folder: Path, write: Write, content: bytes, says: str) -> None:
    write("fer2013new.csv", content)
    assert fault(folder).startswith(says)


def test_asked_for_without_votes(tmp_path: Path, folder: Path) -> None:
    (folder / "fer2013new.csv").unlink()
    with pytest.raises(DataError, match=r"FER\+ needs a folder with fer2013new\.csv"):
        import_dataset(folder, tmp_path / "x.h5", "ferplus")


def test_into_a_store(folder: Path, tmp_path: Path) -> None:
    assert detect(folder).name == "ferplus"
    store = import_dataset(folder, tmp_path / "faces.h5", votes="multi_target")
    assert [head.name for head in store.heads] == ["expression7", "expression8", "distribution8", "votes10"]
    assert store.meta["options"] == {"votes": "multi_target"}
    assert store.annotations("votes10", store.rows()).tolist() == [list(row) for row in VOTES]
    assert np.isnan(store.annotations("distribution8", store.rows())[:, 0]).tolist() == [
        False, False, True, True, False, False, True, False,
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="unknown rule for --votes 'most'"):
        import_dataset(folder, tmp_path / "faces.h5", votes="most")


def test_real_faces(real: Callable[[str], Path], tmp_path: Path) -> None:
    store = import_dataset(real("ferplus"), tmp_path / "faces.h5")
    assert [len(store.rows(split)) for split in ("train", "validation")] == [300, 300]
    assert store.annotations("votes10", np.array([0])).tolist() == [[4, 0, 0, 1, 3, 2, 0, 0, 0, 0]]
    first = store.target(store.head("expression7"), np.array([0]))
    assert first.argmax() == 0


@pytest.fixture
def official(tmp_path: Path, picture: Callable[[str, Faces], Path], faces: Faces) -> Path:
    for folder, rows in {"FER2013Train": (0, 1, 2), "FER2013Test": (3,)}.items():
        for row in rows:
            picture(f"data/{folder}/fer{row:07d}.png", faces[row])
        table = [f'fer{row:07d}.png,"(0, 0, 48, 48)",{",".join(map(str, VOTES[row]))}' for row in rows]
        (tmp_path / "data" / folder / "label.csv").write_text("\n".join(table))
    return tmp_path


def test_folders_of_microsofts_tools(official: Path, tmp_path: Path, faces: Faces) -> None:
    assert detect(official).name == "ferplus-folders"
    store = import_dataset(official, tmp_path / "faces.h5")
    assert np.array_equal(store.images(store.rows()), faces[:4])
    assert store.annotations("votes10", store.rows()).tolist() == [list(row) for row in VOTES[:4]]
    assert store.texts("source", store.rows("test")) == ["data/FER2013Test/fer0000003.png"]
    assert [head.name for head in store.heads] == ["expression8", "distribution8", "votes10"]
    assert set(store.meta["inputs"]) == {"data/FER2013Train/label.csv", "data/FER2013Test/label.csv"}


def test_a_name_that_occurs_twice_counts_once(official: Path) -> None:
    table = official / "data/FER2013Train/label.csv"
    table.write_text("fer0000002.png,box,0,9,1,0,0,0,0,0,0,0\n" + table.read_text())
    log = ImportLog()
    found = list(ferplus_folders.read(official, log))
    assert len(found) == 4
    assert [sample.targets.get("expression8") for sample in found] == [None, "happy", None, None]
    assert any("row 0: left aside, row 3 has the same picture fer0000002.png" in note for note in log.notes)


def test_missing_pictures(official: Path) -> None:
    (official / "data/FER2013Train/fer0000001.png").unlink()
    log = ImportLog(skip_bad=True)
    assert len(list(ferplus_folders.read(official, log))) == 3
    assert "label.csv, row 1: " in log.left_out[0]
    (official / "data/FER2013Test/fer0000003.png").unlink()
    with pytest.raises(DataError, match=r"label\.csv but no pictures"):
        list(ferplus_folders.read(official, log))
    with pytest.raises(DataError, match=r"none of FER2013Train/label\.csv"):
        list(ferplus_folders.read(official / "data/FER2013Test", log))
