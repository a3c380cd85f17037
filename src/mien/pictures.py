"""Pictures as arrays: decode untrusted bytes within limits, change colour and size, and prepare a batch for a network.

Import, training, evaluation and prediction all come through here, so a model meets the same pixels everywhere.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import ConfigError, InputError
from .records import Floats, Pixels

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"})
MAX_PIXELS = 50_000_000
MAX_BYTES = 200_000_000


@dataclass(frozen=True)
class Preprocessing:
    """What a network expects: side in pixels, colour ('grey' or 'rgb'), mean and standard deviation per channel on 0…1,
    and the margin, a share of the detected face box added on every side before cutting the crop."""

    size: int
    colour: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    margin: float = 0.0  # FER-2013's framing: Haar's box is 0.96, YuNet's 1.00 of its pictures' side (medians)

    def __post_init__(self) -> None:
        if self.size < 1 or self.colour not in ("grey", "rgb"):
            raise ConfigError(f"size {self.size} must be positive, colour '{self.colour}' one of: grey, rgb")
        if not len(self.mean) == len(self.std) == self.channels or min(self.std) <= 0:
            raise ConfigError(f"mean {self.mean} and std {self.std} must be {self.channels} numbers each, std positive")

    @property
    def channels(self) -> int:
        """1 for grey, 3 for rgb."""
        return 1 if self.colour == "grey" else 3

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it; `Preprocessing.from_dict` reads it back."""
        return {
            "size": self.size,
            "colour": self.colour,
            "mean": list(self.mean),
            "std": list(self.std),
            "margin": self.margin,
        }

    @classmethod
    def from_dict(cls, table: dict[str, Any]) -> Preprocessing:
        """Read what `to_dict` wrote."""
        return cls(table["size"], table["colour"], tuple(table["mean"]), tuple(table["std"]), table.get("margin", 0.0))

    def fit(self, crops: Sequence[Pixels] | Pixels) -> Pixels:
        """Bring crops, uint8 (H, W[, 3]) RGB of any size, to uint8 (N, size, size[, 3]) in the network's colour."""
        return np.stack([resize(recolour(crop, self.colour), self.size) for crop in crops])

    def normalise(self, pixels: Pixels) -> Floats:
        """Turn fitted pixels into the network's float32 input (N, channels, size, size)."""
        mean, std = (np.asarray(values, np.float32) for values in (self.mean, self.std))
        batch = (pixels.reshape(*pixels.shape[:3], self.channels) / np.float32(255) - mean) / std
        return np.ascontiguousarray(batch.transpose(0, 3, 1, 2), np.float32)


def read(path: Path) -> Pixels:
    """Decode a picture file, turned as its EXIF says. Raises InputError naming the file."""
    try:
        if not path.is_file() and path.exists():
            raise InputError(f"{path}: not a file")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: {path.stat().st_size} bytes, at most {MAX_BYTES} are read")
        return decode(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def decode(data: bytes, source: str) -> Pixels:
    """Decode an encoded picture to uint8 (H, W) for grey or (H, W, 3) RGB, turned as its EXIF says. Raises InputError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise InputError(f"{source}: {image.width}x{image.height} pixels, at most {MAX_PIXELS} are decoded")
                return from_pillow(image)
    except InputError:
        raise
    except UnidentifiedImageError:
        start = data[:24]
        raise InputError(f"{source}: not a picture (starts with {start!r}; read are {', '.join(FORMATS)})") from None
    except Exception as error:  # a decoder of foreign bytes may raise anything
        raise InputError(f"{source}: damaged picture: {error or type(error).__name__}") from None


def encode(pixels: Pixels, form: str = "JPEG", quality: int = 95) -> bytes:
    """Pack uint8 (H, W) or (H, W, 3) RGB as an encoded picture; JPEG without thinning its colours."""
    buffer = io.BytesIO()
    options = {"quality": quality, "subsampling": 0} if form == "JPEG" else {}
    Image.fromarray(pixels).save(buffer, form, **options)
    return buffer.getvalue()


def from_pillow(image: Image.Image) -> Pixels:
    """A Pillow image as uint8 (H, W) for grey or (H, W, 3) RGB, turned as its EXIF says; transparency becomes white."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float64)
        deep = image.mode.startswith("I;16") or values.max(initial=0) > 255
        return np.clip(np.nan_to_num(values) * (255 / 65535 if deep else 1.0) + 0.5, 0, 255).astype(np.uint8)
    if image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return np.asarray(image.convert("L" if image.mode in ("L", "1", "LA") else "RGB"))


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
