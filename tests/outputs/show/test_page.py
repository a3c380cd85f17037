"""The page with video and timeline."""

from __future__ import annotations

import base64
import html
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from mien.errors import ConfigError
from mien.outputs.show import open_sink
from mien.outputs.show import page as pages
from mien.outputs.show.panels import LEFT, RIGHT, WIDTH
from mien.palette import PAGE
from mien.tasks import TASKS
from tests.outputs.show.streams import EXPRESSION, clip, face, step


def written(path: Path, source: str = "gone.mp4", times: tuple[float, ...] = (0.0, 0.1, 0.25)) -> str:
    sink = open_sink("page", path)
    for result in clip({3: "happy", 1: "sad"}, times, source=source):
        sink.add(result)
    sink.close()
    assert sink.written == [path]
    return path.read_text(encoding="utf-8")


def embedded(text: str) -> dict[str, Any]:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return dict(json.loads(found))


def test_the_table_holds_times_boxes_and_probabilities(tmp_path: Path) -> None:
    data = embedded(written(tmp_path / "p.html"))
    assert data["times"] == [0.0, 0.1, 0.25]
    assert (data["width"], data["height"]) == (160, 120)
    assert data["labels"] == list(EXPRESSION.heads[0].space.labels)
    assert data["axis"] == {"left": LEFT, "right": WIDTH - RIGHT, "width": WIDTH}
    happy, sad = data["tracks"]
    assert (happy["name"], happy["frames"], happy["unsure"]) == ("#3", [0, 1, 2], [0, 0, 0])
    assert happy["boxes"] == [10, 10, 40, 40] * 3
    assert happy["values"][data["labels"].index("happy")] == 700
    assert sad["values"][8 + data["labels"].index("sad")] == 700
    assert "notes" not in happy


def test_it_needs_no_network_and_has_no_blank_left(tmp_path: Path) -> None:
    text = written(tmp_path / "p.html")
    assert not re.findall(r"\{\{[A-Z]+\}\}", text)
    links = re.findall(r"(?:src|href)\s*=\s*[\"']?([^\"' >]+)", text)
    assert not links
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert all(tone in text for tones in PAGE.values() for tone in tones), "light and dark"


def test_a_small_video_is_part_of_it_and_a_large_one_is_referred_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = tmp_path / "in" / "my film #1.mp4"
    video.parent.mkdir()
    video.write_bytes(b"not really a video")
    text = written(tmp_path / "out" / "p.html", str(video))
    assert f'src="data:video/mp4;base64,{base64.b64encode(b"not really a video").decode()}"' in text
    monkeypatch.setattr(pages, "EMBED", 3)
    text = written(tmp_path / "out" / "q.html", os.path.relpath(video))
    assert 'src="../in/my%20film%20%231.mp4"' in text


def test_names_are_escaped_wherever_they_stand(tmp_path: Path) -> None:
    name = "</script><img src=x onerror=alert(1)>.mp4"
    text = written(tmp_path / "p.html", f"in {name}")
    assert "<img" not in text
    assert html.escape("onerror=alert(1)") in text


def test_a_source_named_like_a_blank_stays_a_name(tmp_path: Path) -> None:
    text = written(tmp_path / "p.html", "{{DATA}}.mp4")
    assert text.count("{{DATA}}.mp4") == 3
    embedded(text)


def test_of_a_long_video_some_frames_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST", 10)
    data = embedded(written(tmp_path / "p.html", times=tuple(index / 10 for index in range(25))))
    assert data["times"] == [0.0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8, 2.1, 2.4]
    assert data["tracks"][0]["frames"] == list(range(9))
    assert len(data["tracks"][0]["values"]) == 9 * 8


def test_values_are_notes_and_who_abstains_is_marked(tmp_path: Path) -> None:
    sink = open_sink("page", tmp_path / "p.html")
    sink.add(step([face((1, 2, 30, 40), "sad", 0.4, track=1, task=TASKS["affect"], abstain=0.5)], 0.0))
    sink.close()
    (track,) = embedded((tmp_path / "p.html").read_text(encoding="utf-8"))["tracks"]
    assert track["unsure"] == [1]
    assert track["notes"] == ["valence +0.50  arousal -0.25"]


def test_a_video_without_a_face_has_a_page_too(tmp_path: Path) -> None:
    sink = open_sink("page", tmp_path / "p.html")
    sink.add(step([], 0.0))
    sink.close()
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert embedded(text)["tracks"] == []
    assert "no face was seen" in text


def test_another_suffix_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"p\.pdf: not the name of a page"):
        open_sink("page", tmp_path / "p.pdf")
