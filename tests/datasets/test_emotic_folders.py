"""EMOTIC in folders, one an emotion: copies are found by content and become one sample again."""

import shutil
from pathlib import Path

import pytest

from mien.datasets import detect, import_dataset
from mien.datasets.base import ImportLog
from mien.datasets.emotic.class_folders import read
from mien.errors import DataError
from mien.labels import EMOTIC26
from mien.synthetic import LAYOUTS
from tests.people import drawn, made

SPLITS = ("train", "validation", "test")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "emotions"
    path.mkdir()
    LAYOUTS["emotic-folders"](path, drawn())
    return path


def expected() -> dict[str, set[str]]:
    """Tags of each picture: those of all its people."""
    tags: dict[str, set[str]] = {}
    for sample in drawn():
        tags.setdefault(sample.group, set()).update(sample.targets["tags"])
    return tags


def test_the_fake_is_as_the_release(root: Path) -> None:
    assert {path.name for path in root.iterdir()} == {label.partition("/")[0] for label in EMOTIC26.labels}
    assert len(list(root.rglob("*.jpg"))) == sum(map(len, expected().values()))


def test_copies_become_one_sample_with_all_its_tags(root: Path) -> None:
    log = ImportLog()
    found = made(read(root, log))
    assert {(Path(sample.source).stem, tuple(sample.targets["tags"])) for sample in found} == {
        (group.rpartition("/")[2], tuple(sorted(tags, key=EMOTIC26.index)))
        for group, tags in expected().items()
    }
    assert {int(sample.attributes["files"]) for sample in found} == {
        len(tags) for tags in expected().values()
    }
    first = found[0]
    assert (first.source, first.inputs["image"].data, first.split) == (
        "Affection/0.jpg",
        root / "Affection/0.jpg",
        "",
    )
    assert first.targets["tags"] == ["Affection", "Anger", "Annoyance"]
    assert log.notes == ["42 files are 8 pictures: the same content is one, with all its tags"]
    assert log.total == 8
    assert list(read(root, ImportLog())) == found


def test_names_do_not_tell_copies_content_does(root: Path) -> None:
    """The same name in two folders may be two pictures; a picture may have two names, twice in one folder
    too."""
    (root / "Anger/0.jpg").rename(root / "Anger/other.jpg")
    shutil.copy(root / "Anger/other.jpg", root / "Anger/again.jpg")
    shutil.copy(
        root / "Yearning" / sorted(path.name for path in (root / "Yearning").iterdir())[0],
        root / "Anger/0.jpg",
    )
    found = {sample.source: sample for sample in made(read(root, ImportLog()))}
    assert found["Affection/0.jpg"].targets["tags"] == ["Affection", "Anger", "Annoyance"]
    assert found["Affection/0.jpg"].attributes == {"files": "4"}
    assert len(found) == 8


def test_files_of_one_length_are_told_apart(root: Path) -> None:
    path = root / "Peace/of-one-length.jpg"
    data = bytearray((root / "Affection/0.jpg").read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    found = {sample.source: sample for sample in made(read(root, ImportLog()))}
    assert found["Peace/of-one-length.jpg"].targets["tags"] == ["Peace"]


def test_splits_and_pictures_in_two_of_them(root: Path) -> None:
    for split in ("Train", "val", "test"):
        (root / split).mkdir()
    for folder in sorted(path for path in root.iterdir() if path.name in EMOTIC26):
        folder.rename(root / ("test" if folder.name in ("Anger", "Pain") else "Train") / folder.name)
    tested = {group.rpartition("/")[2] for group, tags in expected().items() if tags & {"Anger", "Pain"}}
    (root / "val/Peace").mkdir()
    copied = next(path for path in sorted((root / "Train").rglob("*.jpg")) if path.stem not in tested)
    shutil.copy(copied, root / "val/Peace/b.jpg")
    assert detect(root).name == "emotic-folders"
    log = ImportLog()
    found = made(read(root, log))
    assert {
        split: {Path(sample.source).stem for sample in found if sample.split == split} for split in SPLITS
    } == {
        "test": tested,
        "validation": {copied.stem},
        "train": {str(number) for number in range(8)} - tested - {copied.stem},
    }
    note = f"{len(tested) + 1} pictures lie in folders of several splits; kept in test, else in validation"
    assert note in log.notes


def test_into_a_store_split_by_picture(root: Path, tmp_path: Path) -> None:
    assert detect(root).name == "emotic-folders"
    store = import_dataset(root, tmp_path / "emotic.h5")
    assert [head.name for head in store.heads] == ["tags"]
    assert len(store) == 8
    assert sum(len(store.rows(split)) for split in store.splits) == 8


def test_other_spellings(root: Path) -> None:
    (root / "Doubt").rename(root / "Doubt_Confusion")
    (root / "Disquietment").rename(root / "disquitement")
    found = [tag for sample in made(read(root, ImportLog())) for tag in sample.targets["tags"]]
    assert {"Doubt/Confusion", "Disquietment"} <= {*found}


def test_faces_in_folders_are_not_people_of_emotic(tmp_path: Path) -> None:
    for name in ("anger", "fear", "happiness", "sadness", "surprise", "disgust", "neutral"):
        (tmp_path / "train" / name).mkdir(parents=True)
    assert detect(tmp_path).name != "emotic-folders"


def test_faults(root: Path, tmp_path: Path) -> None:
    (root / "Joyful").mkdir()
    shutil.copy(root / "Peace" / next((root / "Peace").iterdir()).name, root / "Joyful/a.jpg")
    (root / "__MACOSX").mkdir()
    line = f"{root / 'Joyful'}: none of EMOTIC's 26 emotions, 1 pictures inside"
    with pytest.raises(DataError) as caught:
        made(read(root, ImportLog()))
    assert str(caught.value) == f"{line} (--skip-bad imports the rest)"
    log = ImportLog(skip_bad=True)
    assert len(made(read(root, log))) == 8
    assert log.left_out == [line]
    (tmp_path / "none/Peace").mkdir(parents=True)
    with pytest.raises(DataError, match="no pictures in folders named after EMOTIC's emotions, such as"):
        made(read(tmp_path / "none", ImportLog()))


def test_damaged_pictures_are_named(root: Path, tmp_path: Path) -> None:
    (root / "Peace/empty.jpg").write_bytes(b"")
    (root / "Peace/page.jpg").write_text("<html>")
    with pytest.raises(DataError, match=r"Peace/empty.jpg: "):
        import_dataset(root, tmp_path / "emotic.h5")
    store = import_dataset(root, tmp_path / "emotic.h5", skip_bad=True)
    assert (len(store), len(store.meta["left_out"])) == (8, 2)
