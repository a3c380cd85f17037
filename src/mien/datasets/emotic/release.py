"""EMOTIC as its authors give it: `Annotations.mat` with the pictures of four older sets beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...files import sha256
from ..base import Importer, Item, Journal
from .matlab import annotators, corners, described, several, structs, text, variables
from .people import DATABASES, HEADS, SPLITS, TAGS, Person, items, note, photo, photos, picture_name, told

FILES = ("Annotations.mat", "CVPR17_Annotations.mat")
_FOLDERS = ("", "Annotations", "annotations", "Annotations/Annotations")


def recognises(root: Path) -> bool:
    """A MAT-file, or a folder with one: in it, in its `Annotations`, or beside it where it is the pictures' folder."""
    return _table(root) is not None


def _table(root: Path) -> Path | None:
    if root.is_file():
        return root if root.suffix.lower() == ".mat" else None
    places = [root, root.absolute().parent] if photos(root) == root else [root]
    named = (place / folder / name for place in places for folder in _FOLDERS for name in FILES)
    return next((path for path in named if path.is_file()), None)


def read(root: Path, journal: Journal) -> Iterator[Item]:
    """People by split and picture; their source is the picture's path and their number in it, counted from 0."""
    table = _table(root)
    if table is None:
        raise DataError(f"{root}: none of {', '.join(FILES)} is here or in Annotations/")
    folder = photos(*list(table.absolute().parents)[:3])
    if folder is None:
        raise DataError(f"{table}: no pictures beside it; needed is a folder emotic/ with {', '.join(DATABASES)}")
    journal.inputs[table.name] = sha256(table)
    yield from items(_people(table, folder, journal), journal)


def _people(table: Path, folder: Path, journal: Journal) -> list[Person]:
    people: list[Person] = []
    joined: list[str] = []
    bare: list[str] = []
    for split, entries in variables(table, list(SPLITS)).items():
        for number, entry in enumerate(entries, 1):
            for place, said in enumerate(structs(entry.get("person")), 1):
                try:
                    person = _person(entry, said, SPLITS[split], folder)
                except DataError as error:
                    journal.bad(f"{table}, {split}({number}).person({place}): {error}")
                    continue
                people.append(person)
                if person.targets and "combined_categories" in said and not several(said["combined_categories"]):
                    (joined if TAGS.name in person.targets else bare).append(person.picture)
    note(journal, joined, "combined_categories is empty, taken are the tags of all annotators")
    note(journal, bare, "combined_categories is empty, kept with valence, arousal and dominance alone")
    return people


def _person(entry: Mapping[str, Any], said: Mapping[str, Any], split: str, folder: Path) -> Person:
    picture = picture_name(text(entry.get("folder")), text(entry.get("filename")))
    database = next(iter(structs(entry.get("original_database"))), {}).get("name")
    attributes = told(
        gender=text(said.get("gender")), age=text(said.get("age")), annotators=annotators(said),
        database=text(database) or picture.partition("/")[0],
    )  # fmt: skip
    return Person(picture, split, corners(said), described(said), attributes, partial(photo, folder / picture))


EMOTIC = Importer(
    "emotic", f"{' or '.join(FILES)} beside the pictures ({', '.join(DATABASES)})", HEADS, recognises, read
)  # fmt: skip
