"""A distribution over K emotions for each picture, `<id>_prob_rank.txt`: AffectNetFused and others."""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from ...errors import DataError
from ...labels import EMOTION13, LabelSpace
from ...records import Sample, Target
from ...tasks import Head, Kind
from ..base import Importer, ImportLog, PendingSample
from ..labelling import space_of
from . import files
from .files import HEADS, WHERE, AnnotatedPicture, parts, probabilities

SUFFIXES = ("_prob_rank.txt", "_prob_rank_universal.txt")
_MORE = ("_exp.npy", "_val.npy", "_aro.npy")
_FEW = 20


def recognises(root: Path) -> bool:
    """Recognise `images` and `annotations/<id>_prob_rank.txt`, also in split folders or two folders down."""
    return bool(parts(root, *SUFFIXES))


def heads(root: Path, log: ImportLog) -> tuple[Head, ...]:
    """Return a distribution with a class for each value of the first file, and AffectNet's heads if any."""
    _, space = _chosen(root, log)
    folders = [part.annotations for part in parts(root, *SUFFIXES)]
    more = any(name.endswith(_MORE) for folder in folders for name in files.names(folder))
    return (Head(f"distribution{len(space)}", Kind.DISTRIBUTION, space), *(HEADS if more else ()))


def _chosen(root: Path, log: ImportLog) -> tuple[str, LabelSpace]:
    """Return the suffix to read, and the classes of its values: declared, else the 13. Raises DataError."""
    declared = log.options.get("labels", "")
    space = space_of(declared) if declared else EMOTION13
    found = [(suffix, *first) for suffix in SUFFIXES if (first := _length(root, suffix))]
    if not found:
        raise DataError(f"{root}: {WHERE}{SUFFIXES[0]}")
    if suffix := next((suffix for suffix, _, length in found if length == len(space)), ""):
        return suffix, space
    known = f"{len(space)} classes are declared" if declared else "only the order of 13 is known"
    _, path, length = found[0]
    raise DataError(f"{path}: {length} values, but {known}; give their names in order: --labels a,b,…")


def _length(root: Path, suffix: str) -> tuple[str, int] | None:
    """Return the first readable file of a kind and its number of values. Raises DataError if all are bad."""
    quiet = ImportLog(skip_bad=True)
    for path in islice(files.files(root, suffix), _FEW):
        with quiet.rejecting():
            return path, len(probabilities(path))
    if quiet.left_out:
        raise DataError(quiet.left_out[0])
    return None


def read(root: Path, log: ImportLog) -> Iterator[PendingSample]:
    """Yield samples by split and id; their source is the path below `root`. All lengths must agree."""
    suffix, space = _chosen(root, log)
    log.notes.append(f"values of <id>{suffix} in this order: {', '.join(space.labels)}")
    return (partial(_sample, picture, suffix, space) for picture in files.pictures(root, suffix, log))


def _sample(picture: AnnotatedPicture, suffix: str, space: LabelSpace) -> Sample:
    path = picture.beside + suffix
    values = probabilities(path)
    if len(values) != len(space):
        needed = f"the first file has {len(space)}; lengths must not be mixed"
        raise DataError(f"{path}: {len(values)} values, {needed}")
    shares: dict[str, Target] = {f"distribution{len(space)}": dict(zip(space.labels, values, strict=True))}
    return files.sample(picture, shares | files.annotated(picture))


_LOOKS_FOR = f"a folder with images/ and annotations/<id>{SUFFIXES[0]}, also in split folders"
PROB_RANK = Importer("prob-rank", _LOOKS_FOR, heads, recognises, read)
