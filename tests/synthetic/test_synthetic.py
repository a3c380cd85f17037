"""Drawn faces: the truth they carry, what they look like in numbers, and that a detector finds them."""

from dataclasses import fields
from itertools import groupby, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien import synthetic
from mien.datasets import import_dataset
from mien.errors import ConfigError, DataError
from mien.labels import EMOTIC26, EMOTION13, EXPRESSION7, EXPRESSION8, VAD_MEANS
from mien.records import Box
from mien.store import Store
from mien.synthetic import truth
from mien.synthetic.appearance import HAIRSTYLES, Appearance
from mien.synthetic.expression import (
    EXPRESSIONS,
    Expression,
    distribution,
    draw_distribution,
    mix,
    valence_arousal,
)
from mien.synthetic.shapes import Placement


def person(seed: int = 0) -> Appearance:
    return synthetic.draw_appearance(np.random.default_rng(seed))


def test_truth_of_a_face_hangs_together() -> None:
    for sample in synthetic.samples(40, size=16):
        shares = sample.targets["distribution8"]
        label = sample.targets["expression8"]
        assert sum(shares.values()) == pytest.approx(1)
        assert max(shares, key=shares.get) == label
        assert shares[label] >= 0.5
        assert sample.targets.get("expression7", "contempt") == label
        for axis, name in enumerate(("valence", "arousal")):
            mean = sum(share * VAD_MEANS[emotion][axis] for emotion, share in shares.items())
            assert sample.targets["valence_arousal"][name] == pytest.approx(mean)
            assert sample.targets["vad"][name] == pytest.approx(5.5 + 4.5 * mean)
        assert {head.name for head in synthetic.HEADS} == {*sample.targets, "expression7"}


def test_thirteen_emotions_are_the_posterior_of_the_published_gaussians() -> None:
    """The worked example of the label's authors: three emotions that nearly coincide."""
    found = dict(zip(EMOTION13.labels, truth.distribution13(0.785714, -0.0555556), strict=True))
    assert sum(found.values()) == pytest.approx(1)
    best = dict(sorted(found.items(), key=lambda item: -item[1])[:3])
    assert best == pytest.approx({"secure": 0.397, "untroubled": 0.254, "serene": 0.188}, abs=5e-4)
    assert EMOTION13.labels[truth.distribution13(0.0, 0.0).argmax()] == "neutral"
    assert np.isfinite(truth.distribution13(-1.0, -1.0)).all()
    sample = next(iter(synthetic.samples(1, size=16)))
    at_its_place = truth.distribution13(*sample.targets["valence_arousal"].values())
    assert list(sample.targets["distribution13"].values()) == pytest.approx(at_its_place.tolist())


def test_dominance_is_stretched_to_one_to_ten() -> None:
    assert truth.vad(distribution("happy")).tolist() == pytest.approx([9.145, 7.795, 7.57])
    half = truth.vad(distribution({"happy": 1, "neutral": 1}))
    assert half.tolist() == pytest.approx([7.3225, 6.6475, 6.535])


def test_tags_follow_from_the_shares_of_the_emotions() -> None:
    assert set(truth.TAGS) == set(EMOTIC26.labels)
    assert {label for weights in truth.TAGS.values() for label in weights} <= set(EXPRESSION8.labels)
    assert "Affection" in truth.tags(distribution("happy"))
    assert "Affection" not in truth.tags(distribution({"happy": 0.8, "sad": 0.2}))
    assert "Fatigue" in truth.tags(distribution({"sad": 0.5, "neutral": 0.5}))
    assert {"Anger", "Annoyance"} <= set(truth.tags(distribution("angry")))


def test_every_tag_is_met_on_some_faces_and_not_on_most() -> None:
    rng = np.random.default_rng(0)
    drawn = [truth.tags(draw_distribution(rng, k % 8)) for k in range(2000)]
    rates = {name: np.mean([name in tags for tags in drawn]) for name in EMOTIC26.labels}
    assert min(rates.values()) > 0.03, rates
    assert max(rates.values()) < 0.4, rates


def test_pixels_of_a_seed_never_change() -> None:
    """Whoever changes the drawing changes VERSION too."""
    found = [
        [sample.inputs["image"].data.mean(), sample.inputs["image"].data.std()]
        for sample in synthetic.samples(4, 32, seed=3)
    ]
    assert np.allclose(found, [[160.2, 40.9], [115.2, 48.4], [117.2, 53.4], [135.9, 61.8]], atol=0.1)
    assert synthetic.VERSION == "2"


