"""How much foreign input may cost: what is larger, or slower, is refused before it is read."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import TooLargeError


@dataclass(frozen=True)
class Limits:
    """What foreign input is held to. `max_pixels` of a picture or frame (Pillow decodes 178,956,970 at most);
    `max_bytes` of a picture's file, `max_video_bytes` of a video that is fetched, `max_list_bytes` of a list
    of paths; `max_redirects` of an address. Seconds: `answer_seconds` until a web server answers or sends a
    next piece, `fetch_seconds` for the whole, `stream_seconds` until a live stream opens or shows a next
    picture.

    >>> Limits(max_pixels=1000).check_pixels((40, 30), "a.png")
    Traceback (most recent call last):
        ...
    mien.errors.TooLargeError: a.png: 40x30 pixels, at most 1000 are decoded
    """

    max_pixels: int = 50_000_000
    max_bytes: int = 200_000_000
    max_video_bytes: int = 4_000_000_000
    max_list_bytes: int = 100_000_000
    max_redirects: int = 5
    answer_seconds: float = 15.0
    fetch_seconds: float = 600.0
    stream_seconds: float = 10.0

    def check_pixels(self, size: tuple[int, int], source: str = "") -> None:
        """Raise TooLargeError where a picture of (width, height) has too many pixels."""
        width, height = size
        if width * height > self.max_pixels:
            where = f"{source}: " if source else ""
            raise TooLargeError(f"{where}{width}x{height} pixels, at most {self.max_pixels} are decoded")


LIMITS = Limits()
