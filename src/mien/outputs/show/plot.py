"""Plots as SVG for light and dark paper, or as pixels. A colour is '#rrggbb' or a name of `palette.PAGE`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from typing import Any, TypeAlias

from PIL import Image, ImageDraw, ImageFont

from ...palette import PAGE

Point = tuple[float, float]
_FINE = 3  # pixels are drawn this much larger, then shrunk by 3 / 2: smooth edges at twice the size
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif"


@dataclass(frozen=True)
class Polygon:
    """A filled polygon; `title` shows when the pointer is on it."""

    points: Sequence[Point]
    fill: str
    title: str = ""


@dataclass(frozen=True)
class Polyline:
    """A line through points."""

    points: Sequence[Point]
    stroke: str
    width: float = 1.0


@dataclass(frozen=True)
class TextLabel:
    """One line of text; `at` is the start, middle or end of its base line."""

    at: Point
    text: str
    fill: str = "ink"
    size: float = 12
    anchor: str = "start"
    bold: bool = False


Shape: TypeAlias = Polygon | Polyline | TextLabel


@dataclass
class TimelinePlot:
    """Shapes on paper of `width` x `height`, the first at the bottom."""

    width: float
    height: float = 0.0
    title: str = ""
    shapes: list[Shape] = field(default_factory=list)

    def area(self, points: Sequence[Point], fill: str, title: str = "") -> None:
        """Add a filled polygon."""
        self.shapes.append(Polygon(points, fill, title))

    def box(self, sides: tuple[float, float, float, float], fill: str, title: str = "") -> None:
        """Add a filled rectangle: left, top, right, bottom."""
        left, top, right, bottom = sides
        self.area([(left, top), (right, top), (right, bottom), (left, bottom)], fill, title)

    def line(self, points: Sequence[Point], stroke: str, width: float = 1.0) -> None:
        """Add a line."""
        self.shapes.append(Polyline(points, stroke, width))

    def text(self, at: Point, text: str, fill: str = "ink", **how: Any) -> None:
        """Add a line of text."""
        self.shapes.append(TextLabel(at, text, fill, **how))


def wide(text: str, size: float = 12) -> float:
    """About how wide a text is."""
    return _font(size).getlength(text)


def svg(plot: TimelinePlot, paper: bool = True) -> str:
    """Write the plot as SVG; without `paper` it takes the colours and the ground of the page around it."""
    inside = "\n".join(_element(shape) for shape in plot.shapes)
    ground = "<rect class='f-paper' width='100%' height='100%'/>"
    style = f"<style>{_style()}</style>\n{ground}\n" if paper else ""
    size = f" width='{plot.width:g}' height='{plot.height:g}'" if paper else ""
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {plot.width:g} {plot.height:g}'{size}"
        f" role='img' aria-label='{escape(plot.title)}' font-family=\"{_FONT}\">\n{style}{inside}\n</svg>\n"
    )


def image(plot: TimelinePlot, dark: bool = False) -> Image.Image:
    """The plot as pixels, two for each unit of its size, on light or dark paper."""
    canvas = Image.new("RGB", (round(plot.width * _FINE), round(plot.height * _FINE)), PAGE["paper"][dark])
    brush = ImageDraw.Draw(canvas)
    for shape in plot.shapes:
        _paint(brush, shape, dark)
    return canvas.resize((round(plot.width * 2), round(plot.height * 2)), Image.Resampling.LANCZOS)


def ink_on(colour: str) -> str:
    """Black or white: which of them is read better on a colour."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    light = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
    return "#ffffff" if 1.05 / (light + 0.05) > (light + 0.05) / 0.05 else "#000000"


def _style() -> str:
    rule = ".f-{0}{{fill:{1}}}.s-{0}{{stroke:{1}}}"
    light, dark = ("".join(rule.format(name, tone[paper]) for name, tone in PAGE.items()) for paper in (0, 1))
    return f"{light}@media(prefers-color-scheme:dark){{{dark}}}"


def _element(shape: Shape) -> str:
    if isinstance(shape, TextLabel):
        weight = " font-weight='600'" if shape.bold else ""
        anchor = "" if shape.anchor == "start" else f" text-anchor='{shape.anchor}'"
        place = f"x='{shape.at[0]:.1f}' y='{shape.at[1]:.1f}' font-size='{shape.size:g}'"
        return f"<text {place}{anchor}{weight} {_colour('fill', shape.fill)}>{escape(shape.text)}</text>"
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
    if isinstance(shape, Polyline):
        stroke = f"{_colour('stroke', shape.stroke)} stroke-width='{shape.width:g}' stroke-linejoin='round'"
        return f"<polyline points='{points}' fill='none' {stroke}/>"
    title = f"><title>{escape(shape.title)}</title></polygon>" if shape.title else "/>"
    return f"<polygon points='{points}' {_colour('fill', shape.fill)}{title}"


def _colour(what: str, colour: str) -> str:
    return f"{what}='{colour}'" if colour.startswith("#") else f"class='{what[0]}-{colour}'"


def _paint(brush: ImageDraw.ImageDraw, shape: Shape, dark: bool) -> None:
    if isinstance(shape, TextLabel):
        x, y = shape.at[0] * _FINE, shape.at[1] * _FINE
        anchor = {"start": "ls", "middle": "ms", "end": "rs"}[shape.anchor]
        bold = 0.5 if shape.bold else 0
        font, ink = _font(shape.size * _FINE), _tone(shape.fill, dark)
        brush.text((x, y), shape.text, ink, font, anchor, stroke_width=bold)
        return
    points = [(x * _FINE, y * _FINE) for x, y in shape.points]
    if isinstance(shape, Polyline):
        brush.line(points, _tone(shape.stroke, dark), round(shape.width * _FINE), joint="curve")
    else:
        brush.polygon(points, _tone(shape.fill, dark))


def _tone(colour: str, dark: bool) -> str:
    return colour if colour.startswith("#") else PAGE[colour][dark]


@cache
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