def test_candid_faces_are_of_the_same_people_and_truth() -> None:
    usual, candid = (list(synthetic.samples(8, 48, 1, candid=candid)) for candid in (False, True))
    for one, other in zip(usual, candid, strict=True):
        assert one.targets == other.targets
        apart = np.abs(one.inputs["image"].data.astype(int) - other.inputs["image"].data.astype(int)).mean()
        assert 0 < apart < 8
    assert person(2).candid().vivid == 1
    assert person(2).candid().view == person(2).view


def test_a_face_depends_on_its_seed_and_number_alone() -> None:
    few, many = list(synthetic.samples(3, seed=4)), list(synthetic.samples(12, seed=4))
    for one, other in zip(few, many, strict=False):
        assert np.array_equal(one.inputs["image"].data, other.inputs["image"].data)
        assert one.targets == other.targets
    others = next(iter(synthetic.samples(1, seed=5)))
    assert not np.array_equal(few[0].inputs["image"].data, others.inputs["image"].data)
    assert few[0].targets["distribution8"] != others.targets["distribution8"]


def test_every_eighty_faces_balance_emotions_in_every_split() -> None:
    found = {}
    for sample in synthetic.samples(80, size=16):
        found.setdefault(sample.split, []).append(sample.targets["expression8"])
    assert {split: len(labels) for split, labels in found.items()} == {
        "train": 64,
        "validation": 8,
        "test": 8,
    }
    for labels in found.values():
        assert {labels.count(label) * 8 for label in EXPRESSION8.labels} == {len(labels)}


@given(st.integers(0, 7), st.integers(0, 10_000))
def test_drawn_distributions_lead_with_their_emotion(emotion: int, seed: int) -> None:
    drawn = draw_distribution(np.random.default_rng(seed), emotion)
    assert drawn.argmax() == emotion
    assert drawn.sum() == pytest.approx(1)
    assert (drawn >= 0).all()
    assert (np.abs(valence_arousal(drawn)) <= 1).all()


def test_near_emotions_are_mixed_in_more_than_far_ones() -> None:
    rng = np.random.default_rng(0)
    mean = np.mean([draw_distribution(rng, EXPRESSION8.index("fear")) for _ in range(400)], axis=0)
    assert mean[EXPRESSION8.index("angry")] > 2 * mean[EXPRESSION8.index("happy")]
    assert 0.75 < mean[EXPRESSION8.index("fear")] < 0.9


def test_a_mixture_lies_between_its_emotions() -> None:
    half = mix(distribution({"happy": 1, "sad": 1}), variant=0)
    assert half.mouth_curve == pytest.approx(
        (EXPRESSIONS["happy"][0].mouth_curve + EXPRESSIONS["sad"][0].mouth_curve) / 2
    )
    assert mix(distribution("neutral"), variant=1) == Expression()
    assert set(EXPRESSIONS) == set(EXPRESSION8.labels)


def test_distributions_are_read_from_labels_tables_and_weights() -> None:
    assert distribution("joy")[EXPRESSION8.index("happy")] == 1
    assert distribution({"anger": 3, "fear": 1})[EXPRESSION8.index("angry")] == 0.75
    assert np.allclose(distribution(np.full(8, 2.0)), 1 / 8)


@pytest.mark.parametrize("wrong", [np.ones(7), np.zeros(8), -np.ones(8), np.full(8, np.nan), {"happy": -1.0}])
def test_what_is_no_distribution_is_refused(wrong) -> None:
    with pytest.raises(DataError, match="no distribution over neutral, happy"):
        synthetic.face(wrong)


def test_unknown_emotion_names_the_choices() -> None:
    with pytest.raises(DataError, match="'bored' is no label of expression8"):
        synthetic.face("bored")


@pytest.mark.parametrize(
    ("size", "colour", "shape"), [(48, "grey", (48, 48)), (20, "rgb", (20, 20, 3)), (600, "grey", (600, 600))]
)
def test_size_and_colour_are_as_asked(size: int, colour: str, shape: tuple[int, ...]) -> None:
    drawn = synthetic.face("happy", person(), size, colour)
    assert drawn.shape == shape
    assert drawn.dtype == np.uint8
    assert drawn.std() > 15


