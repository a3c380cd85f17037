"""The records that travel through the house."""

import dataclasses
import json

import numpy as np
import pytest

from mien.prediction import Prediction
from mien.records import Box, Face, Moment, ReadError, Sample, Span, Subject
from mien.tasks import TASKS

FACE = Face(Box(1, 2, 30, 40), ((5.0, 6.0),), 0.9, 7)
OUTPUTS = {
    "expression8": {"neutral": 0.2, "happy": 0.5, "surprise": 0.3},
    "valence_arousal": {"valence": 0.4, "arousal": -0.1},
}


def test_dominant_and_top_come_from_the_first_head_of_labels() -> None:
    prediction = Prediction(FACE, OUTPUTS, TASKS["affect"])
    assert prediction.dominant == "happy"
    assert prediction.top(2) == [("happy", 0.5), ("surprise", 0.3)]
    assert len(prediction.top()) == 3
    assert len(prediction.top(99)) == 3


def test_a_task_without_labels_to_rank_has_no_dominant() -> None:
    prediction = Prediction(FACE, {"tags": {"Pain": 0.9}, "vad": {"valence": 5.0}}, TASKS["emotic"])
    assert prediction.dominant is None
    assert prediction.top() == []


def test_tags_apply_from_their_threshold_on() -> None:
    outputs = {"tags": {"Pain": 0.9, "Peace": 0.3, "Anger": 0.5, "Fear": 0.49}, "vad": {"valence": 5.0}}
    prediction = Prediction(FACE, outputs, TASKS["emotic"])
    assert prediction.tags == {"tags": ["Pain", "Anger"]}
    chosen = Prediction(FACE, outputs, TASKS["emotic"], {"tags": {"Pain": 0.95, "Peace": 0.3}})
    assert chosen.tags == {"tags": ["Peace", "Anger"]}
    assert chosen.to_dict()["tags"] == {"tags": ["Peace", "Anger"]}
    assert Prediction(FACE, OUTPUTS, TASKS["affect"]).tags == {}


def test_sets_hold_labels_from_the_threshold_on_and_never_none() -> None:
    assert Prediction(FACE, OUTPUTS, TASKS["affect"]).sets == {}
    for limit, labels in ((0.3, ["happy", "surprise"]), (0.31, ["happy"]), (0.9, ["happy"]), (0.0, 3)):
        prediction = Prediction(FACE, OUTPUTS, TASKS["affect"], conformal={"expression8": limit})
        found = prediction.sets["expression8"]
        assert found == labels or len(found) == labels
        assert prediction.to_dict()["sets"] == {"expression8": found}


def test_a_prediction_survives_json() -> None:
    record = Prediction(FACE, OUTPUTS, TASKS["affect"]).to_dict()
    assert json.loads(json.dumps(record)) == record
    assert record == {
        "face": {"box": [1, 2, 30, 40], "landmarks": [[5.0, 6.0]], "score": 0.9, "track": 7},
        "dominant": "happy",
        "confidence": 0.5,
        "entropy": pytest.approx(1.029653, abs=1e-6),
        "abstained": False,
        "outputs": OUTPUTS,
    }


def test_confidence_entropy_and_abstaining() -> None:
    assert Prediction(FACE, OUTPUTS, TASKS["affect"]).confidence == 0.5
    assert [Prediction(FACE, OUTPUTS, TASKS["affect"], abstain=p).abstained for p in (0, 0.5, 0.51)] == [
        False,
        False,
        True,
    ]
    sure = Prediction(FACE, {"expression8": {"happy": 1.0, "sad": 0.0}}, TASKS["affect"])
    assert (sure.entropy, sure.abstained) == (0.0, False)
    even = Prediction(FACE, {"expression8": {"happy": 0.5, "sad": 0.5}}, TASKS["affect"])
    assert even.entropy == pytest.approx(np.log(2))
    tagged = Prediction(FACE, {"tags": {"Pain": 0.9}, "vad": {"valence": 5.0}}, TASKS["emotic"], abstain=1.0)
    assert (tagged.confidence, tagged.entropy, tagged.abstained) == (None, None, False)


def test_shares_of_votes_are_sharpened_to_a_confidence_in_the_label() -> None:
    temperature = {"expression8": 0.5}
    prediction = Prediction(FACE, OUTPUTS, TASKS["affect"], label_temperature=temperature)
    assert prediction.confidence == pytest.approx(0.25 / (0.04 + 0.25 + 0.09))
    assert prediction.top(1) == [("happy", 0.5)], "probabilities stay what they are"
    assert prediction.entropy == Prediction(FACE, OUTPUTS, TASKS["affect"]).entropy
    assert [dataclasses.replace(prediction, abstain=p).abstained for p in (0.6, 0.7)] == [False, True]
    assert Prediction(FACE, OUTPUTS, TASKS["affect"], label_temperature={"other": 0.5}).confidence == 0.5
    nothing = {"expression8": dict.fromkeys(OUTPUTS["expression8"], 0.0)}
    assert Prediction(FACE, nothing, TASKS["affect"], label_temperature=temperature).confidence == 0


def test_a_fault_reads_as_its_reason_and_frames_are_not_compared() -> None:
    assert str(ReadError("a.png", "a.png: no such file")) == "a.png: no such file"
    frame = Moment({"image": np.zeros((2, 2), np.uint8)}, "a.png")
    assert (frame.index, frame.time) == (0, None)
    assert frame != Moment({"image": frame.pixels}, "a.png")


def test_a_prediction_prints_without_its_task() -> None:
    assert "heads" not in repr(Prediction(FACE, OUTPUTS, TASKS["affect"]))


def test_records_are_frozen_and_default_to_nothing_known() -> None:
    sample = Sample.of_image(np.zeros((2, 2), np.uint8), {}, "train", "a.png")
    assert (sample.inputs["image"].region, sample.group) == (None, "")
    assert Face(Box(0, 0, 1, 1)).to_dict() == {
        "box": [0, 0, 1, 1],
        "landmarks": [],
        "score": None,
        "track": None,
    }
    with pytest.raises(dataclasses.FrozenInstanceError):
        sample.split = "test"  # type: ignore[misc]


def test_a_face_is_a_subject_with_a_box() -> None:
    moved = dataclasses.replace(FACE, track=8)
    assert moved == Face(FACE.box, FACE.landmarks, 0.9, 8)
    assert dataclasses.replace(FACE, box=Box(0, 0, 1, 1), landmarks=()).to_dict()["box"] == [0, 0, 1, 1]
    assert Subject(FACE.region, FACE.points, 0.9, 7).to_dict() == FACE.to_dict()
    assert (FACE.region, FACE.points) == (FACE.box, FACE.landmarks)


def test_a_subject_need_not_be_a_face() -> None:
    spoken = Subject(Span(0.5, 2.0), track=1)
    assert spoken.to_dict() == {"span": [0.5, 2.0], "score": None, "track": 1}
    assert Subject(None).to_dict() == {"score": None, "track": None}
    prediction = Prediction(spoken, OUTPUTS, TASKS["affect"])
    assert prediction.to_dict()["subject"] == spoken.to_dict()
    with pytest.raises(TypeError, match="not of a face"):
        _ = prediction.face
