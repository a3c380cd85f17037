"""AffectNet's `.npy` release, nested and flattened: what is read, and the line each fault gets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import synthetic
from mien.datasets import ImportLog, detect, import_dataset
from mien.datasets.affectnet import files, release
from mien.errors import DataError
from mien.labels import AFFECTNET8
from mien.records import Sample
from mien.store import Splitting

EXP, VAL, ARO, LND = (f"train_set/annotations/2_{what}.npy" for what in ("exp", "val", "aro", "lnd"))


@pytest.fixture(scope="module")
def drawn() -> list[Sample]:
    return list(synthetic.samples(20, 32, 0, "rgb"))


@pytest.fixture
def folder(drawn: list[Sample], tmp_path: Path) -> Path:
    """16 pictures in train_set, 4 in val_set."""
    root = tmp_path / "AffectNet"
    synthetic.LAYOUTS["affectnet"](root, drawn)
    return root


def samples(root: Path, log: ImportLog | None = None) -> list[Sample]:
    """What the importer says, its work done."""
    found = [item() for item in release.read(root, log or ImportLog()) if callable(item)]
    return [sample for sample in found if sample]


def test_files_are_as_published(folder: Path, drawn: list[Sample]) -> None:
    def held(name: str) -> Any:
        return np.load(folder / name, allow_pickle=False)

    assert sorted(path.name for path in (folder / "val_set/annotations").glob("0_*")) == [
        "0_aro.npy", "0_exp.npy", "0_lnd.npy", "0_val.npy",
    ]  # fmt: skip
    assert (held(EXP).shape, held(EXP).dtype) == ((), np.dtype("<U1"))
    assert (held(VAL).shape, held(VAL).dtype.kind, held(ARO).dtype.kind) == ((), "U", "U")
    assert (held(LND).shape, held(LND).dtype) == ((136,), np.float64)
    third = [sample for sample in drawn if sample.split == "train"][2]
    assert AFFECTNET8.labels[int(held(EXP))] == third.targets["expression8"]
    assert float(held(VAL)) == third.targets["valence_arousal"]["valence"]  # type: ignore[call-overload,index]


def test_into_a_store(folder: Path, drawn: list[Sample], tmp_path: Path) -> None:
    assert detect(folder).name == "affectnet"
    store = import_dataset(folder, tmp_path / "faces.h5")
    assert [head.name for head in store.heads] == ["expression8", "expression7", "valence_arousal"]
    assert [len(store.rows(split)) for split in store.splits] == [16, 4]
    given = [sample for sample in drawn if sample.split == "train"]
    for sample, source in zip(store.samples(store.rows("train")), given, strict=True):
        assert sample.targets["expression8"] == source.targets["expression8"]
        assert sample.targets.get("expression7") == source.targets.get("expression7")
        assert sample.targets["valence_arousal"] == pytest.approx(source.targets["valence_arousal"])
        assert len(sample.inputs["image"].points) == 68
    assert store.texts("source", store.rows("train"))[9:11] == [
        "train_set/images/9.jpg",
        "train_set/images/10.jpg",
    ]
    assert store.encoded(store.rows("validation")) == [
        (folder / "val_set/images" / f"{n}.jpg").read_bytes() for n in range(4)
    ]
    assert "AffectNet has no public test set; val_set is the split 'validation'" in store.meta["notes"]


def test_flattened_copy(folder: Path, tmp_path: Path) -> None:
    """As one course hands it out: no split folders, twice in a folder `Dataset`; the splits are made here."""
    flat = tmp_path / "copy/Dataset/Dataset"
    flat.parent.mkdir(parents=True)
    (folder / "train_set").rename(flat)
    assert detect(tmp_path / "copy").name == "affectnet"
    found = samples(tmp_path / "copy", log := ImportLog())
    assert {sample.split for sample in found} == {""}
    assert (found[3].source, log.total) == ("Dataset/Dataset/images/3.jpg", 16)
    assert log.notes == ["AffectNet has no public test set; nor is there val_set"]
    store = import_dataset(tmp_path / "copy", tmp_path / "faces.h5", splitting=Splitting(0.25, 0.25))
    assert (len(store), set(store.splits)) == (16, {"train", "validation", "test"})


def test_folder_names_in_any_case_and_hidden_files(folder: Path) -> None:
    before = [sample.targets for sample in samples(folder)]
    (folder / "val_set/images/._0.jpg").write_bytes(b"left by a file manager")
    (folder / "val_set/annotations/._0_exp.npy").write_bytes(b"left by a file manager")
    (folder / "val_set/images").rename(folder / "val_set/Images")
    (folder / "val_set").rename(folder / "VAL_SET")
    assert [sample.targets for sample in samples(folder)] == before
    assert samples(folder)[-1].split == "validation"


def test_a_split_for_testing_made_by_hand(folder: Path) -> None:
    (folder / "val_set").rename(folder / "test")
    found = samples(folder, log := ImportLog())
    assert ([sample.split for sample in found].count("test"), log.notes) == (4, [])


@pytest.mark.parametrize("value", ["3", "3.0", 3, 3.0, np.float32(3), b"3", [3], np.array([["3"]])], ids=repr)
def test_numbers_of_any_type(folder: Path, value: object) -> None:
    np.save(folder / EXP, np.array(value))
    assert samples(folder)[2].targets["expression8"] == "surprise"


@pytest.mark.parametrize(
    ("exp", "val", "aro", "targets"),
    [
        ("0", "0.5", "-0.25", {"neutral", 0.5, -0.25}),
        ("7", "-2", "-2", {"contempt"}),
        ("1", "-2", "0.5", {"happy", 0.5}),
        ("1", "nan", "1", {"happy", 1}),
        ("8", "0.5", "0", {0.5, 0}),
        (255, 0.5, 0, {0.5, 0}),
        ("9", "-2", "-2", None),
        ("10", "-2", "-2", None),
    ],
)
def test_what_cannot_be_used_is_no_target(
    folder: Path, exp: object, val: object, aro: object, targets: set[object] | None
) -> None:
    """Uncertain and no face do not occur in this release, but would be left out."""
    for path, value in zip((EXP, VAL, ARO), (exp, val, aro), strict=True):
        np.save(folder / path, np.array(value))
    found = {sample.source: sample for sample in samples(folder)}.get("train_set/images/2.jpg")
    if targets is None:
        assert found is None
    else:
        assert found
        affect = found.targets.get("valence_arousal", {})
        assert isinstance(affect, dict)
        assert {found.targets.get("expression8"), *affect.values()} - {None} == targets
        assert ("expression7" in found.targets) == bool({"neutral", "happy"} & targets)


def test_files_that_are_not_there(folder: Path) -> None:
    for path in (VAL, LND):
        (folder / path).unlink()
    third = samples(folder)[2]
    assert set(third.targets["valence_arousal"]) == {"arousal"}
    assert third.inputs["image"].points == ()


def changed(path: str, content: bytes | object | None) -> Callable[[Path], object]:
    """A change of a folder: a file removed, with other bytes, or with another array."""

    def change(root: Path) -> object:
        if content is None:
            return (root / path).unlink()
        if isinstance(content, bytes):
            return (root / path).write_bytes(content)
        return np.save(root / path, np.array(content))

    return change


JPEG = "train_set/images/2.jpg"


@pytest.mark.parametrize(
    ("path", "content", "says"),
    [
        (EXP, b"", "train_set/annotations/2_exp.npy: an empty file; download it again"),
        (EXP, b"version https://git-lfs.github.com/spec/v1\n", f"{EXP}: a Git LFS pointer"),
        (EXP, b"<!DOCTYPE html>", f"{EXP}: an HTML page"),
        (EXP, b"3\n", f"{EXP}: not a .npy file (starts with b'3\\n')"),
        (EXP, b"\x80\x04K\x00.", f"{EXP}: not a .npy file (starts with b'\\x80\\x04K\\x00.')"),
        (EXP, b"\x93NUMPY\x01\x00v\x00{'descr'", f"{EXP}: no numbers: 'EOF: reading array header"),
        (EXP, [{"a": 1}], f"{EXP}: no numbers: 'Object arrays cannot be loaded"),
        (EXP, "happy", f"{EXP}: no numbers: 'could not convert string to float"),
        (
            EXP,
            "11",
            "train_set/annotations/2: expression is 11, allowed are 0 to 7, and 8, 9, 10 or 255 for no class",
        ),
        (EXP, "1.5", "train_set/annotations/2: expression is 1.5, allowed"),
        (EXP, "nan", "train_set/annotations/2: expression is nan, allowed"),
        (EXP, [1, 2], f"{EXP}: 2 numbers, needed is one"),
        (VAL, "1.5", "train_set/annotations/2: valence is 1.5, allowed are -1 to 1, and -2 for invalid"),
        (ARO, "inf", "train_set/annotations/2: arousal is inf, allowed are -1 to 1"),
        (LND, np.zeros(134), f"{LND}: 134 numbers of landmarks, needed are 136, x and y of 68 points"),
        (LND, np.full(136, np.nan), f"{LND}: a landmark that is no finite number"),
        (EXP, None, f"{JPEG}: no annotation 2_exp.npy in train_set/annotations"),
        (JPEG, None, f"{EXP}: no picture 2.jpg in train_set/images"),
        (JPEG, b"", f"{JPEG}: "),
        (JPEG, b"\xff\xd8\xff\xe0 cut", f"{JPEG}: "),
    ],
)
def test_broken(folder: Path, tmp_path: Path, path: str, content: bytes | object | None, says: str) -> None:
    changed(path, content)(folder)
    with pytest.raises(DataError) as caught:
        import_dataset(folder, tmp_path / "faces.h5")
    line = str(caught.value).replace(f"{folder}/", "")
    assert line.startswith(says)
    assert line.endswith(" (--skip-bad imports the rest)")
    assert "\n" not in line
    store = import_dataset(folder, tmp_path / "faces.h5", skip_bad=True)
    assert (len(store), len(store.meta["left_out"])) == (19, 1)


def test_what_is_no_affectnet(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no folders images and annotations .* with files <id>_exp\.npy"):
        samples(tmp_path / "nowhere")
    for path in folder.glob("*/annotations/*_exp.npy"):
        path.unlink()
    assert not release.recognises(folder)
    assert not release.recognises(folder / JPEG)


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read"):
        files.numbers(str(tmp_path))
    assert files.numbers(str(tmp_path / "nothing")) is None


def test_recognising_looks_at_few_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder may hold a million: nothing is listed to its end, nothing opened."""
    for n in range(100, 3000):
        (folder / f"train_set/annotations/{n}_val.npy").touch()
    seen = []
    names = files.names

    def counted(place: str) -> Any:
        for name in names(place):
            seen.append(name)
            yield name

    monkeypatch.setattr(files, "names", counted)
    assert detect(folder.parent).name == "affectnet"
    assert len(seen) < 300


def test_natural_order() -> None:
    given = ["10.jpg", "b2", "9.jpg", "B10", "007.jpg", "7.jpg", "a", "film_10_2", "film_2_10"]
    assert files.ordered(given) == [
        "007.jpg", "7.jpg", "9.jpg", "10.jpg", "a", "b2", "B10", "film_2_10", "film_10_2",
    ]  # fmt: skip
