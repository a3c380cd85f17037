"""Pictures as arrays: decode untrusted bytes within limits, change colour and size, and prepare a batch for a network.

Import, training, evaluation and prediction all come through here, so a model meets the same pixels everywhere.
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import ConfigError, InputError, TooLargeError
from ..records import Box, Floats, Pixels
from .cropping import Boxes, Landmarks, crop, tilt
from .limits import LIMITS, Limits

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "JPEG2000", "AVIF", "SUN")
SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp", ".pbm", ".pgm", ".ppm", ".pnm", ".pfm",
    ".jp2", ".j2k", ".avif", ".ras",
})  # fmt: skip
#: How Apple's pictures say what they are; Pillow alone does not decode them.
HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
#: What a network may be shown of a sample: what lies in its box, or the whole picture.
VIEWS = ("crop", "picture")


@dataclass(frozen=True)
class Preprocessing:
    """What a network expects: side in pixels, colour ('grey' or 'rgb'), mean and standard deviation per colour on 0…1, the
    margin, a share of the box added on every side before cutting the crop, the views, in the order of its channels, and whether
    the crop is turned until the eyes are level, where landmarks say where they are."""

    size: int
    colour: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    margin: float = 0.0  # FER-2013's framing: Haar's box is 0.96, YuNet's 1.00 of its pictures' side (medians)
    views: tuple[str, ...] = ("crop",)
    align: bool = False

    def __post_init__(self) -> None:
        if self.size < 1 or self.colour not in ("grey", "rgb"):
            raise ConfigError(f"size {self.size} must be positive, colour '{self.colour}' one of: grey, rgb")
        if not len(self.mean) == len(self.std) == self.colours or min(self.std) <= 0:
            raise ConfigError(f"mean {self.mean} and std {self.std} must be {self.colours} numbers each, std positive")
        if not self.views or not set(self.views) <= set(VIEWS) or len(set(self.views)) < len(self.views):
            raise ConfigError(f"views {list(self.views)} must be one or more of: {', '.join(VIEWS)}; each once")

    @property
    def colours(self) -> int:
        """Channels of one view: 1 for grey, 3 for rgb."""
        return 1 if self.colour == "grey" else 3

    @property
    def channels(self) -> int:
        """Channels of all views together."""
        return self.colours * len(self.views)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it; `Preprocessing.from_dict` reads it back."""
        return {
            "size": self.size,
            "colour": self.colour,
            "mean": list(self.mean),
            "std": list(self.std),
            "margin": self.margin,
            "views": list(self.views),
            "align": self.align,
        }

    @classmethod
    def from_dict(cls, table: dict[str, Any]) -> Preprocessing:
        """Read what `to_dict` wrote; an older version's table has no views and no align."""
        margin, views = table.get("margin", 0.0), tuple(table.get("views", ("crop",)))
        statistics = tuple(table["mean"]), tuple(table["std"])
        return cls(table["size"], table["colour"], *statistics, margin, views, table.get("align", False))

    def fit(
        self, pictures: Sequence[Pixels] | Pixels, boxes: Boxes | None = None, landmarks: Landmarks | None = None
    ) -> Pixels:
        """Bring pictures, uint8 (H, W[, 3]) RGB of any size, to uint8 (N, size, size[, channels]): their views in the
        network's colour, one behind the other. Without boxes, or where a box has no area, the crop is the whole picture.
        Landmarks count where the network wants its faces aligned, and only in the crop."""
        cuts = [Box(0, 0, 0, 0)] * len(pictures) if boxes is None else [Box(*map(int, box)) for box in boxes]
        leaning = self.align and landmarks is not None
        tilts = [tilt(points) for points in landmarks] if leaning else [0.0] * len(pictures)  # type: ignore[union-attr]
        return np.stack([self._views(*given) for given in zip(pictures, cuts, tilts, strict=True)])

    def _views(self, picture: Pixels, box: Box, lean: float) -> Pixels:
        whole = Box(0, 0, picture.shape[1], picture.shape[0])
        cut = crop(picture, box if min(box.width, box.height) > 0 else whole, self.margin, lean)
        shown = [cut if view == "crop" else picture for view in self.views]
        views = [resize(recolour(pixels, self.colour), self.size) for pixels in shown]
        return views[0] if len(views) == 1 else np.dstack(views)

    def normalise(self, pixels: Pixels) -> Floats:
        """Turn fitted pixels into the network's float32 input (N, channels, size, size)."""
        mean, std = (np.asarray(values * len(self.views), np.float32) for values in (self.mean, self.std))
        batch = (pixels.reshape(*pixels.shape[:3], self.channels) / np.float32(255) - mean) / std
        return np.ascontiguousarray(batch.transpose(0, 3, 1, 2), np.float32)


def read(path: Path, limits: Limits = LIMITS) -> Pixels:
    """Decode a picture file, turned as its EXIF says. Raises InputError naming the file."""
    return decode(read_bytes(path, limits), str(path), limits)


