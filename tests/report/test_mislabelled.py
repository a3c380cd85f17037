"""Confident learning: which labels are doubtful."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from mien.render.blocks import FaceCards, Table
from mien.report.heads import mislabelled
from mien.report.record import read
from mien.report.results import HeadOutputs

from .test_heads import only, said


def test_worked_example() -> None:
    """Thresholds: mean of column 0 over rows 0-3 is 0.65, of column 1 over rows 4-6 is 0.7."""
    given = np.array([0, 0, 0, 0, 1, 1, 1])
    first = np.array([0.9, 0.9, 0.7, 0.1, 0.2, 0.0, 0.7])
    places, proposed = mislabelled.suspects(given, np.stack([first, 1 - first], axis=1))
    assert places.tolist() == [3, 6]
    assert proposed.tolist() == [1, 0]


def test_a_sure_answer_below_the_threshold_of_its_class_proposes_nothing() -> None:
    given = np.array([0, 1, 1])
    predicted = np.array([[0.4, 0.6], [0.1, 0.9], [0.0, 1.0]])
    assert mislabelled.suspects(given, predicted)[0].tolist() == []


def test_a_label_nobody_was_given_is_never_proposed() -> None:
    given = np.array([0, 0, 1])
    predicted = np.array([[0.1, 0.0, 0.9], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    assert 2 not in mislabelled.suspects(given, predicted)[1]


def test_planted_mistakes_are_found_first() -> None:
    rng = np.random.default_rng(4)
    true = rng.integers(0, 4, 400)
    odds = rng.normal(0, 1, (400, 4)) + 3 * np.eye(4)[true]
    predicted = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    given, planted = true.copy(), rng.choice(400, 20, replace=False)
    given[planted] = (true[planted] + 1) % 4
    places, proposed = mislabelled.suspects(given, predicted)
    assert len(set(places[:20]) & set(planted)) >= 13
    hit = np.isin(places, planted)
    assert (proposed[hit] == true[places[hit]]).mean() > 0.9


def test_the_section_tells_how_many_and_warns_of_the_training_split(runs: dict[str, Path]) -> None:
    record = read(runs["expression7"])
    one = record.heads[0]
    section = mislabelled.section(record, one)
    assert section is not None
    assert "of 112 faces" in said(section)
    assert section.note == ""
    assert len(only(section, Table).rows) <= 5
    assert all(face.verdict[0] for face in only(section, FaceCards).faces)
    trained = mislabelled.section(replace(record, data={**record.data, "trained_on": True}), one)
    assert trained is not None
    assert "has memorised many of their labels" in trained.note
    without = mislabelled.section(replace(record, store=None), one)
    assert without is not None
    assert not [block for block in without.blocks if isinstance(block, FaceCards)]


def test_no_section_without_a_doubtful_label(runs: dict[str, Path]) -> None:
    record = read(runs["expression7"])
    eye = np.eye(7, dtype=np.float32)
    right = replace(record.heads[0], outputs=HeadOutputs(np.arange(7), eye, eye))
    assert mislabelled.section(record, right) is None
    assert mislabelled.section(record, replace(right, outputs=None)) is None
    emotic = read(runs["emotic"])
    assert mislabelled.section(emotic, emotic.heads[0]) is None
