"""The timeline of a video: for each face a row of what it showed when, with gaps where it was not seen."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ...files import atomic_write, write_text
from ...palette import colours
from ...tasks import Task
from .panels import LEFT, RIGHT, UNSURE, WIDTH, Scale, clock, curved, row, strokes
from .plot import TimelinePlot, image, svg, wide
from .series import Series
from .sink import Recordings, SeriesRecording, check_suffix

_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200)
_TICKS = 12  # at most, but for a video of several days
_LEGEND = 20  # height of a line of it


def open_timeline(path: Path) -> Recordings:
    """Make a sink of timelines, .svg (light and dark) or .png (light). Raises ConfigError."""
    check_suffix(path, (".svg", ".png"), "a timeline")
    return Recordings(path, partial(SeriesRecording, write=_write))


def _write(series: Series, source: str, path: Path) -> None:
    plot = draw(series, Path(source).name)
    if path.suffix.lower() == ".svg":
        write_text(path, svg(plot))
        return
    with atomic_write(path) as part:
        image(plot).save(part, format="PNG")


def draw(series: Series, name: str) -> TimelinePlot:
    """Plot the timeline, under `name` if not empty; its axis of time reaches from LEFT to WIDTH - RIGHT."""
    plot = TimelinePlot(WIDTH, title=f"What each face in {name or 'the video'} shows over time")
    top = 8.0
    if name:
        plot.text((LEFT, 28), name, size=17, bold=True)
        top = 38.0
    if series.task is None:
        plot.text((LEFT, top + 24), "no face was seen", "muted")
        start, top = top, top + 40
    else:
        start = top = _legend(plot, series, series.task, top)
        for _, track in sorted(series.tracks.items(), key=lambda item: (item[0] < 0, abs(item[0]))):
            top = row(plot, series, series.task, track, top)
    _axis(plot, Scale(*series.span), start + 6, top)
    plot.height = top + 28
    return plot


def _legend(plot: TimelinePlot, series: Series, task: Task, top: float) -> float:
    """Name the colours; returns where it ends."""
    x, y = float(LEFT), top + _LEGEND / 2
    head = task.main_head
    keys = list(colours(head.space).items()) if head else []
    if any(any(track.unsure) for track in series.tracks.values()):
        keys.append((UNSURE, "line"))
    thin = [key for head in curved(task) for key in strokes(series, head).items()]
    for at, (label, colour) in enumerate([*keys, *thin]):
        width = 16 + wide(label) + 18
        if x + width > WIDTH - RIGHT:
            x, y = float(LEFT), y + _LEGEND
        if at < len(keys):
            plot.box((x, y - 5, x + 10, y + 5), colour)
        else:
            plot.line([(x - 2, y), (x + 11, y)], colour, 2.5)
        plot.text((x + 16, y + 4), label)
        x += width
    return y + _LEGEND / 2


def _axis(plot: TimelinePlot, scale: Scale, top: float, bottom: float) -> None:
    """Times under the rows, and a line through them at each, behind all else."""
    length = max(scale.end - scale.start, 0.1)
    step = next((step for step in _STEPS if length / step <= _TICKS), _STEPS[-1])
    number = -int(-scale.start // step)
    lines = TimelinePlot(WIDTH)
    while number * step <= scale.end + 1e-6:
        x = scale.x(number * step)
        lines.line([(x, top), (x, bottom + 4)], "line")
        plot.text((x, bottom + 18), clock(number * step, step), "muted", size=11, anchor="middle")
        number += 1
    plot.shapes[:0] = lines.shapes
