"""EMOTIC as `mat2py.py` converts it: lists in cells, arrays beside the tables, broken ones."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.datasets import detect, import_dataset
from mien.datasets.base import ImportLog
from mien.datasets.emotic.mat2py import read
from mien.errors import DataError
from mien.media import image
from mien.records import Box
from mien.synthetic import LAYOUTS
from tests.people import drawn, facts_of, made

Edit = Callable[..., Path]


@pytest.fixture
def converted(tmp_path: Path) -> Path:
    """`emotic_pre` without the original pictures."""
    root = tmp_path / "emotic_pre"
    root.mkdir()
    LAYOUTS["emotic-csv"](root, drawn())
    return root


@pytest.fixture
def edit(converted: Path) -> Edit:
    """Changes a cell of a row of `train.csv`."""

    def edited(column: str, text: str, row: int = 1) -> Path:
        path = converted / "train.csv"
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        rows[row + 1][rows[0].index(column)] = text
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        return converted

    return edited


def test_the_fake_is_as_the_release(converted: Path) -> None:
    lines = (converted / "train.csv").read_bytes().split(b"\r\n")
    assert (
        lines[0] == b"Index,Folder,Filename,Image Size,BBox,Categorical_Labels,Continuous_Labels,Gender,Age"
    )
    assert lines[1].startswith(
        b'0,mscoco/images,000000.jpg,"[60, 40]","[2, 3, 16, 33]",'
        b"\"['Affection', 'Anger', 'Annoyance']\",\"["
    )
    arrays = {kind: np.load(converted / f"val_{kind}_arr.npy") for kind in ("context", "body", "cat", "cont")}
    assert {kind: (array.shape, array.dtype) for kind, array in arrays.items()} == {
        "context": ((4, 224, 224, 3), np.uint8),
        "body": ((4, 128, 128, 3), np.uint8),
        "cat": ((4, 26), np.float64),
        "cont": ((4, 3), np.float64),
    }


def test_resized_pictures_and_their_boxes(converted: Path) -> None:
    log = ImportLog()
    found = made(read(converted, log))
    given = [
        sample for split in ("train", "validation", "test") for sample in drawn() if sample.split == split
    ]
    assert [facts_of(sample)[:3] for sample in found] == [facts_of(sample)[:3] for sample in given]
    assert np.array_equal(
        found[1].inputs["image"].data, image.resize(np.asarray(given[1].inputs["image"].data), 224)
    )
    width = 61
    assert found[2].inputs["image"].region == Box(
        17 * 224 // width, 3 * 224 // 40, 31 * 224 // width - 17 * 224 // width, 184 - 16
    )
    assert found[1].source == "framesdb/images/000001.jpg#0"
    assert found[1].attributes == {"gender": "Male", "age": "Kid", "database": "framesdb"}
    assert list(log.inputs) == ["train.csv", "val.csv", "test.csv"]
    assert (
        "resized ones of *_context_arr.npy, boxes scaled with them; the body crops are not kept"
        in log.notes[0]
    )
    assert log.total == len(found)


def test_original_pictures_are_preferred(converted: Path) -> None:
    LAYOUTS["emotic"](converted.parent, drawn())
    log = ImportLog()
    found = made(read(converted, log))
    assert {str(facts_of(sample)) for sample in found} == {str(facts_of(sample)) for sample in drawn()}
    assert found[0].inputs["image"].data == converted.parent / "emotic/mscoco/images/000000.jpg"
    assert log.notes[0] == "pictures: the originals in emotic/"


def test_from_the_folder_around_it_into_a_store(converted: Path, tmp_path: Path) -> None:
    assert detect(converted).name == detect(tmp_path).name == "emotic-csv"
    store = import_dataset(tmp_path, tmp_path / "emotic.h5")
    assert len(store) == len(drawn())
    context = np.load(converted / "val_context_arr.npy")
    row = store.texts("source", store.rows()).index("emodb_small/images/000002.jpg#1")
    assert np.array_equal(image.decode(store.encoded(store.rows()[row : row + 1])[0], ""), context[1])


def test_numpys_own_numbers(edit: Edit) -> None:
    """What NumPy 2 writes for numbers and text in a list."""
    cont = np.load(edit("Gender", "Female") / "train_cont_arr.npy")[1]
    edit("Continuous_Labels", "[" + ", ".join(f"np.uint8({value})" for value in cont) + "]")
    edit("BBox", "[np.int16(-4), 3.7, np.float64(16.0), 33]")
    root = edit("Categorical_Labels", "[np.str_('Confidence'), 'Aversion', 'Anticipation']")
    sample = made(read(root, ImportLog(skip_bad=True)))[1]
    assert sample.targets["vad"] == dict(
        zip(("valence", "arousal", "dominance"), map(float, cont), strict=True)
    )
    assert sample.inputs["image"].region == Box(0, 20, 58, 164)


def test_a_rating_of_nan_is_left_out(edit: Edit) -> None:
    root = edit("Continuous_Labels", "[nan, np.float64(nan), 4]")
    (root / "train_cont_arr.npy").unlink()
    assert made(read(root, ImportLog()))[1].targets["vad"] == {"dominance": 4.0}


BROKEN = [
    ("BBox", "[1, 2, 3]", "BBox is '[1, 2, 3]', needed are 4 numbers"),
    ("BBox", "[1, 2, 3, 'x']", "BBox is '[1, 2, 3, 'x']', needed are 4 numbers"),
    ("BBox", "[1, 2, 3", "BBox is '[1, 2, 3', allowed is a list such as [1, 2]"),
    ("BBox", "__import__('os')", "BBox is '__import__('os')', allowed is a list such as [1, 2]"),
    ("BBox", "7", "BBox is '7', allowed is a list such as [1, 2]"),
    ("Image Size", "[0, 40]", "image size is [0.0, 40.0], allowed are positive numbers"),
    ("Categorical_Labels", "['Joyful']", "'Joyful' is no label of emotic26 (one of: Affection, "),
    ("Categorical_Labels", "['Peace']",
     "Categorical_Labels are ['Peace'], train_cat_arr.npy has ['Anticipation', 'Aversion', 'Confidence']"),
    ("Continuous_Labels", "[1, 2, 12]", "dominance is 12, allowed are 1 to 10"),
    ("Continuous_Labels", "[1.5, 2.5, 3.5]", "Continuous_Labels are {'valence': 1.5,"),
    ("Filename", "../../../passwd",
     "the picture is 'framesdb/images/../../../passwd', allowed is a path inside"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "text", "line"), BROKEN)
def test_faults_name_the_row(edit: Edit, column: str, text: str, line: str) -> None:
    root = edit(column, text)
    with pytest.raises(DataError) as caught:
        made(read(root, ImportLog()))
    assert str(caught.value).startswith(f"{root / 'train.csv'}, row 1: {line}")
    log = ImportLog(skip_bad=True)
    assert len(made(read(root, log))) == len(drawn()) - 1
    assert len(log.left_out) == 1


def test_a_cut_row(converted: Path) -> None:
    path = converted / "test.csv"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(
        DataError, match=r"test.csv, row 1: (\d fields, the header has 9|.* allowed is a list)"
    ):
        made(read(converted, ImportLog()))


def test_arrays_of_another_conversion(converted: Path) -> None:
    path = converted / "val_body_arr.npy"
    np.save(path, np.load(path)[1:])
    with pytest.raises(
        DataError, match=r"val_body_arr.npy: 3 entries, val.csv has 4 rows; they belong to two conver"
    ):
        made(read(converted, ImportLog(skip_bad=True)))
    np.save(path, np.zeros((4, 9), np.uint8))
    with pytest.raises(DataError, match=r"val_body_arr.npy: an array \(4, 9\), needed is \(rows, n, n, 3\)"):
        made(read(converted, ImportLog()))
    path.write_bytes(b"\x93NUMPY")
    with pytest.raises(DataError, match=r"val_body_arr.npy: damaged array or none of numbers"):
        made(read(converted, ImportLog()))
    np.save(path, np.array([{}], object))
    with pytest.raises(DataError, match=r"val_body_arr.npy: damaged array or none of numbers"):
        made(read(converted, ImportLog()))


def test_no_pictures_at_all(converted: Path) -> None:
    (converted / "train_context_arr.npy").unlink()
    with pytest.raises(
        DataError, match=r"neither train_context_arr.npy nor the original pictures are beside it"
    ):
        made(read(converted, ImportLog()))


def test_other_tables(converted: Path, tmp_path: Path) -> None:
    (converted / "train.csv").write_text("Index,Folder\n0,x\n")
    with pytest.raises(
        DataError, match=r"train.csv: no column Filename, Image Size, BBox, .* \(it has: Index, Folder\)"
    ):
        made(read(converted, ImportLog()))
    (converted / "train.csv").write_text("version https://git-lfs.github.com/spec/v1\n")
    assert detect(converted).name == "emotic-csv"
    with pytest.raises(DataError, match=r"train.csv: a Git LFS pointer"):
        made(read(converted, ImportLog()))
    (tmp_path / "else").mkdir()
    (tmp_path / "else/train.csv").write_text("<html>")
    with pytest.raises(
        DataError, match=r"none of train.csv, val.csv, test.csv with the columns of mat2py.py"
    ):
        made(read(tmp_path / "else", ImportLog()))
