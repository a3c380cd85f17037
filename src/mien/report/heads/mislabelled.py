"""Labels that may be wrong, by confident learning (Northcutt, Jiang & Chuang 2021, arXiv 1911.00068).

Each label's threshold is the mean probability that the model gives it on faces so labelled. A label is
doubtful where the model's answer is another label, above that one's threshold, while the face's own lies
below its own. (The paper's confident joint would also let a label that the model never answers propose
itself, since its threshold is next to nothing.)
"""

from collections import Counter

import numpy as np

from ...records import Floats
from ...render import blocks
from ...render.blocks import Block, Cell, Column, FaceCards, Legend, Section, Strong, Subhead, Table
from ...render.text import number, percent
from ...tasks import Head
from ..record import RunRecord
from ..results import HeadRecord, Rows
from .gallery import cards

_SHOWN = 12
_PAIRS = 5


def suspects(labels: Rows, predicted: Floats) -> tuple[Rows, Rows]:
    """Places of doubtful labels, least probability first, and the label proposed for each.

    `labels` (n,), `predicted` (n, K). A label that no face has has no threshold and is never proposed.
    """
    classes = range(predicted.shape[1])
    means = [predicted[labels == k, k].mean() if (labels == k).any() else np.inf for k in classes]
    passing = predicted >= np.array(means)
    rows, proposed = np.arange(len(labels)), predicted.argmax(axis=1)
    doubtful = np.flatnonzero((proposed != labels) & passing[rows, proposed] & ~passing[rows, labels])
    order = doubtful[np.argsort(predicted[doubtful, labels[doubtful]], kind="stable")]
    return order, proposed[order]


def section(record: RunRecord, result: HeadRecord) -> Section | None:
    """Doubtful labels of a head that answers with one label or a distribution; None where there are none."""
    if result.outputs is None or not result.head.kind.is_exclusive:
        return None
    labels = result.outputs.true.argmax(axis=1)
    places, proposed = suspects(labels, result.outputs.predicted)
    if not len(places):
        return None
    summary = blocks.text(
        Strong(number(len(places))),
        f" of {number(len(labels))} faces ({percent(len(places) / len(labels), 1)}) look more like another "
        "label than like their own. A list of faces to look at, not of mistakes: the model may be the one "
        "that errs.",
    )
    warning = (
        "The model was trained on these very faces and has memorised many of their labels, so the list says "
        "little. Judge a split the model has not seen."
    )
    pairs = _pairs(result.head, labels[places], proposed)
    note = warning if record.data.get("trained_on") else ""
    return Section("Likely mislabelled", note=note, blocks=(summary, pairs, *_faces(record, result, places)))


def _pairs(head: Head, labels: Rows, proposed: Rows) -> Table:
    pairs = Counter(zip(labels.tolist(), proposed.tolist(), strict=True))
    common = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))[:_PAIRS]
    names = head.space.labels
    rows = tuple((Cell(names[i]), Cell(names[j]), Cell(number(count))) for (i, j), count in common)
    columns = (*blocks.columns("Given", "Looks like", look=""), Column("Faces", "n"))
    return Table("Commonest doubtful labels", columns, rows)


def _faces(record: RunRecord, result: HeadRecord, places: Rows) -> list[Block]:
    if record.store is None:
        return []
    shown = FaceCards(tuple(cards(record, result, places[:_SHOWN])))
    return [
        Subhead("Most doubtful", "the least probability for the given label"),
        Legend("bars", verdicts=True),
        shown,
    ]
