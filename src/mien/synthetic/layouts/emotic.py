"""Drawn people as EMOTIC's four releases have theirs on disk."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...extras import require
from ...labels import EMOTIC26, VAD
from ...media import image
from ...records import Box, Pixels, Sample

DATABASES = ("mscoco", "framesdb", "emodb_small", "ade20k")
_SPLITS = {"train": "train", "validation": "val", "test": "test"}
_CSV = ("Index", "Folder", "Filename", "Image Size", "BBox", "Categorical_Labels", "Continuous_Labels", "Gender", "Age")
_CONTEXT, _BODY = 224, 128
#: The order of the 40-column tables, which is not that of EMOTIC26.
_ORDER = (
    "Peace", "Affection", "Esteem", "Anticipation", "Engagement", "Confidence", "Happiness", "Pleasure", "Excitement",
    "Surprise", "Sympathy", "Doubt/Confusion", "Disconnection", "Fatigue", "Embarrassment", "Yearning", "Disapproval",
    "Aversion", "Annoyance", "Anger", "Sensitivity", "Sadness", "Disquietment", "Fear", "Pain", "Suffering",
)  # fmt: skip
_COLUMNS = (
    "Filename", "Width", "Height", "Age", "Gender", "Valence", "Arousal", "Dominance", *_ORDER, "X_min", "Y_min", "X_max",
    "Y_max", "Arr_name", "Crop_name",
)  # fmt: skip
_EXTRA = 5  # every so many pictures for training, one stands in the table `extra_train`


@dataclass(frozen=True)
class _Person:
    corners: tuple[int, int, int, int]
    tags: list[str]
    vad: list[float]
    gender: str
    age: str


@dataclass(frozen=True)
class _Picture:
    split: str
    database: str
    file: str
    pixels: Pixels
    people: list[_Person]

    @property
    def folder(self) -> str:
        return f"{self.database}/images"

    @property
    def size(self) -> tuple[int, int]:
        return self.pixels.shape[1], self.pixels.shape[0]


def _drawn(samples: Iterable[Sample]) -> Iterator[_Picture]:
    """Pictures with their people: those of one group, which come one after another."""
    for number, (_, group) in enumerate(groupby(samples, lambda sample: sample.group or sample.source)):
        people = list(group)
        pixels = np.asarray(people[0].image)
        split, database = _SPLITS[people[0].split], DATABASES[number % len(DATABASES)]
        yield _Picture(split, database, f"{number:06d}.jpg", pixels, [_person(sample, split) for sample in people])


def _person(sample: Sample, split: str) -> _Person:
    height, width = np.asarray(sample.image).shape[:2]
    box = sample.box or Box(0, 0, width, height)
    said: Any = sample.targets
    vad = [float(said["vad"][name]) for name in VAD.labels] if "vad" in said else [float("nan")] * len(VAD)
    tags = sorted(said.get("tags", []), key=EMOTIC26.index)
    corners = (box.x, box.y, box.x + box.width, box.y + box.height)
    gender, age = sample.attributes.get("gender", "Female"), sample.attributes.get("age", "Adult")
    return _Person(corners, tags, [_whole(value) if split == "train" else value for value in vad], gender, age)


def _whole(value: float) -> float:
    """One annotator gives whole numbers."""
    return value if np.isnan(value) else int(np.clip(round(value), 1, 10))


def _by_split(samples: Iterable[Sample]) -> dict[str, list[_Picture]]:
    drawn = list(_drawn(samples))
    return {split: [picture for picture in drawn if picture.split == split] for split in _SPLITS.values()}


def write_mat(root: Path, samples: Iterable[Sample]) -> None:
    """`Annotations/Annotations.mat` and `emotic/<database>/images/*.jpg`. Raises MissingExtraError without scipy."""
    drawn = _by_split(samples)
    for picture in [picture for some in drawn.values() for picture in some]:
        path = root / "emotic" / picture.folder / picture.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image.encode(picture.pixels))
    (root / "Annotations").mkdir()
    tables = {split: _structs([_entry(picture) for picture in some]) for split, some in drawn.items() if some}
    require("scipy.io", "data").savemat(root / "Annotations" / "Annotations.mat", tables, do_compression=True)


def _structs(entries: Sequence[Mapping[str, Any]]) -> NDArray[Any]:
    """A 1xN struct array of entries with the same fields."""
    table = np.empty((1, len(entries)), [(name, object) for name in entries[0]])
    for place, entry in enumerate(entries):
        table[0, place] = tuple(entry.values())
    return table


def _entry(picture: _Picture) -> dict[str, Any]:
    width, height = picture.size
    said = _alone if picture.split == "train" else _together
    return {
        "filename": picture.file,
        "folder": picture.folder,
        "image_size": {"n_col": np.uint16(width), "n_row": np.uint16(height)},
        "original_database": {"name": picture.database, "info": np.empty((0, 0))},
        "person": _structs([_framed(person, said(person)) for person in picture.people]),
    }


def _framed(person: _Person, said: Mapping[str, Any]) -> dict[str, Any]:
    corners = np.array([person.corners], np.int16)
    return {"body_bbox": corners, **said, "gender": person.gender, "age": person.age}


def _alone(person: _Person) -> dict[str, Any]:
    """What one annotator said, whole numbers."""
    return {
        "annotations_categories": {"categories": _cell(person.tags)},
        "annotations_continuous": _ratings(person.vad),
    }


def _together(person: _Person) -> dict[str, Any]:
    """What three annotators said: the tags of all, of which each gave some, and the mean of whole numbers."""
    categories = [{"categories": _cell(person.tags[start::2] or person.tags)} for start in (0, 1, 0)]
    return {
        "annotations_categories": _structs(categories),
        "combined_categories": _cell(person.tags),
        "annotations_continuous": _structs([_ratings([_whole(value) for value in person.vad])] * 3),
        "combined_continuous": _ratings(person.vad),
    }


def _cell(names: Sequence[str]) -> NDArray[Any]:
    return np.array([names], object).reshape(1, len(names))


def _ratings(vad: Sequence[float]) -> dict[str, Any]:
    """Valence, arousal, dominance as MATLAB saves doubles: whole numbers in a byte."""
    return {
        name: np.uint8(value) if isinstance(value, int) else np.float64(value)
        for name, value in zip(VAD.labels, vad, strict=True)
    }


def write_csv(root: Path, samples: Iterable[Sample]) -> None:
    """`{train,val,test}.csv` with `_context_arr.npy`, `_body_arr.npy`, `_cat_arr.npy`, `_cont_arr.npy`."""
    for split, drawn in _by_split(samples).items():
        people = [(picture, person) for picture in drawn for person in picture.people]
        with (root / f"{split}.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(_CSV)
            rows.writerows([number, *_row(picture, person)] for number, (picture, person) in enumerate(people))
        for kind, array in _arrays(people).items():
            np.save(root / f"{split}_{kind}_arr.npy", array)


def _row(picture: _Picture, person: _Person) -> list[Any]:
    where = [picture.folder, picture.file, list(picture.size), list(person.corners)]
    return [*where, person.tags, person.vad, person.gender, person.age]


def _arrays(people: Sequence[tuple[_Picture, _Person]]) -> dict[str, NDArray[Any]]:
    crops = [image.resize(_crop(picture, person), _BODY) for picture, person in people]
    return {
        "context": np.array([image.resize(picture.pixels, _CONTEXT) for picture, _ in people], np.uint8),
        "body": np.array(crops, np.uint8),
        "cat": np.array([[label in person.tags for label in EMOTIC26.labels] for _, person in people], np.float64),
        "cont": np.array([person.vad for _, person in people]),
    }


def _crop(picture: _Picture, person: _Person) -> Pixels:
    left, top, right, bottom = person.corners
    return picture.pixels[max(top, 0) : bottom, max(left, 0) : right]


def write_arrays(root: Path, samples: Iterable[Sample]) -> None:
    """`annots_arrs/*.csv` with 40 columns, `img_arrs/img_arr_<k>.npy` and `crop_arr_<split>_<i>.npy`."""
    for folder in ("annots_arrs", "img_arrs"):
        (root / folder).mkdir()
    rows: dict[str, list[list[Any]]] = {name: [] for name in (*_SPLITS.values(), "extra_train")}
    for number, picture in enumerate(_drawn(samples)):
        np.save(root / "img_arrs" / f"img_arr_{number}.npy", picture.pixels)
        split = "extra_train" if picture.split == "train" and number % _EXTRA == 0 else picture.split
        for person in picture.people:
            crop = f"crop_arr_{split}_{len(rows[split])}.npy"
            np.save(root / "img_arrs" / crop, _crop(picture, person))
            rows[split].append([*_forty(picture, person), f"img_arr_{number}.npy", crop])
    for split, people in rows.items():
        with (root / "annots_arrs" / f"annot_arrs_{split}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([_COLUMNS, *people])


def _forty(picture: _Picture, person: _Person) -> list[Any]:
    """A row without the names of its arrays. Width and height are swapped where the release swaps them."""
    size = picture.size[::-1] if picture.database == "emodb_small" else picture.size
    flags = [label in person.tags for label in _ORDER]
    vad = ["" if np.isnan(value) else float(value) for value in person.vad]
    return [
        picture.file,
        *map(float, size),
        person.age,
        person.gender,
        *vad,
        *map(float, flags),
        *map(float, person.corners),
    ]


def write_folders(root: Path, samples: Iterable[Sample]) -> None:
    """`<Emotion>/*.jpg`, a picture in the folder of each emotion of its people; there are no splits."""
    for number, picture in enumerate(_drawn(samples)):
        for tag in {tag for person in picture.people for tag in person.tags}:
            path = root / tag.partition("/")[0] / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(image.encode(picture.pixels))
