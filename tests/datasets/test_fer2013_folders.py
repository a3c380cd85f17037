"""FER-2013 in class folders: both Kaggle releases, their variants, and broken pictures."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.datasets import detect, import_dataset
from mien.datasets.base import ImportLog
from mien.datasets.fer2013.class_folders import read
from mien.datasets.fer2013.official import OFFICIAL, official_splits
from mien.datasets.picture_files import LabelledPicture
from mien.errors import DataError
from mien.store import Store

Faces = NDArray[np.uint8]
Save = Callable[[str, Faces], Path]


def test_names_tell_the_official_split(tmp_path: Path, picture: Save, faces: Faces) -> None:
    names = ["train/angry/Training_2", "train/angry/Training_10", "train/happy/Training_2",
             "test/neutral/PublicTest_7", "test/neutral/PrivateTest_7",
             "test/angry/PrivateTest_9"]  # fmt: skip
    for name, face in zip(names, faces, strict=False):
        picture(f"{name}.png", face)
    log = ImportLog()
    found = list(read(tmp_path, log))
    assert [(sample.source, sample.split, sample.targets["expression7"]) for sample in found] == [
        ("test/angry/PrivateTest_9.png", "test", "angry"),
        ("test/neutral/PrivateTest_7.png", "test", "neutral"),
        ("test/neutral/PublicTest_7.png", "validation", "neutral"),
        ("train/angry/Training_2.png", "train", "angry"),
        ("train/angry/Training_10.png", "train", "angry"),
        ("train/happy/Training_2.png", "train", "happy"),
    ]
    assert np.array_equal(found[2].inputs["image"].data, faces[3])
    assert log.notes[0].startswith("splits by the file names")
    assert len(log.inputs) == 1
    assert detect(tmp_path).name == "fer2013-folders"


def test_capitals_other_spellings_colour_and_jpeg(tmp_path: Path, picture: Save, faces: Faces) -> None:
    picture("Train/Angry/a.jpg", faces[0])
    picture("Train/Fearful/b.png", np.repeat(faces[1][:, :, None], 3, axis=2))
    picture("val/HAPPINESS/c.png", faces[2])
    picture("test/surprised/d.png", faces[3])
    (tmp_path / "test/surprised/Thumbs.db").write_bytes(b"x")
    log = ImportLog()
    found = {sample.source: sample for sample in read(tmp_path, log)}
    assert {name: (sample.split, sample.targets["expression7"]) for name, sample in found.items()} == {
        "Train/Angry/a.jpg": ("train", "angry"),
        "Train/Fearful/b.png": ("train", "fear"),
        "val/HAPPINESS/c.png": ("validation", "happy"),
        "test/surprised/d.png": ("test", "surprise"),
    }
    assert np.array_equal(found["Train/Fearful/b.png"].inputs["image"].data, faces[1])
    assert not any("no validation" in note for note in log.notes)


def test_test_faces_are_never_taken_to_validate_on(tmp_path: Path, picture: Save, faces: Faces) -> None:
    picture("train/happy/a.png", faces[0])
    picture("test/happy/im0.png", faces[1])
    log = ImportLog()
    assert Counter(sample.split for sample in read(tmp_path, log)) == {"train": 1, "test": 1}
    assert any("cannot be told apart" in note for note in log.notes)


def counted(public: bool, private: bool) -> list[LabelledPicture]:
    numbers = {
        label: public * OFFICIAL["validation"][label] + private * OFFICIAL["test"][label]
        for label in OFFICIAL["test"]
    }
    test = [
        LabelledPicture(Path(f"im{k}.png"), "test", label)
        for label, number in numbers.items()
        for k in range(number)
    ]
    return [LabelledPicture(Path("im0.png"), "train", "happy"), *test]


def test_order_tells_public_from_private() -> None:
    log = ImportLog()
    found = official_splits(counted(True, True), log)
    assert Counter((split, label) for _, split, label in found[1:]) == {
        (split, label): count for split in ("validation", "test") for label, count in OFFICIAL[split].items()
    }
    assert found[0].split == "train"
    assert [picture.split for picture in found if picture.label == "disgust"] == ["validation"] * 56 + [
        "test"
    ] * 55
    assert len(log.notes) == 1


def test_public_alone_becomes_validation() -> None:
    assert {picture.split for picture in official_splits(counted(True, False), ImportLog())[1:]} == {
        "validation"
    }


@pytest.mark.parametrize("lost", [1, -1])
def test_other_counts_are_left_alone(lost: int) -> None:
    log = ImportLog()
    pictures = counted(True, True)
    del pictures[lost]
    assert {picture.split for picture in official_splits(pictures, log)[1:]} == {"test"}
    assert "cannot be told apart" in log.notes[0]


def test_faults_are_named_and_can_be_skipped(tmp_path: Path, picture: Save, faces: Faces) -> None:
    picture("train/happy/whole.png", faces[0])
    broken = tmp_path / "train/sad/broken.png"
    picture("train/sad/broken.png", faces[1])
    broken.write_bytes(broken.read_bytes()[:700])
    picture("train/sad/page.jpg.png", faces[1]).write_text("<html>")
    picture("train/sad/large.png", np.zeros((50, 40), np.uint8))
    picture("train/Disgrace/a.jpg", faces[2]).write_bytes(b"")
    picture("train/angry/empty.jpg", faces[2]).write_bytes(b"")
    log = ImportLog(skip_bad=True)
    assert [sample.source for sample in read(tmp_path, log)] == ["train/happy/whole.png"]
    messages = "\n".join(fault.replace(f"{tmp_path}/", "") for fault in log.left_out)
    assert "train/Disgrace: no class of FER-2013 (angry, disgust, fear," in messages
    assert "1 pictures inside" in messages
    assert "train/angry/empty.jpg: an empty file" in messages
    assert "train/sad/broken.png: damaged picture" in messages
    assert "train/sad/page.jpg.png: not a picture" in messages
    assert "train/sad/large.png: 40x50 pixels, faces of FER-2013 are 48x48" in messages
    assert len(log.left_out) == 5
    with pytest.raises(DataError, match=r"Disgrace: no class .* \(--skip-bad imports the rest\)"):
        list(read(tmp_path, ImportLog()))


def test_nothing_inside(tmp_path: Path) -> None:
    (tmp_path / "train/happy").mkdir(parents=True)
    with pytest.raises(DataError, match="no pictures in class folders"):
        list(read(tmp_path, ImportLog()))


@pytest.mark.parametrize(
    ("layout", "splits"), [("folders", ("train", "validation")), ("counted", ("train", "validation", "test"))]
)
def test_real_faces(
    real: Callable[[str], Path], tmp_path: Path, layout: str, splits: tuple[str, ...]
) -> None:
    """A part of `counted` lacks the official counts, so its test split stays, and train gives up some to
    validate on."""
    rows = import_dataset(real("csv"), tmp_path / "csv.h5")
    store = import_dataset(real(layout), tmp_path / "faces.h5")
    assert store.meta["importer"] == "fer2013-folders"
    assert store.splits == splits

    assert contents(store) == contents(rows)


def contents(store: Store) -> list[tuple[bytes, int]]:
    labels = store.target(store.heads[0], store.rows()).argmax(axis=1)
    return sorted(
        (face.tobytes(), int(label)) for face, label in zip(store.images(store.rows()), labels, strict=True)
    )
