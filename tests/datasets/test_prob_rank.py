"""One distribution a picture: 13 emotions, its relatives with a declared list of classes, and the line each
fault gets."""

from pathlib import Path

import numpy as np
import pytest

from mien import synthetic
from mien.datasets import ImportLog, detect, import_dataset
from mien.datasets.affectnet import prob_rank
from mien.datasets.labelling import space_of
from mien.errors import ConfigError, DataError
from mien.labels import EMOTION13, EMOTION14, UNIVERSAL8
from mien.records import Sample

TRAIN = "AffectNetFused/train_set"
SECOND = f"{TRAIN}/annotations/2_prob_rank.txt"
EIGHT = "happy,contempt,surprised,angry,disgust,fear,sad,neutral"
FIFTEEN = ", ".join("abcdefghijklmno")


@pytest.fixture(scope="module")
def drawn() -> list[Sample]:
    return list(synthetic.samples(40, 32, 0, "rgb"))


@pytest.fixture
def folder(drawn: list[Sample], tmp_path: Path) -> Path:
    """32 pictures in train_set, two of them frames of films, and 8 in val_set."""
    root = tmp_path / "download"
    synthetic.LAYOUTS["prob-rank"](root, drawn)
    return root


def samples(root: Path, labels: str = "", log: ImportLog | None = None) -> list[Sample]:
    """What the importer says, its work done."""
    log = log or ImportLog(options={"labels": labels} if labels else {})
    found = [item() for item in prob_rank.read(root, log) if callable(item)]
    return [sample for sample in found if sample]


def rewritten(root: Path, values: list[float], suffix: str = "_prob_rank.txt", only: str = "*") -> None:
    """The same values in every annotation."""
    for path in root.glob(f"AffectNetFused/*/annotations/{only}_prob_rank.txt"):
        name = path.name.removesuffix("_prob_rank.txt")
        path.with_name(name + suffix).write_text(",".join(map(repr, values)) + "\n")


def rising(count: int) -> list[float]:
    return [float(value) for value in np.arange(1, count + 1) / sum(range(1, count + 1))]


def test_files_are_as_published(folder: Path, drawn: list[Sample]) -> None:
    text = (folder / SECOND).read_bytes()
    third = [sample for sample in drawn if sample.split == "train"][2]
    values = [repr(float(value)).encode() for value in third.targets["distribution13"].values()]  # type: ignore[union-attr]
    assert text == b",".join(values) + b"\n"
    assert len((folder / TRAIN / "annotations/2_rank.txt").read_bytes().split(b",")) == 8
    names = {path.name for path in (folder / TRAIN / "annotations").glob("film*")}
    assert names == {
        f"film{n}_{16 * n + 15:05d}_{what}"
        for n in range(2)
        for what in ("val.npy", "aro.npy", "lnd.npy", "prob_rank.txt", "rank.txt", "terms.txt")
    }


def test_into_a_store(folder: Path, drawn: list[Sample], tmp_path: Path) -> None:
    assert detect(folder).name == detect(folder / "AffectNetFused").name == "prob-rank"
    store = import_dataset(folder, tmp_path / "faces.h5")
    assert [head.name for head in store.heads] == [
        "distribution13",
        "expression8",
        "expression7",
        "valence_arousal",
    ]
    assert store.head("distribution13").space == EMOTION13
    assert [len(store.rows(split)) for split in store.splits] == [32, 8]
    found = {sample.source: sample for sample in store.samples(store.rows())}
    train = [sample for sample in drawn if sample.split == "train"]
    for number, source in enumerate(train):
        film = number % 16 == 15
        name = f"film{number // 16}_{number:05d}" if film else f"{number}"
        sample = found[f"{TRAIN}/images/{name}.jpg"]
        assert sample.targets["distribution13"] == pytest.approx(source.targets["distribution13"])
        assert sample.targets["valence_arousal"] == pytest.approx(source.targets["valence_arousal"])
        assert sample.targets.get("expression8") == (None if film else source.targets["expression8"])
        assert len(sample.inputs["image"].points) == 68
    assert store.texts("source", store.rows())[-9] == f"{TRAIN}/images/film1_00031.jpg"
    assert "AffectNet has no public test set; val_set is the split 'validation'" in store.meta["notes"]