@pytest.mark.parametrize(("size", "colour"), [(8, "grey"), (2000, "rgb"), (48, "gray")])
def test_impossible_pictures_are_refused(size: int, colour: str) -> None:
    with pytest.raises(ConfigError, match="size must be 16…1024, colour 'grey' or 'rgb'"):
        synthetic.face("happy", 0, size, colour)


@pytest.mark.parametrize(("count", "seed"), [(0, 0), (5, -1)])
def test_impossible_sets_are_refused(count: int, seed: int) -> None:
    with pytest.raises(ConfigError, match="count must be at least 1, the seed at least 0"):
        synthetic.samples(count, seed=seed)


def test_emotions_of_one_person_differ_from_each_other() -> None:
    faces = np.array([synthetic.face(label, 3).astype(float) for label in EXPRESSION8.labels])
    apart = np.abs(faces[:, None] - faces[None]).mean(axis=(2, 3))
    assert apart[~np.eye(8, dtype=bool)].min() > 1.5


def test_people_differ_in_every_trait() -> None:
    people = [person(seed) for seed in range(60)]
    assert {person.hairstyle for person in people} == set(HAIRSTYLES)
    for trait in fields(Appearance):
        assert len({repr(getattr(person, trait.name)) for person in people}) > 1, trait.name
    assert any(person.glasses for person in people)
    assert any(person.moustache for person in people)


def test_open_mouth_is_dark() -> None:
    def mouth(label: str, seed: int) -> np.ndarray:
        return synthetic.face(label, seed, 96)[60:82, 36:60]

    dark = [
        np.percentile(mouth("surprise", seed), 10) - np.percentile(mouth("neutral", seed), 10)
        for seed in range(12)
    ]
    assert np.mean(dark) < -5


def test_smirk_lifts_one_corner_only() -> None:
    smirker = person(4)
    still, moved = (synthetic.face(label, smirker, 96).astype(float) for label in ("neutral", "contempt"))
    change = np.abs(moved - still)[50:80]
    left, right = change[:, :48].sum(), change[:, 48:].sum()
    assert (right > 1.3 * left) if smirker.side == 1 else (left > 1.3 * right)


def test_the_rim_of_the_head_stays_as_it_turns() -> None:
    placement = Placement(person(), 50, 50, 40)
    assert np.allclose(
        placement.turned(np.array([[0.0, 0.0]]), 1.0),
        [[placement.person.view.yaw, placement.person.view.pitch]],
    )
    assert np.allclose(placement.turned(np.array([[1.2, 0.0]]), 1.0), [[1.2, 0.0]])


def test_store_holds_every_head(tmp_path: Path) -> None:
    written = synthetic.write_store(tmp_path / "drawn.h5", 20, size=24, seed=2)
    store = Store(written.path)
    assert store.image_shape == (24, 24)
    assert store.meta["importer"] == "sketch"
    assert store.meta["options"] == {"count": 20, "size": 24, "seed": 2, "colour": "grey", "candid": False}
    assert {name: len(store.rows(name)) for name in ("train", "validation", "test")} == {
        "train": 16,
        "validation": 2,
        "test": 2,
    }
    rows = store.rows()
    samples = list(synthetic.samples(20, size=24, seed=2))
    assert np.array_equal(store.images(rows), np.stack([sample.inputs["image"].data for sample in samples]))
    given = {head.name: store.target(head, rows) for head in synthetic.HEADS}
    contempt = given["expression8"][:, EXPRESSION8.index("contempt")] == 1
    assert np.array_equal(np.isnan(given["expression7"]).any(axis=1), contempt)
    assert given["expression7"].shape[1] == len(EXPRESSION7)
    assert np.array_equal(given["distribution8"].argmax(axis=1), given["expression8"].argmax(axis=1))
    positions = np.array(EXPRESSION8.positions)
    assert np.allclose(given["distribution8"] @ positions, given["valence_arousal"], atol=1e-5)
    assert np.allclose(given["distribution13"].sum(axis=1), 1)
    assert np.allclose(given["vad"][:, :2], 5.5 + 4.5 * given["valence_arousal"], atol=1e-5)
    named = [
        [name for name, there in zip(EMOTIC26.labels, row, strict=True) if there] for row in given["tags"]
    ]
    assert [set(names) for names in named] == [set(sample.targets["tags"]) for sample in samples]