def read_bytes(path: Path, limits: Limits = LIMITS) -> bytes:
    """The bytes of a picture file. Raises InputError naming the file."""
    try:
        if (size := path.stat().st_size) > limits.max_bytes:
            raise TooLargeError(f"{path}: {size} bytes, at most {limits.max_bytes} are read")
        return path.read_bytes()
    except IsADirectoryError:
        raise InputError(f"{path}: not a file") from None
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def decode(data: bytes, source: str, limits: Limits = LIMITS) -> Pixels:
    """Decode an encoded picture to uint8 (H, W) for grey or (H, W, 3) RGB, turned as its EXIF says. Raises InputError."""
    with opened(data, source, limits) as image:
        return pixels_of(image, source, limits)


def verify(data: bytes, source: str) -> None:
    """Raise InputError unless an encoded picture decodes to its end."""
    with opened(data, source) as image, guarded(source):
        image.draft("L", (1, 1))  # reads every byte of a JPEG, and computes an eighth of its side
        image.load()


def opened(data: bytes, source: str, limits: Limits = LIMITS) -> Image.Image:
    """A picture whose header is read and lies within the limits; `pixels_of` decodes it. Raises InputError."""
    if not data:
        raise InputError(f"{source}: an empty file")
    try:
        with guarded(source, limits):
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise InputError(_unknown(data, source)) from None
    limits.check_pixels(image.size, source)
    return image


def pixels_of(image: Image.Image, source: str, limits: Limits = LIMITS) -> Pixels:
    """Decode the frame at which an opened picture stands, as `from_pillow` does. Raises InputError."""
    limits.check_pixels(image.size, source)
    with guarded(source, limits):
        return from_pillow(image)


def _unknown(data: bytes, source: str) -> str:
    """What to say of bytes that none of the decoders takes."""
    if data[4:8] == b"ftyp" and data[8:12] in HEIC:
        return f"{source}: HEIC pictures are not read; turn it into JPEG first, for example with heif-convert"
    return f"{source}: not a picture (starts with {data[:24]!r}; read are {', '.join(FORMATS)})"


@contextmanager
def guarded(source: str, limits: Limits = LIMITS) -> Iterator[None]:
    """Whatever a decoder raises becomes one line: InputError, or UnidentifiedImageError as it is."""
    try:
        with quiet():
            yield
    except (InputError, UnidentifiedImageError):
        raise
    except Image.DecompressionBombError as error:  # Pillow refuses before the size can be asked for
        pixels = re.findall(r"\d+", str(error))[:1] or ["too many"]
        raise TooLargeError(f"{source}: {pixels[0]} pixels, at most {limits.max_pixels} are decoded") from None
    except Exception as error:  # a decoder of foreign bytes may raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{source}: damaged picture: {reason}") from None


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Pillow's remarks on odd files. They are silenced for all threads, so only the main one does it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def encode(pixels: Pixels, form: str = "JPEG", quality: int = 95) -> bytes:
    """Pack uint8 (H, W) or (H, W, 3) RGB as an encoded picture; JPEG without thinning its colours."""
    buffer = io.BytesIO()
    options = {"quality": quality, "subsampling": 0} if form == "JPEG" else {}
    Image.fromarray(pixels).save(buffer, form, **options)
    return buffer.getvalue()


def from_pillow(image: Image.Image) -> Pixels:
    """A Pillow image as uint8 (H, W) for grey or (H, W, 3) RGB, turned as its EXIF says; transparency becomes white."""
    form, image = image.format, ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0)
        return np.clip(values * (255 / _white(image.mode, form, values)) + 0.5, 0, 255).astype(np.uint8)
    if image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return np.asarray(image.convert("L" if image.mode in ("L", "1", "LA") else "RGB"))


def _white(mode: str, form: str | None, values: NDArray[np.float64]) -> int:
    """Which number stands for white where a pixel is more than a byte: floats up to 1 are shares, others 8 or 16 bits."""
    most = values.max(initial=0)
    if mode == "F" and (form == "PPM" or most <= 1):
        return 1
    return 65535 if mode.startswith("I;16") or form == "PPM" or most > 255 else 255


def recolour(pixels: Pixels, colour: str) -> Pixels:
    """Turn (H, W) or (H, W, 3) RGB into what `colour` asks for: (H, W) for 'grey', (H, W, 3) for 'rgb'."""
    if colour == "grey":
        return pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    return pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)


def resize(pixels: Pixels, size: int) -> Pixels:
    """Bring a picture to size x size: area averaging when shrinking, bilinear when growing."""
    height, width = pixels.shape[:2]
    if (height, width) == (size, size):
        return pixels
    method = cv2.INTER_AREA if min(height, width) >= size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (size, size), interpolation=method), np.uint8)
