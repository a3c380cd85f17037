"""Drawn people as EMOTIC's four releases have theirs on disk."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.emotic.mat2py import COLUMNS
from ...extras import require
from ...labels import EMOTIC26, VAD
from ...media.image import resize
from ...records import Box, Pixels, Sample
from .writing import save_csv, save_picture

DATABASES = ("mscoco", "framesdb", "emodb_small", "ade20k")
_SPLITS = {"train": "train", "validation": "val", "test": "test"}
_CONTEXT, _BODY = 224, 128
#: The order of the 40-column tables, which is not that of EMOTIC26.
_ORDER = (
    "Peace", "Affection", "Esteem", "Anticipation", "Engagement", "Confidence", "Happiness", "Pleasure",
    "Excitement", "Surprise", "Sympathy", "Doubt/Confusion", "Disconnection", "Fatigue", "Embarrassment",
    "Yearning", "Disapproval", "Aversion", "Annoyance", "Anger", "Sensitivity", "Sadness", "Disquietment",
    "Fear", "Pain", "Suffering",
)  # fmt: skip
_COLUMNS = (
    "Filename", "Width", "Height", "Age", "Gender", "Valence", "Arousal", "Dominance", *_ORDER,
    "X_min", "Y_min", "X_max", "Y_max", "Arr_name", "Crop_name",
)  # fmt: skip
_EXTRA = 5  # every so many pictures for training, one stands in the table `extra_train`


@dataclass(frozen=True)
class _DrawnPerson:
    corners: tuple[int, int, int, int]
    tags: list[str]
    vad: list[float]
    gender: str
    age: str


@dataclass(frozen=True)
class _DrawnPicture:
    split: str
    database: str
    file: str
    pixels: Pixels
    people: list[_DrawnPerson]

    @property
    def folder(self) -> str:
        return f"{self.database}/images"

    @property
    def size(self) -> tuple[int, int]:
        return self.pixels.shape[1], self.pixels.shape[0]


def _drawn(samples: Iterable[Sample]) -> Iterator[_DrawnPicture]:
    """Yield pictures with their people: those of one group, which come one after another."""
    for number, (_, group) in enumerate(groupby(samples, lambda sample: sample.group or sample.source)):
        people = list(group)
        pixels = np.asarray(people[0].inputs["image"].data)
        split, database = _SPLITS[people[0].split], DATABASES[number % len(DATABASES)]
        drawn = [_person(sample, split) for sample in people]
        yield _DrawnPicture(split, database, f"{number:06d}.jpg", pixels, drawn)


def _person(sample: Sample, split: str) -> _DrawnPerson:
    height, width = np.asarray(sample.inputs["image"].data).shape[:2]
    region = sample.inputs["image"].region
    box = region if isinstance(region, Box) else Box(0, 0, width, height)
    targets: Any = sample.targets
    vad = [float(targets.get("vad", {}).get(name, "nan")) for name in VAD.labels]
    tags = sorted(targets.get("tags", []), key=EMOTIC26.index)
    corners = (box.x, box.y, box.x + box.width, box.y + box.height)
    gender, age = sample.attributes.get("gender", "Female"), sample.attributes.get("age", "Adult")
    vad = [_whole(value) if split == "train" else value for value in vad]
    return _DrawnPerson(corners, tags, vad, gender, age)


def _whole(value: float) -> float:
    """One annotator gives whole numbers."""
    return value if np.isnan(value) else int(np.clip(round(value), 1, 10))


def _by_split(samples: Iterable[Sample]) -> dict[str, list[_DrawnPicture]]:
    drawn = list(_drawn(samples))
    return {split: [picture for picture in drawn if picture.split == split] for split in _SPLITS.values()}


def write_mat(root: Path, samples: Iterable[Sample]) -> None:
    """`Annotations/Annotations.mat` and `emotic/<database>/images/*.jpg`. Raises MissingExtraError."""
    drawn = _by_split(samples)
    for picture in [picture for pictures in drawn.values() for picture in pictures]:
        save_picture(root / "emotic" / picture.folder / picture.file, picture.pixels)
    (root / "Annotations").mkdir()
    tables = {split: _structs(list(map(_entry, pictures))) for split, pictures in drawn.items() if pictures}
    require("scipy.io", "data").savemat(root / "Annotations" / "Annotations.mat", tables, do_compression=True)


def _structs(entries: Sequence[Mapping[str, Any]]) -> NDArray[Any]:
    """Return a 1xN struct array of entries with the same fields."""
    table = np.empty((1, len(entries)), [(name, object) for name in entries[0]])
    for place, entry in enumerate(entries):
        table[0, place] = tuple(entry.values())
    return table


def _entry(picture: _DrawnPicture) -> dict[str, Any]:
    width, height = picture.size
    annotations = _by_one if picture.split == "train" else _by_three
    return {
        "filename": picture.file,
        "folder": picture.folder,
        "image_size": {"n_col": np.uint16(width), "n_row": np.uint16(height)},
        "original_database": {"name": picture.database, "info": np.empty((0, 0))},
        "person": _structs([_framed(person, annotations(person)) for person in picture.people]),
    }


def _framed(person: _DrawnPerson, annotations: Mapping[str, Any]) -> dict[str, Any]:
    corners = np.array([person.corners], np.int16)
    return {"body_bbox": corners, **annotations, "gender": person.gender, "age": person.age}


def _by_one(person: _DrawnPerson) -> dict[str, Any]:
    """Return the annotations of one annotator: whole numbers."""
    return {
        "annotations_categories": {"categories": _cell(person.tags)},
        "annotations_continuous": _ratings(person.vad),
    }


def _by_three(person: _DrawnPerson) -> dict[str, Any]:
    """Return the annotations of three annotators: some tags from each, and the mean of whole numbers."""
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
        rows = [[number, *_row(picture, person)] for number, (picture, person) in enumerate(people)]
        save_csv(root / f"{split}.csv", [["Index", *COLUMNS], *rows], "\r\n")
        for kind, array in _arrays(people).items():
            np.save(root / f"{split}_{kind}_arr.npy", array)


def _row(picture: _DrawnPicture, person: _DrawnPerson) -> list[Any]:
    where = [picture.folder, picture.file, list(picture.size), list(person.corners)]
    return [*where, person.tags, person.vad, person.gender, person.age]


def _arrays(people: Sequence[tuple[_DrawnPicture, _DrawnPerson]]) -> dict[str, NDArray[Any]]:
    crops = [resize(_crop(picture, person), _BODY) for picture, person in people]
    flags = [[label in person.tags for label in EMOTIC26.labels] for _, person in people]
    return {
        "context": np.array([resize(picture.pixels, _CONTEXT) for picture, _ in people], np.uint8),
        "body": np.array(crops, np.uint8),
        "cat": np.array(flags, np.float64),
        "cont": np.array([person.vad for _, person in people]),
    }


def _crop(picture: _DrawnPicture, person: _DrawnPerson) -> Pixels:
    left, top, right, bottom = person.corners
    return picture.pixels[max(top, 0) : bottom, max(left, 0) : right]


def write_arrays(root: Path, samples: Iterable[Sample]) -> None:
    """`annots_arrs/*.csv` with 40 columns, `img_arrs/img_arr_<k>.npy` and `crop_arr_<split>_<i>.npy`."""
    (root / "img_arrs").mkdir()
    rows: dict[str, list[list[Any]]] = {name: [] for name in (*_SPLITS.values(), "extra_train")}
    for number, picture in enumerate(_drawn(samples)):
        np.save(root / "img_arrs" / f"img_arr_{number}.npy", picture.pixels)
        split = "extra_train" if picture.split == "train" and number % _EXTRA == 0 else picture.split
        for person in picture.people:
            crop = f"crop_arr_{split}_{len(rows[split])}.npy"
            np.save(root / "img_arrs" / crop, _crop(picture, person))
            rows[split].append([*_forty(picture, person), f"img_arr_{number}.npy", crop])
    for split, people in rows.items():
        save_csv(root / "annots_arrs" / f"annot_arrs_{split}.csv", [_COLUMNS, *people])


def _forty(picture: _DrawnPicture, person: _DrawnPerson) -> list[Any]:
    """Return a row without its arrays' names; width and height are swapped where the release swaps them."""
    size = picture.size[::-1] if picture.database == "emodb_small" else picture.size
    flags = [label in person.tags for label in _ORDER]
    vad = ["" if np.isnan(value) else float(value) for value in person.vad]
    corners = map(float, person.corners)
    return [picture.file, *map(float, size), person.age, person.gender, *vad, *map(float, flags), *corners]


def write_folders(root: Path, samples: Iterable[Sample]) -> None:
    """`<Emotion>/*.jpg`, a picture in the folder of each emotion of its people; there are no splits."""
    for number, picture in enumerate(_drawn(samples)):
        for tag in {tag for person in picture.people for tag in person.tags}:
            save_picture(root / tag.partition("/")[0] / f"{number}.jpg", picture.pixels)
