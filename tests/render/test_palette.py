"""Colours that everyone can tell from the paper."""

from __future__ import annotations

import pytest

from mien.labels import COMPOUND11, EMOTIC26, EMOTION13, EMOTION14, EXPRESSION7, VAD_MEANS, LabelSpace
from mien.palette import EMOTIONS, OTHERS, PAGE, SHARED, bright, colours
from mien.render.plots import STAND_IN


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast after WCAG 2, 1…21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("paper", [0, 1])
def test_emotions_stand_out_from_both_papers(paper: int) -> None:
    for name, colour in {**EMOTIONS, **dict(zip(OTHERS, OTHERS, strict=True)), "shared": SHARED}.items():
        assert min(contrast(colour, PAGE[ground][paper]) for ground in ("paper", "card")) >= 3, name


@pytest.mark.parametrize("paper", [0, 1])
def test_text_is_legible_on_both_papers(paper: int) -> None:
    for text in ("ink", "muted", "accent", "second"):
        assert min(contrast(PAGE[text][paper], PAGE[ground][paper]) for ground in ("paper", "card")) >= 4.5, (
            text
        )


@pytest.mark.parametrize("paper", [0, 1])
@pytest.mark.parametrize("tint", ["accent", "second"])
def test_figures_are_legible_on_the_strongest_cell_of_a_confusion_matrix(tint: str, paper: int) -> None:
    top, ground = (bytes.fromhex(PAGE[name][paper][1:]) for name in (tint, "card"))
    mixed = "#" + "".join(f"{round(0.55 * a + 0.45 * b):02x}" for a, b in zip(top, ground, strict=True))
    assert contrast(PAGE["ink"][paper], mixed) >= 3.9


def test_every_emotion_that_has_a_position_has_a_colour_of_its_own() -> None:
    assert set(EMOTIONS) == set(VAD_MEANS)
    assert len(set(colours(EMOTION13).values())) == 13
    assert colours(EXPRESSION7)["happy"] == EMOTIONS["happy"]


def test_an_emotion_keeps_its_colour_under_another_spelling() -> None:
    assert colours(EMOTIC26)["Happiness"] == EMOTIONS["happy"]
    assert colours(EMOTIC26)["Yearning"] == SHARED, "too many for a colour each"


def test_unknown_labels_take_turns() -> None:
    taken = colours(LabelSpace("own", ("bored", "keen", "sleepy")))
    assert len(set(taken.values())) == 3
    assert set(taken.values()) <= set(EMOTIONS.values())


def test_a_label_that_is_no_emotion_never_takes_the_colour_of_one_beside_it() -> None:
    for space in (EMOTION14, COMPOUND11):
        assert len(set(colours(space).values())) == len(space)
    assert colours(EMOTION14)["happy"] == EMOTIONS["happy"]


def test_stand_ins_are_no_colour_that_is_used() -> None:
    used = {colour for pair in PAGE.values() for colour in pair} | set(EMOTIONS.values())
    assert len(set(STAND_IN.values())) == len(PAGE)
    assert not used & set(STAND_IN.values())


def test_a_bright_colour_keeps_its_hue_and_stands_out_from_dark_ground() -> None:
    assert bright("#c08400") == (255, 175, 0)
    assert bright("#868e96") == (181, 192, 202)
    for colour in (*EMOTIONS.values(), *OTHERS, SHARED):
        assert contrast("#" + bytes(bright(colour)).hex(), "#12141a") >= 5
