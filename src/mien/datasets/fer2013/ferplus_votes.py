"""The heads that FER+ votes give, and votes turned into their targets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...labels import EXPRESSION8, FERPLUS10
from ...records import Target
from ...tasks import Head, Kind
from .. import file_checks
from ..base import ImportLog
from .ferplus_rules import Votes, target

HEADS = (
    Head("expression8", Kind.CLASS, EXPRESSION8),
    Head("distribution8", Kind.DISTRIBUTION, EXPRESSION8),
    Head("votes10", Kind.DISTRIBUTION, FERPLUS10),
)


def targets(votes: Votes, rule: str) -> list[dict[str, Target]]:
    """Return each row's targets: the majority's emotion, the distribution by `rule`, the votes, as far as there are any."""
    sure, named = target("majority", votes)
    shares, shared = target(rule, votes)
    found: list[dict[str, Target]] = [{} for _ in votes]
    for i, row in enumerate(votes.tolist()):
        if any(row):
            found[i]["votes10"] = dict(zip(FERPLUS10.labels, row, strict=True))
        if named[i]:
            found[i]["expression8"] = EXPRESSION8.labels[int(sure[i].argmax())]
        if shared[i]:
            found[i]["distribution8"] = dict(zip(EXPRESSION8.labels, shares[i].tolist(), strict=True))
    return found


def counted(cells: Sequence[Sequence[str]], path: Path, log: ImportLog, first_line: int) -> Votes:
    """Return votes (n, 10) from ten texts a row. A row that is not ten numbers from 0 to 10 is bad, and has no votes."""
    votes = np.zeros((len(cells), len(FERPLUS10)))
    for row, texts in enumerate(cells):
        if len(texts) == len(FERPLUS10) and all(_is_count(text) for text in texts):
            votes[row] = [int(text) for text in texts]
        else:
            cell_text = file_checks.quoted(",".join(texts))
            log.reject(
                f"{path}, row {row} (line {row + first_line}): votes {cell_text} are not ten numbers from 0 to 10"
            )
    return votes


def _is_count(text: str) -> bool:
    plain = text.strip()
    return plain.isascii() and plain.isdigit() and int(plain) <= 10
