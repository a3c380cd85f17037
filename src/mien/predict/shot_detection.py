"""Find the cuts of a video; docs/concepts/tracking.md says how well.

Two frames belong to one shot if they agree in structure and colour. Structure: the normalised correlation
of two small grey frames without their coarse light and shade, at the shift where it is largest (after the
correlation of blocks of Porter, Mirmehdi and Thomas, ICPR 2000). It outlasts a flash and a moving camera.
Colour: what the histograms of their chromaticities share (Swain and Ballard's intersection, IJCV 1991), which
outlasts all that moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..records import Floats, Pixels

#: Width and height of the small frame; its shifts each way; the window of light and shade.
_SIZE, _SHIFT, _SHADE = (32, 24), (5, 4), (7, 7)
#: Correlation, plus half of the shared colour, within a shot; and how much more it takes to go back to one.
_SAME, _SURE = 0.85, 0.1
#: Below this contrast, in grey levels, a frame says nothing: black, white, or fog.
_BLANK = 1.0
#: So soon a shot that was broken off goes on, in seconds: a flash, not two cuts.
_BACK = 0.5


@dataclass(frozen=True)
class Signature:
    """What is kept of a frame: structure (H, W), colours (16, 16) that sum to 1, and its time."""

    structure: Floats
    colours: Floats
    time: float

    def like(self, other: Signature) -> float:
        """Near 1.5 for frames of one shot; near 0.3 for others."""
        across, down = _SHIFT
        inner = self.structure[down:-down, across:-across]
        alike = cv2.matchTemplate(other.structure, inner, cv2.TM_CCOEFF_NORMED).max()
        return float(alike + np.minimum(self.colours, other.colours).sum() / 2)


class ShotDetector:
    """Numbers the shots of one video from 0, frame by frame and looking back only.

    A frame unlike the one before begins a new shot, unless it has nothing to see. If the shot before is back
    within half a second, or in the very next frame, it was a flash: its number goes on. Slow dissolves are
    not found.
    """

    def __init__(self) -> None:
        self._count = 0
        self._now: tuple[int, Signature] | None = None
        self._before: tuple[int, Signature] | None = None
        self._began, self._frames = 0.0, 0

    def update(self, pixels: Pixels, time: float) -> int:
        """Return a frame's shot; `pixels` uint8 (H, W) or (H, W, 3) RGB, `time` in seconds."""
        look = _look(pixels, time)
        if look is None:
            return self._now[0] if self._now else 0
        if self._now is None:
            self._now = 0, look
        elif self._returns(look):
            assert self._before is not None
            self._now, self._before = (self._before[0], look), None
        elif look.like(self._now[1]) < _SAME:
            self._count += 1
            self._before, self._now = self._now, (self._count, look)
            self._began, self._frames = time, 0
        else:
            self._now = self._now[0], look
        self._frames += 1
        return self._now[0]

    def _returns(self, look: Signature) -> bool:
        """Whether the shot before goes on."""
        if self._before is None or (look.time - self._began > _BACK and self._frames > 1):
            return False
        return look.like(self._before[1]) > _SAME + _SURE


def _look(frame: Pixels, time: float) -> Signature | None:
    """None of a frame with nothing to see. Sampled before averaging: large frames take no longer."""
    width, height = _SIZE
    few = cv2.resize(frame, (4 * width, 4 * height), interpolation=cv2.INTER_NEAREST)
    small = cv2.resize(few, _SIZE, interpolation=cv2.INTER_AREA).reshape(height, width, -1)
    colour = np.asarray(small if small.shape[2] == 3 else cv2.cvtColor(small, cv2.COLOR_GRAY2RGB), np.uint8)
    grey = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY).astype(np.float32)
    structure = grey - cv2.blur(grey, _SHADE)
    contrast = float(structure.std())
    if contrast < _BLANK:
        return None
    return Signature(np.clip(structure, -2 * contrast, 2 * contrast), _colours(colour), time)


def _colours(frame: Pixels) -> Floats:
    """Histogram of red and green by their share in the sum, its steps blurred."""
    light = frame.astype(np.float32) + 8  # next to black every colour is noise
    share = light[..., :2] / cv2.transform(light, np.ones((1, 3), np.float32))[..., None]
    parts: Sequence[Floats] = [np.ascontiguousarray(share)]
    found = cv2.blur(cv2.calcHist(parts, [0, 1], None, [16, 16], [0.1, 0.6, 0.1, 0.6]), (3, 3))
    return np.asarray(found / max(found.sum(), 1.0), np.float32)
