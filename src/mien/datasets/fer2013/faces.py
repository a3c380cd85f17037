"""The 48x48 faces of FER-2013: written as numbers in a CSV file, or in picture files of their own.

CSV is read at the speed of the disk: numpy parses whole blocks of rows. A block that does not fit is read
again row by row, to accept what is harmless and to name what is not.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from ...errors import DataError, InputError
from ...media import image as images
from ...records import Pixels
from .. import file_checks
from ..base import ImportLog

SIDE = 48
PIXELS = SIDE * SIDE
_BLOCK = 1 << 18  # a block and its temporaries stay in the processor's cache
_AROUND = b' \t\r\n"'
_CUT = "the file is cut in the middle of this row, download it again: "
_SPELLINGS = {"pixel_values": "pixels"}


class FaceRow(NamedTuple):
    """One face: its row, counted from 0, and what its codes stand for ('' without such a column)."""

    number: int
    image: Pixels
    emotion: str
    usage: str


class FaceTable:
    """A CSV file with a column `pixels` (2304 numbers from 0 to 255); `names`: the codes of other columns."""

    def __init__(self, path: Path, log: ImportLog, names: Mapping[str, Mapping[bytes, str]]) -> None:
        """Read the header. Raises DataError for a file that is something else."""
        self.path, self._log, self._names = path, log, names
        found = file_checks.column_names(path)
        self.columns = [_SPELLINGS.get(name, name) for name in found]
        if {"neutral", "nf"} <= set(found):
            votes = "these are FER+ votes (fer2013new.csv), not FER-2013"
            raise DataError(f"{path}: {votes}; put both files into one folder")
        if "pixels" not in self.columns:
            first = file_checks.quoted(",".join(found), 60)
            raise DataError(f"{path}: no column 'pixels' (first line: {first}; needed: emotion,pixels,Usage)")
        if file_checks.has_long_line(path):
            raise DataError(f"{path}: the first row is longer than 64 KiB; a face takes about 9")
        self._pixels = self.columns.index("pixels")
        self.rows, self._lines = 0, 1

    def __iter__(self) -> Iterator[FaceRow]:
        """Read all rows; the file's SHA-256 goes into the log. Raises DataError naming row and line."""
        self.rows, self._lines = 0, 1
        with file_checks.reading(self.path), self.path.open("rb", buffering=_BLOCK) as file:
            total = self.path.stat().st_size
            digest, done = hashlib.sha256(file.readline()), 0
            while lines := file.readlines(_BLOCK):
                block = b"".join(lines)
                digest.update(block)
                yield from self._faces(lines)
                done += len(block)
                self._log.progress(done, total)
            self._log.progress(total, total)
        self._log.inputs[self.path.name] = digest.hexdigest()

    def _faces(self, lines: list[bytes]) -> Iterator[FaceRow]:
        places = [place for place, line in enumerate(lines) if not line.isspace()]
        rows = [self._fields(lines[place]) for place in places]
        texts = [row[self._pixels] for row in rows]
        parsed = parse(texts)
        faces = [_face(text) for text in texts] if parsed is None else parsed
        emotions, usages = self._named("emotion", rows), self._named("usage", rows)
        first, self.rows = self.rows, self.rows + len(rows)
        before, self._lines = self._lines, self._lines + len(lines)
        if isinstance(faces, np.ndarray) and None not in emotions and None not in usages:
            rows_of_faces = zip(range(first, self.rows), faces, emotions, usages, strict=True)
            yield from map(FaceRow._make, rows_of_faces)
            return
        for i, (image, emotion, usage) in enumerate(zip(faces, emotions, usages, strict=True)):
            if isinstance(image, str) or emotion is None or usage is None:
                line = lines[places[i]]
                fault = ("" if line.endswith(b"\n") else _CUT) + (self._fault(line, rows[i]) or str(image))
                self._log.reject(f"{self.path}, row {first + i} (line {before + places[i] + 1}): {fault}")
            else:
                yield FaceRow(first + i, image, emotion, usage)

    def _fields(self, line: bytes) -> list[bytes]:
        """Return the fields of a row; all empty where they are not as many as the columns."""
        fields = line.split(b",", self._pixels)
        fields += fields.pop().rsplit(b",", len(self.columns) - len(fields) - 1)
        if len(fields) != len(self.columns):
            return [b""] * len(self.columns)
        return [field.strip(_AROUND) for field in fields]

    def _named(self, column: str, rows: list[list[bytes]]) -> list[str | None]:
        """Return what the codes in a column stand for; None for an unknown one."""
        if column not in self.columns:
            return [""] * len(rows)
        place, names = self.columns.index(column), self._names[column]
        return [names.get(row[place]) for row in rows]

    def _fault(self, line: bytes, row: list[bytes]) -> str:
        """Return what is wrong with a row besides its pixels."""
        if line.count(b",") + 1 != len(self.columns):
            return f"{line.count(b',') + 1} fields, the header has {len(self.columns)}"
        for column, names in self._names.items():
            code = row[self.columns.index(column)] if column in self.columns else next(iter(names))
            if code not in names:
                allowed = ", ".join(map(bytes.decode, names))
                return f"{column} is {file_checks.quoted(code)}, allowed are {allowed}"
        return ""


