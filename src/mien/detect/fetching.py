"""YuNet's model file, fetched once when somebody asks for it, checked and kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
import sys
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from .. import files
from ..errors import ModelError

YUNET = "face_detection_yunet_2026may.onnx"
YUNET_URL = f"https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/{YUNET}"
YUNET_SHA256 = "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0"
_MOST_BYTES = 10_000_000


def cache_folder() -> Path:
    """Where fetched files are kept: $XDG_CACHE_HOME/mien, else the platform's folder for caches."""
    if chosen := os.environ.get("XDG_CACHE_HOME"):
        return Path(chosen) / "mien"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "mien"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "mien" / "Cache"
    return Path.home() / ".cache" / "mien"


def cached_yunet() -> Path | None:
    """The file that `fetch_yunet` left in the cache folder, or None."""
    path = cache_folder() / YUNET
    return path if path.is_file() else None


def fetch_yunet(url: str = YUNET_URL, folder: Path | None = None) -> Path:
    """Fetch YuNet (230 kB, MIT licence) into `folder`, the cache folder by default, unless it is there;
    return its path.

    Written whole or not at all, and only if its SHA-256 is the pinned one. Nothing but a call of this fetches
    it. Raises ModelError.
    """
    path = (folder or cache_folder()) / YUNET
    if path.is_file() and files.sha256(path) == YUNET_SHA256:
        return path
    data = _download(url)
    found = hashlib.sha256(data).hexdigest()
    if found != YUNET_SHA256:
        needed = f"needed is {YUNET_SHA256}; nothing was kept"
        raise ModelError(f"{url}: {len(data)} bytes with SHA-256 {found}, {needed}")
    try:
        with files.atomic_write(path) as part:
            part.write_bytes(data)
    except OSError as error:
        raise ModelError(f"{path}: cannot be written: {error.strerror or error}") from None
    return path


def _download(url: str) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise ModelError(f"{url}: not an http(s) address")
    try:
        with urlopen(url, timeout=30) as answer:
            return bytes(answer.read(_MOST_BYTES))
    except HTTPError as error:
        with error:  # it holds the connection
            raise ModelError(f"{url}: cannot be fetched: {error}") from None
    except (OSError, ValueError, HTTPException) as error:
        raise ModelError(f"{url}: cannot be fetched: {error}") from None
