"""How results are asked for: everything but model and inputs that changes a figure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from pathlib import Path

from ..detect import Detector, FilteredDetector
from ..detect import detector as build_detector
from ..errors import ConfigError
from ..media.limits import LIMITS, Limits
from ..sources import Sampling
from .tta import OLD_NAMES, averaging


@dataclass(frozen=True)
class Settings:
    """How predictions are made, in all that changes a figure.

    `faces`, `detector_file`: the detector and its own file. `smallest` face in pixels and `most` faces of a
    picture (0: any). A frame `every` so many seconds of a video (None: each), from `start` on, before `end`,
    at most `limit`. `track`: follow faces; `cuts`: none through a cut. `smooth`: half-life in seconds (0:
    none). `align`, `average`: as in `Engine.outputs` (None: as the model was loaded). `abstain` below that
    confidence (None: the model's own threshold). `limits`: what foreign input is held to.
    """

    faces: str = "haar"
    detector_file: Path | None = None
    smallest: int = 0
    most: int = 0
    every: float | None = None
    start: float = 0.0
    end: float | None = None
    limit: int = 0
    track: bool = False
    cuts: bool = True
    smooth: float = 0.0
    align: bool | None = None
    average: str | None = None
    abstain: float | None = None
    limits: Limits = LIMITS

    def __post_init__(self) -> None:
        """Raise ConfigError for a value that cannot be."""
        self.sampling()
        if not (math.isfinite(self.smooth) and self.smooth >= 0):
            raise ConfigError(f"smooth {self.smooth} s: must be 0 s or more")
        if self.average is not None:
            object.__setattr__(self, "average", averaging(self.average))
        if self.abstain is not None and not 0 <= self.abstain <= 1:
            raise ConfigError(f"abstain {self.abstain}: must be a probability, 0…1")

    def __str__(self) -> str:
        """Write what differs from the defaults in one line; a file to be continued must agree with it."""
        words = [f"faces={self.faces}"]
        for field in fields(self)[1:-1]:  # limits change no figure
            value = getattr(self, field.name)
            if value != field.default:
                value = value.name if isinstance(value, Path) else value
                words.append(f"{field.name}={int(value) if isinstance(value, bool) else value}")
        return " ".join(words)

    def detector(self) -> Detector:
        """A new detector. Raises ConfigError, ModelError."""
        return build_detector(self.faces, self.detector_file, smallest=self.smallest, most=self.most)

    def filtered(self, detector: Detector) -> Detector:
        """This detector, less the faces that `smallest` and `most` leave out."""
        wanted = self.smallest, self.most
        return FilteredDetector(detector, *wanted) if any(wanted) else detector

    def sampling(self) -> Sampling:
        """Which frames of a video are wanted."""
        return Sampling(self.every, self.start, self.end, self.limit or None)

    @property
    def follows(self) -> bool:
        """Whether faces are followed through a video; smoothing needs it too."""
        return self.track or self.smooth > 0


def current_words(settings: str) -> str:
    """Rewrite a line of settings of an earlier version in today's words."""
    for old, new in OLD_NAMES.items():
        settings = re.sub(rf"\baverage={old}\b", f"average={new}", settings)
    return settings


def seconds(text: str, what: str) -> float | None:
    """Parse a time such as 0.5s, 90 or 0:01:30; an empty one is None. Raises ConfigError naming `what`."""
    if not text:
        return None
    parts = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+) ?s?", text.strip())
    if parts is None:
        raise ConfigError(f"{what} {text}: not a time (such as 0.5s, 90, 1:30 or 0:01:30)")
    hours, minutes, rest = (float(part or 0) for part in parts.groups())
    return 3600 * hours + 60 * minutes + rest
