"""A user's own detector, by the name of its code, and no detector, where pictures are faces already."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import ConfigError, InputError
from ..records import Box, Face, Pixels
from .base import checked_faces, ordered


class CustomDetector:
    """The detector `package.module:attribute`: a function from pixels to a list of `Face`, or a class.

    Pixels are uint8 (H, W) or (H, W, 3) RGB. A class is called once, without arguments, for such a function.
    The current folder is searched for the module too.
    """

    def __init__(self, name: str) -> None:
        """Import it. Raises ConfigError."""
        self.name = name
        self._detector = _imported(name)

    def __call__(self, pixels: Pixels) -> list[Face]:
        """Find faces, from left to right. Raises InputError where it fails, ConfigError for other answers."""
        try:
            answer = self._detector(pixels)
            answer = list(answer) if isinstance(answer, Iterable) else answer
        except Exception as error:  # a stranger's code may raise anything
            raise InputError(f"face detector '{self.name}' failed: {_reason(error)}") from error
        return ordered(checked_faces(answer, self))


class NoDetector:
    """No detector: the picture is a crop of one face already."""

    def __init__(self, file: Path | None = None, smallest: int = 0) -> None:  # noqa: ARG002
        """Take no file. Raises ConfigError if one is given."""
        if file is not None:
            raise ConfigError(f"'cropped' looks for no face and takes no detector file, given {file}")

    def __call__(self, pixels: Pixels) -> list[Face]:
        """One face as large as the picture."""
        return [Face(Box(0, 0, pixels.shape[1], pixels.shape[0]))]


def _imported(name: str) -> Any:
    module, _, attribute = name.partition(":")
    if not module or not attribute.isidentifier():
        raise ConfigError(f"face detector '{name}': give your own as package.module:attribute")
    try:
        with _current_folder():
            found = importlib.import_module(module)
        detector = getattr(found, attribute)
        detector = detector() if isinstance(detector, type) else detector
    except Exception as error:  # a stranger's code may raise anything
        raise ConfigError(f"face detector '{name}' cannot be loaded: {_reason(error)}") from error
    if not callable(detector):
        kind = type(detector).__name__
        raise ConfigError(f"face detector '{name}' is a {kind}, needed is a function from pixels to faces")
    return detector


@contextmanager
def _current_folder() -> Iterator[None]:
    """Let a module beside the user's data be found, as `python -m` does."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _reason(error: Exception) -> str:
    """What an exception says, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
