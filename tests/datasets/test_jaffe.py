"""JAFFE: names tell subject and expression, strange characters and all."""

from pathlib import Path

import pytest
from PIL import Image

from mien.datasets import detect, import_dataset
from mien.datasets.base import ImportLog
from mien.datasets.jaffe import SUBJECTS, read
from mien.errors import DataError
from mien.records import Sample
from mien.store import SPLITS
from mien.synthetic import LAYOUTS, samples


@pytest.fixture(scope="module")
def drawn() -> list[Sample]:
    return list(samples(80, 16, 0, "rgb"))


@pytest.fixture
def root(tmp_path: Path, drawn: list[Sample]) -> Path:
    LAYOUTS["jaffe"](tmp_path / "jaffe", drawn)
    return tmp_path


def test_read(root: Path) -> None:
    log = ImportLog()
    found = list(read(root, log))
    assert detect(root).name == detect(root / "jaffe").name == "jaffe"
    assert len(found) == log.total == 70
    assert (found[0].source, found[0].group, found[0].split) == ("jaffe/KA.AN1.30.tiff", "KA", "")
    assert found[0].targets == {"expression7": "angry", "expression8": "angry"}
    assert {sample.attributes["subject"] for sample in found} == set(SUBJECTS)
    assert log.notes == ["70 pictures, not the official counts: pictures 70 (official 213)"]


def test_bytes_are_those_of_the_data_set(root: Path) -> None:
    with Image.open(root / "jaffe/KA.AN1.30.tiff") as image:
        assert (image.format, image.size, image.mode) == ("TIFF", (256, 256), "L")
        assert image.info["compression"] == "tiff_lzw"


@pytest.mark.parametrize(
    ("name", "subject", "label"),
    [
        ("KA.AN1.39.tiff", "KA", "angry"),
        ("YM.HA3.54.tif", "YM", "happy"),
        ("km.sa2.10.TIFF", "KM", "sad"),
        (" NA.SU1 .80.tiff", "NA", "surprise"),
        ("UY_.DI4.155\u00e9.tiff", "UY", "disgust"),
        ("TM.FE11.200.png", "TM", "fear"),
        ("KRNE171.jpg", "KR", "neutral"),
    ],
)
def test_names(tmp_path: Path, name: str, subject: str, label: str) -> None:
    (tmp_path / name).touch()
    (found,) = read(tmp_path, ImportLog())
    assert (found.group, found.targets["expression7"]) == (subject, label)


def test_official_count(tmp_path: Path) -> None:
    for number in range(1, 214):
        (tmp_path / f"KA.NE1.{number}.tiff").touch()
    log = ImportLog()
    assert len(list(read(tmp_path, log))) == 213
    assert log.notes == ["213 pictures, as published"]


def test_subjects_stay_together(root: Path, tmp_path: Path) -> None:
    store = import_dataset(root, tmp_path / "faces.h5")
    subjects = [set(store.texts("group", store.rows(split))) for split in SPLITS if split in store.splits]
    assert len(subjects) == 3
    assert sum(map(len, subjects)) == 10


@pytest.mark.parametrize("name", ["XX.AN1.39.tiff", "KA.ZZ1.39.tiff", "KA.tiff", "README.png"])
def test_other_names(root: Path, name: str) -> None:
    (root / "jaffe" / name).touch()
    (root / "jaffe" / "README.txt").touch()
    log = ImportLog(skip_bad=True)
    assert len(list(read(root, log))) == 70
    assert log.left_out == [
        f"{root / 'jaffe' / name}: no name of JAFFE such as KA.AN1.39.tiff (one of KA, KL, KM, KR, MK, "
        "NA, NM, TM, UY, YM, then one of AN, DI, FE, HA, NE, SA, SU)"
    ]
    with pytest.raises(DataError, match="no name of JAFFE"):
        list(read(root, ImportLog()))


def test_nothing_inside(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no pictures such as .*KA\.AN1\.39\.tiff"):
        list(read(tmp_path, ImportLog()))
