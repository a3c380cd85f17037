"""Drawn faces as AffectNet's two releases and its 13-emotion set have theirs on disk."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ...datasets.affectnet.files import POINTS
from ...datasets.affectnet.rows import COLUMNS
from ...labels import AFFECTNET8, EMOTION13, VAD_MEANS
from ...records import Box, Sample
from .writing import pixels, save_csv, save_picture, values

#: One in so many training pictures of the 13-emotion set is from a film: its id is text, and it has no class.
FRAMES = 16
_PICTURES, _LISTS = "Manually_Annotated/Manually_Annotated_Images", "Manually_Annotated_file_lists"


def affectnet(root: Path, samples: Iterable[Sample]) -> None:
    """`train_set|val_set/images/<n>.jpg` and `annotations/<n>_exp|val|aro|lnd.npy`; no test set."""
    for sample, folder, number in _numbered(samples):
        _annotate(root / folder, str(number), sample)


def prob_rank(root: Path, samples: Iterable[Sample]) -> None:
    """`AffectNetFused/`: the same with `<id>_prob_rank.txt`, `_rank.txt`, `_terms.txt`; some ids are text."""
    for sample, folder, number in _numbered(samples):
        frame = folder == "train_set" and number % FRAMES == FRAMES - 1
        name = f"film{number // FRAMES}_{number:05d}" if frame else str(number)
        beside = _annotate(root / "AffectNetFused" / folder, name, sample, classless=frame)
        shares, nearest = values(sample, "distribution13"), _nearest(sample)
        line = ",".join(repr(shares[label]) for label in EMOTION13.labels)
        Path(f"{beside}_prob_rank.txt").write_text(f"{line}\n")
        Path(f"{beside}_rank.txt").write_text(",".join(map(str, nearest)))
        Path(f"{beside}_terms.txt").write_text(AFFECTNET8.labels[nearest[0]])


def affectnet_csv(root: Path, samples: Iterable[Sample]) -> None:
    """`training.csv` and `validation.csv`, the latter without a header, over pictures in numbered folders."""
    rows: dict[str, list[list[object]]] = {"training.csv": [list(COLUMNS)], "validation.csv": []}
    for sample, folder, number in _numbered(samples):
        suffix = ".PNG" if number % 7 == 6 else ".JPG" if number % 7 == 5 else ".jpg"
        picture = f"{number % 3 + 1}/{hashlib.sha224(sample.source.encode()).hexdigest()}{suffix}"
        save_picture(root / _PICTURES / picture, pixels(sample))
        affect = values(sample, "valence_arousal")
        landmarks = ";".join(f"{value:.2f}" for value in _landmarks(sample))
        table = rows["training.csv" if folder == "train_set" else "validation.csv"]
        table.append([picture, *_box(sample), landmarks, _code(sample), affect["valence"], affect["arousal"]])
    for name, found in rows.items():
        save_csv(root / _LISTS / name, found)


def _numbered(samples: Iterable[Sample]) -> Iterator[tuple[Sample, str, int]]:
    """Yield samples with their split folder and their number there: there is no test set."""
    counts: Counter[str] = Counter()
    for sample in samples:
        folder = "train_set" if sample.split == "train" else "val_set"
        yield sample, folder, counts[folder]
        counts[folder] += 1


def _annotate(folder: Path, name: str, sample: Sample, *, classless: bool = False) -> str:
    """Save a picture with its `.npy` files, scalars as text, and return how the names of these begin."""
    save_picture(folder / "images" / f"{name}.jpg", pixels(sample))
    affect = values(sample, "valence_arousal")
    scalars = {"val": repr(affect["valence"]), "aro": repr(affect["arousal"])}
    arrays = {"lnd": np.array(_landmarks(sample)), **{what: np.array(text) for what, text in scalars.items()}}
    if not classless:
        arrays["exp"] = np.array(str(_code(sample)))
    beside = folder / "annotations" / name
    beside.parent.mkdir(exist_ok=True)
    for what, array in arrays.items():
        np.save(f"{beside}_{what}.npy", array)
    return str(beside)


def _code(sample: Sample) -> int:
    return AFFECTNET8.index(str(sample.targets["expression8"]))


def _nearest(sample: Sample) -> list[int]:
    """Return the codes of the eight classes by their distance in valence and arousal."""
    here = tuple(values(sample, "valence_arousal").values())
    places = [VAD_MEANS[label][:2] for label in AFFECTNET8.labels]
    return sorted(range(len(places)), key=lambda code: math.dist(here, places[code]))


def _box(sample: Sample) -> Box:
    """Return the face's box: that of the sample, else the whole picture."""
    height, width = pixels(sample).shape[:2]
    region = sample.inputs["image"].region
    return region if isinstance(region, Box) else Box(0, 0, width, height)


def _landmarks(sample: Sample) -> list[float]:
    """x0, y0, x1, y1 … of the sample, or of 68 points around its face."""
    box, turns = _box(sample), np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    middle, radius = np.array([box.x, box.y]) + np.array(box[2:]) / 2, np.array(box[2:]) * 0.4
    around = middle + radius * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    known = sample.inputs["image"].points
    points = known if len(known) == POINTS else around
    return [float(value) for value in np.asarray(points).ravel()]
