"""Sentences on labels compared and on thresholds."""

from mien.matching import LABELS, NAME, USER
from mien.report import sentences


def test_sentences_say_what_a_reader_must_know() -> None:
    record = {
        "target": "eight", "matched_by": LABELS, "labels": ["angry", "happy"], "model_only": ["fear"],
        "data_only": {"contempt": 13, "bored": 0}, "rule": "by name", "accuracy": 0.75,
        "accuracy_unrestricted": 0.5,
    }  # fmt: skip
    assert sentences.comparison("seven", record) == [
        "seven is compared with the target eight: none has its name, this one shares most labels "
        "(--match seven=TARGET takes another).",
        "Compared: angry, happy.",
        "Not in the data: fear.",
        "Unknown to the model: contempt (13 left out), bored.",
        "Rule: by name.",
        "Accuracy 0.7500 among the labels compared, 0.5000 if any label may be answered.",
    ]
    plain = record | {"matched_by": NAME, "model_only": [], "data_only": {}}
    assert sentences.comparison("seven", plain) == [
        "seven is compared with the target eight.", "Compared: angry, happy.", "Rule: by name.",
    ]  # fmt: skip
    assert (
        sentences.comparison("seven", record | {"matched_by": USER})[0]
        == "seven is compared with the target eight as --match says."
    )


def test_it_is_said_where_thresholds_come_from() -> None:
    assert "from 0.5 on" in sentences.thresholds(chosen=False, same=True)
    assert sentences.thresholds(chosen=True, same=False).endswith("on the validation split.")
    assert "these very faces" in sentences.thresholds(chosen=True, same=True)
