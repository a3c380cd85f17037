"""Drawn faces as folders in the layouts of real data sets, to rehearse with before the real ones have come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ...records import Sample
from . import affectnet, emotic, fer2013, smallsets

__all__ = ["LAYOUTS"]

#: Writes drawn samples (uint8 RGB images with every target of `sketch.HEADS`) into an empty folder as a data set has them.
Writer = Callable[[Path, Iterable[Sample]], None]

#: By the name of the importer that reads it back.
LAYOUTS: dict[str, Writer] = {
    "emotic": emotic.write_mat,
    "emotic-csv": emotic.write_csv,
    "emotic-arrays": emotic.write_arrays,
    "emotic-folders": emotic.write_folders,
    "prob-rank": affectnet.prob_rank,
    "affectnet": affectnet.affectnet,
    "affectnet-csv": affectnet.affectnet_csv,
    "rafdb": smallsets.rafdb,
    "rafdb-compound": smallsets.rafdb_compound,
    "rafdb-folders": smallsets.rafdb_folders,
    "ck48": smallsets.ck48,
    "jaffe": smallsets.jaffe,
    "fer2013": fer2013.write_csv,
    "table": smallsets.table,
    "folders": smallsets.folders,
}
