"""AffectNet's first release as CSV lists: headers, codes, boxes, landmarks, and the line each fault gets."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from mien import synthetic
from mien.datasets import ImportLog, detect, import_dataset
from mien.datasets.affectnet import csv_release
from mien.errors import DataError
from mien.labels import AFFECTNET8
from mien.records import Box, Sample

HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
)
LISTS = "Manually_Annotated_file_lists"
PICTURES = "Manually_Annotated/Manually_Annotated_Images"
Change = Callable[[list[str]], None]


@pytest.fixture(scope="module")
def drawn() -> list[Sample]:
    return list(synthetic.samples(10, 32, 0, "rgb"))


@pytest.fixture
def folder(drawn: list[Sample], tmp_path: Path) -> Path:
    """Eight pictures in training.csv, two in validation.csv."""
    root = tmp_path / "AffectNet"
    synthetic.LAYOUTS["affectnet-csv"](root, drawn)
    return root


def samples(root: Path, log: ImportLog | None = None) -> list[Sample]:
    """What the importer says, its work done."""
    found = [item() for item in csv_release.read(root, log or ImportLog()) if callable(item)]
    return [sample for sample in found if sample]


def edited(root: Path, change: Change, name: str = "training.csv") -> None:
    """Change the lines of a list; 0 is the header."""
    path = root / LISTS / name
    lines = path.read_text().splitlines()
    change(lines)
    path.write_text("".join(f"{line}\n" for line in lines))


def cell(row: int, column: str, value: str) -> Change:
    """Another value in one field."""

    def change(lines: list[str]) -> None:
        fields = lines[row + 1].split(",")
        fields[HEADER.split(",").index(column)] = value
        lines[row + 1] = ",".join(fields)

    return change


def test_files_are_as_published(folder: Path, drawn: list[Sample]) -> None:
    training = (folder / LISTS / "training.csv").read_text().split("\n")
    assert (training[0], len(training)) == (HEADER, 10)
    picture, x, y, width, height, landmarks, code, valence, _ = training[1].split(",")
    assert (folder / PICTURES / picture).is_file()
    assert (len(Path(picture).stem), Path(picture).suffix) == (56, ".jpg")
    assert (x, y, width, height, landmarks.count(";")) == ("0", "0", "32", "32", 135)
    assert AFFECTNET8.labels[int(code)] == drawn[0].targets["expression8"]
    assert float(valence) == drawn[0].targets["valence_arousal"]["valence"]  # type: ignore[call-overload,index]
    assert not (folder / LISTS / "validation.csv").read_text().startswith("sub")
    assert {path.suffix for path in (folder / PICTURES).glob("*/*")} == {".jpg", ".JPG", ".PNG"}


def test_into_a_store(folder: Path, drawn: list[Sample], tmp_path: Path) -> None:
    assert detect(folder).name == "affectnet-csv"
    store = import_dataset(folder, tmp_path / "faces.h5")
    assert [head.name for head in store.heads] == ["expression8", "expression7", "valence_arousal"]
    wanted = [sample for sample in drawn if sample.split == "train"] + [
        sample for sample in drawn if sample.split != "train"
    ]
    for sample, given in zip(store.samples(store.rows()), wanted, strict=True):
        assert sample.split == ("train" if given.split == "train" else "validation")
        assert sample.targets["expression8"] == given.targets["expression8"]
        assert sample.targets["valence_arousal"] == pytest.approx(given.targets["valence_arousal"])
        assert sample.inputs["image"].data == (folder / sample.source).read_bytes()
        assert (sample.inputs["image"].region, len(sample.inputs["image"].points)) == (Box(0, 0, 32, 32), 68)
    training = (folder / LISTS / "training.csv").read_bytes()
    assert store.meta["inputs"][f"{LISTS}/training.csv"] == hashlib.sha256(training).hexdigest()


def test_columns_go_by_name(folder: Path) -> None:
    before = samples(folder)

    def turned(lines: list[str]) -> None:
        lines[:] = [",".join(line.split(",")[::-1]) for line in lines]

    edited(folder, turned)
    assert samples(folder) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines.pop(0),
        lambda lines: lines.__setitem__(slice(None), [line.replace(";", ",") for line in lines]),
        lambda lines: lines.__setitem__(slice(None), [f"{line}\r" for line in lines]),
        lambda lines: lines.__setitem__(0, "\ufeff" + lines[0].upper()),
        lambda lines: lines.__setitem__(2, lines[2].replace("/", "\\")),
        lambda lines: lines.insert(3, ""),
    ],
    ids=["no header", "commas", "CRLF", "byte-order mark", "backslash", "empty line"],
)
def test_what_does_no_harm(folder: Path, change: Change) -> None:
    before = samples(folder)
    edited(folder, change)
    assert detect(folder).name == "affectnet-csv"
    assert samples(folder) == before


def test_eleven_codes(folder: Path, tmp_path: Path) -> None:
    """None has affect; uncertain and no-face have nothing, are left out and counted, and that is no fault."""
    for row, code in enumerate(("8", "9", "10")):
        edited(folder, cell(row, "expression", code))
    for row in (1, 2):
        edited(folder, cell(row, "valence", "-2"))
        edited(folder, cell(row, "arousal", "-2"))
    edited(folder, cell(1, "face_width", "-2"))
    edited(folder, cell(3, "valence", "-2"))
    found = samples(folder, log := ImportLog())
    assert [set(sample.targets) for sample in found[:1]] == [{"valence_arousal"}]
    assert set(found[1].targets["valence_arousal"]) == {"arousal"}
    assert (len(found), log.left_out) == (8, [])
    assert log.notes[1:] == ["training.csv: 2 rows say nothing usable (no class, no affect): left out"]
    store = import_dataset(folder, tmp_path / "faces.h5")
    assert (len(store), store.meta["left_out"], log.notes[1] in store.meta["notes"]) == (8, [], True)


@pytest.mark.parametrize("column", ["face_width", "face_height"])
def test_a_box_without_an_area_costs_the_box_alone(folder: Path, column: str) -> None:
    edited(folder, cell(2, column, "-7"))
    edited(folder, cell(3, "face_x", "-4"))
    found = samples(folder, log := ImportLog())
    assert [sample.inputs["image"].region for sample in found[1:4]] == [
        Box(0, 0, 32, 32),
        None,
        Box(-4, 0, 32, 32),
    ]
    assert found[2].targets["expression8"]
    assert log.notes[1:] == ["training.csv: 1 rows have a box without an area: box left out"]


def test_a_suffix_in_the_other_case(folder: Path) -> None:
    edited(folder, lambda lines: lines.__setitem__(1, lines[1].replace(".jpg", ".JPG")))
    image = samples(folder)[0].inputs["image"].data
    assert isinstance(image, Path)
    assert image.suffix == ".jpg"


def test_a_picture_named_again(folder: Path, tmp_path: Path) -> None:
    """Two faces of one picture: both are kept, under sources of their own."""
    edited(folder, lambda lines: lines.append(lines[1]))
    found = samples(folder, log := ImportLog())
    assert (found[8].inputs["image"].data, found[8].source) == (
        found[0].inputs["image"].data,
        "training.csv:8",
    )
    assert log.notes[1:] == ["training.csv: 1 rows name a picture again: known by file:row"]
    assert len(import_dataset(folder, tmp_path / "faces.h5")) == 11


def test_labels_made_by_a_machine_are_told_apart(folder: Path) -> None:
    lists, pictures = folder / "Automatically_Annotated_file_lists", folder / "Automatically_Annotated"
    lists.mkdir()
    (lists / "automatically_annotated.csv").write_text((folder / LISTS / "training.csv").read_text())
    (folder / PICTURES).parent.rename(pictures)
    (pictures / "Manually_Annotated_Images").rename(pictures / "Automatically_Annotated_Images")
    for name in ("training.csv", "validation.csv"):
        (folder / LISTS / name).unlink()
    found = samples(folder)
    assert [(sample.split, dict(sample.attributes)) for sample in found] == [
        ("train", {"annotation": "automatic"})
    ] * 8
    assert found[0].source.startswith("Automatically_Annotated/Automatically_Annotated_Images/1/")


@pytest.mark.parametrize("given", [".", LISTS, "Manually_Annotated"])
def test_where_the_pictures_may_lie(folder: Path, given: str) -> None:
    """Below the folder that is given, or beside the lists; sources begin where the folder does, or with the
    pictures'."""
    if given == "Manually_Annotated":
        (folder / LISTS / "training.csv").rename(folder / given / "training.csv")
    found = samples(folder / given)
    name = PICTURES if given == "." else "Manually_Annotated_Images"
    assert found[0].source.startswith(f"{name}/1/")
    assert len(found) == (8 if given == "Manually_Annotated" else 10)


