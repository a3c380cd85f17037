"""Several moments recognised in one go: a model answers a batch much faster than its parts."""

from __future__ import annotations

from collections.abc import Sequence

from ..records import Prediction
from .session import Found

#: At most this many moments are recognised in one go, and only as many as are waiting: a camera's is never held back.
MOST = 16


def recognise_batch(batch: Sequence[Found]) -> list[list[Prediction] | Exception]:
    """The predictions for each of these, in one go; if that fails, one by one, so that only the one at fault has an error."""
    if not batch:
        return []
    try:
        return [*batch[0].session.model.recognise([one.moment for one in batch], [one.subjects for one in batch])]
    except Exception as error:  # whatever a model or a picture raises
        return [error] if len(batch) == 1 else [recognise_batch([one])[0] for one in batch]
