"""Which heads a user's class names become, and the usual names of splits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ConfigError, DataError, lookup
from ..files import natural
from ..labels import EXPRESSION7, EXPRESSION8, SPACES, VAD, VALENCE_AROUSAL, LabelSpace, canonical
from ..records import Sample, Target
from ..tasks import TASKS, Head, Kind
from . import file_checks
from .picture_files import SPLIT_FOLDERS

#: Folder names and table cells that name a split, in lower case.
SPLITS: dict[str, str] = {
    **SPLIT_FOLDERS, "testing": "test", "privatetest": "test",
    "dev": "validation", "publictest": "validation",
}  # fmt: skip
#: More names than this are no classes but something else, such as the names of files.
MOST = 1000
BASIC = (TASKS["expression7"].head("expression7"), TASKS["expression8"].head("expression8"))
_CLASSES = tuple(space for space in SPACES.values() if space not in (VALENCE_AROUSAL, VAD))


@dataclass(frozen=True)
class Labelling:
    """The CLASS heads of a set of class names; `note` says what was decided, or is ''."""

    heads: tuple[Head, ...]
    note: str = field(default="", compare=False)

    def targets(self, label: str) -> dict[str, Target]:
        """Return the target of each head that knows this label. Raises DataError naming the choices."""
        found: dict[str, Target] = {head.name: label for head in self.heads if label in head.space}
        if not found:
            choices = ", ".join(self.heads[-1].space.labels)
            raise DataError(f"label is {file_checks.quoted(label)}, allowed are {choices}")
        return found


def sample_of_subject(root: Path, path: Path, label: str, subject: str) -> Sample:
    """Return a sample in no split, grouped by its subject, with a basic emotion in each head that has it."""
    targets: dict[str, Target] = {head.name: label for head in BASIC if label in head.space}
    source = path.relative_to(root).as_posix()
    return Sample.of_image(path, targets, "", source, group=subject, attributes={"subject": subject})


def is_known(name: str) -> bool:
    """Return whether a name is a class of any shipped label space."""
    return any(name in space for space in _CLASSES)


def space_of(text: str) -> LabelSpace:
    """Return a shipped label space by its name, or a new one of names with commas. Raises ConfigError."""
    labels = tuple(name.strip() for name in text.split(",") if name.strip())
    if len(labels) < 2:
        return lookup(SPACES, text.strip(" ,"), "label space for --labels")
    try:
        return LabelSpace(f"declared{len(labels)}", labels)
    except ValueError as error:
        raise ConfigError(f"--labels: {error}") from None


def declared(options: Mapping[str, str]) -> LabelSpace | None:
    """Return the classes of `--labels`: a shipped space by name, or names with commas. Raises ConfigError."""
    text = options.get("labels", "").strip(" ,")
    if not text:
        return None
    space = space_of(text)
    return space if text in SPACES else shipped(space.labels) or LabelSpace("label", space.labels)


def shipped(names: Iterable[str]) -> LabelSpace | None:
    """Return the shipped label space that has exactly these classes, if any."""
    wanted = {canonical(name) for name in names}
    return next((space for space in _CLASSES if {canonical(label) for label in space.labels} == wanted), None)


def labelling(found: Iterable[str], options: Mapping[str, str], where: Path) -> Labelling:
    """Return the heads for class names: those declared, else the basic emotions where they hold all names,
    else a shipped space of exactly these names, else a sorted one. Raises ConfigError, DataError."""
    if space := declared(options):
        return Labelling(heads_of(space))
    names = {canonical(name): " ".join(name.split()) for name in found if name.strip()}
    basic = tuple(head for head in BASIC if all(name in head.space for name in names))
    if basic or not names:
        return Labelling(basic or BASIC)
    if space := shipped(names):
        return Labelling(heads_of(space))
    if len(names) > MOST:
        first = file_checks.quoted(min(names))
        raise DataError(f"{where}: {len(names)} different labels, such as {first}; at most {MOST}")
    space = LabelSpace("label", tuple(sorted(names.values(), key=lambda name: natural(Path(name)))))
    others = [label for label in space.labels if label not in EXPRESSION8]
    outside = f"; not in expression8: {', '.join(others)}" if len(others) < len(space) else ""
    order = f"{', '.join(space.labels)} (--labels declares another)"
    return Labelling(heads_of(space), f"head 'label', in this order: {order}{outside}")


def heads_of(space: LabelSpace) -> tuple[Head, ...]:
    """Return the CLASS heads of a label space: a set of basic emotions those of the shipped tasks."""
    for head in BASIC:
        if shipped(head.space.labels) == shipped(space.labels):
            return BASIC if head.space is EXPRESSION7 else (head,)
    return (Head(space.name, Kind.CLASS, space),)