WHERE = f"{LISTS}/training.csv"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            cell(4, "expression", "11"),
            "row 4 (line 6): expression is 11, allowed are 0 to 7, and 8, 9, 10 or 255 for no",
        ),
        (cell(4, "expression", "happy"), "row 4 (line 6): expression is 'happy', needed is a number"),
        (
            cell(4, "valence", "1.5"),
            "row 4 (line 6): valence is 1.5, allowed are -1 to 1, and -2 for invalid",
        ),
        (cell(4, "arousal", ""), "row 4 (line 6): arousal is '', needed is a number"),
        (cell(4, "valence", "nan"), "row 4 (line 6): valence is 'nan', needed is a number"),
        (cell(4, "face_x", "left"), "row 4 (line 6): face_x is 'left', needed is a number"),
        (cell(4, "face_height", "1e300"), "row 4 (line 6): face_height is '1e300', needed is a number"),
        (
            cell(4, "facial_landmarks", "1;2;3"),
            "row 4 (line 6): 3 numbers of landmarks, needed are 136, x and y of 68",
        ),
        (cell(4, "facial_landmarks", ""), "row 4 (line 6): facial_landmarks is '', needed is a number"),
        (
            cell(4, "subDirectory_filePath", ""),
            "row 4 (line 6): picture is '', needed is a path below the folder",
        ),
        (
            cell(4, "subDirectory_filePath", "../a.jpg"),
            "row 4 (line 6): picture is '../a.jpg', needed is a path below",
        ),
        (
            cell(4, "subDirectory_filePath", "/a.jpg"),
            "row 4 (line 6): picture is '/a.jpg', needed is a path below",
        ),
        (cell(4, "subDirectory_filePath", "1/a.jpg"), f"row 4 (line 6): no picture {PICTURES}/1/a.jpg"),
        (
            lambda lines: lines.__setitem__(5, lines[5][:30]),
            f"row 4 (line 6): 1 fields, needed are 9 ({HEADER})",
        ),
    ],
)
def test_broken_rows(folder: Path, tmp_path: Path, change: Change, says: str) -> None:
    edited(folder, change)
    with pytest.raises(DataError) as caught:
        import_dataset(folder, tmp_path / "faces.h5")
    line = str(caught.value).replace(f"{folder}/", "")
    assert line.startswith(f"{WHERE}, {says}")
    assert "\n" not in line
    store = import_dataset(folder, tmp_path / "faces.h5", skip_bad=True)
    assert (len(store), len(store.meta["left_out"])) == (9, 1)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "training.csv: an empty file; download it again"),
        (b"version https://git-lfs.github.com/spec/v1\n", "training.csv: a Git LFS pointer"),
        (b"<html>", "training.csv: an HTML page"),
        (HEADER.encode() + b"\n", "training.csv: no rows"),
        (
            b"subDirectory_filePath,expression\n1/a.jpg,0\n",
            "training.csv: no column arousal, face_height, face_width,",
        ),
        (
            HEADER.encode() + b'\n"' + b"x" * 200_000 + b'"\n',
            "training.csv: cannot be read as CSV: field larger",
        ),
        (b"emotion,pixels\n0,1 2 3\n", "training.csv, row 0 (line 1): 2 fields, needed are 9"),
    ],
)
def test_broken_lists(folder: Path, tmp_path: Path, content: bytes, says: str) -> None:
    (folder / LISTS / "training.csv").write_bytes(content)
    assert detect(folder).name == "affectnet-csv"
    with pytest.raises(DataError) as caught:
        samples(folder)
    assert str(caught.value).replace(f"{folder}/{LISTS}/", "").startswith(says)
    assert len(import_dataset(folder, tmp_path / "faces.h5", skip_bad=True)) == 2


def test_pictures_that_are_nowhere(folder: Path) -> None:
    (folder / PICTURES).rename(folder.parent / "elsewhere")
    with pytest.raises(
        DataError, match=r"training\.csv: the pictures it names, such as 1/\w+\.jpg, lie neither below"
    ):
        samples(folder)


def test_what_is_no_affectnet(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"none of training\.csv, validation\.csv, automatically_annotated\.csv is here"
    ):
        samples(folder / PICTURES / "1")
    for name, text in {"training.csv": "emotion,pixels\n0,1 2 3\n", "validation.csv": ""}.items():
        (tmp_path / name).write_text(text)
    (folder / LISTS).rename(tmp_path / "away")
    assert not csv_release.recognises(tmp_path / "training.csv")
    assert not any(csv_release.is_list(tmp_path / name) for name in ("training.csv", "validation.csv"))
