"""Labels that may be wrong, by confident learning (Northcutt, Jiang & Chuang 2021, arXiv 1911.00068).

Each label's threshold is the mean probability that the model gives it on faces so labelled. A given label is doubtful where the
model's answer is another label, above that one's threshold, while the given one lies below its own. (The paper's confident joint
would also let a label that the model never answers propose itself, since its threshold is next to nothing.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...records import Floats
from ...render import blocks
from ...render.blocks import Block, Cell, Column, FaceCards, Legend, Section, Strong, Subhead, Table
from ...render.text import number, percent
from ...tasks import Head, Kind
from ..record import RunRecord
from ..results import HeadRecord, Rows
from .gallery import cards

_SHOWN = 12
_PAIRS = 5


def suspects(given: Rows, predicted: Floats) -> tuple[Rows, Rows]:
    """Places of doubtful labels, least probability for the given one first, and the label proposed for each; given (n,),
    predicted (n, K). A label nobody was given has no threshold and is never proposed.
    """
    means = [predicted[given == k, k].mean() if (given == k).any() else np.inf for k in range(predicted.shape[1])]
    passing = predicted >= np.array(means)
    rows, proposed = np.arange(len(given)), predicted.argmax(axis=1)
    doubtful = np.flatnonzero((proposed != given) & passing[rows, proposed] & ~passing[rows, given])
    order = doubtful[np.argsort(predicted[doubtful, given[doubtful]], kind="stable")]
    return order, proposed[order]


def section(record: RunRecord, one: HeadRecord) -> Section | None:
    """Doubtful labels of a head that answers with one label or a distribution; None where there is none or no prediction."""
    if one.outputs is None or one.head.kind not in (Kind.CLASS, Kind.DISTRIBUTION):
        return None
    given = one.outputs.true.argmax(axis=1)
    places, proposed = suspects(given, one.outputs.predicted)
    if not len(places):
        return None
    share = len(places) / len(given)
    told = blocks.text(
        Strong(number(len(places))),
        f" of {number(len(given))} faces ({percent(share, 1)}) look more like another label than like their own. "
        "A list of faces to look at, not of mistakes: the model may be the one that errs.",
    )
    warning = (
        "The model was trained on these very faces and has learnt many of their labels by heart: of these faces the list "
        "says little. Judge a split the model has not seen."
        if record.data.get("trained_on")
        else ""
    )
    pairs = _pairs(one.head, given[places], proposed)
    return Section("Likely mislabelled", note=warning, blocks=(told, pairs, *_faces(record, one, places)))


def _pairs(head: Head, given: Rows, proposed: NDArray[np.int64]) -> Table:
    counts = np.zeros((len(head), len(head)), np.int64)
    np.add.at(counts, (given, proposed), 1)
    order = [divmod(int(place), len(head)) for place in np.argsort(-counts, axis=None, kind="stable")[:_PAIRS]]
    labels = head.space.labels
    rows = tuple((Cell(labels[i]), Cell(labels[j]), Cell(number(int(counts[i, j])))) for i, j in order if counts[i, j])
    return Table("Commonest doubtful labels", (Column("Given"), Column("Looks like"), Column("Faces", "n")), rows)


def _faces(record: RunRecord, one: HeadRecord, places: Rows) -> list[Block]:
    if record.store is None:
        return []
    shown = FaceCards(tuple(cards(record, one, places[:_SHOWN])))
    return [Subhead("Most doubtful", "the least probability for the given label"), Legend("bars", verdicts=True), shown]
