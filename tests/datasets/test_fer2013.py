"""FER-2013 as CSV: the four files people have, and everything that goes under their name."""

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.datasets import detect, import_dataset
from mien.datasets.base import ImportLog
from mien.datasets.fer2013.csv_release import read
from mien.datasets.fer2013.faces import parse
from mien.errors import DataError
from mien.records import Sample

Write = Callable[..., Path]
Faces = NDArray[np.uint8]


def samples(path: Path, **options: Any) -> list[Sample]:
    return list(read(path, ImportLog(**options)))


def fault(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        samples(path)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(path), path.name)


def changed(lines: list[str], row: int, column: int, value: str) -> list[str]:
    fields = lines[row + 1].split(",")
    fields[column] = value
    return [*lines[: row + 1], ",".join(fields), *lines[row + 2 :]]


def test_rows_become_samples(write: Write, lines: list[str], faces: Faces) -> None:
    path = write("fer2013.csv", lines)
    log = ImportLog()
    found = list(read(path, log))
    assert [sample.targets["expression7"] for sample in found] == [
        "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "angry",
    ]  # fmt: skip
    assert [sample.split for sample in found] == ["train"] * 4 + ["validation"] * 2 + ["test"] * 2
    assert [sample.source for sample in found] == [f"fer2013.csv:{row}" for row in range(8)]
    assert np.array_equal(np.stack([np.asarray(sample.inputs["image"].data) for sample in found]), faces)
    assert log.inputs == {"fer2013.csv": hashlib.sha256(path.read_bytes()).hexdigest()}


def test_icml_has_blanks_in_the_header_and_another_order(
    write: Write, lines: list[str], faces: Faces
) -> None:
    rows = [
        ",".join((emotion, usage, text)) for emotion, text, usage in (line.split(",") for line in lines[1:])
    ]
    found = samples(write("icml_face_data.csv", ["emotion, Usage, pixels", *rows]))
    assert np.array_equal(np.stack([np.asarray(sample.inputs["image"].data) for sample in found]), faces)
    assert Counter(sample.split for sample in found) == {"train": 4, "validation": 2, "test": 2}


def test_train_csv_quotes_pixels_and_has_no_usage(write: Write, lines: list[str], faces: Faces) -> None:
    rows = ['{},"{}"'.format(*line.split(",")[:2]) for line in lines[1:]]
    found = samples(write("train.csv", ["emotion,pixels", *rows]))
    assert {sample.split for sample in found} == {"train"}
    assert np.array_equal(found[5].inputs["image"].data, faces[5])


def test_test_csv_has_no_labels(write: Write, lines: list[str]) -> None:
    log = ImportLog()
    path = write("test.csv", ["pixels", *(line.split(",")[1] for line in lines[1:])])
    found = list(read(path, log))
    assert [(sample.split, dict(sample.targets)) for sample in found] == [("test", {})] * 8
    assert "test.csv has no column Usage, and no labels: all its rows go to the split 'test'" in log.notes


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_harmless_dress(write: Write, lines: list[str], faces: Faces, end: str) -> None:
    """A byte-order mark, CRLF, no last line end, empty lines, upper case, blanks around and between
    numbers."""
    lines[0] = " Emotion ,pixel_values, USAGE"
    lines[3] = lines[3].replace(" ", "  ", 5).replace(",", " , ")
    lines[4] = lines[4].replace(" ", " 000", 5)
    text = ("\ufeff" + end.join([lines[0], lines[1], "", *lines[2:]])).encode()
    found = samples(write("fer2013.csv", text))
    assert np.array_equal(np.stack([np.asarray(sample.inputs["image"].data) for sample in found]), faces)
    assert found[-1].split == "test"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 301072766\n", "Git LFS pointer"),
        (b"\n<!DOCTYPE html>\n<html><head><title>Sign in</title>", "HTML page"),
        (b"", "an empty file"),
        (b" \n\n", "an empty file"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"PK\x03\x04", "zip"),
        ("emotion,pixels".encode("utf-16"), "UTF-16"),
        (b"emotion\0pixels", "binary data"),
        (b"/home/me/data/fer2013.csv\n", "no column 'pixels' (first line: '/home/me/data/fer2013.csv'"),
        (b"emotion,Usage\n3,Training\n", "no column 'pixels'"),
        (b"pixels,Usage\n1 2 3,Training\n", "no column 'emotion' (it has: pixels, usage)"),
        (b"Usage,Image name,neutral,happiness,NF\nTraining,fer0.png,4,0,0\n", "FER+ votes"),
    ],
)
def test_impostors(write: Write, content: bytes, says: str) -> None:
    text = fault(write("fer2013.csv", content))
    assert text.startswith("fer2013.csv: ")
    assert says in text


