"""EMOTIC as tables of 40 columns with whole pictures as arrays."""

import csv
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mien.datasets import detect, import_dataset
from mien.datasets.base import ImportLog
from mien.datasets.emotic.arrays import read
from mien.errors import DataError
from mien.media import image
from mien.records import Box
from mien.synthetic import LAYOUTS
from tests.people import drawn, facts_of, made

#: The order that the release has.
ORDER = [
    "Filename", "Width", "Height", "Age", "Gender", "Valence", "Arousal", "Dominance", "Peace", "Affection",
    "Esteem", "Anticipation", "Engagement", "Confidence", "Happiness", "Pleasure", "Excitement", "Surprise",
    "Sympathy", "Doubt/Confusion", "Disconnection", "Fatigue", "Embarrassment", "Yearning", "Disapproval",
    "Aversion", "Annoyance", "Anger", "Sensitivity", "Sadness", "Disquietment", "Fear", "Pain", "Suffering",
    "X_min", "Y_min", "X_max", "Y_max", "Arr_name", "Crop_name",
]  # fmt: skip
Edit = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "download"
    path.mkdir()
    LAYOUTS["emotic-arrays"](path, drawn())
    return path


@pytest.fixture
def edit(root: Path) -> Edit:
    """Changes a cell of a row of the training table."""

    def edited(column: str, text: str, row: int = 0) -> Path:
        path = root / "annots_arrs/annot_arrs_train.csv"
        rows = rows_of(path)
        rows[row + 1][ORDER.index(column)] = text
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        return root

    return edited


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_the_fake_is_as_the_release(root: Path) -> None:
    header, *rows = rows_of(root / "annots_arrs/annot_arrs_test.csv")
    assert (header, len(header)) == (ORDER, 40)
    cells = dict(zip(header, rows[0], strict=True))
    about = ("Filename", "Width", "Height", "Age", "Gender", "X_min", "Y_max", "Arr_name", "Crop_name")
    assert [cells[name] for name in about] == [
        "000003.jpg", "63.0", "40.0", "Kid", "Male", "2.0", "33.0", "img_arr_3.npy", "crop_arr_test_0.npy"
    ]  # fmt: skip
    assert {cells[name] for name in ORDER[8:34]} == {"0.0", "1.0"}
    swapped = dict(zip(*rows_of(root / "annots_arrs/annot_arrs_val.csv")[:2], strict=True))
    assert (swapped["Width"], swapped["Height"]) == ("40.0", "62.0")
    frame, crop = (np.load(root / "img_arrs" / cells[name]) for name in ("Arr_name", "Crop_name"))
    assert (frame.shape, frame.dtype, crop.shape, crop.dtype) == (
        (40, 63, 3),
        np.uint8,
        (30, 14, 3),
        np.uint8,
    )


def test_everyone_comes_back_by_name(root: Path) -> None:
    log = ImportLog()
    found = made(read(root, log))
    assert {str(facts_of(sample)) for sample in found} == {str(facts_of(sample)) for sample in drawn()}
    assert log.total == len(found)
    assert len(log.inputs) == 4
    assert "packed as JPEG of quality 95; the body crops are not kept" in log.notes[0]
    (first,) = [sample for sample in found if sample.source == "img_arrs/img_arr_1.npy#1"]
    assert first.group == "img_arrs/img_arr_1.npy"
    assert first.attributes == {"gender": "Female", "age": "Teenager", "file": "000001.jpg"}
    given = np.asarray(next(sample.inputs["image"].data for sample in drawn() if sample.group == "drawn/1"))
    assert isinstance(first.inputs["image"].data, bytes)
    assert first.inputs["image"].data == image.encode(given)


