"""RAF-DB: both halves as given out and the Kaggle copy, through the drawn ones; exact names; broken lists and
files."""

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.datasets import IMPORTERS, detect, import_dataset
from mien.datasets.base import ImportLog
from mien.errors import DataError
from mien.labels import COMPOUND11
from mien.records import Sample
from mien.synthetic import LAYOUTS, samples
from mien.synthetic.layouts.small_sets import compound

LIST = "EmoLabel/list_patition_label.txt"
Change = Callable[[Path], None]


def finished(layout: str, root: Path, log: ImportLog) -> list[Sample]:
    """The samples of an importer, its work done; faults that come up in there are noted too."""
    found = []
    for item in IMPORTERS[layout].read(root, log):
        try:
            sample = item if isinstance(item, Sample) else item()
        except DataError as error:
            log.reject(str(error))
        else:
            assert sample
            found.append(sample)
    return found


@pytest.fixture(scope="module")
def drawn() -> list[Sample]:
    return list(samples(20, 48, 0, "rgb"))


@pytest.fixture
def basic(tmp_path: Path, drawn: list[Sample]) -> Path:
    LAYOUTS["rafdb"](tmp_path, drawn)
    return tmp_path


def test_basic(basic: Path, drawn: list[Sample]) -> None:
    known = [sample for sample in drawn if "expression7" in sample.targets]
    log = ImportLog()
    found = finished("rafdb", basic, log)
    assert detect(basic).name == detect(basic / "basic").name == "rafdb"
    assert [sample.targets["expression7"] for sample in found] == [
        sample.targets["expression7"] for sample in known
    ]
    assert all(sample.targets["expression7"] == sample.targets["expression8"] for sample in found)
    assert [sample.split for sample in found] == ["test" if s.split == "test" else "train" for s in known]
    assert found[0].source == "basic/Image/aligned/train_00001_aligned.jpg"
    assert found[0].inputs["image"].data == basic / found[0].source
    assert not found[0].inputs["image"].points
    assert found[0].attributes == {"gender": "female", "race": "African-American", "age": "4-19"}
    assert log.total == len(found)
    assert list(log.inputs) == [f"basic/{LIST}"]
    assert log.notes[0] == "pictures from Image/aligned"
    assert "train 16 (official 12271)" in log.notes[1]


def test_names_and_bytes_are_those_of_the_data_set(basic: Path) -> None:
    base = basic / "basic"
    lines = (base / LIST).read_bytes().splitlines(keepends=True)
    assert lines[0] == b"train_00001.jpg 7\n"
    assert sorted(line.split()[0] for line in lines if line.startswith(b"test")) == [
        b"test_0001.jpg",
        b"test_0002.jpg",
    ]
    with Image.open(base / "Image/aligned/test_0001_aligned.jpg") as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (100, 100), "RGB")
    about = (base / "Annotation/manual/train_00002_manu_attri.txt").read_text().splitlines()
    assert about == [
        "16.800\t19.200",
        "31.200\t19.200",
        "24.000\t28.800",
        "18.240\t37.440",
        "29.760\t37.440",
        *"222",
    ]


def test_originals_have_landmarks(basic: Path) -> None:
    for path in (basic / "basic/Image/aligned").iterdir():
        path.unlink()
    (basic / "basic/Image/aligned").rmdir()
    (basic / "basic" / LIST).rename(basic / "basic/EmoLabel/list_partition_label.txt")
    found = finished("rafdb", basic / "basic", ImportLog())
    assert found[0].source == "Image/original/train_00001.jpg"
    assert found[0].inputs["image"].points[:2] == [(16.8, 19.2), (31.2, 19.2)]
    assert len(found[0].inputs["image"].points) == 5


def test_without_annotations_and_with_crlf(basic: Path) -> None:
    path = basic / "basic" / LIST
    path.write_bytes(
        b"\xef\xbb\xbf" + path.read_bytes().replace(b".jpg", b"_aligned.jpg").replace(b"\n", b"\r\n")
    )
    for file in (basic / "basic/Annotation/manual").iterdir():
        file.unlink()
    found = finished("rafdb", basic, ImportLog())
    assert len(found) == 18
    assert found[0].attributes == {}


def test_compound(tmp_path: Path, drawn: list[Sample]) -> None:
    LAYOUTS["rafdb-compound"](tmp_path, drawn)
    found = finished("rafdb-compound", tmp_path, ImportLog())
    assert detect(tmp_path).name == detect(tmp_path / "compound").name == "rafdb-compound"
    assert [sample.targets["compound11"] for sample in found] == [compound(sample) for sample in drawn]
    assert found[2].source == "compound/Image/aligned/test_001_aligned.jpg"
    name, code = (tmp_path / "compound" / LIST).read_text().splitlines()[0].split()
    assert (name, COMPOUND11.labels[int(code) - 1]) == ("train_0001.jpg", compound(drawn[0]))
    with pytest.raises(
        DataError, match=r"no basic/EmoLabel/list_patition_label\.txt with names of RAF-DB basic"
    ):
        finished("rafdb", tmp_path / "compound", ImportLog())


def test_into_a_store(basic: Path, tmp_path: Path) -> None:
    store = import_dataset(basic, tmp_path / "faces.h5")
    assert store.meta["importer"] == "rafdb"
    assert set(store.attributes) == {"gender", "race", "age"}
    assert store.encoded(store.rows("test")[:1]) == [
        (basic / "basic/Image/aligned/test_0001_aligned.jpg").read_bytes()
    ]


def edit(old: str, new: str, path: str = f"basic/{LIST}") -> Change:
    def change(root: Path) -> None:
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new, 1))

    return change


