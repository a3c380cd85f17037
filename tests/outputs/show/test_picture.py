"""Annotated pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mien.outputs.show.card import card_of
from mien.outputs.show.picture import LARGEST, SMALLEST, annotate, save
from mien.prediction import Prediction
from mien.records import Box, Face
from mien.tasks import TASKS, Kind, Task

RNG = np.random.default_rng(5)


def predicted(box: tuple[int, int, int, int], task: Task) -> Prediction:
    outputs = {}
    for head in task:
        low, high = head.bounds if head.kind is Kind.VALUES else (0.0, 1.0)
        outputs[head.name] = dict(
            zip(head.space.labels, RNG.uniform(low, high, len(head)).tolist(), strict=True)
        )
    return Prediction(Face(Box(*box)), outputs, task)


PICTURES = {
    "crop": ((48, 48), [(0, 0, 48, 48)]),
    "banner": ((40, 700, 3), [(300, 2, 36, 36), (-20, 2, 36, 36)]),
    "tower": ((900, 90, 3), [(5, 300, 80, 80)]),
    "dot": ((1, 1, 3), [(0, 0, 1, 1)]),
    "crowd": ((500, 700, 3), [(x, y, 90, 90) for x in range(5, 600, 97) for y in range(5, 400, 97)]),
    "huge": ((1600, 3000, 3), [(100, 100, 500, 500), (2800, 1500, 150, 150)]),
}


@pytest.mark.parametrize("task", ["expression7", "affect", "emotic"])
@pytest.mark.parametrize("name", PICTURES)
def test_text_never_leaves_the_picture(monkeypatch: pytest.MonkeyPatch, name: str, task: str) -> None:
    shape, boxes = PICTURES[name]
    texts: list[tuple[float, float, float, float]] = []
    draw_text = ImageDraw.ImageDraw.text

    def noted(self: ImageDraw.ImageDraw, xy: tuple[float, float], text: str, **options: object) -> None:
        area = self.textbbox(xy, text, font=options["font"], anchor=options["anchor"])  # type: ignore[arg-type]
        assert area[0] >= 0
        assert area[1] >= 0
        assert area[2] <= self.im.size[0]
        assert area[3] <= self.im.size[1]
        texts.append(area)
        draw_text(self, xy, text, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", noted)
    drawn = annotate(np.full(shape, 200, np.uint8), [predicted(box, TASKS[task]) for box in boxes])
    assert len(texts) >= len(boxes)
    assert drawn.dtype == np.uint8
    assert drawn.ndim == 3
    assert drawn.shape[2] == 3


def test_the_frame_is_where_the_face_is_and_has_the_colour_of_its_label() -> None:
    prediction = predicted((200, 100, 300, 300), TASKS["expression7"])
    drawn = annotate(np.zeros((800, 1000, 3), np.uint8), [prediction])
    assert drawn.shape == (800, 1000, 3)
    frame = drawn[250, 195:206].astype(int)
    assert np.abs(frame - card_of(prediction).colour).sum(axis=1).min() < 12
    np.testing.assert_array_equal(drawn[150:350, 250:450], 0), "the face itself is left free"


def test_a_face_hidden_by_no_card() -> None:
    boxes = [(100, 100, 120, 120), (260, 100, 120, 120), (420, 100, 120, 120)]
    drawn = annotate(
        np.full((400, 640, 3), 255, np.uint8), [predicted(box, TASKS["affect"]) for box in boxes]
    )
    for x, y, width, height in boxes:
        assert (drawn[y + 10 : y + height - 10, x + 10 : x + width - 10] == 255).all()
    assert (drawn < 60).all(axis=2).sum() > 3000, "but cards are there"


@pytest.mark.parametrize(("side", "expected"), [(48, SMALLEST), (800, 800), (2500, LARGEST)])
def test_sizes_are_brought_to_what_can_be_read(side: int, expected: int) -> None:
    assert annotate(np.zeros((side, side), np.uint8), []).shape == (expected, expected, 3)


def test_a_lone_face_that_fills_the_picture_gets_a_strip() -> None:
    drawn = annotate(np.full((100, 100), 255, np.uint8), [predicted((0, 0, 100, 100), TASKS["expression7"])])
    assert drawn.shape[0] == SMALLEST
    assert drawn.shape[1] > SMALLEST
    assert (drawn[20:-20, 20 : SMALLEST - 20] == 255).all()


def test_cards_show_the_likeliest_and_the_values() -> None:
    prediction = Prediction(
        Face(Box(0, 0, 9, 9)),
        {
            "expression8": {"happy": 0.7, "sad": 0.2, "fear": 0.06},
            "valence_arousal": {"valence": 0.5, "arousal": -0.25},
        },
        TASKS["affect"],
    )
    card = card_of(prediction)
    assert card.title == "happy 70%"
    assert [(bar.label, bar.value) for bar in card.bars] == [("happy", 0.7), ("sad", 0.2), ("fear", 0.06)]
    assert (card.note, card.spot) == ("valence +0.50  arousal -0.25", (0.5, -0.25))
    tags = predicted((0, 0, 9, 9), TASKS["emotic"])
    best = max(tags.outputs["tags"].items(), key=lambda item: item[1])
    assert card_of(tags).bars[0][:2] == best
    values = Task("only", (TASKS["affect"].head("valence_arousal"),))
    alone = card_of(predicted((0, 0, 9, 9), values))
    assert alone.title.startswith("valence ")
    assert not alone.bars
    assert annotate(np.zeros((50, 50), np.uint8), [predicted((0, 0, 50, 50), values)]).shape[1] > SMALLEST


def test_the_picture_is_saved_as_png_whatever_its_name(tmp_path: Path) -> None:
    save(tmp_path / "new" / "a.mien.png", np.zeros((10, 20, 3), np.uint8), [])
    with Image.open(tmp_path / "new" / "a.mien.png") as image:
        assert (image.format, image.size) == ("PNG", (SMALLEST, SMALLEST // 2))
    assert len(list((tmp_path / "new").iterdir())) == 1
