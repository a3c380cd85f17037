"""AffectNet with eight labels: `<id>_exp.npy`, `_val`, `_aro` and `_lnd` for each picture."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ...records import Sample
from ..base import Importer, ImportLog, PendingSample
from .files import HEADS, AnnotatedPicture, annotated, parts, pictures, sample

SUFFIX = "_exp.npy"


def recognises(root: Path) -> bool:
    """Recognise `images` and `annotations/<id>_exp.npy`, also in split folders, up to two folders down."""
    return bool(parts(root, SUFFIX))


def read(root: Path, log: ImportLog) -> Iterator[PendingSample]:
    """Yield samples by split and number, those with a target; their source is the path below `root`."""
    return (partial(_annotated, picture) for picture in pictures(root, SUFFIX, log))


def _annotated(picture: AnnotatedPicture) -> Sample | None:
    targets = annotated(picture)
    return sample(picture, targets) if targets else None


_LOOKS_FOR = f"a folder with images/ and annotations/<id>{SUFFIX}, also in train_set/ and val_set/"
AFFECTNET = Importer("affectnet", _LOOKS_FOR, HEADS, recognises, read)
