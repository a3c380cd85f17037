"""Pictures as arrays: decode untrusted bytes within limits, change colour and size, and prepare a batch for a
network.

Import, training, evaluation and prediction all come through here, so a model meets the same pixels
everywhere.
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import InputError, TooLargeError
from ..records import Pixels, Region
from .limits import LIMITS, Limits

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "JPEG2000", "AVIF", "SUN")
SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp", ".pbm", ".pgm", ".ppm",
    ".pnm", ".pfm", ".jp2", ".j2k", ".avif", ".ras",
})  # fmt: skip
#: How Apple's pictures say what they are; Pillow alone does not decode them.
HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


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
    """Decode an encoded picture to uint8 (H, W) for grey or (H, W, 3) RGB, turned as its EXIF says. Raises
    InputError."""
    with opened(data, source, limits) as image:
        return pixels_of(image, source, limits)


def verify(data: bytes, source: str) -> None:
    """Raise InputError unless an encoded picture decodes to its end."""
    with opened(data, source) as image, guarded(source):
        image.draft("L", (1, 1))  # reads every byte of a JPEG, and computes an eighth of its side
        image.load()


def opened(data: bytes, source: str, limits: Limits = LIMITS) -> Image.Image:
    """A picture whose header is read and lies within the limits; `pixels_of` decodes it. Raises
    InputError."""
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
        raise TooLargeError(
            f"{source}: {pixels[0]} pixels, at most {limits.max_pixels} are decoded"
        ) from None
    except Exception as error:  # a decoder of foreign bytes may raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{source}: damaged picture: {reason}") from None


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Pillow's remarks on odd files. They are silenced for all threads, so only the main one does
    it."""
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


def exhibit(pixels: Pixels, region: Region | None = None) -> Pixels:  # noqa: ARG001  (all modalities are asked alike)
    """Return the picture as a report shows it: itself."""
    return pixels


def from_pillow(image: Image.Image) -> Pixels:
    """A Pillow image as uint8 (H, W) for grey or (H, W, 3) RGB, turned as its EXIF says; transparency
    becomes white."""
    form, image = image.format, ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0)
        return np.clip(values * (255 / _white(image.mode, form, values)) + 0.5, 0, 255).astype(np.uint8)
    if image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return np.asarray(image.convert("L" if image.mode in ("L", "1", "LA") else "RGB"))


def _white(mode: str, form: str | None, values: NDArray[np.float64]) -> int:
    """Which number stands for white where a pixel is more than a byte: floats up to 1 are shares, others 8
    or 16 bits."""
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
