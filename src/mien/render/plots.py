"""Plots as inline SVG that follow the page: text stays text, page colours become CSS variables, ids are their own."""

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from ..extras import require
from ..palette import EMOTIONS, PAGE

#: Stand-ins that plots are drawn with; on the page each becomes `var(--name)`, so a plot follows light and dark.
STAND_IN: dict[str, str] = {name: f"#0a0b{number:02x}" for number, name in enumerate(PAGE, 1)}
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
    """Draw on the axes of a new figure of that size in inches and return it as SVG for a page; `name` keeps ids apart."""
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
    """Make matplotlib's SVG part of a page: no prologue, styles or namespaces; ids start with `name`; page colours."""
    text = re.sub(r"<(metadata|style)\b.*?</\1>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>", r'<svg aria-hidden="true" \1>', text, count=1)
    text = re.sub(r"font-family: [^;\"]*; ", "", re.sub(r'<g id="[^"]*">', "<g>", text))
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text.replace("xlink:href", "href"))
    for colour, stand_in in STAND_IN.items():
        text = text.replace(stand_in, f"var(--{colour})")
    return re.sub(r"\n\s*", "\n", text)


def density(axes: Any, x: Any, y: Any, extent: tuple[float, float, float, float]) -> None:
    """How many faces lie where, on a logarithmic scale, as one small picture whose transparency suits both papers."""
    from matplotlib.colors import to_rgb

    low, high = (extent[0], extent[2]), (extent[1], extent[3])
    points = np.clip(np.stack([x, y], axis=1), low, high)
    counts, _, _ = np.histogram2d(points[:, 0], points[:, 1], bins=40, range=(extent[:2], extent[2:]))
    strength = np.log1p(counts.T) / max(np.log1p(counts.max()), 1e-9)
    pixels = np.empty((*strength.shape, 4))
    pixels[..., :3] = to_rgb(EMOTIONS["sad"])
    pixels[..., 3] = np.where(strength > 0, 0.2 + 0.8 * strength, 0)
    axes.imshow(pixels, extent=extent, origin="lower", interpolation="none", aspect="auto", zorder=1)
    axes.set(xlim=extent[:2], ylim=extent[2:])


def heat(axes: Any, shares: Any, labels: tuple[str, ...]) -> None:
    """Shares (K, K) in 0…1 as one small picture whose transparency suits both papers, with names on both sides."""
    from matplotlib.colors import to_rgb

    pixels = np.empty((*shares.shape, 4))
    pixels[..., :3] = to_rgb(EMOTIONS["sad"])
    pixels[..., 3] = np.clip(shares, 0, 1) ** 0.7
    axes.imshow(pixels, interpolation="none", aspect="equal", zorder=2)
    size = 8 if len(labels) > 12 else 9
    axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=size)
    axes.set_yticks(range(len(labels)), labels, fontsize=size)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(True)