def _face(text: bytes) -> Pixels | str:
    """Return a face, or what is wrong with its text."""
    words = text.split()
    for position, word in enumerate(words):
        if not word.isdigit() or len(word.lstrip(b"0")) > 3 or int(word) > 255:
            wrong = file_checks.quoted(word, 20)
            return f"pixel {position} is {wrong}, allowed are whole numbers from 0 to 255"
    if len(words) != PIXELS:
        return f"{len(words)} pixels, {PIXELS} are needed ({SIDE}x{SIDE})"
    return np.array([int(word) for word in words], np.uint8).reshape(SIDE, SIDE)


def parse(texts: list[bytes]) -> Pixels | None:
    """Return faces (n, 48, 48) from n texts of 2304 numbers with single blanks; None if any text differs."""
    text = np.frombuffer(b"   " + b" ".join(texts) + b" ", np.uint8)
    ends = (text[3:] == ord(" ")).nonzero()[0]
    last = np.cumsum(np.fromiter(map(len, texts), np.int64) + 1) - 1
    if len(ends) != PIXELS * len(texts) or (ends[PIXELS - 1 :: PIXELS] != last).any():
        return None
    hundreds, tens, ones = (text[place:].take(ends, mode="clip") - np.uint8(ord("0")) for place in range(3))
    two = tens < 10
    three = two & (hundreds < 10)
    # All that is not blank must be counted digits: then nothing else is in it, and no number has four digits.
    counted = len(ends) + np.count_nonzero(two) + np.count_nonzero(three)
    if ones.max(initial=0) > 9 or counted != len(text) - 3 - len(ends):
        return None
    hundreds *= three
    below = tens * np.uint8(10) * two + ones
    values = hundreds * np.uint8(100) + below  # uint8 wraps above 255, which the two comparisons detect
    if hundreds.max(initial=0) > 2 or (values < below).any():
        return None
    return np.asarray(values.reshape(-1, SIDE, SIDE), np.uint8)


def decode_face(data: bytes, source: str) -> Pixels:
    """Decode a 48x48 face, grey. Raises InputError for anything else."""
    face = images.recolour(images.decode(data, source), "grey")
    if face.shape != (SIDE, SIDE):
        size = f"{face.shape[1]}x{face.shape[0]} pixels"
        raise InputError(f"{source}: {size}, faces of FER-2013 are {SIDE}x{SIDE}")
    return face


def is_face_sized(path: Path) -> bool:
    """Return whether a picture has the size of FER-2013's faces, by its header; true if it cannot be read."""
    try:
        with Image.open(path, formats=images.FORMATS) as image:
            return image.size == (SIDE, SIDE)
    except Exception:  # a decoder of foreign bytes may raise anything
        return True
