"""CK+48: subjects as groups, contempt in one head, and names that tell no subject."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.datasets import detect, import_dataset
from mien.datasets.base import ImportLog
from mien.datasets.ckplus import PUBLISHED, read
from mien.errors import DataError
from mien.records import Sample
from mien.store import SPLITS
from mien.synthetic import LAYOUTS, samples

Save = Callable[..., Path]


@pytest.fixture(scope="module")
def drawn() -> list[Sample]:
    return list(samples(80, 16, 0, "rgb"))


@pytest.fixture
def root(tmp_path: Path, drawn: list[Sample]) -> Path:
    LAYOUTS["ck48"](tmp_path, drawn)
    return tmp_path


def test_read(root: Path) -> None:
    log = ImportLog()
    found = list(read(root, log))
    assert detect(root).name == detect(root / "CK+48").name == "ck48"
    assert len(found) == log.total == 70
    assert found[0].source == "CK+48/anger/S012_004_00000015.png"
    assert (found[0].group, found[0].attributes, found[0].split) == ("S012", {"subject": "S012"}, "")
    assert found[0].targets == {"expression7": "angry", "expression8": "angry"}
    assert [s.targets for s in found if "contempt" in s.source] == [{"expression8": "contempt"}] * 10
    assert log.notes == [
        "70 pictures, not the official counts: angry 10 (official 135), contempt 10 (official 54), "
        "disgust 10 (official 177), fear 10 (official 75), happy 10 (official 207), sad 10 (official 84), "
        "surprise 10 (official 249)"
    ]


def test_names_and_bytes_are_those_of_the_data_set(root: Path) -> None:
    assert sorted(path.name for path in (root / "CK+48").iterdir()) == [
        "anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise"
    ]  # fmt: skip
    with Image.open(root / "CK+48/sadness/S011_003_00000017.png") as image:
        assert (image.format, image.size, image.mode) == ("PNG", (48, 48), "L")


def test_official_counts(tmp_path: Path) -> None:
    for label, count in PUBLISHED.items():
        (tmp_path / label).mkdir()
        for number in range(count):
            (tmp_path / label / f"S{number // 3:03d}_001_{number:08d}.png").touch()
    log = ImportLog()
    assert len(list(read(tmp_path, log))) == 981
    assert log.notes == ["981 pictures, as published"]


def test_subjects_stay_together(root: Path, tmp_path: Path) -> None:
    store = import_dataset(root, tmp_path / "faces.h5")
    subjects = [set(store.texts("group", store.rows(split))) for split in SPLITS if split in store.splits]
    assert len(set.union(*subjects)) == sum(map(len, subjects))
    assert store.attribute("subject", store.rows()) == store.texts("group", store.rows())


def test_faults_are_named_and_can_be_skipped(root: Path, picture: Save) -> None:
    picture("CK+48/happy/face.png", np.zeros((48, 48), np.uint8))
    picture("CK+48/joyous/S010_001_00000001.png", np.zeros((48, 48), np.uint8))
    (root / "CK+48/empty").mkdir()
    log = ImportLog(skip_bad=True)
    assert len(list(read(root, log))) == 70
    assert [fault.replace(f"{root}/", "") for fault in log.left_out] == [
        "CK+48/joyous: no class of CK+ (angry, contempt, disgust, fear, happy, sad, surprise), "
        "1 pictures inside",
        "CK+48/happy/face.png: the name tells no subject, needed are names such as S010_004_00000017.png",
    ]
    with pytest.raises(DataError, match=r"joyous: no class of CK\+"):
        list(read(root, ImportLog()))


def test_nothing_inside(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no pictures such as .*CK\+48/anger/S010_004_00000017\.png"):
        list(read(tmp_path, ImportLog()))
