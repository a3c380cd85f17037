"""Class folders of a user's own: with and without splits, at any depth, with any names; and who reads them on
`auto`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.datasets import detect, import_dataset
from mien.datasets.base import ImportLog
from mien.datasets.plain.class_folders import FOLDERS
from mien.errors import DataError
from mien.records import Sample
from mien.synthetic import LAYOUTS, samples
from mien.tasks import Head

Save = Callable[..., Path]


@pytest.fixture
def touch(tmp_path: Path) -> Callable[..., None]:
    """Make files that pass for pictures until they are decoded."""

    def touched(*names: str) -> None:
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()

    return touched


Touch = Callable[..., None]


def imported(root: Path, log: ImportLog | None = None) -> tuple[tuple[Head, ...], list[Sample], list[str]]:
    log = log or ImportLog()
    heads = FOLDERS.heads_of(root, log)
    found = list(FOLDERS.read(root, log))
    return heads, found, log.notes  # type: ignore[return-value]


def test_drawn(tmp_path: Path) -> None:
    drawn = list(samples(10, 24, 0, "rgb"))
    LAYOUTS["folders"](tmp_path / "mine", drawn)
    assert (tmp_path / "mine/train/neutral/00000.png").is_file()
    store = import_dataset(tmp_path / "mine", tmp_path / "faces.h5")
    assert store.meta["importer"] == "folders"
    back = {int(Path(sample.source).stem): sample for sample in store.samples(store.rows())}
    for number, sample in enumerate(drawn):
        assert back[number].targets == {"expression8": sample.targets["expression8"]}
        assert back[number].split == sample.split


def test_splits_and_depth(tmp_path: Path, touch: Touch) -> None:
    touch(
        "Train/Happiness/x/9.jpg",
        "Train/Happiness/x/10.JPG",
        "Train/Happiness/1.png",
        "val/angry/a.jpg",
        "test/sad/a.bmp",
    )
    heads, found, notes = imported(tmp_path)
    assert [head.name for head in heads] == ["expression7", "expression8"]
    assert [(sample.source, sample.split, sample.targets["expression7"]) for sample in found] == [
        ("Train/Happiness/1.png", "train", "Happiness"),
        ("Train/Happiness/x/9.jpg", "train", "Happiness"),
        ("Train/Happiness/x/10.JPG", "train", "Happiness"),
        ("test/sad/a.bmp", "test", "sad"),
        ("val/angry/a.jpg", "validation", "angry"),
    ]
    assert notes == []


def test_no_splits_and_names_of_their_own(tmp_path: Path, touch: Touch) -> None:
    touch(
        "smug/a.jpg",
        "bored/b.jpg",
        "Happy/c.jpg",
        "happy/d.jpg",
        "bored/.hidden.jpg",
        "bored/.git/a.jpg",
        "__MACOSX/a.jpg",
    )
    (tmp_path / "nothing").mkdir()
    heads, found, notes = imported(tmp_path)
    assert [head.space.labels for head in heads] == [("bored", "happy", "smug")]
    assert [(sample.source, sample.split) for sample in found] == [
        ("Happy/c.jpg", ""), ("bored/b.jpg", ""), ("happy/d.jpg", ""), ("smug/a.jpg", "")
    ]  # fmt: skip
    assert [sample.targets["label"] for sample in found] == ["Happy", "bored", "happy", "smug"]
    assert notes == [
        "head 'label', in this order: bored, happy, smug (--labels declares another); "
        "not in expression8: bored, smug"
    ]


def test_declared_labels(tmp_path: Path, touch: Touch) -> None:
    touch("smug/a.jpg", "bored/b.jpg", "odd/c.jpg")
    log = ImportLog(skip_bad=True, options={"labels": "smug,bored"})
    heads, found, _ = imported(tmp_path, log)
    assert heads[0].space.labels == ("smug", "bored")
    assert [sample.source for sample in found] == ["bored/b.jpg", "smug/a.jpg"]
    assert log.left_out == [f"{tmp_path}/odd: label is 'odd', allowed are smug, bored (1 pictures inside)"]
    with pytest.raises(DataError, match="label is 'odd', allowed are smug, bored"):
        imported(tmp_path, ImportLog(options={"labels": "smug,bored"}))


BROKEN = [
    (("happy/a.jpg", "sad/b.jpg", "c.jpg"), r": 1 pictures in no class folder, such as c\.jpg"),
    (
        ("train/happy/a.jpg", "train/sad/b.jpg", "train/d.jpg"),
        r"/train: 1 pictures in no class folder, such as d\.jpg",
    ),
    (
        ("train/happy/a.jpg", "train/sad/b.jpg", "extra/e/d.jpg"),
        r"/extra: 1 pictures in no split \(allowed are train, training",
    ),
]


@pytest.mark.parametrize(("names", "message"), BROKEN)
def test_pictures_elsewhere(tmp_path: Path, touch: Touch, names: tuple[str, ...], message: str) -> None:
    touch(*names)
    with pytest.raises(DataError, match=message):
        imported(tmp_path)
    log = ImportLog(skip_bad=True)
    assert len(imported(tmp_path, log)[1]) == 2
    assert len(log.left_out) == 1


@pytest.mark.parametrize("folder", ["happy", "train/happy", "."])
def test_nothing_inside(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    with pytest.raises(DataError, match=r"no pictures in class folders such as .*/happy or .*/train/happy"):
        imported(tmp_path)


def test_a_file_is_no_folder(tmp_path: Path, touch: Touch) -> None:
    touch("a.jpg")
    assert not FOLDERS.recognises(tmp_path / "a.jpg")
    with pytest.raises(DataError, match="no pictures in class folders"):
        imported(tmp_path / "a.jpg")


def test_who_reads_class_folders(tmp_path: Path, picture: Save) -> None:
    """48x48 with splits is FER-2013, other sizes, classes or no splits are not; unknown names are for
    `--layout` to say."""
    small, large = np.zeros((48, 48), np.uint8), np.zeros((50, 40), np.uint8)
    for name, face in {"a": small, "b": large, "c": small, "d": small}.items():
        for label in ("happy", "sad"):
            picture(f"{name}/{'' if name == 'd' else 'train/'}{label}/a.png", face)
    picture("c/train/contempt/a.png", small)
    picture("e/train/smug/a.png", small)
    picture("f/train/happy/a.png", small)
    picture("f/train/happy/a.png", small).write_bytes(b"cut")
    found = {name: detect(tmp_path / name).name for name in "abcdf"}
    assert found == {
        "a": "fer2013-folders",
        "b": "folders",
        "c": "folders",
        "d": "folders",
        "f": "fer2013-folders",
    }
    with pytest.raises(DataError, match=r"other names: --layout folders"):
        detect(tmp_path / "e")
    assert len(import_dataset(tmp_path / "e", tmp_path / "e.h5", "folders")) == 1
