"""What is shown of each kind of head, in order."""

from collections.abc import Callable, Iterator

from ...render.blocks import Section
from ...tasks import Kind
from ..record import RunRecord
from ..results import HeadRecord
from ..summary import ANSWERS
from . import gallery, mislabelled
from .certainty import abstaining, calibration, prediction_sets
from .confusion import confusion, cooccurrence
from .distributions import distribution
from .measures import measures
from .per_label import per_label
from .subgroups import subgroups
from .values import values

Part = Callable[[HeadRecord], Section | None]
_CERTAINTY: tuple[Part, ...] = (calibration, abstaining, prediction_sets)


def sections(record: RunRecord) -> tuple[Section, ...]:
    """The sections of all heads; a task of one head has no level of its own."""
    trees = [(result, tuple(_sections(record, result))) for result in record.heads]
    if len(trees) == 1:
        return trees[0][1]
    return tuple(Section(_title(result), children=parts) for result, parts in trees)


def _sections(record: RunRecord, result: HeadRecord) -> Iterator[Section]:
    parts = (part(result) for part in PARTS[result.head.kind])
    for found in (*parts, gallery.section(record, result), mislabelled.section(record, result)):
        if found:
            yield found


def _title(result: HeadRecord) -> str:
    return f"{result.head.name}: {ANSWERS[result.head.kind].format(len(result.head))}"


#: The sections of each kind of head, in order; a part that the run says nothing of is None. Faces follow.
PARTS: dict[Kind, tuple[Part, ...]] = {
    Kind.CLASS: (measures, confusion, per_label, *_CERTAINTY, subgroups),
    Kind.DISTRIBUTION: (measures, distribution, confusion, per_label, *_CERTAINTY, subgroups),
    Kind.TAGS: (measures, per_label, cooccurrence, subgroups),
    Kind.VALUES: (measures, values, subgroups),
}
