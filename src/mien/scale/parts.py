"""The parts of a job: one Parquet file a shard, and the manifest of the folder they lie in."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..extras import require
from ..outputs.formats.parquet import Parquet
from ..predict.results import ModelOrigin, Result
from ..predict.settings import current_words
from ..records import ReadError
from .folders import Folder

#: Readers of Parquet pass over names that begin so.
MANIFEST = "_manifest.json"
#: The key of a part's own metadata under which its counts lie.
KEY = b"mien"
_PART = re.compile(r"part-(\d+)\.parquet")
_AT_ONCE = 16


@dataclass
class Count:
    """What a part holds: frames, faces, frames without a face, and what could not be read."""

    part: int
    frames: int = 0
    faces: int = 0
    empty: int = 0
    faults: list[ReadError] = field(default_factory=list)

    def to_json(self) -> str:
        """As a part's metadata keep it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> Count:
        """Read it back."""
        values = json.loads(text)
        return cls(**values | {"faults": [ReadError(**fault) for fault in values["faults"]]})


class PartWriter(Parquet):
    """Writes a shard's rows, as every Parquet file of results has them, and their count as metadata."""

    def __init__(self, path: Path, origin: ModelOrigin, number: int) -> None:
        """Begin. Raises OSError naming the file."""
        super().__init__(path, origin)
        self.count = Count(number)

    def add(self, result: Result) -> None:
        """Take one frame's rows."""
        self.count.frames += 1
        self.count.faces += len(result.predictions)
        self.count.empty += not result.predictions
        super().add(result)

    def fail(self, fault: ReadError) -> None:
        """Note what could not be read."""
        self.count.faults.append(fault)

    def close(self) -> None:
        """Add the count, and finish the file."""
        if not self.over:
            self._writer.add_key_value_metadata({KEY.decode(): self.count.to_json()})
        super().close()


def part_of(number: int, results: Iterable[Result | ReadError], origin: ModelOrigin) -> tuple[bytes, Count]:
    """The bytes of a shard's part, and its count."""
    with tempfile.TemporaryDirectory(prefix="mien-") as scratch:
        path = Path(scratch, name_of(number))
        writer = PartWriter(path, origin, number)
        for item in results:
            if isinstance(item, ReadError):
                writer.fail(item)
            else:
                writer.add(item)
        writer.close()
        return path.read_bytes(), writer.count


def name_of(number: int) -> str:
    """The file of a shard."""
    return f"part-{number:06}.parquet"


def begin(folder: Folder, manifest: Mapping[str, Any], *, overwrite: bool = False) -> dict[int, Count]:
    """Begin or continue a folder of parts: return what is done. Raises ConfigError for foreign files."""
    names = folder.names()
    if overwrite:
        for name in sorted(name for name in names if name == MANIFEST or _PART.fullmatch(name)):
            folder.remove(name)
        names = folder.names()
    if MANIFEST in names:
        _same(folder, manifest)
        return _done(folder, names)
    if names:
        raise ConfigError(f"{folder.location}: holds {min(names)} but no {MANIFEST}; choose an empty folder")
    folder.write(MANIFEST, json.dumps(manifest, indent=2).encode())
    return {}


def finished(folder: Folder) -> set[int]:
    """The numbers of the parts that are there."""
    return {int(found[1]) for name in folder.names() if (found := _PART.fullmatch(name))}


def _same(folder: Folder, manifest: Mapping[str, Any]) -> None:
    with folder.open(MANIFEST) as file:
        try:
            earlier = dict(json.loads(file.read()))
        except ValueError:
            damaged = f"{folder.location}/{MANIFEST}: damaged"
            raise ConfigError(f"{damaged}; choose another folder or --overwrite") from None
    for key, value in manifest.items():
        found = earlier.get(key)
        if key != "version" and (current_words(found) if isinstance(found, str) else found) != value:
            change = f"{_short(found)}, now {_short(value)}"
            raise ConfigError(
                f"{folder.location}: holds results of other {key} ({change}); "
                "give the same, choose another folder or --overwrite"
            )


def _short(value: Any) -> str:
    return f"{value['count']:,}, {value['sha256'][:12]}" if isinstance(value, dict) else f"'{value}'"


def _done(folder: Folder, names: Iterable[str]) -> dict[int, Count]:
    """The counts of all parts that can be read; one that cannot is done again."""
    parquet = require("pyarrow.parquet", "scale")

    def counted(name: str) -> Count | None:
        with suppress(OSError, ValueError, KeyError, TypeError), folder.open(name) as file:
            return Count.from_json(parquet.read_metadata(file).metadata[KEY])
        return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found: Iterator[Count | None] = pool.map(counted, sorted(filter(_PART.fullmatch, names)))
        return {count.part: count for count in found if count}
