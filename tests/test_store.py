"""The store: what is written comes back, in any order, and damage is told."""

import io
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mien.errors import ConfigError, DataError, StoreError
from mien.labels import AFFECTNET8, EXPRESSION7, EXPRESSION8, VALENCE_AROUSAL, LabelSpace
from mien.records import Box, Item, Sample
from mien.store import Origin, Splitting, Store, check, write, write_shards
from mien.store.splits import stratified
from mien.tasks import Head, Kind

CLASS = Head("expression7", Kind.CLASS, EXPRESSION7)
VOTES = Head("distribution8", Kind.DISTRIBUTION, EXPRESSION8)
TAGS = Head("tags", Kind.TAGS, LabelSpace("mood", ("calm", "tense", "bored")))
VALUES = Head("valence_arousal", Kind.VALUES, VALENCE_AROUSAL)
HEADS = (CLASS, VOTES, TAGS, VALUES)
ORIGIN = Origin("test", "1", {"a.csv": "00"}, {"votes": "raw"}, ["row 9"], ["a note"])
FACES = np.random.default_rng(0).integers(0, 256, (6, 8, 8), np.uint8)


def drawn() -> list[Sample]:
    """Six samples, of which the third has no targets at all."""
    return [
        Sample.of_image(
            FACES[0],
            {"expression7": "Anger", "distribution8": {"happiness": 3, "neutral": 1}},
            "train",
            "a/0.png",
        ),
        Sample.of_image(
            FACES[1],
            {"tags": ("tense", "bored"), "valence_arousal": {"arousal": 0.5}},
            "train",
            "a/1.png",
            group="p1",
        ),
        Sample.of_image(FACES[2], {}, "validation", "a/2.png", Box(1, 2, 3, 4)),
        Sample.of_image(FACES[3], {"expression7": "neutral", "tags": ()}, "train", "a/ü.png"),
        Sample.of_image(
            FACES[4], {"valence_arousal": {"valence": -1, "arousal": 1}}, "validation", "a/4.png"
        ),
        Sample.of_image(FACES[5], {"distribution8": {"contempt": 0.25}}, "train", "a/5.png"),
    ]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return write(tmp_path / "faces.h5", drawn(), HEADS, ORIGIN)