def test_photo_shows_the_faces_it_says() -> None:
    picture, faces = synthetic.photo(1, 3, (720, 400), ["happy", "sad", "angry"])
    assert picture.shape == (400, 720, 3)
    assert [label for _, label in faces] == ["happy", "sad", "angry"]
    for box, _ in faces:
        assert isinstance(box, Box)
        assert box.width >= synthetic.SMALLEST
        assert box.x >= 0
        assert box.x + box.width <= 720
        assert box.y >= 0
        assert box.y + box.height <= 400
    again, drawn = synthetic.photo(1, 3, (720, 400), ["happy", "sad", "angry"])
    assert np.array_equal(picture, again)
    assert drawn == faces
    assert all(label in EXPRESSION8 for _, label in synthetic.photo(2)[1])


@pytest.mark.parametrize(("faces", "size"), [(0, (640, 480)), (8, (640, 480)), (1, (100, 100))])
def test_photo_refuses_what_has_no_room(faces: int, size: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="need at least one face, each 120 pixels wide"):
        synthetic.photo(0, faces, size)


def test_scenes_hold_one_sample_a_person() -> None:
    found = [
        list(people) for _, people in groupby(synthetic.scenes(30, 60, seed=5), lambda sample: sample.group)
    ]
    assert [len(people) for people in found] == [1 + k % 3 for k in range(30)]
    assert [people[0].split for people in found] == [sample.split for sample in synthetic.samples(30, 16)]
    assert len({sample.source for people in found for sample in people}) == 60
    for people in found:
        assert (
            len({id(sample.inputs["image"].data) for sample in people})
            == len({sample.split for sample in people})
            == 1
        )
        assert people[0].inputs["image"].data.shape == (60, 80, 3)
        boxes = [sample.inputs["image"].region for sample in people]
        assert all(one.x + one.width <= other.x + 3 for one, other in pairwise(boxes))
        assert all(min(box.x, box.y, 80 - box.x - box.width, 60 - box.y - box.height) >= 0 for box in boxes)
        assert all(
            set(sample.targets) | {"expression7"} == {head.name for head in synthetic.HEADS}
            for sample in people
        )
    emotions = [sample.targets["expression8"] for people in found for sample in people]
    assert set(emotions) == set(EXPRESSION8.labels)


def test_a_scene_depends_on_its_seed_and_number_alone() -> None:
    few, many = list(synthetic.scenes(2, 48, seed=4)), list(synthetic.scenes(3, 48, seed=4))
    for one, other in zip(few, many, strict=False):
        assert np.array_equal(one.inputs["image"].data, other.inputs["image"].data)
        assert (one.targets, one.inputs["image"].region) == (other.targets, other.inputs["image"].region)
    candid = list(synthetic.scenes(2, 48, seed=4, candid=True))
    assert [sample.targets for sample in candid] == [sample.targets for sample in few]
    assert not np.array_equal(candid[0].inputs["image"].data, few[0].inputs["image"].data)


def test_faces_of_a_scene_show_what_they_are_said_to() -> None:
    """At the box there is a face as large as the box: a store of faces and a crop of a scene look alike."""
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    found = []
    for sample in synthetic.scenes(9, 240, seed=1):
        grey = cv2.cvtColor(sample.inputs["image"].data, cv2.COLOR_RGB2GRAY)
        boxes = cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5)
        found.append(
            any(_overlap(Box(*map(int, other)), sample.inputs["image"].region) > 0.5 for other in boxes)
        )
    assert np.mean(found) >= 0.7