def test_into_a_store(root: Path, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (root / "annots_arrs").rename(tmp_path / "archive/annots_arrs")
    (root / "img_arrs").rename(tmp_path / "archive/img_arrs")
    assert detect(tmp_path).name == "emotic-arrays"
    store = import_dataset(tmp_path, tmp_path / "emotic.h5")
    groups = store.texts("group", store.rows())
    changes = sum(a != b for a, b in pairwise(groups))
    assert changes + 1 == len(set(groups)) == 8


def test_the_array_tells_the_size(edit: Edit) -> None:
    edit("Width", "40.0")
    edit("X_max", "59.0")
    assert made(read(edit("Height", "60.0"), ImportLog()))[0].inputs["image"].region == Box(2, 3, 57, 30)


def test_who_stands_in_an_earlier_table_is_left_aside(root: Path) -> None:
    train, extra = (root / f"annots_arrs/annot_arrs_{name}.csv" for name in ("train", "extra_train"))
    extra.write_bytes(extra.read_bytes() + b"".join(train.read_bytes().splitlines(keepends=True)[1:3]))
    log = ImportLog()
    assert len(made(read(root, log))) == len(drawn())
    assert "annot_arrs_extra_train.csv: 2 people left aside, an earlier table has them" in log.notes


def test_missing_ratings_and_people_without_any_word(edit: Edit) -> None:
    for name in ("Valence", "Arousal"):
        edit(name, "")
    root = edit("Dominance", "nan", 1)
    found = {sample.source: sample for sample in made(read(root, ImportLog()))}
    assert set(found["img_arrs/img_arr_1.npy#0"].targets["vad"]) == {"dominance"}
    assert set(found["img_arrs/img_arr_1.npy#1"].targets["vad"]) == {"valence", "arousal"}
    edit("Dominance", "")
    for name in ORDER[8:34]:
        edit(name, "0.0")
    log = ImportLog()
    assert len(made(read(root, log))) == len(drawn()) - 1
    assert "not annotated, left out: 1 people (img_arrs/img_arr_1.npy#0)" in log.notes


BROKEN = [
    ("Peace", "2.0", "Peace is '2.0', allowed are 0 and 1"),
    ("Fear", "", "Fear is '', allowed are 0 and 1"),
    ("Arousal", "high", "arousal is 'high', allowed is a number"),
    ("Arousal", "0.5", "arousal is 0.5, allowed are 1 to 10"),
    ("X_min", "left", "X_min is 'left', allowed is a number"),
    ("Arr_name", "/etc/x.npy", "the picture is 'img_arrs//etc/x.npy', allowed is a path inside the data set"),
    ("Arr_name", "", "the picture is 'img_arrs/', allowed is a path inside the data set"),
]


@pytest.mark.parametrize(("column", "text", "line"), BROKEN)
def test_faults_name_the_row(edit: Edit, column: str, text: str, line: str) -> None:
    root = edit(column, text)
    with pytest.raises(DataError) as caught:
        made(read(root, ImportLog()))
    assert str(caught.value).startswith(f"{root / 'annots_arrs/annot_arrs_train.csv'}, row 0: {line}")
    log = ImportLog(skip_bad=True)
    assert len(made(read(root, log))) == len(drawn()) - 1


def test_missing_columns(root: Path) -> None:
    path = root / "annots_arrs/annot_arrs_train.csv"
    path.write_text(path.read_text().replace("Esteem", "Estimate").replace("Arr_name", "Name"))
    with pytest.raises(
        DataError, match=r"annot_arrs_train.csv: no column Esteem, Arr_name \(it has: Filename, Width,"
    ):
        made(read(root, ImportLog()))


@pytest.mark.parametrize(
    ("array", "line"),
    [
        (np.zeros((4, 5, 3)), r"an array \(4, 5, 3\) float64, needed is \(height, width, 3\) uint8"),
        (np.zeros((4, 5, 7), np.uint8), r"an array \(4, 5, 7\) uint8, needed is"),
        (np.zeros((0, 5, 3), np.uint8), r"an array \(0, 5, 3\) uint8, needed is"),
        (np.array(3, np.uint8), r"an array \(\) uint8, needed is"),
        (np.array([{}], object), "damaged array or none of numbers"),
    ],
)
def test_arrays_that_are_no_pictures(root: Path, array: np.ndarray, line: str) -> None:
    np.save(root / "img_arrs/img_arr_1.npy", array)
    with pytest.raises(DataError, match=f"img_arr_1.npy: {line}"):
        made(read(root, ImportLog()))


def test_missing_and_cut_arrays(root: Path, tmp_path: Path) -> None:
    path = root / "img_arrs/img_arr_1.npy"
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(DataError, match=r"img_arr_1.npy: damaged array or none of numbers"):
        made(read(root, ImportLog()))
    path.unlink()
    with pytest.raises(DataError, match=r"img_arr_1.npy: no such file"):
        made(read(root, ImportLog()))
    with pytest.raises(DataError, match=r"none of annot_arrs_train.csv, .* is in annots_arrs/"):
        made(read(tmp_path / "else", ImportLog()))