def encoded(size: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((size, size + 1, 3), size, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def same(found: NDArray[np.float32], wanted: list[Any]) -> bool:
    assert found.dtype == np.float32
    return np.array_equal(found, np.array(wanted, np.float32), equal_nan=True)


def test_faces_come_back_in_the_order_asked_for(store: Store) -> None:
    assert len(store) == 6
    assert store.image_shape == (8, 8)
    for rows in ([0, 1, 2, 3, 4, 5], [4, 0, 4, 2], [5], [], [5, 0], [2, 3]):
        picked = np.array(rows, np.int64)
        assert np.array_equal(store.images(picked), FACES[rows].reshape(len(rows), 8, 8))
        assert store.texts("source", picked) == [drawn()[row].source for row in rows]


def test_scattered_rows_of_a_long_store(tmp_path: Path) -> None:
    samples = (
        Sample.of_image(np.full((200, 200), row % 251, np.uint8), {}, "train", f"{row}")
        for row in range(3000)
    )
    long = write(tmp_path / "long.h5", samples, (CLASS,), ORIGIN)
    rows = np.array([2999, 0, 1500, 0, 7])
    assert np.asarray(long.images(rows))[:, 0, 0].tolist() == [row % 251 for row in rows]
    assert long.texts("source", rows) == ["2999", "0", "1500", "0", "7"]


def test_rows_outside_are_refused(store: Store) -> None:
    for rows in ([6], [-1], [0, 6], [-1, 5]):
        with pytest.raises(StoreError, match="asked for, it has 0 to 5"):
            store.images(np.array(rows))


@pytest.mark.parametrize("is_encoded", [False, True])
@pytest.mark.parametrize("shards", [0, 2])
def test_rows_may_be_a_list(tmp_path: Path, is_encoded: bool, shards: int) -> None:
    samples = [
        Sample.of_image(encoded(3 + k) if is_encoded else FACES[k], {}, "train", str(k)) for k in range(6)
    ]
    store = write(tmp_path / "faces.h5", samples, (CLASS,), ORIGIN)
    if shards:
        store = write_shards(tmp_path / "split.h5", store, shards)
    for ours, theirs in zip(store.images([4, 0]), store.images(np.array([4, 0])), strict=True):  # type: ignore[arg-type]
        assert np.array_equal(ours, theirs)
    wrong: list[Any] = [[10**6], [-1], [1.5], np.array([1.5]), ["a"]]
    for rows in wrong:
        with pytest.raises(StoreError, match=r"asked for, it has 0 to 5|whole numbers from 0 to 5"):
            store.images(rows)


def test_an_unknown_text_is_told_with_those_there_are(store: Store) -> None:
    with pytest.raises(StoreError, match=r"unknown text of .*faces.h5 'foo' \(one of: group, source\)"):
        store.texts("foo", store.rows())


def test_splits(store: Store) -> None:
    assert store.rows("train").tolist() == [0, 1, 3, 5]
    assert store.rows("validation").tolist() == [2, 4]
    assert store.rows().tolist() == list(range(6))
    assert store.splits == ("train", "validation")
    with pytest.raises(StoreError, match=r"split 'test' is empty \(there are: train, validation\)"):
        store.rows("test")
    with pytest.raises(StoreError, match="unknown split 'valid', did you mean 'validation'"):
        store.rows("valid")


def test_targets_by_kind(store: Store) -> None:
    nan = np.nan
    rows = np.array([0, 1, 2, 3, 5])
    assert same(
        store.target(CLASS, rows[:4]), [[1, 0, 0, 0, 0, 0, 0], [nan] * 7, [nan] * 7, [0, 0, 0, 0, 0, 0, 1]]
    )
    soft = store.target(VOTES, rows)
    assert same(soft[[0, 1, 4]], [[0.25, 0.75, 0, 0, 0, 0, 0, 0], [nan] * 8, [0, 0, 0, 0, 0, 0, 0, 1]])
    assert same(store.target(TAGS, rows[:4]), [[nan] * 3, [0, 1, 1], [nan] * 3, [0, 0, 0]])
    assert same(store.target(VALUES, np.array([1, 2, 4])), [[nan, 0.5], [nan, nan], [-1, 1]])


def test_votes_are_kept_as_given(store: Store) -> None:
    assert same(
        store.annotations("distribution8", np.array([0, 1])), [[1, 3, 0, 0, 0, 0, 0, 0], [np.nan] * 8]
    )


def test_targets_in_another_order_of_labels(store: Store) -> None:
    other = replace(VOTES, space=AFFECTNET8)
    assert same(store.target(other, np.array([0])), [[0.25, 0.75, 0, 0, 0, 0, 0, 0]])
    assert store.target(other, np.array([5]))[0].argmax() == AFFECTNET8.index("contempt")
    seven = replace(VOTES, space=EXPRESSION7)
    assert same(store.target(seven, np.array([0, 5])), [[0, 0, 0, 0.75, 0, 0, 0.25], [np.nan] * 7])
    eight = store.target(replace(CLASS, space=EXPRESSION8), np.array([0]))
    assert eight[0].tolist() == [0, 0, 0, 0, 1, 0, 0, 0]


def test_labels_the_store_does_not_know(store: Store) -> None:
    moods = LabelSpace("moods", ("tense", "amused"))
    assert same(store.target(replace(TAGS, space=moods), np.array([1])), [[1, np.nan]])
    with pytest.raises(StoreError, match="'tags' shares no label with calm, tense, bored"):
        store.target(replace(TAGS, space=EXPRESSION7), np.array([1]))
    with pytest.raises(StoreError, match=r"has no target 'age' \(it has: expression7, distribution8"):
        store.target(replace(TAGS, name="age"), np.array([1]))


def test_origin_and_description(store: Store) -> None:
    keys = ("schema", "importer", "version", "inputs", "options", "left_out", "notes")
    assert {key: store.meta[key] for key in keys} == {
        "schema": 3, "importer": "test", "version": "1", "inputs": {"a.csv": "00"},
        "options": {"votes": "raw"}, "left_out": ["row 9"], "notes": ["a note"],
    }  # fmt: skip
    assert store.heads == HEADS
    assert store.texts("group", np.array([0, 1])) == ["", "p1"]
    with h5py.File(store.path) as file:
        assert file["inputs/image/region"][2].tolist() == [1, 2, 3, 4]


def test_origin_may_fill_while_samples_stream(tmp_path: Path) -> None:
    origin = Origin("test", "1", {}, {}, [])

    def streaming() -> Iterator[Sample]:
        yield from drawn()
        origin.left_out.append("the last")

    assert write(tmp_path / "x.h5", streaming(), HEADS, origin).meta["left_out"] == ["the last"]


def test_a_long_list_of_faults_fits(tmp_path: Path) -> None:
    faults = [f"row {row}: bad" for row in range(20_000)]
    assert (
        write(tmp_path / "x.h5", drawn(), HEADS, replace(ORIGIN, left_out=faults)).meta["left_out"] == faults
    )


def test_a_store_can_be_pickled(store: Store) -> None:
    assert np.array_equal(pickle.loads(pickle.dumps(store)).images(np.array([3])), FACES[3:4])


def test_pictures_of_mixed_sizes(tmp_path: Path) -> None:
    samples = [Sample.of_image(encoded(size), {}, "train", f"{size}.png") for size in (3, 5, 4)]
    mixed = write(tmp_path / "mixed.h5", samples, (CLASS,), ORIGIN)
    check(mixed)
    assert mixed.image_shape is None
    found = mixed.images(np.array([2, 0]))
    assert [image.shape for image in found] == [(4, 5, 3), (3, 4, 3)]
    assert found[0].max() == found[0].min() == 4


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"source": "a/0.png"}, "a/0.png: appears twice"),
        ({"split": "dev"}, "split 'dev' is none of train, validation, test"),
        (
            {"inputs": {"image": Item(np.zeros((8, 9), np.uint8))}},
            r"a/5.png: the image is \(8, 9\) uint8, those before it are \(8, 8\)",
        ),
        (
            {"inputs": {"image": Item(np.zeros((8, 8), np.float32))}},
            r"a/5.png: the image is \(8, 8\) float32",
        ),
        ({"inputs": {"image": Item(b"png")}}, "a/5.png: an encoded file among arrays of 'image'"),
        ({"inputs": {}}, "a/5.png: a sample without any input"),
        ({"source": "x" * 201}, "longer than 200 bytes"),
        (
            {"targets": {"foo": "happy"}},
            r"a/5.png: target 'foo' is no head \(one of: distribution8, expression7, tags, valence_arousal\)",
        ),
        (
            {"inputs": {"image": Item(FACES[5], Box(0, 0, 10**10, 10))}},
            r"a/5.png: the region Box\(.* width=10000000000, .* of 'image' must be 4 numbers from -2147483",
        ),
        ({"inputs": {"present": Item(FACES[5])}}, "input 'present': a name is made of letters, digits"),
        ({"inputs": {"a/b": Item(FACES[5])}}, "input 'a/b': a name is made of letters, digits"),
        ({"targets": {"expression7": "bored"}}, "a/5.png, expression7: 'bored' is no label of expression7"),
        ({"targets": {"expression7": ("happy",)}}, "a/5.png, expression7: a class is one name"),
        ({"targets": {"distribution8": "happy"}}, "a/5.png, distribution8: names and numbers are needed"),
        ({"targets": {"distribution8": {"happy": -1}}}, "a/5.png, distribution8: a negative vote"),
        ({"targets": {"distribution8": {"happy": "many"}}}, "a/5.png, distribution8: could not convert"),
        (
            {"targets": {"valence_arousal": {"valence": np.nan}}},
            "a/5.png, valence_arousal: a value that is no finite",
        ),
        ({"targets": {"tags": ("merry",)}}, "a/5.png, tags: 'merry' is no label of mood"),
    ],
)
def test_samples_that_do_not_fit_are_named(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        write(tmp_path / "x.h5", [*drawn()[:5], replace(drawn()[5], **change)], HEADS, ORIGIN)
    assert list(tmp_path.iterdir()) == []


def test_no_samples_and_mixed_forms(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no samples"):
        write(tmp_path / "x.h5", [], HEADS, ORIGIN)
    with pytest.raises(DataError, match="1: an array among encoded files of 'image'"):
        write(
            tmp_path / "x.h5",
            [Sample.of_image(encoded(3), {}, "train", "0"), Sample.of_image(FACES[0], {}, "train", "1")],
            HEADS,
            ORIGIN,
        )


def test_interrupted_writing_leaves_the_old_file(store: Store) -> None:
    def interrupted() -> Iterator[Sample]:
        yield from drawn()
        raise KeyboardInterrupt

    before = store.path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write(store.path, interrupted(), HEADS, ORIGIN)
    assert store.path.read_bytes() == before
    assert list(store.path.parent.iterdir()) == [store.path]


def test_places_that_cannot_hold_a_store(store: Store) -> None:
    with pytest.raises(StoreError, match="a folder; a store is a file"):
        write(store.path.parent, drawn(), HEADS, ORIGIN)
    with pytest.raises(StoreError, match="cannot be written"):
        write(store.path / "below" / "x.h5", drawn(), HEADS, ORIGIN)


def test_foreign_files(tmp_path: Path, store: Store) -> None:
    with pytest.raises(StoreError, match="no such store"):
        Store(tmp_path / "nowhere.h5")
    text = tmp_path / "text.h5"
    text.write_text("hello")
    with pytest.raises(StoreError, match="not a readable HDF5 file"):
        Store(text)
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(StoreError, match="an HDF5 file, but no store"):
        Store(tmp_path / "foreign.h5")
    store.path.write_bytes(store.path.read_bytes()[:-1000])
    with pytest.raises(StoreError, match=r"faces\.h5"):
        Store(store.path)


def test_description_is_checked(store: Store) -> None:
    data = store.path.read_bytes()
    store.path.write_bytes(data.replace(b'"importer": "test"', b'"importer": "t\xffst"'))
    with pytest.raises(StoreError, match="is damaged"):
        Store(store.path)


def test_other_schema(store: Store) -> None:
    for other in (9, "1"):
        with h5py.File(store.path, "r+") as file:
            file.attrs["mien"] = other
        with pytest.raises(StoreError, match=r"of another schema than this version reads \(2 and 3\)"):
            Store(store.path)


def test_a_flipped_pixel_is_found(store: Store) -> None:
    data = bytearray(store.path.read_bytes())
    place = data.index(FACES[3].tobytes())
    data[place + 10] ^= 1
    store.path.write_bytes(data)
    with pytest.raises(StoreError, match=r"faces\.h5: 'inputs/image/values' is damaged"):
        check(store)
    with pytest.raises(StoreError, match=r"'inputs/image/values' is damaged"):
        store.images(np.array([3]))


def test_flips_anywhere_are_harmless_or_told(store: Store) -> None:
    """One flipped bit at each of 400 places: the check tells it, or every face, target and text is still
    right."""
    whole = store.path.read_bytes()
    told = 0
    for place in np.random.default_rng(1).integers(0, len(whole), 400):
        data = bytearray(whole)
        data[place] ^= 1 << (place % 8)
        store.path.write_bytes(data)
        try:
            again = Store(store.path)
            check(again)
        except StoreError as error:
            assert "\n" not in str(error)  # noqa: PT017
            told += 1
            continue
        assert np.array_equal(again.images(again.rows()), FACES)
        assert again.texts("source", again.rows()) == [sample.source for sample in drawn()]
        assert same(again.annotations("distribution8", np.array([0])), [[1, 3, 0, 0, 0, 0, 0, 0]])
    assert told > 0


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("split", 7, "'split' holds 7, allowed are 0 to 2"),
        ("targets/expression7", 9, "'targets/expression7' holds a class outside 0 to 6"),
    ],
)
def test_values_outside_the_schema(store: Store, name: str, value: int, says: str) -> None:
    with h5py.File(store.path, "r+") as file:
        file[name][0] = value
    with pytest.raises(StoreError, match=says):
        check(Store(store.path))


