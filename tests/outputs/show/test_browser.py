"""The page of a video in a real browser: video, timeline and numbers in step. Runs where Chromium and
playwright are there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mien.outputs.show import open_sink
from mien.outputs.show import page as pages
from tests.browsing import opened, violations
from tests.outputs.show.streams import face, step
from tests.sources.media import PEOPLE, compose

SECONDS, FPS = 2.0, 10
#: The ground at the left edge before and after the cut at 1 s, (red, green, blue).
GROUNDS = ((102, 120, 136), (136, 110, 94))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from opened()


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of videos: one that Chromium plays, one of a format that it does not know, one whose first
    frame is at 5 s."""
    folder = tmp_path_factory.mktemp("films")
    if "libvpx" not in av.codecs_available:
        pytest.skip("needs a PyAV that writes VP8")
    compose(folder / "plays.webm", PEOPLE, SECONDS, FPS, cuts=(1.0,), codec="libvpx")
    compose(folder / "late.webm", PEOPLE, SECONDS, FPS, cuts=(1.0,), codec="libvpx", start=5.0)
    compose(folder / "unknown.mp4", PEOPLE, SECONDS, FPS)
    return folder


def written(path: Path, film: Path, start: float = 0.0, end: float = SECONDS) -> Path:
    """A page on which #0 is happy and then, from 1 s on, sad; #1 is angry, and #2, above it, seen in the
    first second only."""
    sink = open_sink("page", path)
    for index in range(round(start * FPS), round(end * FPS)):
        time = index / FPS
        faces = [
            face((60, 60, 120, 120), "happy" if time < 1 else "sad", track=0),
            face((420, 300, 120, 120), "angry", 0.6, track=1),
            *([face((430, 150, 90, 90), "fear", track=2)] if time < 1 else []),
        ]
        result = step(faces, time, index=index, source=str(film), pixels=np.zeros((480, 640, 3), np.uint8))
        sink.add(result)
    sink.close()
    return path


@contextmanager
def shown(browser: Any, path: Path, width: int = 1280, scheme: str = "light", at: str = "") -> Iterator[Any]:
    """The page, once its video stands where it should or is known not to play; no fault may be thrown in
    it."""
    faults: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(path.as_uri() + at)
    page.wait_for_function("!playable || (ready && !video.seeking)")
    yield page
    page.close()
    assert faults == []


def seen(page: Any) -> list[str]:
    """What the line of numbers says: the time, then each face."""
    return [text.strip() for text in page.locator("#now > span").all_inner_texts()]


def cursor(page: Any) -> float:
    """Which time the cursor stands on, by the numbers of the timeline's own axis."""
    return float(
        page.evaluate(
            "data.start + (parseFloat(find('cursor').style.left) / 100 * axis.width - axis.left)"
            " / (axis.right - axis.left) * (data.end - data.start)"
        )
    )


def wait_for_ground(page: Any, which: int) -> None:
    """Until the video's own pixels show the ground before (0) or after (1) its cut; a frame may be painted a
    little late."""
    page.wait_for_function(
        """(wanted) => {
          const canvas = document.createElement("canvas"), brush = canvas.getContext("2d");
          brush.drawImage(video, 0, 0);
          const parts = [...brush.getImageData(5, 100, 1, 1).data].slice(0, 3);
          return parts.every((part, at) => Math.abs(part - wanted[at]) < 12);
        }""",
        arg=GROUNDS[which],
        timeout=5000,
    )


def wait(page: Any, time: float) -> None:
    """Until the video stands at a time."""
    page.wait_for_function("([at]) => !video.seeking && Math.abs(video.currentTime - at) < 0.01", arg=[time])


def test_seeking_the_video_moves_cursor_and_numbers(browser: Any, films: Path, tmp_path: Path) -> None:
    with shown(browser, written(tmp_path / "p.html", films / "plays.webm")) as page:
        wait_for_ground(page, 0)
        assert seen(page) == ["0:00.0", "#0 happy 70%", "#1 angry 60%", "#2 fear 70%"]
        page.evaluate("video.currentTime = 1.45")
        page.wait_for_function("now === 1.45")
        wait_for_ground(page, 1)
        assert seen(page) == ["0:01.5", "#0 sad 70%", "#1 angry 60%"]
        assert cursor(page) == pytest.approx(1.45, abs=0.01)
        assert page.get_attribute("#time", "aria-valuenow") == "1.45"
        assert page.get_attribute("#time", "aria-valuetext") == "0:01.5 of 0:02.0"


def test_a_click_in_the_timeline_moves_the_video(browser: Any, films: Path, tmp_path: Path) -> None:
    with shown(browser, written(tmp_path / "p.html", films / "plays.webm"), at="#t=0.3") as page:
        assert cursor(page) == pytest.approx(0.3)
        place = page.locator("#time").bounding_box()
        x = page.evaluate("(axis.left + 0.8 * (axis.right - axis.left)) / axis.width") * place["width"]
        page.mouse.click(place["x"] + x, place["y"] + 60)
        page.wait_for_function("!video.seeking && video.currentTime > 1")
        assert page.evaluate("video.currentTime") == pytest.approx(1.6, abs=0.01)
        wait_for_ground(page, 1)
        assert seen(page)[1] == "#0 sad 70%"
        assert cursor(page) == pytest.approx(1.6, abs=0.01)


