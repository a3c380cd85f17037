"""Find faces in a picture. A detector is anything that turns RGB or grey pixels into faces."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from ..errors import ConfigError, lookup
from .base import Chosen, Detector
from .custom import Own
from .haar import Haar
from .whole import Whole
from .yunet import YuNet

#: By name: what makes a detector from its own file and the width in pixels of the smallest face to look for (0: its default).
DETECTORS: dict[str, Callable[[Path | None, int], Detector]] = {"haar": Haar, "yunet": YuNet, "cropped": Whole}


@cache
def detector(name: str, file: Path | None = None, *, smallest: int = 0, most: int = 0) -> Detector:
    """The detector of that name, with its own file where it takes one, or a user's own, `package.module:attribute`.

    `smallest`: faces narrower than so many pixels are left out, wider ones looked for at the size this takes. `most`: only so
    many, the largest; 0 for all. Loaded once; those of this package are safe in threads. Raises ConfigError, ModelError.
    """
    if min(smallest, most) < 0:
        raise ConfigError(f"smallest face {smallest} and most faces {most} must be 0 or more")
    if ":" in name:
        if file is not None:
            raise ConfigError(f"the face detector '{name}' is code and takes no detector file, given {file}")
        find: Detector = Own(name)
    else:
        find = lookup(DETECTORS, name, "face detector")(file, smallest)
    return Chosen(find, smallest, most) if smallest or most else find
