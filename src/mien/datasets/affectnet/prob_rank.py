"""A distribution over K emotions for each picture, `<id>_prob_rank.txt`: the 13-emotion set (AffectNetFused) and its kin."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from ...errors import DataError
from ...labels import EMOTION13, LabelSpace
from ...records import Sample
from ...tasks import Head, Kind
from ..base import Importer, ImportLog, PendingSample
from ..labelling import space_of
from .files import HEADS, WHERE, AnnotatedPicture, annotated, files, landmarks, names, parts, pictures, probabilities

SUFFIXES = ("_prob_rank.txt", "_prob_rank_universal.txt")
_MORE = ("_exp.npy", "_val.npy", "_aro.npy")
_FEW = 20


def recognises(root: Path) -> bool:
    """Recognise `images` and `annotations/<id>_prob_rank.txt`, in split folders or not, at most two folders down."""
    return bool(parts(root, *SUFFIXES))


def heads(root: Path, log: ImportLog) -> tuple[Head, ...]:
    """Return the distribution of as many classes as the first file has values, and AffectNet's heads if it has their files."""
    _, space = _chosen(root, log)
    more = any(name.endswith(_MORE) for part in parts(root, *SUFFIXES) for name in names(part.annotations))
    return (Head(f"distribution{len(space)}", Kind.DISTRIBUTION, space), *(HEADS if more else ()))


def _chosen(root: Path, log: ImportLog) -> tuple[str, LabelSpace]:
    """Return the files to read, and the classes of their values: those declared, else the 13. Raises DataError."""
    declared = log.options.get("labels", "")
    space = space_of(declared) if declared else EMOTION13
    found = [(suffix, *first) for suffix in SUFFIXES if (first := _length(root, suffix))]
    if not found:
        raise DataError(f"{root}: {WHERE}{SUFFIXES[0]}")
    for suffix, _, length in found:
        if length == len(space):
            return suffix, space
    known = f"{len(space)} classes are declared" if declared else "only the order of 13 is known"
    raise DataError("{}: {} values, but {}; give their names in order: --labels a,b,…".format(*found[0][1:], known))


def _length(root: Path, suffix: str) -> tuple[str, int] | None:
    """Return the first readable file of a kind and its number of values. Raises DataError where all are bad."""
    fault = None
    for path in islice(files(root, suffix), _FEW):
        try:
            return path, len(probabilities(path))
        except DataError as error:
            fault = fault or error
    if fault:
        raise fault
    return None


def read(root: Path, log: ImportLog) -> Iterator[PendingSample]:
    """Yield samples by split and id in natural order; their source is the path below `root`. All lengths must agree."""
    suffix, space = _chosen(root, log)
    log.notes.append(f"values of <id>{suffix} in this order: {', '.join(space.labels)}")
    return (partial(_sample, picture, suffix, space) for picture in pictures(root, suffix, log))


def _sample(picture: AnnotatedPicture, suffix: str, space: LabelSpace) -> Sample:
    path = picture.beside + suffix
    values = probabilities(path)
    if len(values) != len(space):
        raise DataError(f"{path}: {len(values)} values, the first file has {len(space)}; lengths must not be mixed")
    targets = {f"distribution{len(space)}": dict(zip(space.labels, values, strict=True)), **annotated(picture)}
    return Sample.of_image(Path(picture.image), targets, picture.split, picture.source, landmarks=landmarks(picture))


PROB_RANK = Importer(
    "prob-rank", f"a folder with images/ and annotations/<id>{SUFFIXES[0]}, also in split folders", heads, recognises, read
)  # fmt: skip