def test_missing_and_short_parts(store: Store) -> None:
    with h5py.File(store.path, "r+") as file:
        file["source"].resize(5, axis=0)
    with pytest.raises(StoreError, match="'source' has 5 rows, the split has 6"):
        check(Store(store.path))
    with h5py.File(store.path, "r+") as file:
        del file["masks/tags"]
    with pytest.raises(StoreError, match=r"is damaged|has 5 rows"):
        check(Store(store.path))


def test_wrong_width(store: Store) -> None:
    with h5py.File(store.path, "r+") as file:
        del file["targets/tags"]
        file["targets/tags"] = np.zeros((6, 2), np.uint8)
    with pytest.raises(StoreError, match=r"'targets/tags' is \(6, 2\), it needs 3 columns"):
        check(Store(store.path))


def test_extents_are_checked(tmp_path: Path) -> None:
    mixed = write(tmp_path / "mixed.h5", [Sample.of_image(encoded(3), {}, "train", "0")], (CLASS,), ORIGIN)
    with h5py.File(mixed.path, "r+") as file:
        file["inputs/image/extents"][0, 1] = 5000
    with pytest.raises(StoreError, match="'inputs/image/extents' do not fit"):
        check(Store(mixed.path))


def test_rows_of_nothing_come_back_as_nothing(tmp_path: Path) -> None:
    blank = [Sample.of_image(np.zeros((2, 2), np.uint8), {}, "train", str(row)) for row in range(3)]
    store = write(tmp_path / "x.h5", blank, HEADS, ORIGIN)
    check(store)
    assert np.asarray(store.images(store.rows())).tolist() == np.zeros((3, 2, 2)).tolist()
    assert store.texts("group", store.rows()) == [""] * 3
    assert np.isnan(store.target(VOTES, store.rows())).all()


