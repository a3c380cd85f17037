"""What the columns of a user's table mean: by their names and, where names are free, by their cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ...errors import DataError
from ...labels import LabelSpace, canonical
from ...tasks import TASKS, Head, Kind
from ..labelling import Labelling, declared, is_known, labelling, shipped
from .table_file import TableFile

#: The names of a column by its role, the preferred name first; blank, _ and - are the same.
ROLES: dict[str, tuple[str, ...]] = {
    "picture": ("image", "picture", "file", "filename", "path", "pth", "file name", "file path", "filepath",
                "image path", "image file", "image name", "img", "img path", "img name", "pic", "photo"),
    "label": ("label", "emotion", "expression", "class", "labels"),
    "split": ("split", "usage", "set", "subset"),
    "group": ("group", "subject", "person", "subject id", "person id"),
    "x": ("x", "left"), "y": ("y", "top"), "width": ("width", "w"), "height": ("height", "h"),
    "valence": ("valence",), "arousal": ("arousal",), "dominance": ("dominance",),
}  # fmt: skip
BOX = ("x", "y", "width", "height")
_LONGEST = 200  # bytes of an attribute in a store
AXES = ("valence", "arousal", "dominance")
#: Numbers that describe, where class names are free.
_DESCRIBING = (
    "age", "gender", "sex", "race", "ethnicity", "id", "index", "no", "number", "frame", "time", "timestamp",
)  # fmt: skip


def roles(columns: list[str]) -> dict[str, int]:
    """Return the column number of each role that the table has a column for."""
    plain = [" ".join(name.lower().replace("_", " ").replace("-", " ").split()) for name in columns]
    named = {role: [plain.index(name) for name in names if name in plain] for role, names in ROLES.items()}
    found = {role: places[0] for role, places in named.items() if places}
    boxed = found.keys() >= set(BOX)
    return {role: place for role, place in found.items() if boxed or role not in BOX}


@dataclass(frozen=True)
class Meaning:
    """What to read from each row. `label` is for a column of labels, or for `classes` of which one is 1 in a
    row; `shares` for `classes` of any numbers, or of several ones; `values` for affect."""

    table: TableFile
    roles: Mapping[str, int]
    classes: tuple[int, ...] = ()
    label: Labelling | None = None
    shares: Head | None = None
    values: Head | None = None

    @property
    def heads(self) -> tuple[Head, ...]:
        """The targets that the table has."""
        return (*(self.label.heads if self.label else ()), *filter(None, (self.shares, self.values)))

    @cached_property
    def attributes(self) -> dict[str, int]:
        """The columns that only describe, by name; those without a name or with long texts are left out."""
        taken = {place for role, place in self.roles.items() if role not in AXES or self.reads(role)}
        taken |= set(self.classes)
        free = {place: name for place, name in enumerate(self.table.columns) if name and place not in taken}
        rows = list(self.table.complete_rows())
        long = {place for cells in rows for place in free if len(cells[place].encode()) > _LONGEST}
        return {name.replace("/", "_"): place for place, name in free.items() if place not in long}

    def reads(self, axis: str) -> bool:
        """Return whether an axis of affect is a target here."""
        return self.values is not None and axis in self.values.space and axis in self.roles

    @property
    def notes(self) -> list[str]:
        """What was decided, in words."""
        names = [self.table.columns[place] for place in self.classes]
        classes = f"classes from the columns {', '.join(names)}" if names else ""
        attributes = f"attributes from the columns {', '.join(self.attributes)}" if self.attributes else ""
        return list(filter(None, (classes, self.label.note if self.label else "", attributes)))


def meaning(table: TableFile, options: Mapping[str, str]) -> Meaning:
    """Decide what the columns of a table mean. Raises DataError that lists the columns and what is needed."""
    found, columns = roles(table.columns), f"it has: {', '.join(filter(None, table.columns))}"
    if "picture" not in found:
        needed = "image, file, filename, path or pth"
        raise DataError(f"{table.path}: no column with pictures ({columns}; needed: {needed})")
    values = _values(table, found)
    if "label" in found:
        names = (cells[found["label"]] for cells in table.complete_rows())
        return Meaning(table, found, label=labelling(names, options, table.path), values=values)
    classes = _classes(table, found, options)
    if classes:
        label, shares = _answers(table, classes, options)
        return Meaning(table, found, classes, label, shares, values)
    if not values:
        needed = "label, emotion, expression or class; or numbers for each class; or valence and arousal"
        raise DataError(f"{table.path}: no column with labels ({columns}; needed: {needed})")
    return Meaning(table, found, values=values)


def _classes(table: TableFile, found: Mapping[str, int], options: Mapping[str, str]) -> tuple[int, ...]:
    """Return the columns that are classes: those declared, else those named after a class or, where no column
    has valence, with a number in the first cell."""
    columns = [(canonical(name), place) for place, name in enumerate(table.columns) if name]
    free = [(name, place) for name, place in columns if place not in found.values()]
    if space := declared(options):
        place_of = dict(free)
        if missing := [label for label in space.labels if canonical(label) not in place_of]:
            fault = f"no column 'label', and none for the class '{missing[0]}'"
            raise DataError(f"{table.path}: {fault} (it has: {', '.join(table.columns)})")
        return tuple(place_of[canonical(label)] for label in space.labels)
    any_number = not {"valence", "arousal"} & found.keys()
    classes = [
        place
        for name, place in free
        if is_known(name) or (any_number and name not in _DESCRIBING and _starts_with_number(table, place))
    ]
    return tuple(classes) if len(classes) > 1 else ()


def _starts_with_number(table: TableFile, place: int) -> bool:
    for cells in table.complete_rows():
        try:
            if table.number(cells, place) is not None:
                return True
        except DataError:
            return False
    return False


def _answers(
    table: TableFile, classes: Sequence[int], options: Mapping[str, str]
) -> tuple[Labelling | None, Head | None]:
    """One-hot columns are labels, other zeros and ones tags, all else votes or probabilities."""
    names = tuple(table.columns[place] for place in classes)
    rows = list(filter(None, (_numbers(table, cells, classes) for cells in table.complete_rows())))
    binary = {value for row in rows for value in row} <= {0, 1}
    if binary and max(map(sum, rows), default=1) <= 1:
        return labelling(names, options, table.path), None
    try:
        space = shipped(names) or LabelSpace("label", names)
    except ValueError as error:
        raise DataError(f"{table.path}: {error}") from None
    if binary:
        return None, Head("tags", Kind.TAGS, space)
    return None, Head(f"distribution{len(space)}", Kind.DISTRIBUTION, space)


def _numbers(table: TableFile, cells: list[str], places: Sequence[int]) -> list[float]:
    """Return the numbers of a row; none where a cell is no number, which is reported when the row is read."""
    try:
        return [number for place in places if (number := table.number(cells, place)) is not None]
    except DataError:
        return []


def _values(table: TableFile, found: Mapping[str, int]) -> Head | None:
    """Return valence and arousal in -1…1; with dominance and most numbers above 1, all three in 1…10."""
    places = [found[axis] for axis in AXES if axis in found]
    if not {"valence", "arousal"} & found.keys():
        return None
    numbers = [number for cells in table.complete_rows() for number in _numbers(table, cells, places)]
    large = 2 * sum(number > 1 for number in numbers) > len(numbers)
    vad = "dominance" in found and large
    return TASKS["emotic"].head("vad") if vad else TASKS["affect"].head("valence_arousal")
