"""Plots as inline SVG that follow the page: text stays text, colours become CSS variables."""

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from ..extras import require
from ..palette import EMOTIONS, PAGE

#: Colours that plots are drawn with; each becomes `var(--name)`, so a plot follows a light or dark page.
STAND_IN: dict[str, str] = {name: f"#0a0b{number:02x}" for number, name in enumerate(PAGE, 1)}
#: Size in inches of a plot of two like axes, and the dashes of a line that says what to compare with.
SQUARE, BROKEN = (3.6, 3.6), (0, (4, 3))
#: Settings of every plot; labels come from data files, so none is read as mathematics.
_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mien",
    "text.parse_math": False,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": STAND_IN["line"],
    "axes.labelcolor": STAND_IN["muted"],
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlecolor": STAND_IN["ink"],
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": STAND_IN["line"],
    "grid.linewidth": 0.7,
    "xtick.color": STAND_IN["line"],
    "ytick.color": STAND_IN["line"],
    "xtick.labelcolor": STAND_IN["muted"],
    "ytick.labelcolor": STAND_IN["muted"],
    "text.color": STAND_IN["ink"],
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


def svg(name: str, draw: Callable[[Any], None], size: tuple[float, float] = (4.4, 2.9)) -> str:
    """Draw a figure, sized in inches, and return it as SVG for a page; `name` keeps its ids apart."""
    matplotlib = require("matplotlib", "report")
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        sheet = io.StringIO()
        figure.savefig(sheet, format="svg", transparent=True)
    return inline(sheet.getvalue(), re.sub(r"\W+", "-", name))


def inline(text: str, name: str) -> str:
    """Make matplotlib's SVG part of a page: no prologue, styles or namespaces; ids start with `name`."""
    text = re.sub(r"<(metadata|style)\b.*?</\1>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>", r'<svg aria-hidden="true" \1>', text, count=1)
    text = re.sub(r"font-family: [^;\"]*; ", "", re.sub(r'<g id="[^"]*">', "<g>", text))
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text.replace("xlink:href", "href"))
    for colour, stand_in in STAND_IN.items():
        text = text.replace(stand_in, f"var(--{colour})")
    return re.sub(r"\n\s*", "\n", text)


def axes_of_epochs(axes: Any, title: str) -> None:
    """Title the axes, and mark whole epochs only."""
    from matplotlib.ticker import MaxNLocator

    axes.set(title=title, xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))


def equality(axes: Any, low: float, high: float) -> None:
    """Draw the broken line on which both sides agree."""
    axes.plot([low, high], [low, high], color=STAND_IN["muted"], linewidth=1, linestyle=BROKEN)


def agreement(name: str, title: str, true: Any, predicted: Any, bounds: tuple[float, float]) -> str:
    """How many samples lie where, model over raters, (n,) each, with the line of agreement; an SVG."""

    def draw(axes: Any) -> None:
        density(axes, true, predicted, (*bounds, *bounds))
        equality(axes, *bounds)
        axes.set(title=title, xlabel="raters", ylabel="model", aspect="equal")

    return svg(name, draw, SQUARE)


def density(axes: Any, x: Any, y: Any, extent: tuple[float, float, float, float]) -> None:
    """Draw how many samples lie where, on a logarithmic scale; extent: x from, to, y from, to."""
    ranges = extent[:2], extent[2:]
    counts, _, _ = np.histogram2d(np.clip(x, *ranges[0]), np.clip(y, *ranges[1]), bins=40, range=ranges)
    strength = np.log1p(counts.T) / max(np.log1p(counts.max()), 1e-9)
    alpha = np.where(strength > 0, 0.2 + 0.8 * strength, 0)
    axes.imshow(_tint(alpha), extent=extent, origin="lower", interpolation="none", aspect="auto", zorder=1)
    axes.set(xlim=ranges[0], ylim=ranges[1])


def matrix(axes: Any, shares: Any, labels: tuple[str, ...]) -> None:
    """Draw shares (K, K) in 0…1 as squares, the stronger the larger, with labels on both sides."""
    axes.imshow(_tint(np.clip(shares, 0, 1) ** 0.7), interpolation="none", aspect="equal", zorder=2)
    size = 8 if len(labels) > 12 else 9
    axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=size)
    axes.set_yticks(range(len(labels)), labels, fontsize=size)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(True)


def _tint(alpha: Any) -> Any:
    """One colour as RGBA (H, W, 4), its opacity (H, W) in 0…1: it suits light and dark paper."""
    from matplotlib.colors import to_rgb

    return np.dstack([*np.broadcast_arrays(*to_rgb(EMOTIONS["sad"]), alpha)])