def test_people_of_one_picture_share_its_bytes(tmp_path: Path) -> None:
    picture, other = encoded(3), encoded(4)
    people = [
        Sample.of_image(data, {}, "train", str(row))
        for row, data in enumerate([picture, picture, other, picture])
    ]
    mixed = write(tmp_path / "mixed.h5", people, (CLASS,), ORIGIN)
    assert mixed.encoded(mixed.rows()) == [picture, picture, other, picture]
    with h5py.File(mixed.path) as file:
        assert file["inputs/image/extents"][:3].tolist() == [[0, len(picture)]] * 2 + [
            [len(picture), len(picture) + len(other)]
        ]
        assert file["inputs/image/encoded"].chunks is None


def test_a_flipped_byte_of_a_picture_is_told(tmp_path: Path) -> None:
    mixed = write(
        tmp_path / "mixed.h5",
        [Sample.of_image(encoded(k), {}, "train", str(k)) for k in (3, 4)],
        (CLASS,),
        ORIGIN,
    )
    with h5py.File(mixed.path, "r+") as file:
        file["inputs/image/encoded"][-1] = file["inputs/image/encoded"][-1] ^ 1
    with pytest.raises(StoreError, match=r"mixed.h5: 'image' of row 1 is damaged; import again"):
        check(Store(mixed.path))
    assert len(mixed.images(np.array([0]))) == 1


