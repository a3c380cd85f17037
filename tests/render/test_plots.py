"""Plots that can stand in a page."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from mien.render import plots
from mien.render.plots import STAND_IN


def line(axes: Any) -> None:
    axes.plot([1, 2, 3], [1, 3, 2], color=STAND_IN["accent"], label="a < b & $c")
    axes.legend()


def test_svg_stands_alone_in_a_page() -> None:
    drawn = plots.svg("one two", line)
    assert drawn.startswith('<svg aria-hidden="true" viewBox="')
    assert "http" not in drawn
    assert "<style" not in drawn
    assert "<?xml" not in drawn
    assert "xmlns" not in drawn
    assert "stroke: var(--accent)" in drawn
    assert "var(--muted)" in drawn
    assert "font-family" not in drawn
    assert "a &lt; b &amp; $c" in drawn


def test_ids_of_two_plots_differ_and_references_hold() -> None:
    one, two = plots.svg("one", line), plots.svg("two", line)
    ids, others = (set(re.findall(r'id="([^"]*)"', text)) for text in (one, two))
    assert ids
    assert not ids & others
    assert set(re.findall(r'(?:href="#|url\(#)([\w-]+)', one)) <= ids


def test_the_same_plot_is_the_same_text() -> None:
    assert plots.svg("one", line) == plots.svg("one", line)


def test_drawing_leaves_no_setting_behind() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    plots.svg("one", line)
    assert dict(matplotlib.rcParams) == before


def test_density_puts_faces_where_they_are_and_those_outside_on_the_border() -> None:
    class Axes:
        def imshow(self, pixels: Any, **options: Any) -> None:
            self.pixels = pixels

        def set(self, **options: Any) -> None:
            self.limits = options

    axes = Axes()
    plots.density(axes, np.array([0.0, 9.0, 0.0, 0.0]), np.array([0.5, 0.5, -0.99, -0.99]), (-1, 1, -1, 1))
    strength = axes.pixels[..., 3]
    assert np.argwhere(strength > 0).tolist() == [[0, 20], [30, 20], [30, 39]]
    assert strength[0, 20] == pytest.approx(1.0)
    assert 0.2 < strength[30, 20] < 1
    assert axes.limits == {"xlim": (-1, 1), "ylim": (-1, 1)}


def test_density_of_nothing_is_empty() -> None:
    assert "<image" in plots.svg("none", lambda axes: plots.density(axes, [], [], (0, 1, 0, 1)))
