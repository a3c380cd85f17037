"""Results as columns, and what a timeline makes of them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.errors import ConfigError
from mien.outputs.show import open_sink
from mien.outputs.show.panels import LEFT, RIGHT, WIDTH, Scale, clock
from mien.outputs.show.plot import TimelinePlot, image, ink_on, svg
from mien.outputs.show.series import Series
from mien.outputs.show.timeline import draw
from mien.palette import PAGE, colours
from mien.tasks import TASKS
from tests.outputs.show.streams import EXPRESSION, clip, face, step

HEAD = EXPRESSION.heads[0]


def gone(away: tuple[float, float], *, rate: int = 10, length: float = 6.0) -> Series:
    """A face that is happy, is away for a while, and comes back sad."""
    series = Series()
    for index in range(round(length * rate)):
        time = index / rate
        label = "happy" if time < away[0] else "sad"
        faces = [] if away[0] <= time < away[1] else [face((5, 5, 50, 50), label, track=4)]
        series.add(step(faces, time, index=index))
    return series


def test_a_track_that_was_away_comes_in_pieces() -> None:
    series = gone((2.0, 3.5))
    first, second = series.pieces(series.tracks[4], HEAD, 0.01)
    np.testing.assert_allclose([first.times[0], first.times[-1]], [0, 2.0])
    np.testing.assert_allclose([second.times[0], second.times[-1]], [3.5, 6.0])
    assert len(first.values) == 20
    assert first.values[0].argmax() == HEAD.space.index("happy")
    assert second.values[0].argmax() == HEAD.space.index("sad")


def test_a_blink_is_no_gap_and_frames_far_apart_are_none_either() -> None:
    blink, slow = gone((2.0, 2.3)), gone((20, 20), rate=1, length=10)
    assert len(list(blink.pieces(blink.tracks[4], HEAD, 0.01))) == 1
    assert len(list(slow.pieces(slow.tracks[4], HEAD, 0.01))) == 1


def test_columns_are_means() -> None:
    series = gone((2.0, 2.0), rate=10, length=4)
    (piece,) = series.pieces(series.tracks[4], HEAD, 4.1)
    happy, sad = (HEAD.space.index(label) for label in ("happy", "sad"))
    assert piece.values.shape == (1, 8)
    assert piece.values[0, happy] == pytest.approx(piece.values[0, sad])
    np.testing.assert_allclose(piece.values.sum(axis=1), 1, rtol=1e-6)


def test_faces_without_tracks_are_told_apart_by_their_place() -> None:
    series = Series()
    series.add(step([face((0, 0, 9, 9)), face((20, 0, 9, 9))], 0.0))
    assert [track.name for track in series.tracks.values()] == ["face 1", "face 2"]


def shapes(text: str, tag: str) -> list[ET.Element]:
    return ET.fromstring(text).findall(f".//{{http://www.w3.org/2000/svg}}{tag}")


def test_the_strip_says_what_dominated_when() -> None:
    series = gone((2.0, 3.5))
    text = svg(draw(series, "a.mp4"))
    scale, tones = Scale(0, 6.0), colours(HEAD.space)
    strips = {}
    for polygon in shapes(text, "polygon"):
        title = polygon.find("{http://www.w3.org/2000/svg}title")
        corners = np.array([point.split(",") for point in polygon.get("points", "").split()], float)
        if title is not None and len(corners) == 4:
            strips[title.text] = (polygon.get("fill"), corners[:, 0].min(), corners[:, 0].max())
    assert strips["happy"] == (
        tones["happy"],
        pytest.approx(scale.x(0), abs=0.1),
        pytest.approx(scale.x(2), abs=0.1),
    )
    assert strips["sad"] == (
        tones["sad"],
        pytest.approx(scale.x(3.5), abs=0.1),
        pytest.approx(scale.x(6), abs=0.1),
    )
    assert scale.x(0) == LEFT
    assert scale.x(6.0) == WIDTH - RIGHT


def test_texts_name_tracks_times_and_labels_and_are_escaped() -> None:
    words = [element.text for element in shapes(svg(draw(gone((2.0, 3.5)), "<a> & b.mp4")), "text")]
    assert {"<a> & b.mp4", "#4", "0:00 to 0:06 · mostly sad (56%)", "neutral", "contempt", "0:01.0"} <= set(
        words
    )
    assert "unsure" not in words


def test_who_abstains_is_unsure_in_the_timeline() -> None:
    series = Series()
    for index in range(30):
        series.add(step([face((0, 0, 9, 9), "sad", 0.3, track=1, abstain=0.5)], index / 10))
    words = [element.text for element in shapes(svg(draw(series, "a.mp4")), "text")]
    assert "0:00 to 0:03 · mostly unsure (100%)" in words
    assert words.count("unsure") == 2, "in the legend and on the strip"


def test_values_are_curves_between_their_bounds() -> None:
    series = Series()
    for index in range(20):
        series.add(step([face((0, 0, 9, 9), track=1, task=TASKS["affect"])], index / 10))
    text = svg(draw(series, "a.mp4"))
    curves = [line for line in shapes(text, "polyline") if line.get("stroke-width") == "1.6"]
    assert [curve.get("class") for curve in curves] == ["s-accent", "s-second"]
    heights = [float(re.findall(r",([\d.]+)", curve.get("points", ""))[0]) for curve in curves]
    assert heights[1] - heights[0] == pytest.approx(56 * 0.75 / 2, abs=0.2), "valence 0.5 above arousal -0.25"


def test_a_long_video_makes_no_long_plot() -> None:
    series = Series()
    result = step([face((0, 0, 9, 9), track=1)], 0.0)
    for index in range(20_000):
        series.add(replace(result, moment=replace(result.moment, time=index / 30)))
    assert len(svg(draw(series, "long.mp4"))) < 120_000


def test_timelines_are_svg_or_png(tmp_path: Path) -> None:
    for name in ("t.svg", "t.png"):
        sink = open_sink("timeline", tmp_path / name)
        for result in clip({1: "happy", 2: "sad"}, [0, 0.1, 0.2]):
            sink.add(result)
        sink.close()
    with Image.open(tmp_path / "t.png") as drawn:
        assert drawn.width == 2 * WIDTH
        assert drawn.getpixel((2, 2)) == tuple(bytes.fromhex(PAGE["paper"][0][1:]))
    ET.parse(tmp_path / "t.svg")
    with pytest.raises(ConfigError, match=r"t\.pdf: not the name of a timeline"):
        open_sink("timeline", tmp_path / "t.pdf")


def test_a_video_without_a_face_says_so() -> None:
    series = Series()
    assert "no face was seen" in svg(draw(series, "a.mp4"))
    series.add(step([], 0.0))
    assert "no face was seen" in svg(draw(series, "a.mp4"))


@pytest.mark.parametrize(
    ("seconds", "step", "says"),
    [(0, 1, "0:00"), (59.6, 1, "1:00"), (61, 5, "1:01"), (3723, 60, "1:02:03"), (1.26, 0.2, "0:01.3")],
)
def test_clock(seconds: float, step: float, says: str) -> None:
    assert clock(seconds, step) == says


def test_a_plot_follows_light_and_dark_paper() -> None:
    plot = TimelinePlot(40, 20, "x")
    plot.box((0, 0, 20, 20), "ink")
    plot.line([(0, 0), (40, 20)], "accent", 3)
    text = svg(plot)
    assert "prefers-color-scheme:dark" in text
    assert f".f-ink{{fill:{PAGE['ink'][1]}}}" in text
    assert "<style>" not in svg(plot, paper=False)
    for dark in (False, True):
        tone = image(plot, dark).getpixel((4, 30))
        assert tone == tuple(bytes.fromhex(PAGE["ink"][dark][1:]))


def test_text_on_a_colour_is_black_or_white_whichever_reads_better() -> None:
    assert ink_on("#c08400") == "#000000"
    assert ink_on("#1b2026") == "#ffffff"
