"""What a file is: by its suffix, or by its first bytes where the suffix says nothing."""

from __future__ import annotations

from pathlib import Path

from ..media.image import HEIC, SUFFIXES

#: Pictures that a folder is searched for; HEIC is among them, so that a line says why it is not read.
PICTURES = SUFFIXES | {".heic", ".heif", ".apng"}
VIDEOS = frozenset({
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg"),
    *(".wmv", ".flv", ".3gp", ".ogv", ".mts", ".m2ts"),
})  # fmt: skip
#: How many bytes `kind` looks at.
HEAD = 376

_PICTURES = (
    b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*", b"II+\0",
    b"MM\0+", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51", b"\x59\xa6\x6a\x95",
)  # fmt: skip
_VIDEOS = (
    b"\x1a\x45\xdf\xa3", b"FLV\x01", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    b"\0\0\x01\xba", b"\0\0\x01\xb3", b"OggS",
)  # fmt: skip
_STILL_BRANDS = HEIC | {b"avif", b"avis"}


def kind(head: bytes) -> str:
    """'picture', 'video' or '' (neither) of what starts with these bytes."""
    if head[4:8] == b"ftyp":
        return "picture" if head[8:12] in _STILL_BRANDS else "video"
    if head[:4] == b"RIFF":
        return {b"WEBP": "picture", b"AVI ": "video"}.get(head[8:12], "")
    if head.startswith(_PICTURES) or (head[:1] == b"P" and head[1:2] in b"123456fF" and head[2:3].isspace()):
        return "picture"
    stream = head[:1] == b"G" and head[188:189] == b"G"  # an MPEG transport stream's packets
    return "video" if stream or head.startswith(_VIDEOS) or head[4:8] in (b"moov", b"mdat", b"wide") else ""


def kind_of(path: Path) -> str:
    """'picture' or 'video' of a file; what is neither counts as a picture, whose decoder refuses it."""
    suffix = path.suffix.lower()
    if suffix in VIDEOS:
        return "video"
    if suffix in PICTURES:
        return "picture"
    return kind(head_of(path)) or "picture"


def head_of(path: Path) -> bytes:
    """The first bytes of a file; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""