def test_keys(browser: Any, films: Path, tmp_path: Path) -> None:
    with shown(browser, written(tmp_path / "p.html", films / "plays.webm"), at="#t=0.5") as page:
        for key, time in [
            ("ArrowRight", 1.5),
            ("Shift+ArrowRight", 1.6),
            ("Shift+ArrowLeft", 1.5),
            ("ArrowLeft", 0.5),
        ]:
            page.keyboard.press(key)
            wait(page, time)
            assert cursor(page) == pytest.approx(time, abs=0.01), key
        page.focus("#time")
        for key, time in [("End", 2.0), ("Home", 0.0), ("PageUp", 0.2)]:
            page.keyboard.press(key)
            wait(page, time)
        page.focus("#play")
        page.keyboard.press("ArrowRight")
        wait(page, 1.2)
        # Heard after the page's own listener: the film may have ended before anybody looks.
        page.evaluate(
            "() => video.addEventListener('play', () => { window.said = find('play').textContent; })"
        )
        page.keyboard.press("Space")
        page.wait_for_function("window.said === 'Pause'")


def test_it_plays_in_step_to_where_the_numbers_end_and_begins_again(
    browser: Any, films: Path, tmp_path: Path
) -> None:
    with shown(browser, written(tmp_path / "p.html", films / "plays.webm", 0.4, 1.8)) as page:
        page.evaluate(
            """() => {
              window.far = [];
              window.again = [];
              const watch = (_, frame) => {
                if (!video.paused) far.push(Math.abs(frame.mediaTime - now));
                video.requestVideoFrameCallback(watch);
              };
              video.requestVideoFrameCallback(watch);
            }"""
        )
        page.click("#play")
        page.wait_for_function("video.paused && !video.seeking && now === data.end")
        apart = page.evaluate("far")
        assert apart
        assert max(apart) < 1 / FPS + 0.01, "the numbers are those of the frame that is shown"
        page.evaluate("video.addEventListener('seeked', () => again.push(now))")
        page.click("#play")
        page.wait_for_function("again.length")
        assert page.evaluate("again[0]") < 0.9, (
            "from the start of the numbers, not of the video or where it stopped"
        )


def test_a_video_whose_first_frame_has_another_time(browser: Any, films: Path, tmp_path: Path) -> None:
    with shown(browser, written(tmp_path / "p.html", films / "late.webm"), at="#t=1.5") as page:
        assert (page.evaluate("shift"), page.evaluate("video.currentTime")) == (5, 6.5)
        wait_for_ground(page, 1)
        assert seen(page)[:2] == ["0:01.5", "#0 sad 70%"]
        page.keyboard.press("ArrowLeft")
        wait(page, 5.5)
        wait_for_ground(page, 0)
        assert seen(page)[0] == "0:00.5"


@pytest.mark.parametrize("embedded", [True, False])
def test_a_video_that_the_browser_cannot_decode_is_told(
    browser: Any, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded: bool
) -> None:
    monkeypatch.setattr(pages, "EMBED", 10_000_000 if embedded else 0)
    with shown(browser, written(tmp_path / "p.html", films / "unknown.mp4"), scheme="dark") as page:
        page.wait_for_selector("#lost > span:visible")
        told = page.inner_text("[role=alert]")
        assert told.startswith("This browser cannot play unknown.mp4: it ")
        assert (f"not at {os.path.relpath(films, tmp_path)}/unknown.mp4" in told) is not embedded
        assert not page.is_visible("#play")
        page.keyboard.press("ArrowRight")
        assert seen(page)[:2] == ["0:01.0", "#0 sad 70%"]
        assert cursor(page) == pytest.approx(1.0, abs=0.01)
        assert violations(page) == []


def test_a_video_of_which_only_the_sound_plays_is_told(browser: Any, tmp_path: Path) -> None:
    with av.open(str(tmp_path / "song.mp4"), "w") as file:
        moving, sound = file.add_stream("mpeg4", rate=10), file.add_stream("aac", rate=44100)
        moving.width, moving.height, moving.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            file.mux(moving.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")))
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        samples.sample_rate = 44100
        file.mux(sound.encode(samples))
        for stream in (moving, sound):
            file.mux(stream.encode(None))
    with shown(browser, written(tmp_path / "p.html", tmp_path / "song.mp4")) as page:
        assert page.is_visible("#lost > span")


def test_a_large_video_is_played_from_where_it_lies(
    browser: Any, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "EMBED", 0)
    with shown(browser, written(tmp_path / "p.html", films / "plays.webm"), at="#t=1.5") as page:
        assert page.evaluate("video.currentTime") == 1.5
        assert not page.is_visible("#lost > span")


def test_each_face_has_its_frame_in_its_colour(browser: Any, films: Path, tmp_path: Path) -> None:
    with shown(browser, written(tmp_path / "p.html", films / "plays.webm"), at="#t=0.5") as page:
        edge = """([x, y]) => {
          const scale = canvas.width / data.width;
          const pixel = [...brush.getImageData(x * scale, y * scale, 1, 1).data].slice(0, 3);
          return "#" + pixel.map((part) => part.toString(16).padStart(2, "0")).join("");
        }"""
        hues = {
            label: page.evaluate(f"colours[labels.indexOf('{label}')]")
            for label in ("happy", "angry", "fear")
        }
        places = {"happy": (60, 150), "angry": (420, 350), "fear": (430, 200)}
        assert {label: page.evaluate(edge, place) for label, place in places.items()} == hues
        page.click("#boxes")
        assert page.evaluate(edge, places["happy"]) == "#000000"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_it_is_accessible_and_fits(
    browser: Any, films: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    with shown(browser, written(tmp_path / "p.html", films / "plays.webm"), width, scheme, "#t=1.9") as page:
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.wait_for_function(
            """() => {
              const [bar, frame] = [find("cursor"), find("scroll")].map(
                (item) => item.getBoundingClientRect()
              );
              return frame.left <= bar.left && bar.right <= Math.min(frame.right, innerWidth);
            }"""
        )