@pytest.mark.parametrize(
    ("row", "column", "value", "says"),
    [
        (2, 0, "happy", "row 2 (line 4): emotion is 'happy', allowed are 0, 1, 2, 3, 4, 5, 6"),
        (2, 0, "7", "row 2 (line 4): emotion is '7', allowed are 0, 1, 2, 3, 4, 5, 6"),
        (
            3,
            2,
            "Practice",
            "row 3 (line 5): usage is 'Practice', allowed are Training, PublicTest, PrivateTest",
        ),
        (0, 1, "1 2 3", "row 0 (line 2): 3 pixels, 2304 are needed (48x48)"),
        (0, 1, " ".join(["7"] * 2305), "row 0 (line 2): 2305 pixels, 2304 are needed (48x48)"),
        (
            1,
            1,
            " ".join(["7"] * 9 + ["256"] + ["7"] * 2294),
            "row 1 (line 3): pixel 9 is '256', allowed are whole numbers",
        ),
        (1, 1, " ".join(["7"] * 2303 + ["300"]), "row 1 (line 3): pixel 2303 is '300'"),
        (1, 1, " ".join(["1000"] * 2304), "row 1 (line 3): pixel 0 is '1000'"),
        (1, 1, " ".join(["9" * 5000] * 9), f"row 1 (line 3): pixel 0 is '{'9' * 20}…'"),
        (1, 1, " ".join(["-3"] * 2304), "row 1 (line 3): pixel 0 is '-3'"),
        (1, 1, " ".join(["7"] * 2303 + ["1.5"]), "row 1 (line 3): pixel 2303 is '1.5'"),
        (4, 1, " ".join(["7"] * 7 + ["abc"]), "row 4 (line 6): pixel 7 is 'abc'"),
        (4, 1, "", "row 4 (line 6): 0 pixels"),
        (4, 2, "Training,x", "row 4 (line 6): 4 fields, the header has 3"),
    ],
)
def test_bad_rows_are_named_and_can_be_skipped(
    write: Write, lines: list[str], row: int, column: int, value: str, says: str
) -> None:
    path = write("fer2013.csv", changed(lines, row, column, value))
    assert f"fer2013.csv, {says}" in fault(path)
    log = ImportLog(skip_bad=True)
    found = list(read(path, log))
    assert [sample.source for sample in found] == [
        f"fer2013.csv:{other}" for other in range(8) if other != row
    ]
    assert len(log.left_out) == 1
    assert says in log.left_out[0]


def test_cut_in_the_middle_of_a_row(write: Write, lines: list[str]) -> None:
    whole = "\n".join(lines)
    for lost in (4, 100, 5000):
        text = fault(write("fer2013.csv", whole[:-lost].encode()))
        assert "row 7 (line 9): the file is cut in the middle of this row" in text
    log = ImportLog(skip_bad=True)
    assert len(list(read(write("fer2013.csv", whole[:-100].encode()), log))) == 7


def test_a_line_without_end(write: Write) -> None:
    assert "the first row is longer than 64 KiB" in fault(
        write("fer2013.csv", b"emotion,pixels,Usage\n" + b"1 " * 700_000)
    )


def test_folders_of_files(write: Write, lines: list[str]) -> None:
    log = ImportLog()
    bare = ["emotion,pixels", *(line.rpartition(",")[0] for line in lines[1:])]
    write("train.csv", bare)
    folder = write("test.csv", ["pixels", lines[1].split(",")[1]]).parent
    assert Counter(sample.split for sample in read(folder, log)) == {"train": 8, "test": 1}
    write("test_with_emotions.csv", bare[:4])
    assert Counter(sample.split for sample in read(folder, log)) == {"train": 8, "test": 3}
    write("fer2013/ICML_face_data.csv", lines)
    log = ImportLog()
    assert len(list(read(folder, log))) == 8
    assert (
        log.notes[0] == "taken: icml_face_data.csv; left aside: train.csv, test_with_emotions.csv, test.csv"
    )


def test_folder_without_any(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of fer2013\.csv, icml_face_data\.csv"):
        samples(tmp_path)


def test_directory_named_like_the_file(tmp_path: Path) -> None:
    (tmp_path / "fer2013.csv").mkdir()
    with pytest.raises(DataError, match=r"no layout that is known"):
        detect(tmp_path)


def test_progress_reaches_the_end(write: Write, lines: list[str]) -> None:
    path = write("fer2013.csv", lines)
    steps: list[tuple[int, int]] = []
    samples(path, progress=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (path.stat().st_size, path.stat().st_size)


@pytest.mark.parametrize(
    "spoiled", [b"256", b"999", b"1000", b"", b"1 ", b" 1", b"-1", b"x", b"\t", b"00255", b"260"]
)
def test_fast_reading_refuses_what_it_cannot_read(spoiled: bytes) -> None:
    good = [b"0", b"10", b"255", b"007"] * 576
    wanted = np.array([0, 10, 255, 7] * 576, np.uint8).reshape(48, 48)
    faces = parse([b" ".join(good)] * 3)
    assert faces is not None
    assert np.array_equal(faces, np.stack([wanted] * 3))
    for position in (0, 7, 2303):
        row = b" ".join([*good[:position], spoiled, *good[position + 1 :]])
        assert parse([b" ".join(good), row]) is None
        assert parse([row, b" ".join(good)]) is None


def test_fast_reading_does_not_move_numbers_between_rows() -> None:
    assert parse([b" ".join([b"1"] * 2303), b" ".join([b"1"] * 2305)]) is None


def test_fast_reading_knows_every_number() -> None:
    numbers = np.arange(2304) % 256
    faces = parse([" ".join(map(str, numbers)).encode()])
    assert faces is not None
    assert np.array_equal(faces.ravel(), numbers)


@pytest.mark.parametrize("layout", ["csv", "icml"])
def test_real_faces(real: Callable[[str], Path], tmp_path: Path, layout: str) -> None:
    store = import_dataset(real(layout), tmp_path / "faces.h5")
    assert store.meta["importer"] == "fer2013"
    assert [len(store.rows(split)) for split in ("train", "validation")] == [300, 300]
    text = next(real(layout).glob("*.csv")).read_text().splitlines()[301].split(",")
    by_hand = np.array(text[1 if layout == "csv" else 2].split(), np.uint8).reshape(48, 48)
    assert np.array_equal(store.images(np.array([300]))[0], by_hand)
    assert store.target(store.heads[0], np.array([300]))[0].argmax() == int(text[0])
