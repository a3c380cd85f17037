"""What all sources share: the protocol, and which frames of those that pass are wanted."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from ..errors import ConfigError, InputError
from ..records import Moment, ReadError

#: What iterating over a source yields; closing it lets go of file, camera or connection.
Flow: TypeAlias = Generator[Moment | ReadError, None, None]
#: Times are held against each other to half a millisecond: many files keep them in whole ones.
CLOSE = 0.0005


class Source(Protocol):
    """Gives moments, and opens nothing before it is iterated or asked about.

    Then it never raises, save for an interruption: what cannot be read is a ReadError in its place.
    """

    @property
    def name(self) -> str:
        """As given, or as found in a folder or list."""

    @property
    def moving(self) -> bool:
        """Whether frames have times: a video, a camera, an animated picture."""

    @property
    def count(self) -> int | None:
        """How many frames to expect, as the header says; None where nobody can know."""

    def __iter__(self) -> Flow:
        """Read from the start."""


@dataclass(frozen=True)
class Sampling:
    """Which frames of a moving source are wanted, by their time in seconds from its start.

    The first at or after each tick of `every` (None: all), from `start` on, before `end`, at most `limit`.
    Still pictures are always wanted.
    """

    every: float | None = None
    start: float = 0.0
    end: float | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        """Raise ConfigError for a number that cannot be."""
        if self.every is not None and not (math.isfinite(self.every) and self.every > 0):
            raise ConfigError(f"a frame every {self.every} s: must be more than 0 s")
        if not (math.isfinite(self.start) and self.start >= 0):
            raise ConfigError(f"from {self.start} s: must be 0 s or later")
        if self.end is not None and not self.end > self.start:
            raise ConfigError(f"to {self.end} s: must lie after the start, {self.start} s")
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"at most {self.limit} frames: must be 1 or more")

    def __str__(self) -> str:
        """The stretch of time in words."""
        return f"from {self.start:.2f} s" + (f" to {self.end:.2f} s" if self.end is not None else "")

    def expected(self, duration: float, frames: int) -> int:
        """How many of so many frames that take so many seconds are wanted."""
        left = max(0.0, min(duration, math.inf if self.end is None else self.end) - self.start)
        wanted = math.ceil(frames * left / duration - 1e-6) if duration > 0 else frames
        if self.every is not None:
            wanted = min(wanted, math.ceil(left / self.every - 1e-6))
        return wanted if self.limit is None else min(wanted, self.limit)


#: No sampling: every frame.
ALL = Sampling()


class Picker:
    """Tells, frame by frame, what a sampling wants. `next`: the time from which on a frame is wanted."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._taken = 0
        self.next = sampling.start

    def over(self, time: float) -> bool:
        """Whether nothing at or after this time is wanted."""
        end, limit = self._sampling.end, self._sampling.limit
        return (end is not None and time >= end - CLOSE) or (limit is not None and self._taken >= limit)

    def takes(self, time: float) -> bool:
        """Whether the frame of this time is wanted, which then counts as taken."""
        if time < self.next - CLOSE or self.over(time):
            return False
        self._taken += 1
        start, every = self._sampling.start, self._sampling.every
        if every is not None:
            self.next = start + (math.floor((time - start + CLOSE) / every) + 1) * every
        return True

    def verdict(self, name: str, length: float) -> ReadError | None:
        """What to say where a source of that length ended before anything was wanted of it."""
        if self._taken or self.over(length):
            return None
        return ReadError(name, f"{name}: nothing {self._sampling}: it ends at {length:.2f} s")


def one_line(error: Exception) -> str:
    """Return what an exception says in one line: its class where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def read_error(name: str, error: Exception) -> ReadError:
    """Turn an exception into a ReadError whose one line begins with the source's name."""
    reason = one_line(error)
    return ReadError(name, reason if isinstance(error, InputError) else f"{name}: {reason}")
