"""Find faces in a picture. A detector is anything that turns RGB or grey pixels into faces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import ConfigError, lookup
from .base import Detector, FilteredDetector
from .custom import CustomDetector, NoDetector
from .haar import Haar
from .yunet import YuNet

#: Makers of detectors from a file and the width in pixels of the smallest face (0: the default), by name.
DETECTORS: dict[str, Callable[[Path | None, int], Detector]]
DETECTORS = {"haar": Haar, "yunet": YuNet, "cropped": NoDetector}


def detector(name: str, file: Path | None = None, *, smallest: int = 0, most: int = 0) -> Detector:
    """Make the detector of that name, or a user's own, `package.module:attribute`; `file` is its model.

    `smallest`: faces narrower than so many pixels are left out, wider ones looked for at the size this takes.
    `most`: only so many, the largest; 0 for all. One may be used from several threads; a user's own if it
    can. Raises ConfigError, ModelError.
    """
    if min(smallest, most) < 0:
        raise ConfigError(f"smallest face {smallest} and most faces {most} must be 0 or more")
    if ":" in name:
        if file is not None:
            raise ConfigError(f"the face detector '{name}' is code and takes no detector file, given {file}")
        found: Detector = CustomDetector(name)
    else:
        found = lookup(DETECTORS, name, "face detector")(file, smallest)
    return FilteredDetector(found, smallest, most) if smallest or most else found