def test_pixels_are_not_encoded(store: Store) -> None:
    with pytest.raises(StoreError, match="holds arrays, not encoded files"):
        store.encoded(store.rows())


def test_everything_said_of_a_row_comes_back(tmp_path: Path) -> None:
    """`samples` gives what `write` took, for pixels and for encoded pictures."""
    full = Sample.of_image(
        encoded(3), {"expression7": "happy", "tags": ["tense", "bored"], "valence_arousal": {"arousal": 0.5}},
        "test", "a", Box(1, 2, 3, 4), group="anna", landmarks=((1.0, 2.0), (3.0, 4.5)),
        attributes={"gender": "female", "age": "30"},
    )  # fmt: skip
    bare = Sample.of_image(encoded(4), {"distribution8": {"happy": 7.0, "sad": 3.0}}, "train", "b")
    later = Sample.of_image(encoded(5), {"tags": []}, "train", "c", attributes={"database": "ade20k"})
    mixed = write(tmp_path / "mixed.h5", [bare, full, later], HEADS, ORIGIN)
    found = list(mixed.samples(np.array([1, 0, 2])))
    item = full.inputs["image"]._replace(points=[[1.0, 2.0], [3.0, 4.5]])
    assert found[0] == replace(full, inputs={"image": item})
    assert found[1] == replace(
        bare,
        targets={"distribution8": dict.fromkeys(EXPRESSION8.labels, 0.0) | bare.targets["distribution8"]},
    )
    assert found[2] == later
    assert mixed.attributes == ("age", "database", "gender")
    assert mixed.attribute("gender", mixed.rows()) == ["", "female", ""]
    assert mixed.boxes(mixed.rows()).tolist() == [[0] * 4, [1, 2, 3, 4], [0] * 4]
    points = mixed.landmarks(mixed.rows())
    assert points is not None
    assert np.isnan(points[[0, 2]]).all()
    with pytest.raises(StoreError, match="gender"):
        mixed.attribute("shoes", mixed.rows())
    again = write(tmp_path / "again.h5", mixed.samples(mixed.rows()), HEADS, ORIGIN)
    assert list(again.samples(again.rows())) == list(mixed.samples(mixed.rows()))