@pytest.mark.parametrize(
    ("count", "size", "text"), [(0, 240, "count must be at least 1"), (3, 20, "must be 48…1024")]
)
def test_impossible_scenes_are_refused(count: int, size: int, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        synthetic.scenes(count, size)


def test_store_of_scenes(tmp_path: Path) -> None:
    store = synthetic.write_scenes(tmp_path / "scenes.h5", 6, 60, seed=2)
    assert (len(store), store.image_shape) == (12, (60, 80, 3))
    assert store.meta["options"] == {"count": 6, "size": 60, "seed": 2, "candid": False}
    assert store.texts("group", store.rows())[1] == "sketch/2/scene000001"
    assert (store.boxes(store.rows()) > 0).all()


@pytest.mark.parametrize("layout", synthetic.LAYOUTS)
def test_a_folder_in_every_layout_is_recognised_and_read_back(layout: str, tmp_path: Path) -> None:
    synthetic.write_folder(tmp_path / "drawn", layout, 40, size=48)
    store = import_dataset(tmp_path / "drawn", tmp_path / "drawn.h5")
    assert store.meta["importer"] == layout
    assert store.meta["left_out"] == []
    assert len(store) >= 32
    assert [path.name for path in tmp_path.iterdir() if ".part" in path.name] == []


def test_fer2013_is_drawn_as_the_csv_file_is(tmp_path: Path) -> None:
    synthetic.write_folder(tmp_path / "drawn", "fer2013", 20)
    lines = (tmp_path / "drawn" / "fer2013.csv").read_text().splitlines()
    assert lines[0] == "emotion,pixels,Usage"
    rows = [line.split(",") for line in lines[1:]]
    known = [sample for sample in synthetic.samples(20, colour="rgb") if "expression7" in sample.targets]
    assert [int(code) for code, _, _ in rows] == [
        EXPRESSION7.index(sample.targets["expression7"]) for sample in known
    ]
    usages = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
    assert [usage for _, _, usage in rows] == [usages[sample.split] for sample in known]
    store = import_dataset(tmp_path / "drawn" / "fer2013.csv", tmp_path / "drawn.h5")
    grey = [cv2.cvtColor(sample.inputs["image"].data, cv2.COLOR_RGB2GRAY) for sample in known]
    assert np.abs(store.images(store.rows()).astype(int) - np.array(grey)).max() <= 1
    synthetic.write_folder(tmp_path / "large", "fer2013", 2, size=96)
    assert (
        len((tmp_path / "large" / "fer2013.csv").read_text().splitlines()[1].split(",")[1].split()) == 48 * 48
    )


def test_pictures_of_a_layout_have_the_size_of_the_real_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = {}

    def write(name, root, samples):
        shapes[name] = next(iter(samples)).inputs["image"].data.shape

    for name in ("affectnet", "emotic-csv", "rafdb", "ck48", "jaffe", "table"):
        monkeypatch.setitem(
            synthetic.LAYOUTS, name, lambda root, samples, name=name: write(name, root, samples)
        )
        synthetic.write_folder(tmp_path / name, name, 10)
    assert shapes == {
        "affectnet": (224, 224, 3), "emotic-csv": (240, 320, 3), "rafdb": (100, 100, 3), "ck48": (48, 48, 3),
        "jaffe": (256, 256, 3), "table": (224, 224, 3),
    }  # fmt: skip


def test_a_folder_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(root, samples):
        (root / "half").write_text("x")
        raise OSError("disk full")

    monkeypatch.setitem(synthetic.LAYOUTS, "half", failing)
    with pytest.raises(OSError, match="disk full"):
        synthetic.write_folder(tmp_path / "new", "half", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(synthetic.LAYOUTS, "one", lambda root, samples: (root / "one").write_text("x"))
    (tmp_path / "empty").mkdir()
    synthetic.write_folder(tmp_path / "empty", "one", 1)
    assert (tmp_path / "empty" / "one").read_text() == "x"
    (tmp_path / "file").write_text("mine")
    for taken in ("empty", "file"):
        with pytest.raises(ConfigError, match=f"{taken}: is there already; give a new or an empty folder"):
            synthetic.write_folder(tmp_path / taken, "one", 1)
    with pytest.raises(ConfigError, match="unknown layout to draw 'two'"):
        synthetic.write_folder(tmp_path / "other", "two", 1)


def test_haar_cascade_finds_most_drawn_faces() -> None:
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    found = 0
    for seed in range(24):
        picture, [(box, _)] = synthetic.photo(seed, 1, (260, 300), [EXPRESSION8.labels[seed % 8]])
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        boxes = cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5)
        found += any(_overlap(Box(*map(int, other)), box) > 0.5 for other in boxes)
    assert found >= 0.8 * 24


def _overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    wide = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    high = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(0, wide) * max(0, high)
    return shared / (one.width * one.height + other.width * other.height - shared)
