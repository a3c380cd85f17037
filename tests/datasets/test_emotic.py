"""EMOTIC's `Annotations.mat`: its structs, its quirks, broken files."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat, savemat

from mien.datasets import detect, import_dataset
from mien.datasets.base import ImportLog
from mien.datasets.emotic.matlab import variables
from mien.datasets.emotic.release import read
from mien.errors import DataError, InputError, MissingExtraError
from mien.records import Box
from mien.synthetic import LAYOUTS
from mien.synthetic.layouts.emotic import _structs as structs
from tests.people import drawn, facts_of, made

NONE = np.empty((0, 0))
TABLE = "Annotations/Annotations.mat"


@pytest.fixture
def emotic(tmp_path: Path) -> Path:
    root = tmp_path / "download"
    root.mkdir()
    LAYOUTS["emotic"](root, drawn())
    return root


def test_the_fake_has_the_shapes_of_the_release(emotic: Path) -> None:
    """As `loadmat` gives them by default: 1xN structs with 1xP people inside; tags in cells; text as 1-D
    arrays."""
    mat = loadmat(emotic / TABLE)
    assert {name: mat[name].shape for name in ("train", "val", "test")} == {
        "train": (1, 4), "val": (1, 2), "test": (1, 2)
    }  # fmt: skip
    assert mat["train"].dtype.names == ("filename", "folder", "image_size", "original_database", "person")
    entry = mat["train"][0, 1]
    assert (entry["filename"][0], entry["folder"][0]) == ("000001.jpg", "framesdb/images")
    assert [int(side[0, 0]) for side in entry["image_size"][0, 0]] == [61, 40]
    assert entry["original_database"]["name"][0, 0][0] == "framesdb"
    assert entry["person"].shape == (1, 3)
    alone = ("body_bbox", "annotations_categories", "annotations_continuous", "gender", "age")
    assert entry["person"].dtype.names == alone
    person = entry["person"][0, 1]
    assert person["body_bbox"].tolist() == [[17, 3, 31, 33]]
    assert person["annotations_categories"].shape == (1, 1)
    tags = person["annotations_categories"][0, 0]["categories"]
    assert (tags.shape, [str(tag[0]) for tag in tags[0]]) == (
        (1, 3),
        ["Disapproval", "Disconnection", "Disquietment"],
    )
    assert person["annotations_continuous"][0, 0]["valence"].dtype == np.uint8
    assert (person["gender"][0], person["age"][0]) == ("Female", "Teenager")


def test_people_of_several_annotators_in_the_fake(emotic: Path) -> None:
    person = loadmat(emotic / TABLE)["val"][0, 0]["person"][0, 0]
    assert person.dtype.names == (
        "body_bbox", "annotations_categories", "combined_categories", "annotations_continuous",
        "combined_continuous", "gender", "age",
    )  # fmt: skip
    assert person["annotations_categories"].shape == person["annotations_continuous"].shape == (1, 3)
    assert person["combined_categories"].shape == (1, 3)
    assert person["combined_continuous"][0, 0]["dominance"].dtype == np.float64


def test_everyone_comes_back(emotic: Path) -> None:
    log = ImportLog()
    found = made(read(emotic, log))
    given = {(str(facts_of(sample))) for sample in drawn()}
    assert {str(facts_of(sample)) for sample in found} == given
    assert log.total == len(found) == len(drawn())
    assert list(log.inputs) == ["Annotations.mat"]
    assert log.notes == [
        "boxes are clipped to the picture; where nothing of one is left, the person has no box"
    ]
    second = [sample for sample in found if sample.group == "framesdb/images/000001.jpg"]
    assert [sample.source for sample in second] == [
        f"framesdb/images/000001.jpg#{place}" for place in range(3)
    ]
    assert second[0].inputs["image"].data == emotic / "emotic/framesdb/images/000001.jpg"
    assert second[1].attributes == {
        "gender": "Female",
        "age": "Teenager",
        "annotators": "1",
        "database": "framesdb",
    }
    assert {sample.attributes["annotators"] for sample in found if sample.split != "train"} == {"3"}


def test_the_store_keeps_every_picture_once(emotic: Path, tmp_path: Path) -> None:
    store = import_dataset(emotic, tmp_path / "emotic.h5")
    rows = store.rows()
    assert (store.meta["importer"], len(store)) == ("emotic", len(drawn()))
    assert [head.name for head in store.heads] == ["tags", "vad"]
    places = {source: row for row, source in enumerate(store.texts("source", rows))}
    row = places["emodb_small/images/000002.jpg#1"]
    assert store.boxes(rows)[row].tolist() == [17, 3, 14, 30]
    assert store.encoded(rows[row : row + 1]) == [
        (emotic / "emotic/emodb_small/images/000002.jpg").read_bytes()
    ]
    assert store.attribute("database", rows)[row] == "emodb_small"
    kept = sum(path.stat().st_size for path in emotic.rglob("*.jpg"))
    assert sum(len(blob) for blob in {*store.encoded(rows)}) == kept


@pytest.mark.parametrize("given", [".", "Annotations", "emotic", TABLE])
def test_any_folder_of_the_download_will_do(emotic: Path, given: str) -> None:
    assert detect(emotic / given).name == "emotic"
    assert len(made(read(emotic / given, ImportLog()))) == len(drawn())


def test_the_release_of_2017(emotic: Path) -> None:
    (emotic / TABLE).rename(emotic / "CVPR17_Annotations.mat")
    (emotic / "emotic").rename(emotic / "cvpr_emotic")
    assert detect(emotic).name == "emotic"
    assert len(made(read(emotic, ImportLog()))) == len(drawn())


def test_a_table_beside_some_other_folder_is_not_its_table(emotic: Path) -> None:
    (emotic / "else").mkdir()
    shutil.copy(emotic / TABLE, emotic)
    with pytest.raises(DataError, match="no layout that is known here"):
        detect(emotic / "else")


def person(**changes: Any) -> dict[str, Any]:
    """Someone whom several annotated."""
    return {
        "body_bbox": np.array([[10, 5, 30, 35]]),
        "annotations_categories": structs(
            [{"categories": cell("Peace")}, {"categories": cell("Fear", "Anger")}]
        ),
        "combined_categories": cell("Peace"),
        "annotations_continuous": structs([vad(4, 6, 2), vad(5, np.nan, 3)]),
        "combined_continuous": vad(4.5, 6, 2.5),
        "gender": "Male",
        "age": "Kid",
    } | changes


def cell(*names: str) -> Any:
    return np.array([names], object).reshape(1, len(names))


def vad(*values: float) -> dict[str, float]:
    return dict(zip(("valence", "arousal", "dominance"), values, strict=True))


def alone(tags: Any, ratings: Any) -> dict[str, Any]:
    return {
        "body_bbox": np.array([[10, 5, 30, 35]]),
        "annotations_categories": tags,
        "annotations_continuous": ratings,
        "gender": "Female",
        "age": "Adult",
    }


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """Writes a table of one picture a variable, 60x40 pixels, and the picture."""

    def written(size: tuple[int, int] = (60, 40), file: str = "a.jpg", **splits: Any) -> Path:
        path = tmp_path / "emotic/mscoco/images/a.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60, 40), (90, 20, 30)).save(path)
        entries = {
            name: structs([{
                "filename": file, "folder": "mscoco/images",
                "image_size": {"n_col": size[0], "n_row": size[1]},
                "original_database": {"name": "mscoco", "info": {"image_id": 1, "annotations_id": 2}},
                "person": structs(people),
            }])
            for name, people in splits.items()
        }  # fmt: skip
        savemat(tmp_path / "Annotations.mat", entries)
        return tmp_path

    return written


def only(root: Path) -> Any:
    (sample,) = made(read(root, ImportLog()))
    return sample


def test_one_picture_one_person_one_tag(table: Callable[..., Path]) -> None:
    """What `loadmat` squeezes to nothing but itself."""
    sample = only(table(train=[alone({"categories": cell("Doubt/Confusion")}, vad(1, 10, 5))]))
    assert sample.targets == {"tags": ["Doubt/Confusion"], "vad": vad(1.0, 10.0, 5.0)}
    assert sample.inputs["image"].region == Box(10, 5, 20, 30)


def test_a_rating_of_nan_is_left_out(table: Callable[..., Path]) -> None:
    sample = only(table(train=[alone({"categories": cell("Fear", "Pain")}, vad(np.nan, 3, np.nan))]))
    assert sample.targets == {"tags": ["Fear", "Pain"], "vad": {"arousal": 3.0}}
    sample = only(table(train=[alone({"categories": cell("Fear")}, vad(np.nan, np.nan, np.nan))]))
    assert sample.targets == {"tags": ["Fear"]}


def test_empty_combined_categories_are_joined_from_the_annotators(table: Callable[..., Path]) -> None:
    log = ImportLog()
    (sample,) = made(read(table(test=[person(combined_categories=NONE)]), log))
    assert sample.targets["tags"] == ["Anger", "Fear", "Peace"]
    assert sample.targets["vad"] == vad(4.5, 6.0, 2.5)
    assert log.notes[0] == (
        "combined_categories is empty, taken are the tags of all annotators: 1 people (mscoco/images/a.jpg)"
    )


def test_nobody_gave_tags(table: Callable[..., Path]) -> None:
    log = ImportLog()
    nothing = structs([{"categories": NONE}, {"categories": NONE}])
    people = [person(combined_categories=NONE, annotations_categories=nothing)]
    (sample,) = made(read(table(test=people), log))
    assert sample.targets == {"vad": vad(4.5, 6.0, 2.5)}
    assert "kept with valence, arousal and dominance alone: 1 people" in log.notes[0]


def test_ratings_that_nobody_combined_are_averaged(table: Callable[..., Path]) -> None:
    assert only(table(test=[person(combined_continuous=NONE)])).targets["vad"] == vad(4.5, 6.0, 2.5)


def test_people_without_annotators_are_left_out_and_counted(table: Callable[..., Path]) -> None:
    nobody = person(
        annotations_categories=NONE,
        combined_categories=NONE,
        annotations_continuous=NONE,
        combined_continuous=NONE,
    )
    log = ImportLog()
    (sample,) = made(read(table(val=[nobody, person()]), log))
    assert (sample.source, sample.attributes["annotators"]) == ("mscoco/images/a.jpg#1", "2")
    assert log.total == 1
    assert "not annotated, left out: 1 people (mscoco/images/a.jpg#0)" in log.notes


@pytest.mark.parametrize(
    ("corners", "box"),
    [
        ([-5, -7, 30, 35], Box(0, 0, 30, 35)),
        ([50, 10, 70, 90], Box(50, 10, 10, 30)),
        ([0, 0, 60, 40], Box(0, 0, 60, 40)),
        ([61, 10, 90, 20], None),
        ([30, 10, 30, 20], None),
        ([30, 10, 20, 5], None),
        ([np.nan, 0, 5, 5], None),
    ],
)
def test_boxes_are_clipped_to_the_picture(
    table: Callable[..., Path], corners: list[float], box: Box | None
) -> None:
    assert only(table(val=[person(body_bbox=np.array([corners]))])).inputs["image"].region == box


def test_the_picture_tells_its_size_not_the_table(table: Callable[..., Path]) -> None:
    """The tables swap width and height of some; and a picture may be turned by its EXIF."""
    root = table(size=(40, 60), val=[person(body_bbox=np.array([[0, 0, 58, 39]]))])
    assert only(root).inputs["image"].region == Box(0, 0, 58, 39)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40)).save(root / "emotic/mscoco/images/a.jpg", exif=exif)
    assert only(root).inputs["image"].region == Box(0, 0, 40, 39)


@pytest.mark.parametrize(
    ("people", "line"),
    [
        ([person(body_bbox=np.array([[1, 2, 3]]))],
         r"val(1).person(1): body_bbox is '[1, 2, 3]', needed are 4 numbers"),
        ([person(), person(combined_categories=cell("Joyful"))],
         r"val(1).person(2): 'Joyful' is no label of emotic26 (one of: Affection, Anger, "),
        ([person(combined_continuous=vad(11, 1, 1))], "val(1).person(1): valence is 11, allowed are 1 to 10"),
    ],
)  # fmt: skip
def test_faults_name_the_person(table: Callable[..., Path], people: list[Any], line: str) -> None:
    root = table(val=people)
    with pytest.raises(DataError) as caught:
        made(read(root, ImportLog()))
    assert str(caught.value).startswith(f"{root / 'Annotations.mat'}, {line}")
    log = ImportLog(skip_bad=True)
    assert len(made(read(root, log))) == len(people) - 1
    assert len(log.left_out) == 1


def test_pictures_that_lead_elsewhere_are_refused(table: Callable[..., Path]) -> None:
    with pytest.raises(
        DataError, match=r"the picture is 'mscoco/images/../../../x.jpg', allowed is a path inside"
    ):
        made(read(table(file="../../../x.jpg", val=[person()]), ImportLog()))


def test_missing_and_damaged_pictures(table: Callable[..., Path]) -> None:
    root = table(val=[person()])
    picture = root / "emotic/mscoco/images/a.jpg"
    picture.write_bytes(b"<html>")
    with pytest.raises(InputError, match=r"a.jpg: not a picture"):
        only(root)
    picture.unlink()
    with pytest.raises(InputError, match=r"a.jpg: no such file"):
        only(root)
    with pytest.raises(DataError, match=r"a.jpg: no such file \(--skip-bad imports the rest\)"):
        import_dataset(root, root / "x.h5")


def test_a_header_that_defeats_pillow_is_decoded(
    table: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = table(val=[person(body_bbox=np.array([[0, 0, 90, 90]]))])
    monkeypatch.setattr("mien.datasets.emotic.people._TURNED", None)
    assert only(root).inputs["image"].region == Box(0, 0, 60, 40)


def test_a_table_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none.mat: cannot be read: No such file"):
        variables(tmp_path / "none.mat", ["train"])


BROKEN = {
    b"": "an empty file",
    b"version https://git-lfs.github.com/spec/v1\n": "a Git LFS pointer",
    b"<!DOCTYPE html><html>": "an HTML page",
    b"filename,folder\n": "not a MAT-file (starts with 'filename,folder')",
    b"MATLAB 7.3 MAT-file, Platform: GLNXA64": "a MAT-file of version 7.3; save it in MATLAB with -v7",
    b"MATLAB 5.0 MAT-file, Platform" + b" " * 120: "damaged MAT-file, download it again",
}


@pytest.mark.parametrize("content", BROKEN)
def test_files_that_are_something_else(table: Callable[..., Path], content: bytes) -> None:
    root = table(val=[person()])
    (root / "Annotations.mat").write_bytes(content)
    with pytest.raises(DataError) as caught:
        made(read(root, ImportLog()))
    assert str(caught.value).startswith(f"{root / 'Annotations.mat'}: {BROKEN[content]}")


def test_a_cut_table_is_told(emotic: Path) -> None:
    path = emotic / TABLE
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(DataError, match="damaged MAT-file, download it again"):
        made(read(emotic, ImportLog()))


def test_other_variables(table: Callable[..., Path]) -> None:
    root = table(val=[person()])
    savemat(root / "Annotations.mat", {"faces": 1})
    with pytest.raises(DataError, match="none of the variables train, val, test is in this MAT-file"):
        made(read(root, ImportLog()))
    savemat(root / "Annotations.mat", {"train": np.arange(3)})
    with pytest.raises(DataError, match="the variable train is no struct array"):
        made(read(root, ImportLog()))


def test_what_is_not_there(emotic: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of Annotations.mat, CVPR17_Annotations.mat is here"):
        made(read(tmp_path / "nowhere", ImportLog()))
    shutil.rmtree(emotic / "emotic")
    with pytest.raises(
        DataError, match="no pictures beside it; needed is a folder emotic/ with ade20k, emodb_small"
    ):
        made(read(emotic, ImportLog()))


def test_without_scipy_it_says_what_to_install(emotic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str, extra: str) -> None:
        raise MissingExtraError(f'{module} is not installed; run: pip install "mien[{extra}]"')

    monkeypatch.setattr("mien.datasets.emotic.matlab.require", missing)
    with pytest.raises(MissingExtraError, match=r"mien\[data\]"):
        made(read(emotic, ImportLog()))
