"""A user's own table: columns by many names, three ways to say classes, affect, boxes, and what is wrong
where."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.datasets import detect, import_dataset
from mien.datasets.base import ImportLog
from mien.datasets.plain.table import TABLE
from mien.errors import ConfigError, DataError
from mien.labels import COMPOUND11, EXPRESSION8
from mien.records import Box, Sample
from mien.synthetic import LAYOUTS, samples
from mien.tasks import Head, Kind

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def pictures(tmp_path: Path) -> None:
    """Four files that pass for pictures until they are decoded."""
    for name in "abcd":
        (tmp_path / f"{name}.png").touch()


def imported(path: Path, **options: str) -> tuple[tuple[Head, ...], list[Sample], list[str]]:
    log = ImportLog(options=options)
    heads = TABLE.heads_of(path, log)
    found = list(TABLE.read(path, log))
    assert all(isinstance(sample, Sample) for sample in found)
    assert list(log.inputs) == [path.name if path.is_file() else "labels.csv"]
    return heads, found, log.notes  # type: ignore[return-value]


def names(heads: tuple[Head, ...]) -> list[str]:
    return [head.name for head in heads]


def test_drawn(tmp_path: Path) -> None:
    drawn = list(samples(10, 48, 0, "rgb"))
    LAYOUTS["table"](tmp_path / "mine", drawn)
    assert (
        (tmp_path / "mine/labels.csv")
        .read_bytes()
        .startswith(b"image,label,split,valence,arousal\nimages/00000.png,neutral,")
    )
    assert detect(tmp_path / "mine") is detect(tmp_path / "mine/labels.csv") is TABLE
    store = import_dataset(tmp_path / "mine", tmp_path / "faces.h5")
    assert names(store.heads) == ["expression8", "valence_arousal"]
    back = list(store.samples(store.rows()))
    assert [sample.targets["expression8"] for sample in back] == [
        sample.targets["expression8"] for sample in drawn
    ]
    assert [sample.split for sample in back] == [sample.split for sample in drawn]
    assert store.target(store.heads[1], store.rows()) == pytest.approx(
        np.array([list(dict(sample.targets["valence_arousal"]).values()) for sample in drawn]),
        abs=1e-6,  # type: ignore[arg-type]
    )


def test_basic_emotions_fill_both_heads(write: Write) -> None:
    path = write("labels.csv", ["image,label", "a.png,Happiness", "b.png,anger", "c.png,neutral"])
    heads, found, notes = imported(path)
    assert names(heads) == ["expression7", "expression8"]
    assert found[0] == Sample.of_image(
        path.parent / "a.png", {"expression7": "Happiness", "expression8": "Happiness"}, "", "a.png"
    )
    assert notes == []


def test_contempt_fills_one_head(write: Write) -> None:
    heads, found, _ = imported(write("labels.csv", ["image,label", "a.png,contempt", "b.png,sad"]))
    assert names(heads) == ["expression8"]
    assert found[1].targets == {"expression8": "sad"}


def test_a_shipped_space_is_recognised(write: Write) -> None:
    rows = [f"{'abcd'[i % 4]}.png,{label.title()},{i},0,9,9" for i, label in enumerate(COMPOUND11.labels)]
    heads, found, _ = imported(write("labels.csv", ["image,label,x,y,w,h", *rows]))
    assert (names(heads), heads[0].space) == (["compound11"], COMPOUND11)
    assert found[4].targets == {"compound11": "Sadly Surprised"}


def test_other_names_are_a_space_of_their_own(write: Write) -> None:
    path = write("labels.csv", ["image,label", "a.png,smug", "b.png,happy", "c.png,10", "d.png,9"])
    heads, found, notes = imported(path)
    assert (names(heads), heads[0].kind) == (["label"], Kind.CLASS)
    assert heads[0].space.labels == ("9", "10", "happy", "smug")
    assert found[0].targets == {"label": "smug"}
    assert notes == [
        "head 'label', in this order: 9, 10, happy, smug (--labels declares another); "
        "not in expression8: 9, 10, smug"
    ]


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ("smug, happy,blank", {"label": ("smug", "happy", "blank")}),
        ("expression8", {"expression8": EXPRESSION8.labels}),
        ("happy,angry,neutral,sad,fear,surprise,disgust", {"expression7": 7, "expression8": 8}),
    ],
)
def test_declared_labels(write: Write, declared: str, found: dict[str, Any]) -> None:
    path = write("labels.csv", ["image,label", "a.png,happy"])
    heads, rows, _ = imported(path, labels=declared)
    assert {
        head.name: head.space.labels if isinstance(found[head.name], tuple) else len(head) for head in heads
    } == found
    assert rows[0].targets == dict.fromkeys(found, "happy")


@pytest.mark.parametrize("declared", ["expresion8", "a,b,A"])
def test_labels_declared_wrongly(write: Write, declared: str) -> None:
    with pytest.raises(ConfigError, match="--labels"):
        imported(write("labels.csv", ["image,label", "a.png,happy"]), labels=declared)


def test_shares(write: Write) -> None:
    rows = ["a.png,0.5,0.5,0,0,0,0,0,0,30", "b.png,1,0,0,0,2,0,7,0,41"]
    columns = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt"
    heads, found, notes = imported(write("labels.csv", [f"file,{columns},age", *rows]))
    assert (names(heads), heads[0].space, heads[0].kind) == (
        ["distribution8"],
        EXPRESSION8,
        Kind.DISTRIBUTION,
    )
    assert found[1].targets == {
        "distribution8": dict(zip(columns.split(","), (1, 0, 0, 0, 2, 0, 7, 0), strict=True))
    }
    assert found[1].attributes == {"age": "41"}
    assert notes == [
        f"classes from the columns {columns.replace(',', ', ')}",
        "attributes from the columns age",
    ]


def test_shares_of_other_classes(write: Write) -> None:
    heads, found, _ = imported(
        write("labels.csv", ["image,bored,amused,note", "a.png,0.25,0.75,1", "b.png,1,0,2"])
    )
    assert (names(heads), heads[0].space.labels) == (["distribution3"], ("bored", "amused", "note"))
    path = write("labels.csv", ["image,bored,amused,note", "a.png,0.25,0.75,fine", "b.png,1,0,x"])
    heads, found, _ = imported(path)
    assert (names(heads), heads[0].space.labels) == (["distribution2"], ("bored", "amused"))
    assert found[0].attributes == {"note": "fine"}
    heads, found, _ = imported(path, labels="amused,bored")
    assert heads[0].space.labels == ("amused", "bored")
    assert found[0].targets == {"distribution2": {"amused": 0.75, "bored": 0.25}}


def test_one_hot_columns_are_labels(write: Write) -> None:
    heads, found, _ = imported(write("labels.csv", ["image,happy,sad", "a.png,1,0", "b.png,0,1.0"]))
    assert names(heads) == ["expression7", "expression8"]
    assert [sample.targets["expression7"] for sample in found] == ["happy", "sad"]


def test_several_ones_are_tags(write: Write) -> None:
    heads, found, _ = imported(write("labels.csv", ["image,joy,pain,Peace", "a.png,1,0,1", "b.png,0,0,0"]))
    assert (names(heads), heads[0].kind, heads[0].space.labels) == (
        ["tags"],
        Kind.TAGS,
        ("joy", "pain", "Peace"),
    )
    assert [sample.targets["tags"] for sample in found] == [("joy", "Peace"), ()]


def test_valence_and_arousal(write: Write) -> None:
    path = write("labels.csv", ["image,valence,arousal,conf", "a.png,-1,0.5,7", "b.png,,nan,7", "c.png,0,,7"])
    heads, found, _ = imported(path)
    assert (names(heads), heads[0].bounds) == (["valence_arousal"], (-1, 1))
    assert [sample.targets for sample in found] == [
        {"valence_arousal": {"valence": -1, "arousal": 0.5}}, {}, {"valence_arousal": {"valence": 0}}
    ]  # fmt: skip
    assert found[0].attributes == {"conf": "7"}


def test_dominance(write: Write) -> None:
    heads, found, _ = imported(
        write("a.csv", ["image,label,valence,arousal,dominance", "a.png,sad,1,5.5,10"])
    )
    assert (names(heads), heads[-1].bounds) == (["expression7", "expression8", "vad"], (1, 10))
    assert found[0].targets["vad"] == {"valence": 1, "arousal": 5.5, "dominance": 10}
    heads, found, notes = imported(write("b.csv", ["image,valence,arousal,dominance", "a.png,-1,0.5,0.1"]))
    assert names(heads) == ["valence_arousal"]
    assert found[0].attributes == {"dominance": "0.1"}
    assert notes == ["attributes from the columns dominance"]


def test_split_group_box_and_attributes(write: Write, tmp_path: Path) -> None:
    head = "Image_Path, Emotion ,Usage,Subject ID,x,y,width,height,a/b,"
    rows = [
        "a.png,sad,PublicTest,S1,1,2,30.4,40,old,9",
        r".\b.png,fear,Train,S2,,,,,new,9",
        "a.png,happy,,S1,9,9,9,9,,9",
    ]
    _, found, _ = imported(write("labels.csv", [head, *rows]))
    assert [sample.split for sample in found] == ["validation", "train", ""]
    assert [sample.group for sample in found] == ["S1", "S2", "S1"]
    assert [sample.inputs["image"].region for sample in found] == [Box(1, 2, 30, 40), None, Box(9, 9, 9, 9)]
    assert [sample.source for sample in found] == ["a.png#1,2,30,40", "b.png", "a.png#9,9,9,9"]
    assert [sample.attributes for sample in found] == [{"a_b": "old"}, {"a_b": "new"}, {"a_b": ""}]


def test_long_texts_are_no_attributes(write: Write) -> None:
    _, found, _ = imported(write("labels.csv", ["image,label,points,by", f"a.png,sad,{'1;' * 300},me"]))
    assert found[0].attributes == {"by": "me"}


@pytest.mark.parametrize(
    "content",
    [
        b'\xef\xbb\xbf"image","label","by"\r\n"a.png","sad","Zo\xc3\xab"\r\n\r\n"b.png","fear","x"\r\n',
        b"image;label;by\na.png;sad;Zo\xeb\n\n;;\nb.png;fear;x",
        b"image\tlabel\tby\ra.png\tsad\tZo\xeb\rb.png\tfear\tx\r",
        'image, label, by\na.png, sad, "Zoë"\nb.png, fear, x\n'.encode(),
    ],
)
def test_spellings_of_a_table(write: Write, content: bytes) -> None:
    _, found, _ = imported(write("labels.csv", content))
    assert [(s.source, s.targets["expression7"], s.attributes["by"]) for s in found] == [
        ("a.png", "sad", "Zoë"), ("b.png", "fear", "x")
    ]  # fmt: skip


def test_decimal_comma(write: Write) -> None:
    _, found, _ = imported(write("labels.csv", ["image;happy;sad", "a.png;0,25;0,75"]))
    assert found[0].targets == {"distribution2": {"happy": 0.25, "sad": 0.75}}


def test_paths_outside_the_folder(write: Write, tmp_path: Path) -> None:
    rows = [f"{tmp_path}/a.png,sad", "../b.png,sad"]
    _, found, _ = imported(write("inner/labels.csv", ["image,label", *rows]))
    assert [sample.source for sample in found] == [f"{tmp_path}/a.png", "../b.png"]


BROKEN: list[tuple[list[str], str]] = [
    (["image,label", "x.png,sad"], r"row 0 \(line 2\): no picture 'x\.png' below "),
    (["image,label", ",sad"], r"row 0 \(line 2\): no picture is named"),
    (["image,label", "a.png,sad", "", "b.png, "], r"row 1 \(line 4\): label is empty"),
    (["image,label", "a.png,sad,1"], r"row 0 \(line 2\): 3 fields, the header has 2"),
    (["image,label", "a.png,sad", "b.png,sad", "a.png,happy"],
     r"row 2 \(line 4\): a\.png again, first in row 0"),
    (["image,label,split", "a.png,sad,mine"],
     r"row 0 \(line 2\): split is 'mine', allowed are train, training, "),
    (["image,happy,sad", "a.png,0.1,0.9", "b.png,much,1"],
     r"row 1 \(line 3\): happy is 'much', a number is needed"),
    (["image,happy,sad", "a.png,0.1,0.9", "b.png,inf,1"],
     r"row 1 \(line 3\): happy is 'inf', a number is needed"),
    (["image,happy,sad", "a.png,0.1,0.9", "b.png,,1"],
     r"row 1 \(line 3\): happy is empty, a number is needed"),
    (["image,happy,sad", "a.png,0.1,0.9", "b.png,-1,2"],
     r"row 1 \(line 3\): happy is -1, a share or a count of votes is 0 or"),
    (["image,happy,sad", "a.png,0.1,0.9", "b.png,0,0"], r"row 1 \(line 3\): all shares are 0"),
    (["image,happy,sad", "a.png,0,1", "b.png,0,0"], r"row 1 \(line 3\): no class has a 1"),
    (["image,label,x,y,w,h", "a.png,sad,1,2,0,9"],
     r"row 0 \(line 2\): box 1,2,0,9: width and height must be above 0"),
    (["image,label,x,y,w,h", "a.png,sad,1,2,u,9"], r"row 0 \(line 2\): w is 'u', a number is needed"),
    (["image,valence,arousal", "a.png,-2,0"],
     r"row 0 \(line 2\): valence is -2, allowed are numbers from -1 to 1 \(from 1 to"),
    (["image,valence,arousal,dominance", "a.png,5,5,11"],
     r"dominance is 11, allowed are numbers from 1 to 10 "),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "message"), BROKEN)
def test_rows_that_cannot_be_used(write: Write, lines: list[str], message: str) -> None:
    path = write("labels.csv", lines)
    with pytest.raises(DataError, match=message):
        imported(path)
    log = ImportLog(skip_bad=True)
    assert len(list(TABLE.read(path, log))) == sum(bool(line) for line in lines) - 2
    assert len(log.left_out) == 1


def test_unknown_label_where_labels_are_declared(write: Write) -> None:
    path = write("labels.csv", ["image,label", "a.png,sad", "b.png,smug"])
    with pytest.raises(DataError, match=r"row 1 \(line 3\): label is 'smug', allowed are happy, sad, meh"):
        imported(path, labels="happy,sad,meh")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"name,label\na.png,sad\n",
            r"no column with pictures \(it has: name, label; needed: image, file, filename, path or",
        ),
        (
            b"image,colour\na.png,red\n",
            r"no column with labels \(it has: image, colour; needed: label, emotion, expression or",
        ),
        (b"image,Label,label\na.png,sad,sad\n", r"column 'label' is there twice"),
        (b"image,joy,happy\na.png,0.5,0.2\n", "label space 'label' names a label twice: joy, happy"),
        (b"\n", "an empty file"),
        (b"\xff\xfei\0m\0", "text in UTF-16; save it as UTF-8"),
        (b"<html><body>", "an HTML page"),
        (
            b"image,label\na.png," + b"x" * 200_000,
            r"labels\.csv, line 2: cannot be read as CSV: field larger than",
        ),
    ],
)
def test_tables_that_cannot_be_used(write: Write, content: bytes, message: str) -> None:
    path = write("labels.csv", content)
    with pytest.raises(DataError, match=message):
        imported(path)


def test_too_many_labels(write: Write) -> None:
    path = write("labels.csv", ["image,label", *(f"a.png,person {i}" for i in range(1001))])
    with pytest.raises(
        DataError, match=r"labels\.csv: 1001 different labels, such as 'person 0'; at most 1000"
    ):
        imported(path)


def test_faults_are_one_line(write: Write) -> None:
    path = write("labels.csv", b'"im\nage","la\x1bbel"\n"a.png","sad"\n')
    with pytest.raises(DataError, match=r"it has: im age, la\?bel;"):
        imported(path)
    path = write("labels.csv", b'image,label\na.png,"very\nsad"\nb.png,"very\nsad"\n')
    heads, found, _ = imported(path)
    assert heads[0].space.labels == ("very sad",)
    assert found[0].targets == {"label": "very sad"}


def test_declared_classes_without_a_column(write: Write) -> None:
    path = write("labels.csv", ["image,happy,sad", "a.png,0.5,0.5"])
    with pytest.raises(
        DataError, match=r"no column 'label', and none for the class 'meh' \(it has: image, happy, sad\)"
    ):
        imported(path, labels="happy,sad,meh")


def test_which_files_are_tables(write: Write, lines: list[str], tmp_path: Path) -> None:
    assert detect(write("mine/labels.csv", ["pth,label"])) is TABLE
    assert detect(tmp_path / "mine") is TABLE
    assert detect(write("mine/b.tsv", ["file\tlabel"])) is TABLE
    assert not TABLE.recognises(tmp_path / "mine")  # which of the two?
    with pytest.raises(
        DataError,
        match=r"mine: a table is one file with the ending \.csv or \.tsv, or a folder with just one",
    ):
        imported(tmp_path / "mine")
    assert detect(write("fer2013.csv", lines)).name == "fer2013"
    assert detect(write("fer2013new.csv", ["Usage,Image name,neutral,NF"])).name == "fer2013"
    assert detect(write("pointer.csv", ["version https://git-lfs.github.com/spec/v1"])).name == "fer2013"
    assert not TABLE.recognises(write("notes.txt", ["image,label"]))


def test_pictures_that_do_not_decode_are_told(
    write: Write, picture: Callable[..., Path], faces: NDArray[np.uint8]
) -> None:
    picture("e.png", faces[0])
    path = write("labels.csv", ["image,label", "e.png,sad", "a.png,happy"])
    with pytest.raises(DataError, match=r"a\.png: "):
        import_dataset(path, path.parent / "faces.h5")
    assert len(import_dataset(path, path.parent / "faces.h5", skip_bad=True)) == 1
