"""A page with the video and its timeline in step: one file of HTML that needs no network."""

from __future__ import annotations

import base64
import json
import mimetypes
import os
import re
from functools import partial
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from ...files import write_text
from ...palette import EMOTIONS, PAGE, bright, colours
from ...tasks import Head, Kind, Task
from . import timeline
from .card import scored
from .panels import LEFT, RIGHT, WIDTH, clock
from .plot import svg
from .series import Series, Track
from .sink import Recordings, SeriesRecording, check_suffix

#: Smaller videos become part of the page, in bytes; larger ones are referred to by their path from the page.
EMBED = 3_000_000
#: Frames that a page holds at most; of longer videos every second, third … frame is kept.
MOST = 20_000


def open_page(path: Path) -> Recordings:
    """A sink that writes pages, .html. Raises ConfigError for another suffix."""
    check_suffix(path, (".htm", ".html"), "a page")
    return Recordings(path, partial(SeriesRecording, write=_write))


def _write(series: Series, source: str, path: Path) -> None:
    write_text(path, render(series, source, path))


def render(series: Series, source: str, path: Path) -> str:
    """The page of a video that is to lie at `path`."""
    name = Path(source).name or source
    start, end = series.span
    faces = len(series.tracks)
    counts = f"{len(series.times)} frames · {faces} {'face' if faces == 1 else 'faces'}"
    width, height = series.size
    parts = {
        "NAME": escape(name),
        "FACTS": f"{clock(end - start)} · {counts} · {width}×{height}",
        "COLOURS": _colours(),
        "WIDTH": str(width),
        "HEIGHT": str(height),
        "START": f"{start:.3f}",
        "END": f"{end:.3f}",
        "VIDEO": _video(source, path),
        "LOST": escape(_lost(source, path)),
        "PLOT": svg(timeline.draw(series, ""), paper=False),
        "SCRIPT": _part("page.js"),
        "DATA": json.dumps(data(series), separators=(",", ":")).replace("<", "\\u003c"),
    }
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda blank: parts[blank[1]], _part("page.html"))


def data(series: Series) -> dict[str, Any]:
    """Collect what the page's script reads: frames by time, tracks by frame, probabilities out of 1000."""
    every = max(1, -(-len(series.times) // MOST))
    head = _scored(series.task)
    labels = head.space.labels if head else ()
    start, end = series.span
    return {
        "start": round(start, 3),
        "end": round(end, 3),
        "width": series.size[0],
        "height": series.size[1],
        "axis": {"left": LEFT, "right": WIDTH - RIGHT, "width": WIDTH},
        "labels": labels,
        "colours": [_hex(colours(head.space)[label]) for label in labels] if head else [],
        "grey": _hex(EMOTIONS["neutral"]),
        "times": [round(time, 3) for time in series.times[::every]],
        "tracks": [_track(track, series.task, every) for track in series.tracks.values() if series.task],
    }


def _track(track: Track, task: Task, every: int) -> dict[str, Any]:
    frames = np.array(track.frames)
    kept = frames % every == 0
    head = _scored(task)
    values = track.values(head)[kept] if head else np.zeros((int(kept.sum()), 0))
    return {
        "name": track.name,
        "frames": (frames[kept] // every).tolist(),
        "boxes": np.array(track.boxes).reshape(-1, 4)[kept].ravel().tolist(),
        "unsure": np.array(track.unsure)[kept].tolist(),
        "values": np.rint(values * 1000).astype(int).ravel().tolist(),
        **_notes(track, task, kept),
    }


def _notes(track: Track, task: Task, kept: np.ndarray) -> dict[str, list[str]]:
    head = next((head for head in task if head.kind is Kind.VALUES), None)
    if head is None:
        return {}
    form = "+.2f" if head.bounds[0] < 0 else ".1f"
    rows = track.values(head)[kept].tolist()
    named = [zip(head.space.labels, row, strict=True) for row in rows]
    return {"notes": ["  ".join(f"{label} {value:{form}}" for label, value in row) for row in named]}


def _scored(task: Task | None) -> Head | None:
    return scored(task) if task else None


def _video(source: str, path: Path) -> str:
    """The video element: a small file itself, else its path from the page; nothing for a camera."""
    file = Path(source)
    if not file.is_file():
        return ""
    kind = mimetypes.guess_type(file.name)[0] or "video/mp4"
    if _embedded(file):
        address = f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
    else:
        address = quote(_from(path, file))
    return f'<video id="video" src="{escape(address)}" playsinline preload="auto"></video>'


def _lost(source: str, path: Path) -> str:
    """What the page says where a browser does not play the video."""
    file = Path(source)
    why = "is of an unknown format"
    if file.is_file() and not _embedded(file):
        why = f"is not at {_from(path, file)} from this page, or its format is unknown"
    return f"This browser cannot play {file.name}: it {why} (most browsers know H.264, VP9 and AV1)."


def _embedded(file: Path) -> bool:
    return file.stat().st_size <= EMBED


def _from(page: Path, file: Path) -> str:
    """The way to a file from the folder of a page."""
    return os.path.relpath(file.resolve(), page.parent.resolve()).replace(os.sep, "/")


def _colours() -> str:
    light, dark = ("".join(f"--{name}: {tones[at]}; " for name, tones in PAGE.items()) for at in (0, 1))
    rule = ".f-{0} {{ fill: var(--{0}); }} .s-{0} {{ stroke: var(--{0}); }}\n"
    shapes = "".join(map(rule.format, PAGE))
    return f":root {{ {light}}}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark}}} }}\n{shapes}"


def _hex(colour: str) -> str:
    return "#" + bytes(bright(colour)).hex()


def _part(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")
