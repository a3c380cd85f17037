"""AffectNet with eight labels: `<id>_exp.npy`, `_val`, `_aro` and `_lnd` for each picture, in split folders or flattened."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ...records import Sample
from ..base import Importer, ImportLog, PendingSample
from .files import HEADS, AnnotatedPicture, annotated, landmarks, parts, pictures

SUFFIX = "_exp.npy"


def recognises(root: Path) -> bool:
    """Recognise `images` and `annotations/<id>_exp.npy`, in split folders or not, at most two folders down."""
    return bool(parts(root, SUFFIX))


def read(root: Path, log: ImportLog) -> Iterator[PendingSample]:
    """Yield samples by split and number; their source is the path below `root`. Those without a target are left out."""
    return (partial(sample, picture) for picture in pictures(root, SUFFIX, log))


def sample(picture: AnnotatedPicture) -> Sample | None:
    """One picture with its annotations; None where they say nothing. Raises DataError."""
    targets = annotated(picture)
    if not targets:
        return None
    return Sample.of_image(Path(picture.image), targets, picture.split, picture.source, landmarks=landmarks(picture))


AFFECTNET = Importer(
    "affectnet", f"a folder with images/ and annotations/<id>{SUFFIX}, also in train_set/ and val_set/", HEADS, recognises, read
)  # fmt: skip
