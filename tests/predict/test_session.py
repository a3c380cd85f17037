"""One source, moment by moment: what a session keeps, and what it asks for."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from mien.detect import Haar, name_of
from mien.errors import InputError
from mien.predict import Model
from mien.records import Box, Face, Moment, Pixels

PICTURE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


def two_faces(pixels: Pixels) -> list[Face]:
    return [Face(Box(0, 0, 20, 20)), Face(Box(30, 5, 20, 20))]


def moment(index: int, pixels: Pixels = PICTURE) -> Moment:
    return Moment({"image": pixels}, "camera", index, index / 25)


def test_a_session_says_what_the_stream_of_a_video_says(affect: Model) -> None:
    session = affect.session(two_faces, smooth=0.5)
    results = [session.update(moment(index, np.roll(PICTURE, index, axis=1))) for index in range(3)]
    assert [[found.face.track for found in result.predictions] for result in results] == [[0, 1]] * 3
    assert [(result.source, result.index, result.shot) for result in results] == [
        ("camera", n, 0) for n in range(3)
    ]
    assert (results[0].width, results[0].height, results[0].pixels) == (64, 48, None)
    assert results[0].origin is not None
    assert "smooth=0.5" in results[0].origin.settings
    alone = affect.predict_faces(PICTURE, two_faces(PICTURE))
    assert [found.outputs for found in results[0].predictions] == [found.outputs for found in alone]
    assert (
        results[1].predictions[0].outputs
        != affect.session(two_faces).update(moment(1)).predictions[0].outputs
    )


def test_settings_hold_for_a_session_too(affect: Model) -> None:
    (largest,) = affect.session(two_faces, most=1, abstain=1.0).update(moment(0)).predictions
    assert largest.abstained
    assert affect.session(two_faces, keep=True).update(moment(0)).pixels is PICTURE


@pytest.mark.parametrize(("picture", "found"), [(None, "NoneType"), (np.zeros((4, 4)), "float64")])
def test_what_is_no_picture_is_refused_before_cuts_are_looked_for(
    affect: Model, picture: Any, found: str
) -> None:
    with pytest.raises(InputError) as caught:
        affect.session(two_faces, track=True).update(moment(0, picture))
    assert str(caught.value) == f"picture 0 is {found}, needed is a uint8 array (0…255)"


def test_time_that_runs_back_is_refused_and_pictures_are_each_for_themselves(affect: Model) -> None:
    session = affect.session(two_faces, track=True)
    session.update(moment(5))
    with pytest.raises(InputError, match="forwards only"):
        session.update(moment(4))
    result = session.update(Moment({"image": PICTURE}, "still.png"))
    assert [found.face.track for found in result.predictions] == [None, None]


def test_the_halves_give_what_update_gives_whoever_recognises(affect: Model) -> None:
    session = affect.session(two_faces)
    found = [session.find(moment(index)) for index in range(2)]
    answers = affect.recognise([one.moment for one in found], [one.subjects for one in found])
    for one, predictions in zip(found, answers, strict=True):
        assert session.result(one, predictions).to_dict() == session.update(one.moment).to_dict()


def test_a_detector_given_as_code_is_recorded_by_its_name(affect: Model) -> None:
    class Named:
        name = "mine at 0.7"

        def __call__(self, pixels: Pixels) -> list[Face]:
            return []

    assert name_of(two_faces) == f"{__name__}:two_faces"
    assert name_of(Named()) == "mine at 0.7"
    assert name_of(Haar()) == "mien.detect.haar:Haar"
    assert name_of(partial(two_faces, most=3)) == f"{__name__}:two_faces(most=3)"
    origins = [affect.session(find).update(moment(0)).origin for find in (two_faces, Named())]
    assert [origin.settings for origin in origins if origin] == [
        f"faces={__name__}:two_faces",
        "faces=mine at 0.7",
    ]


def test_a_detector_is_built_once_for_each_model(affect: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    monkeypatch.setattr(
        "mien.predict.settings.build_detector", lambda name, *_, **__: built.append(name) or two_faces
    )
    model = Model(affect.engine)
    for _ in range(3):
        model.predict(PICTURE, faces="haar")
        model.session("haar")
    model.session("haar", most=1)
    assert built == ["haar", "haar"]
