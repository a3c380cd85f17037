"""The records that travel through the house: a labelled sample in, a face and its prediction out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

#: What an annotator gave, by the kind of head: CLASS a name; DISTRIBUTION name -> votes or probability
#: (counts are kept as given); TAGS the names that apply; VALUES name -> number, missing ones left out.
Target = str | Mapping[str, float] | Sequence[str]


class Box(NamedTuple):
    """A rectangle in pixels: left, top, width, height."""

    x: int
    y: int
    width: int
    height: int


def is_box(values: Any) -> bool:
    """Whether these are four finite numbers."""
    try:
        return len(values) == 4 and all(math.isfinite(value) for value in values)
    except (TypeError, ValueError):
        return False


class Span(NamedTuple):
    """A stretch of a recording in seconds, or of a text in characters: from `start` to before `end`."""

    start: float
    end: float


#: The part of an item that a sample is about.
Region = Box | Span


class Item(NamedTuple):
    """One input of a sample: `data` an array, an encoded file's bytes, the path of a file or a text; `region`
    the part that is meant (None: all of it); `points` (x, y) landmarks in pixels, where there are any."""

    data: Any
    region: Region | None = None
    points: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, eq=False)
class Items:
    """Items of N samples, column by column, each a sequence or an array: `data` (N, ...); `regions` (N, 4) or
    (N, 2), None where all are whole; `points` (N, P, 2), None where nobody has any; `present` (N,), None
    where all are."""

    data: Any
    regions: Any = None
    points: Any = None
    present: NDArray[np.bool_] | None = None

    def __getitem__(self, rows: Any) -> Items:
        """Take some of the samples, by a slice or by their positions."""

        def picked(column: Any) -> Any:
            whole = column is None or isinstance(column, np.ndarray) or isinstance(rows, slice)
            return [column[row] for row in rows] if not whole else None if column is None else column[rows]

        return Items(*map(picked, (self.data, self.regions, self.points, self.present)))

    @property
    def whole(self) -> Items:
        """The same items without regions and points."""
        return replace(self, regions=None, points=None)


@dataclass(frozen=True)
class Sample:
    """What is known of one sample: its `inputs` by name, and what annotators gave (`targets` by head).

    A head that nobody annotated is absent from `targets`, an input that is missing from `inputs`. An empty
    `split` is chosen when the store is written. `source` is unique in a data set: a relative path or
    `file:row`. Samples of one `group` (a person, a repeated picture) must not be split. `attributes`: gender,
    age, subject …
    """

    inputs: Mapping[str, Item]
    targets: Mapping[str, Target]
    split: str
    source: str
    group: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_image(
        cls,
        image: Pixels | bytes | Path,
        targets: Mapping[str, Target],
        split: str,
        source: str,
        box: Box | None = None,
        *,
        group: str = "",
        landmarks: Sequence[tuple[float, float]] = (),
        attributes: Mapping[str, str] | None = None,
    ) -> Sample:
        """Make a sample of one picture: uint8 (H, W) or (H, W, 3) RGB, an encoded file's bytes, or a path."""
        return cls({"image": Item(image, box, landmarks)}, targets, split, source, group, attributes or {})

    @property
    def image(self) -> Any:
        """The picture as `of_image` takes it; `box` and `landmarks` are the region and the points of it."""
        return self.inputs["image"].data

    box = property(lambda self: self.inputs["image"].region)
    landmarks = property(lambda self: self.inputs["image"].points)


@dataclass(frozen=True, eq=False)
class Moment:
    """What a source gives at one time. `media`: by name, "image" uint8 (H, W) or (H, W, 3) RGB; `source`
    as it was given; `index` from 0 within it (the decoder's own number); `time` in seconds, None for a still
    picture."""

    media: Mapping[str, NDArray[Any]] = field(repr=False)
    source: str
    index: int = 0
    time: float | None = None

    @property
    def pixels(self) -> Pixels:
        """Its picture. Raises KeyError where it has none."""
        return self.media["image"]

    def without_media(self) -> Moment:
        """The same moment without what was seen and heard, which takes much memory."""
        return replace(self, media={})


@dataclass(frozen=True)
class ReadError:
    """What could not be read, and why, in one line; `index` and `time` as in Moment where it was one
    frame."""

    source: str
    reason: str
    index: int | None = None
    time: float | None = None

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True)
class Subject:
    """Who or what an answer is about: its region (None: all of its medium), points (x, y) in it, the
    detector's score 0…1 (None: not given) and, where it is followed, the number of its track."""

    region: Region | None
    points: tuple[tuple[float, float], ...] = ()
    score: float | None = None
    track: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The subject as JSON can hold it."""
        where: dict[str, Any] = {}
        if isinstance(self.region, Box):
            where = {"box": list(self.region), "landmarks": [list(point) for point in self.points]}
        elif isinstance(self.region, Span):
            where = {"span": list(self.region)}
        return {**where, "score": self.score, "track": self.track}


@dataclass(frozen=True, init=False)
class Face(Subject):
    """A face found in a picture: box, five or more landmarks (x, y), detector score 0…1 (None: not given),
    track id.

    >>> Face(Box(4, 5, 30, 30), score=0.9).box
    Box(x=4, y=5, width=30, height=30)
    """

    def __init__(
        self,
        box: Box | None = None,
        landmarks: tuple[tuple[float, float], ...] | None = None,
        score: float | None = None,
        track: int | None = None,
        *,
        region: Region | None = None,
        points: tuple[tuple[float, float], ...] = (),
    ) -> None:
        """`region` and `points` are other words for box and landmarks; `dataclasses.replace` gives them."""
        super().__init__(
            region if box is None else box, points if landmarks is None else landmarks, score, track
        )

    @property
    def box(self) -> Box:
        """Where the face is, in pixels of the picture."""
        assert isinstance(self.region, Box)
        return self.region

    @property
    def landmarks(self) -> tuple[tuple[float, float], ...]:
        """Points of the face in pixels of the picture; a detector says which."""
        return self.points