def remove(path: str) -> Change:
    return lambda root: (root / path).unlink()


ABOUT = "basic/Annotation/manual/train_00002_manu_attri.txt"
BROKEN: list[tuple[Change, str]] = [
    (edit("train_00002.jpg 5", "train_00002.jpg 8"),
     r"label\.txt, row 1 \(line 2\): 'train_00002\.jpg 8', needed are a name and a label from 1 to 7"),
    (edit("train_00002.jpg 5", "train_2.jpg 5"), r"'train_2\.jpg 5', needed are a name"),
    (edit("train_00002.jpg 5", "train_00002.jpg"),
     r"'train_00002\.jpg', needed are a name and a label from 1 to 7"),
    (edit("train_00002.jpg 5", "train_00001.jpg 5"), r"row 1 \(line 2\): train_00001 again, first in row 0"),
    (remove("basic/Image/aligned/train_00002_aligned.jpg"),
     r"row 1 \(line 2\): no picture .*train_00002_aligned\.jpg"),
    (lambda root: (root / ABOUT).write_text("1\t2\n"),
     r"train_00002_manu_attri\.txt: needed are 5 points x y, then gender 0-2"),
    (lambda root: (root / ABOUT).write_text("1\t2\n" * 5 + "0\n0\n-1\n"),
     "needed are 5 points x y, then gender"),
    (lambda root: (root / ABOUT).write_text("1\t2\n" * 5 + "0\n3\n0\n"), "race 0-2 and age 0-4"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_faults_are_named_and_can_be_skipped(basic: Path, change: Change, message: str) -> None:
    text = (basic / "basic" / LIST).read_text().splitlines()
    number = next(i for i, line in enumerate(text) if line.startswith("train_00002"))
    edit(text[number], "train_00002.jpg 5")(basic)
    change(basic)
    with pytest.raises(DataError, match=message):
        finished("rafdb", basic, ImportLog())
    log = ImportLog(skip_bad=True)
    assert len(finished("rafdb", basic, log)) == 17
    assert len(log.left_out) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"", "an empty file"),
        (b"x\n", "no basic/"),
    ],
)
def test_a_list_that_is_none(basic: Path, content: bytes, message: str) -> None:
    (basic / "basic" / LIST).write_bytes(content)
    assert not IMPORTERS["rafdb"].recognises(basic)
    with pytest.raises(DataError, match=message):
        finished("rafdb", basic, ImportLog())


def test_folders(tmp_path: Path, drawn: list[Sample]) -> None:
    LAYOUTS["rafdb-folders"](tmp_path, drawn)
    assert detect(tmp_path).name == detect(tmp_path / "DATASET").name == "rafdb-folders"
    log = ImportLog()
    found = finished("rafdb-folders", tmp_path, log)
    assert list(log.inputs) == ["train_labels.csv", "test_labels.csv"]
    assert sorted({sample.split for sample in found}) == ["test", "train"]
    with (tmp_path / "test_labels.csv").open() as file:
        assert next(csv.reader(file)) == ["image", "label"]
    known = {
        str(s.targets["expression7"]): np.asarray(s.inputs["image"].data) for s in drawn if s.split == "test"
    }
    names = dict(
        zip("1234567", ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"), strict=True)
    )
    for sample in found:
        assert sample.targets["expression7"] == names[Path(sample.source).parent.name]
        assert sample.source.startswith(f"DATASET/{sample.split}/")
    assert {sample.targets["expression8"] for sample in found if sample.split == "test"} == set(known)


def listed_wrong(root: Path) -> None:
    path = root / "train_labels.csv"
    head, first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([head, first[:-1] + ("1" if first[-1] != "1" else "2"), *rest]))


FOLDERS: list[tuple[Change, str]] = [
    (listed_wrong,
     r"train_labels\.csv, row 0 \(line 2\): train_00001_aligned\.jpg has label '\d', but lies in folder \d"),
    (edit("train_00001_", "train_99999_", "train_labels.csv"),
     r"row 0 \(line 2\): 'train_99999_aligned\.jpg' is in no folder"),
    (edit("test_0001_aligned.jpg", "test_0002_aligned.jpg", "test_labels.csv"),
     r"test_labels\.csv, row 0 .* but lies"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), FOLDERS)
def test_lists_that_contradict_the_folders(
    tmp_path: Path, drawn: list[Sample], change: Change, message: str
) -> None:
    LAYOUTS["rafdb-folders"](tmp_path, drawn)
    change(tmp_path)
    with pytest.raises(DataError, match=message):
        finished("rafdb-folders", tmp_path, ImportLog())


def test_pictures_that_no_list_has(tmp_path: Path, drawn: list[Sample]) -> None:
    LAYOUTS["rafdb-folders"](tmp_path, drawn)
    path = tmp_path / "train_labels.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    with pytest.raises(
        DataError, match=r"train_labels\.csv: 1 pictures of the folders are not in it, such as train_000"
    ):
        finished("rafdb-folders", tmp_path, ImportLog())
    path.unlink()
    assert len(finished("rafdb-folders", tmp_path / "DATASET", ImportLog())) == 18


def test_nothing_inside(tmp_path: Path) -> None:
    read = partial(finished, root=tmp_path, log=ImportLog())
    assert not any(
        IMPORTERS[name].recognises(tmp_path) for name in ("rafdb", "rafdb-compound", "rafdb-folders")
    )
    with pytest.raises(DataError, match=r"no compound/EmoLabel/list_patition_label\.txt"):
        read("rafdb-compound")
    with pytest.raises(DataError, match=r"no pictures in folders such as .*DATASET/train/1"):
        read("rafdb-folders")
