"""Which target answers which head, which labels are compared, and what becomes of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import matching
from mien.errors import ConfigError, StoreError
from mien.labels import EXPRESSION7, EXPRESSION8, VAD, VALENCE_AROUSAL, LabelSpace
from mien.matching import LABELS, NAME, USER, match, parse_match
from mien.records import Sample, Target
from mien.store import Origin, Store, write
from mien.tasks import Head, Kind, Task

SEVEN = Head("seven", Kind.CLASS, EXPRESSION7)
EIGHT = Head("eight", Kind.CLASS, EXPRESSION8)
VOTES = Head("votes", Kind.DISTRIBUTION, EXPRESSION8)
MOOD = Head("mood", Kind.TAGS, LabelSpace("mood", ("Happiness", "tired", "tense")))
AFFECT = Head("affect", Kind.VALUES, VALENCE_AROUSAL)
PAD = Head("vad", Kind.VALUES, VAD, bounds=(1.0, 10.0))
CODES = Head("codes", Kind.CLASS, LabelSpace("codes", ("Anger", "Joy", "bored")))


def stored(path: Path, heads: Sequence[Head], *said: dict[str, Target]) -> Store:
    """A store whose faces bear these targets."""
    images = np.random.default_rng(0).integers(0, 256, (len(said), 8, 8), np.uint8)
    rows = [
        Sample.of_image(image, targets, "test", f"{k}")
        for k, (image, targets) in enumerate(zip(images, said, strict=True))
    ]
    return write(path / "faces.h5", rows, heads, Origin("noise", "1"))


def every(head: Head) -> list[dict[str, Target]]:
    """One face of each label."""
    return [{head.name: label} for label in head.space.labels]


def one(head: Head, store: Store, wanted: str = "", other: bool = True) -> matching.LabelMapping:
    (found,) = match(Task("task", (head,)), store, {head.name: wanted} if wanted else {}, other)
    return found


def test_a_target_of_the_same_name_comes_first_then_the_most_shared_labels(tmp_path: Path) -> None:
    heads = (CODES, VOTES, SEVEN, EIGHT, AFFECT)
    store = stored(tmp_path, heads, *every(SEVEN), *every(EIGHT))
    for name, target, how in (("seven", SEVEN, NAME), ("eight", EIGHT, NAME), ("face", EIGHT, LABELS)):
        found = one(replace(EIGHT, name=name), store)
        assert (found.target, found.matched_by) == (target, how)
    assert one(replace(VOTES, name="soft"), store, other=False).target == VOTES
    assert (
        one(replace(SEVEN, name="face"), store).target == SEVEN
    )  # as many as eight shares, and nothing else
    assert one(replace(SEVEN, name="votes"), store).target == VOTES  # the name counts more than the kind
    assert one(SEVEN, store, "codes").target == CODES
    assert one(SEVEN, store, "codes").matched_by == USER
    assert one(replace(SEVEN, name="affect"), store).target == SEVEN  # values cannot answer for classes


def test_heads_that_nothing_answers_are_left_out(tmp_path: Path) -> None:
    store = stored(tmp_path, (SEVEN,), *every(SEVEN))
    strange = Head("strange", Kind.CLASS, LabelSpace("strange", ("happy", "bored")))
    found = match(Task("task", (MOOD, replace(EIGHT, name="face"), AFFECT, strange)), store, {})
    assert [each.head.name for each in found] == ["face"]


@pytest.mark.parametrize(
    ("head", "wanted", "error", "line"),
    [
        (SEVEN, "gaze", ConfigError,
         r"--match seven=gaze: .*faces\.h5 has no target 'gaze' that fits a head of kind class"),
        (SEVEN, "affect", ConfigError,
         r"no target 'affect' that fits a head of kind class \(one of: seven, codes\)"),
        (MOOD, "seven", ConfigError,
         r"no target 'seven' that fits a head of kind tags \(it has none of that kind\)"),
        (replace(CODES, name="seven", space=LabelSpace("x", ("happy", "bored"))), "", StoreError,
         r"'seven' \(angry, disgust, .*neutral\) shares fewer than two labels "
         r"with the model's 'seven' \(happy, bored\)"),
        (replace(SEVEN, name="x", space=LabelSpace("x", ("a", "b"))), "", StoreError,
         r"'seven' \(angry, .*\) shares fewer than two labels with the model's 'x' \(a, b\); "
         r"nothing to compare"),
        (replace(AFFECT, space=LabelSpace("x", ("pain",))), "", StoreError,
         r"'affect' \(valence, arousal\) shares no label with the model's 'affect' \(pain\)"),
        (MOOD, "", StoreError,
         r"no target that the model answers with \(mood: tags\); "
         r"it has: seven: class, codes: class, affect: values"),
    ],
)  # fmt: skip
def test_what_cannot_be_matched_is_one_line(
    tmp_path: Path, head: Head, wanted: str, error: type[Exception], line: str
) -> None:
    store = stored(tmp_path, (SEVEN, CODES, AFFECT), *every(SEVEN))
    with pytest.raises(error, match=line):
        one(head, store, wanted)


def test_a_wish_for_a_head_that_the_model_lacks(tmp_path: Path) -> None:
    store = stored(tmp_path, (SEVEN,), *every(SEVEN))
    with pytest.raises(
        ConfigError, match=r"unknown head of task task 'sevn', did you mean 'seven'\? \(one of: seven\)"
    ):
        match(Task("task", (SEVEN,)), store, {"sevn": "seven"})


def test_votes_amount_to_the_stores_own_label_or_to_that_of_more_than_half(tmp_path: Path) -> None:
    said: list[dict[str, Target]] = [
        {"votes": {"happy": 6, "sad": 4}, "eight": "sad"},
        {"votes": {"happy": 5, "sad": 5}, "eight": "happy"},
        {"votes": {"happy": 4, "sad": 3, "fear": 3}},
        {"votes": {"fear": 6, "sad": 4}},
        {},
    ]
    store = stored(tmp_path, (VOTES, SEVEN, EIGHT), *said)

    def named(store: Store) -> list[str | None]:
        found = one(VOTES, store, other=False).labels(store, store.rows())
        assert found is not None
        assert found.shape == (5, 8)
        return [None if np.isnan(row).any() else EXPRESSION8.labels[row.argmax()] for row in found]

    assert named(store) == ["sad", "happy", None, None, None]
    votes = [{"votes": given["votes"]} if given else {} for given in said]
    (tmp_path / "more").mkdir()
    for heads in ((VOTES,), (EIGHT, VOTES)):  # a target of classes that nobody has says nothing
        assert named(stored(tmp_path / "more", heads, *votes)) == ["happy", None, None, "fear", None]


def test_wanted_targets_are_pairs() -> None:
    assert parse_match(("a=b", "c=d")) == {"a": "b", "c": "d"}
    for word in ("a", "a=", "=b"):
        with pytest.raises(ConfigError, match=f"--match '{word}': needs HEAD=TARGET, such as"):
            parse_match((word,))


def test_alike_sides_have_nothing_to_tell(tmp_path: Path) -> None:
    store = stored(tmp_path, (SEVEN, VOTES, PAD), *every(SEVEN))
    turned = LabelSpace("turned", EXPRESSION7.labels[::-1])
    assert one(SEVEN, store).alike
    assert one(replace(SEVEN, space=turned), store).alike
    assert not one(replace(SEVEN, name="face"), store).alike
    assert not one(replace(VOTES, kind=Kind.CLASS), store).alike
    assert not one(replace(PAD, bounds=(-1.0, 1.0)), store).alike
    assert one(PAD, store).alike
    same = one(SEVEN, store)
    output = np.eye(7, dtype=np.float32)
    assert same.answers(output) is output
    assert (same.targets(store, store.rows()) == np.eye(7)).all()


def test_classes_are_compared_by_name_and_strangers_counted(tmp_path: Path) -> None:
    """A model of (angry, disgust, … ) against anger, joy and bored: the spelling does not matter, the order
    neither."""
    said: list[dict[str, Any]] = [{"codes": name} for name in ("Joy", "bored", "Anger", "bored")]
    store = stored(tmp_path, (CODES,), *said, {})
    found = one(SEVEN, store, "codes")
    assert found.compared.space.labels == ("angry", "happy")
    assert found.model_only == ["disgust", "fear", "sad", "surprise", "neutral"]
    rows = store.rows()
    targets = found.targets(store, rows)
    assert targets == pytest.approx(
        np.array([[0, 1], [np.nan] * 2, [1, 0], [np.nan] * 2, [np.nan] * 2]), nan_ok=True
    )
    assert found.left_out(store, rows) == {"bored": 2}
    full = found.expand(targets)
    assert full.shape == (5, 7)
    assert (full[0, [0, 3]] == [0, 1]).all()
    assert np.isnan(np.delete(full, [0, 3], axis=1)).all()

    output = np.array(
        [[0.1, 0.5, 0, 0.3, 0.1, 0, 0], [1, 0, 0, 0, 0, 0, 0], [0.4, 0, 0, 0.1, 0, 0, 0.5]], np.float32
    )
    assert found.answers(output) == pytest.approx(np.array([[0.25, 0.75], [1, 0], [0.8, 0.2]]))
    record = found.describe(store, rows[:3], output, targets[:3])
    assert record == {
        "target": "codes",
        "matched_by": "--match",
        "labels": ["angry", "happy"],
        "model_only": ["disgust", "fear", "sad", "surprise", "neutral"],
        "data_only": {"bored": 2 - 1},
        "rule": "labels are compared by name; faces of a class that the model does not know are left out; "
        "the model's answers are restricted to the labels compared and renormalised",
        "accuracy": 1.0,
        "accuracy_unrestricted": 0.0,
    }


def test_a_model_that_is_sure_of_none_of_them_is_undecided_not_undefined(tmp_path: Path) -> None:
    found = one(SEVEN, stored(tmp_path, (CODES,), *every(CODES)), "codes")
    nothing = np.array([[0, 0, 0, 0, 0, 0, 1], [np.nan] * 7], np.float32)
    assert found.answers(nothing) == pytest.approx(np.array([[0.5, 0.5], [np.nan, np.nan]]), nan_ok=True)


def test_labels_that_no_face_of_another_store_bears_count_as_lacking(tmp_path: Path) -> None:
    """CK+ has no neutral face, JAFFE no contempt, although their stores use the common spaces."""
    store = stored(tmp_path, (EIGHT,), *[{"eight": label} for label in EXPRESSION8.labels[:7]])
    assert one(EIGHT, store).model_only == ["contempt"]
    assert one(EIGHT, store).data_only == []
    assert not one(EIGHT, store).alike
    assert one(EIGHT, store, other=False).alike
    lonely = stored(tmp_path, (EIGHT,), {"eight": "happy"})
    assert one(EIGHT, lonely).model_only == []  # one class alone would leave nothing to tell apart


def test_of_a_distribution_what_lies_outside_decides(tmp_path: Path) -> None:
    space = LabelSpace("wide", ("happy", "sad", "angry", "bored", "proud"))
    wide = Head("wide", Kind.DISTRIBUTION, space)

    def votes(*counts: float) -> dict[str, Target]:
        return {"wide": dict(zip(space.labels, counts, strict=True))}

    faces = [
        votes(6, 2, 0, 2, 0),  # a fifth outside: renormalised
        votes(3, 1, 0, 4, 0),  # half outside, and the top label
        votes(2, 2, 0, 3, 3),  # more than half outside
        votes(3, 1, 1, 3, 2),  # half outside, the top label shared by both: it may stay
        votes(0, 2, 2, 0, 6),
    ]
    store = stored(tmp_path, (wide,), *faces, {})
    found = one(replace(SEVEN, name="wide"), store)
    targets = found.targets(store, store.rows())
    assert found.compared.space.labels == ("angry", "happy", "sad")
    none = [np.nan] * 3
    expected = np.array([[0, 0.75, 0.25], none, none, [0.2, 0.6, 0.2], none, none])
    assert targets == pytest.approx(expected, nan_ok=True)
    assert found.left_out(store, store.rows()) == {"bored": 2, "proud": 1}
    assert "more than half of their mass, or their top label, outside" in found.rule
    assert "a distribution counts by its top label" in found.rule
    assert (
        "a class is all mass on one label"
        in one(replace(VOTES, name="x"), stored(tmp_path, (SEVEN,), *every(SEVEN))).rule
    )


def test_tags_are_compared_by_name_and_no_face_is_left_out(tmp_path: Path) -> None:
    wide = replace(MOOD, space=LabelSpace("wide", ("joy", "calm", "tense")))
    store = stored(tmp_path, (wide,), {"mood": ["joy", "calm"]}, {"mood": []}, {})
    found = one(MOOD, store)
    assert found.compared.space.labels == ("Happiness", "tense")
    assert found.targets(store, store.rows()) == pytest.approx(
        np.array([[1, 0], [0, 0], [np.nan] * 2]), nan_ok=True
    )
    output = np.array([[0.9, 0.8, 0.7]] * 3, np.float32)
    assert found.answers(output) == pytest.approx(np.array([[0.9, 0.7]] * 3))
    record = found.describe(store, store.rows(), output, found.targets(store, store.rows()))
    assert (record["model_only"], record["data_only"], record["rule"]) == (
        ["tired"],
        {"calm": 0},
        "labels are compared by name",
    )
    assert "accuracy" not in record


def test_values_are_rescaled_to_the_models_units(tmp_path: Path) -> None:
    store = stored(
        tmp_path,
        (PAD,),
        {"vad": {"valence": 1, "arousal": 10, "dominance": 3}},
        {"vad": {"valence": 5.5}},
        {},
    )
    found = one(AFFECT, store)
    assert (found.target, found.matched_by, found.data_only) == (PAD, LABELS, ["dominance"])
    assert found.targets(store, store.rows()) == pytest.approx(
        np.array([[-1, 1], [0, np.nan], [np.nan, np.nan]]), nan_ok=True
    )
    assert found.rule.endswith("1 to 10 of the data is rescaled linearly to -1 to 1, the model's units")
    assert found.left_out(store, store.rows()) == {"dominance": 0}
    back = one(PAD, stored(tmp_path, (AFFECT,), {"affect": {"valence": -1, "arousal": 0.0}}))
    assert back.targets(Store(tmp_path / "faces.h5"), np.array([0])).tolist() == [[1.0, 5.5]]
    assert back.expand(np.array([[1.0, 5.5]], np.float32)) == pytest.approx(
        np.array([[1, 5.5, np.nan]]), nan_ok=True
    )


def test_where_every_face_is_left_out_there_is_no_accuracy(tmp_path: Path) -> None:
    store = stored(tmp_path, (CODES,), *every(CODES))
    found, rows = one(SEVEN, store, "codes"), np.array([2])
    record = found.describe(store, rows, np.eye(7, dtype=np.float32)[:1], found.targets(store, rows))
    assert record["data_only"] == {"bored": 1}
    assert "accuracy" not in record
