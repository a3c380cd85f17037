"""EMOTIC as its authors give it: `Annotations.mat` with the pictures of four older sets beside it."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...files import sha256
from ..base import Importer, ImportLog, PendingSample
from . import people
from .matlab import annotators, corners, described, several, structs, text, variables
from .people import DATABASES, HEADS, SPLITS, TAGS, PersonRecord, known, note, picture_name

FILES = ("Annotations.mat", "CVPR17_Annotations.mat")
_FOLDERS = ("", "Annotations", "annotations", "Annotations/Annotations")


def recognises(root: Path) -> bool:
    """Recognise a MAT-file, or a folder with one: in it, in its `Annotations`, or beside its pictures."""
    return _table(root) is not None


def _table(root: Path) -> Path | None:
    if root.is_file():
        return root if root.suffix.lower() == ".mat" else None
    places = [root, root.absolute().parent] if people.photo_folder(root) == root else [root]
    named = (place / folder / name for place in places for folder in _FOLDERS for name in FILES)
    return next((path for path in named if path.is_file()), None)


def read(root: Path, log: ImportLog) -> Iterator[PendingSample]:
    """Yield people by split and picture; their source is the picture's path and their number in it."""
    table = _table(root)
    if table is None:
        raise DataError(f"{root}: none of {', '.join(FILES)} is here or in Annotations/")
    folder = people.photo_folder(*list(table.absolute().parents)[:3])
    if folder is None:
        needed = f"a folder emotic/ with {', '.join(DATABASES)}"
        raise DataError(f"{table}: no pictures beside it; needed is {needed}")
    log.inputs[table.name] = sha256(table)
    yield from people.items(_people(table, folder, log), log)


def _people(table: Path, folder: Path, log: ImportLog) -> list[PersonRecord]:
    found: list[PersonRecord] = []
    joined: list[str] = []
    bare: list[str] = []
    for split, entries in variables(table, list(SPLITS)).items():
        for number, entry in enumerate(entries, 1):
            for place, answers in enumerate(structs(entry.get("person")), 1):
                with log.rejecting(f"{table}, {split}({number}).person({place})"):
                    person = _person(entry, answers, SPLITS[split], folder)
                    found.append(person)
                    if person.targets and not several(answers.get("combined_categories", "-")):
                        (joined if TAGS.name in person.targets else bare).append(person.picture)
    note(log, joined, "combined_categories is empty, taken are the tags of all annotators")
    note(log, bare, "combined_categories is empty, kept with valence, arousal and dominance alone")
    return found


def _person(entry: Mapping[str, Any], answers: Mapping[str, Any], split: str, folder: Path) -> PersonRecord:
    picture = picture_name(text(entry.get("folder")), text(entry.get("filename")))
    database = next(iter(structs(entry.get("original_database"))), {}).get("name")
    attributes = known(
        gender=text(answers.get("gender")), age=text(answers.get("age")), annotators=annotators(answers),
        database=text(database) or picture.partition("/")[0],
    )  # fmt: skip
    load = partial(people.photo, folder / picture)
    return PersonRecord(picture, split, corners(answers), described(answers), attributes, load)


_LOOKS_FOR = f"{' or '.join(FILES)} beside the pictures ({', '.join(DATABASES)})"
EMOTIC = Importer("emotic", _LOOKS_FOR, HEADS, recognises, read)
