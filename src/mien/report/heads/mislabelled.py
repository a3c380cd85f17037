"""Labels that may be wrong, by confident learning (Northcutt, Jiang & Chuang 2021, arXiv 1911.00068).

Each label's threshold is the mean probability that the model gives it on faces so labelled. A given label is
doubtful where the model's answer is another label, above that one's threshold, while the given one lies below
its own. (The paper's confident joint would also let a label that the model never answers propose itself,
since its threshold is next to nothing.)
"""

import numpy as np
from numpy.typing import NDArray

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


def suspects(labels_given: Rows, predicted: Floats) -> tuple[Rows, Rows]:
    """Places of doubtful labels, least probability for the given one first, and the label proposed for each;
    given (n,), predicted (n, K). A label nobody was given has no threshold and is never proposed.
    """
    means = [
        predicted[labels_given == k, k].mean() if (labels_given == k).any() else np.inf
        for k in range(predicted.shape[1])
    ]
    passing = predicted >= np.array(means)
    rows, proposed = np.arange(len(labels_given)), predicted.argmax(axis=1)
    doubtful = np.flatnonzero(
        (proposed != labels_given) & passing[rows, proposed] & ~passing[rows, labels_given]
    )
    order = doubtful[np.argsort(predicted[doubtful, labels_given[doubtful]], kind="stable")]
    return order, proposed[order]


def section(record: RunRecord, result: HeadRecord) -> Section | None:
    """Doubtful labels of a head that answers with one label or a distribution; None where there is none or no
    prediction."""
    if result.outputs is None or not result.head.kind.is_exclusive:
        return None
    labels_given = result.outputs.true.argmax(axis=1)
    places, proposed = suspects(labels_given, result.outputs.predicted)
    if not len(places):
        return None
    share = len(places) / len(labels_given)
    summary = blocks.text(
        Strong(number(len(places))),
        f" of {number(len(labels_given))} faces ({percent(share, 1)}) look more like another label than like their own. "
        "A list of faces to look at, not of mistakes: the model may be the one that errs.",
    )
    warning = (
        "The model was trained on these very faces and has memorised many of their labels, so the list says little. "
        "Judge a split the model has not seen."
        if record.data.get("trained_on")
        else ""
    )
    pairs = _pairs(result.head, labels_given[places], proposed)
    return Section(
        "Likely mislabelled", note=warning, blocks=(summary, pairs, *_faces(record, result, places))
    )


def _pairs(head: Head, labels_given: Rows, proposed: NDArray[np.int64]) -> Table:
    counts = np.zeros((len(head), len(head)), np.int64)
    np.add.at(counts, (labels_given, proposed), 1)
    order = [
        divmod(int(place), len(head)) for place in np.argsort(-counts, axis=None, kind="stable")[:_PAIRS]
    ]
    labels = head.space.labels
    rows = tuple(
        (Cell(labels[i]), Cell(labels[j]), Cell(number(int(counts[i, j])))) for i, j in order if counts[i, j]
    )
    return Table(
        "Commonest doubtful labels", (Column("Given"), Column("Looks like"), Column("Faces", "n")), rows
    )


def _faces(record: RunRecord, result: HeadRecord, places: Rows) -> list[Block]:
    if record.store is None:
        return []
    shown = FaceCards(tuple(cards(record, result, places[:_SHOWN])))
    return [
        Subhead("Most doubtful", "the least probability for the given label"),
        Legend("bars", verdicts=True),
        shown,
    ]