def test_nothing_but_distributions(folder: Path, tmp_path: Path) -> None:
    for path in folder.glob("AffectNetFused/*/annotations/*.npy"):
        path.unlink()
    assert detect(folder).name == "prob-rank"
    store = import_dataset(folder, tmp_path / "faces.h5")
    assert [head.name for head in store.heads] == ["distribution13"]
    assert store.landmarks(store.rows()) is None


def test_exp_of_another_set(folder: Path) -> None:
    """The authors' loader sets 255 where there is no class."""
    np.save(folder / TRAIN / "annotations/0_exp.npy", np.array(255))
    assert set(samples(folder)[0].targets) == {"distribution13", "valence_arousal"}


def test_flattened_and_in_capitals(folder: Path) -> None:
    flat = (folder / TRAIN).rename(folder / "flat")
    (flat / "annotations").rename(flat / "Annotations")
    (flat / "images").rename(flat / "IMAGES")
    assert detect(flat).name == "prob-rank"
    found = samples(flat)
    assert ({sample.split for sample in found}, found[0].source, len(found)) == ({""}, "IMAGES/0.jpg", 32)


@pytest.mark.parametrize(
    ("count", "labels", "first", "last"),
    [
        (8, EIGHT, "happy", "neutral"),
        (8, "universal8", "happy", "neutral"),
        (14, "emotion14", "happy", "neutral"),
        (15, FIFTEEN, "a", "o"),
        (13, ",".join(reversed(EMOTION13.labels)), "quiet", "neutral"),
        (2, "low, high", "low", "high"),
    ],
)
def test_declared_classes(
    folder: Path, tmp_path: Path, count: int, labels: str, first: str, last: str
) -> None:
    """In just the order that is declared, also where a shipped space has the same names in another."""
    rewritten(folder, rising(count))
    store = import_dataset(folder, tmp_path / "faces.h5", labels=labels)
    head = store.heads[0]
    assert (head.name, head.space.labels[0], head.space.labels[-1]) == (f"distribution{count}", first, last)
    assert store.target(head, store.rows())[-1] == pytest.approx(rising(count), rel=1e-5)
    assert store.meta["options"]["labels"] == labels
    assert any(f"in this order: {first}, " in note for note in store.meta["notes"])


def test_the_universal_files_beside_others(folder: Path, tmp_path: Path) -> None:
    """One release has 15 and 14 values under the usual name, and 8 under another."""
    rewritten(folder, rising(8), "_prob_rank_universal.txt")
    assert samples(folder)[0].targets.keys() == {
        "distribution13",
        "expression8",
        "expression7",
        "valence_arousal",
    }
    rewritten(folder, rising(15))
    found = samples(folder, "universal8")
    assert found[0].targets["distribution8"] == pytest.approx(
        dict(zip(UNIVERSAL8.labels, rising(8), strict=True))
    )


@pytest.mark.parametrize("scale", [1.0009, 0.9991])
def test_sums_near_one_are_mended(folder: Path, scale: float) -> None:
    rewritten(folder, [value * scale for value in rising(13)])
    found = samples(folder)[0].targets["distribution13"]
    assert isinstance(found, dict)
    assert list(found.values()) == pytest.approx(rising(13))
    assert sum(found.values()) == pytest.approx(1, abs=1e-12)


THIRTEEN = ",".join(map(repr, rising(13)))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (",".join(map(repr, rising(14))), "14 values, the first file has 13; lengths must not be mixed"),
        (",".join(map(repr, rising(8))), "8 values, the first file has 13; lengths must not be mixed"),
        ("0.5,0.502" + ",0" * 11, "the 13 values sum to 1.002, allowed is 1 ± 0.001"),
        ("0.4,0.5" + ",0" * 11, "the 13 values sum to 0.9, allowed is 1 ± 0.001"),
        ("1.1,-0.1" + ",0" * 11, "a probability is -0.1, allowed are numbers from 0"),
        ("nan,1" + ",0" * 11, "a probability is nan, allowed are numbers from 0"),
        ("inf,0" + ",0" * 11, "the 13 values sum to inf, allowed is 1 ± 0.001"),
        (THIRTEEN.replace(",", " "), "'0.0109"),
        (f"{THIRTEEN}\n{THIRTEEN}\n", "'0.0109"),
        ("neutral,happy", "'neutral,happy', needed is one line of numbers with commas between"),
        ("", "an empty file; download it again"),
        ("version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        ("<html>", "an HTML page"),
    ],
)
def test_broken(folder: Path, tmp_path: Path, content: str, says: str) -> None:
    (folder / SECOND).write_text(content)
    with pytest.raises(DataError) as caught:
        import_dataset(folder, tmp_path / "faces.h5")
    assert str(caught.value).startswith(f"{folder / SECOND}: {says}")
    assert "\n" not in str(caught.value)
    store = import_dataset(folder, tmp_path / "faces.h5", skip_bad=True)
    assert (len(store), len(store.meta["left_out"])) == (39, 1)