def test_what_few_have_is_filled_up_for_the_rest(tmp_path: Path) -> None:
    """Attributes and landmarks that appear, or vanish, in a later batch."""
    count = 2500
    rows = [
        Sample.of_image(
            np.zeros((2, 2), np.uint8),
            {},
            "train",
            str(k),
            **({"landmarks": ((1, 2),), "attributes": {"age": "9"}} if k == 1500 else {}),
        )
        for k in range(count)
    ]
    store = write(tmp_path / "x.h5", rows, (CLASS,), ORIGIN)
    check(store)
    assert [k for k, age in enumerate(store.attribute("age", store.rows())) if age] == [1500]
    points = store.landmarks(store.rows())
    assert points is not None
    assert np.flatnonzero(~np.isnan(points).any(axis=(1, 2))).tolist() == [1500]


def test_landmarks_must_be_as_many(tmp_path: Path) -> None:
    rows = [
        Sample.of_image(np.zeros((2, 2), np.uint8), {}, "train", str(k), landmarks=((0, 0),) * k)
        for k in (2, 3)
    ]
    with pytest.raises(DataError, match="3: 3 landmarks, those before it have 2"):
        write(tmp_path / "x.h5", rows, (CLASS,), ORIGIN)


def undecided(count: int, **more: Any) -> list[Sample]:
    """Faces of three classes, every tenth of them a rare one, without a split."""
    draw = np.random.default_rng(1)
    names = ["sad" if k % 10 == 0 else "happy" if k % 3 else "fear" for k in range(count)]
    return [
        Sample.of_image(draw.integers(0, 255, (4, 4), np.uint8), {"expression7": name}, "", str(k), **more)
        for k, name in enumerate(names)
    ]


def shares(store: Store, head: Head) -> dict[str, list[int]]:
    return {
        name: np.nansum(store.target(head, store.rows(name)), axis=0).astype(int).tolist()
        for name in store.splits
    }


def test_an_open_split_is_stratified(tmp_path: Path) -> None:
    origin = replace(ORIGIN, notes=[], splitting=Splitting(0.1, 0.2, seed=3))
    store = write(tmp_path / "x.h5", undecided(600), (CLASS,), origin)
    assert shares(store, CLASS) == {
        "train": [0, 0, 126, 252, 42, 0, 0], "validation": [0, 0, 18, 36, 6, 0, 0],
        "test": [0, 0, 36, 72, 12, 0, 0],
    }  # fmt: skip
    assert store.meta["notes"] == [
        "no official split: 420 train, 60 validation, 120 test, stratified by expression7, seed 3"
    ]
    assert store.meta["splitting"] == {"validation": 0.1, "test": 0.2, "seed": 3}
    other = write(
        tmp_path / "y.h5",
        undecided(600),
        (CLASS,),
        replace(origin, notes=[], splitting=Splitting(0.1, 0.2, seed=4)),
    )
    assert other.rows("test").tolist() != store.rows("test").tolist()
    same = write(tmp_path / "z.h5", undecided(600), (CLASS,), replace(origin, notes=[]))
    assert same.rows("test").tolist() == store.rows("test").tolist()


def test_groups_and_equal_pictures_stay_together(tmp_path: Path) -> None:
    people = [
        replace(sample, group=f"person {k % 23}" if k < 400 else "")
        for k, sample in enumerate(undecided(600))
    ]
    people[500:510] = [
        replace(sample, inputs=people[0].inputs, source=f"copy {k}")
        for k, sample in enumerate(people[500:510])
    ]
    store = write(
        tmp_path / "x.h5", people, (CLASS,), replace(ORIGIN, notes=[], splitting=Splitting(0.15, 0.15))
    )
    split = {row: name for name in store.splits for row in store.rows(name).tolist()}
    for person in range(23):
        assert len({split[row] for row in range(400) if row % 23 == person}) == 1
    assert len({split[row] for row in range(500, 510)}) == 1
    assert store.meta["notes"][0].endswith("386 rows kept with others of their group or picture")
    for name, wanted in {"train": 420, "validation": 90, "test": 90}.items():
        assert abs(len(store.rows(name)) - wanted) < 12


def test_a_validation_split_is_taken_from_train(tmp_path: Path) -> None:
    rows = [replace(sample, split="test" if k < 100 else "train") for k, sample in enumerate(undecided(600))]
    store = write(tmp_path / "x.h5", rows, (CLASS,), replace(ORIGIN, notes=[], splitting=Splitting(0.1)))
    assert store.rows("test").tolist() == list(range(100))
    assert len(store.rows("validation")) == 50
    assert store.meta["notes"] == [
        "no official validation split: 50 rows taken from train, stratified by expression7, seed 0"
    ]
    none = write(tmp_path / "y.h5", rows, (CLASS,), replace(ORIGIN, notes=[], splitting=Splitting(0, 0)))
    assert none.splits == ("train", "test")


@pytest.mark.parametrize("head", [VOTES, TAGS, VALUES], ids=lambda head: head.name)
def test_any_kind_of_target_can_be_stratified(tmp_path: Path, head: Head) -> None:
    targets: dict[str, Any] = {
        "distribution8": [{"happy": 3, "sad": 1}, {"happy": 1, "sad": 3}],
        "tags": [["calm"], ["calm", "bored"]],
        "valence_arousal": [{"valence": -0.5}, {"valence": 0.5}],
    }  # fmt: skip
    rows = [
        replace(sample, targets={head.name: targets[head.name][k % 2]})
        for k, sample in enumerate(undecided(100))
    ]
    store = write(tmp_path / "x.h5", rows, (head,), replace(ORIGIN, notes=[], splitting=Splitting(0.2, 0)))
    kinds = [store.rows("validation") % 2 == k for k in (0, 1)]
    assert [int(kind.sum()) for kind in kinds] == [10, 10]


def test_shares_must_leave_some_to_train_on() -> None:
    with pytest.raises(ConfigError, match=r"validation 0.5 and test 0.5 must be shares"):
        Splitting(0.5, 0.5)


def test_large_groups_go_where_most_is_missing() -> None:
    groups = np.repeat(np.arange(10), 21)
    codes = stratified(np.tile(np.arange(7), 30), groups, np.array([0.8, 0.1, 0.1]), seed=0)
    assert sorted(np.bincount(codes)) == [21, 21, 168]


def test_many_small_strata_still_give_the_shares() -> None:
    codes = stratified(np.arange(100) // 2, np.arange(100), np.array([0.8, 0.1, 0.1]), seed=0)
    assert np.bincount(codes).tolist() == [80, 10, 10]


def test_an_undecided_split_is_refused_without_a_rule(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="0: split '' is none of train, validation, test"):
        write(tmp_path / "x.h5", undecided(3), (CLASS,), ORIGIN)