def test_the_first_file_is_broken(folder: Path, tmp_path: Path) -> None:
    """It is the one that tells how many values there are; then the next one does."""
    (folder / TRAIN / "annotations/0_prob_rank.txt").write_text("")
    with pytest.raises(DataError, match=r"0_prob_rank\.txt: an empty file"):
        import_dataset(folder, tmp_path / "faces.h5")
    assert len(import_dataset(folder, tmp_path / "faces.h5", skip_bad=True)) == 39


def test_splits_of_different_lengths(folder: Path, tmp_path: Path) -> None:
    """As the authors' other release is: 15 values in train, 14 in val."""
    rewritten(folder, rising(15))
    (folder / "AffectNetFused/val_set/annotations/3_prob_rank.txt").write_text(
        ",".join(map(repr, rising(14)))
    )
    with pytest.raises(
        DataError, match=r"val_set/annotations/3_prob_rank\.txt: 14 values, the first file has 15"
    ):
        import_dataset(folder, tmp_path / "faces.h5", labels=FIFTEEN)
    assert {sample.split for sample in samples(folder / TRAIN, FIFTEEN)} == {
        "train"
    }  # so they are imported one by one


@pytest.mark.parametrize(
    ("count", "labels", "says"),
    [
        (14, "", "14 values, but only the order of 13 is known; give their names in order: --labels a,b,…"),
        (8, "", "8 values, but only the order of 13 is known"),
        (15, "emotion14", "15 values, but 14 classes are declared"),
        (13, "universal8", "13 values, but 8 classes are declared"),
    ],
)
def test_an_order_is_never_guessed(folder: Path, tmp_path: Path, count: int, labels: str, says: str) -> None:
    rewritten(folder, rising(count))
    with pytest.raises(DataError) as caught:
        import_dataset(folder, tmp_path / "faces.h5", labels=labels)
    assert str(caught.value).startswith(f"{folder}/{TRAIN}/annotations/0_prob_rank.txt: {says}")


def test_declared_lists() -> None:
    assert space_of("emotion14") == EMOTION14
    assert space_of(" a, b ,c,").labels == ("a", "b", "c")
    with pytest.raises(ConfigError, match=r"unknown label space for --labels 'emotion15', did you mean"):
        space_of("emotion15")
    with pytest.raises(
        ConfigError, match=r"--labels: label space 'declared3' names a label twice: anger, b, angry"
    ):
        space_of("anger,b,angry")


def test_pairs_that_are_torn(folder: Path) -> None:
    (folder / SECOND).unlink()
    (folder / TRAIN / "images/film0_00015.jpg").unlink()
    log = ImportLog(skip_bad=True)
    assert len(samples(folder, log=log)) == log.total == 38
    assert [line.replace(f"{folder}/{TRAIN}/", "") for line in log.left_out] == [
        "images/2.jpg: no annotation 2_prob_rank.txt in annotations",
        "annotations/film0_00015_prob_rank.txt: no picture film0_00015.jpg in images",
    ]


def test_what_has_no_distributions(folder: Path) -> None:
    for path in folder.glob("AffectNetFused/*/annotations/*_prob_rank.txt"):
        path.unlink()
    assert not prob_rank.recognises(folder)
    assert detect(folder).name == "affectnet"
    with pytest.raises(
        DataError, match=r"no folders images and annotations .* with files <id>_prob_rank\.txt"
    ):
        samples(folder)


def test_all_files_are_broken(folder: Path) -> None:
    for path in folder.glob("AffectNetFused/*/annotations/*_prob_rank.txt"):
        path.write_text("none")
    with pytest.raises(DataError, match=r"0_prob_rank\.txt: 'none', needed is one line of numbers"):
        prob_rank.heads(folder, ImportLog())
