"""The audit finds what was planted and nothing else, agrees with slow and plain reckoning, and with the known
FER-2013."""

import json
import runpy
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mien import store as stores
from mien.audit import CHECKS, SEVERITIES, Audit, AuditLimits, Finding, audit, clean
from mien.audit.context import describe, labels_of
from mien.audit.duplicates import _standard, group_equal, near_duplicates
from mien.audit.measures import measure, of_pixels, perceptual_hash
from mien.errors import ConfigError, DataError, StoreError
from mien.labels import LabelSpace
from mien.media import image as pictures
from mien.records import Item, Sample
from mien.store import Origin, Store
from mien.tasks import TASKS, Head, Kind
from tests.audit import planted

SOURCES = {
    "constant": {"black", "grey"},
    "leak": {"leak-a", "leak-b"},
    "group-leak": {"group-a", "group-b"},
    "conflict:expression8": {"conflict-a", "conflict-b"},
    "conflict:valence_arousal": {"conflict-a", "conflict-b"},
    "conflict:distribution8": {"conflict-a", "conflict-b"},
    "conflict:tags": {"conflict-a", "conflict-b"},
    "invalid:vad": {"outside"},
    "invalid:distribution8": {"sums", "no-vote"},
    "box": {"box-out", "box-empty"},
    "near-constant": {"faint"},
    "near-leak": {"near-a", "near-b"},
    "near-conflict:expression8": {"near-a", "near-b"},
    "near-conflict:valence_arousal": {"near-a", "near-b"},
    "near-conflict:distribution8": {"near-a", "near-b"},
    "improbable:valence_arousal": {"far", "against"},
    "improbable:distribution8": {"uniform"},
    "improbable:tags": {"tagless"},
    "unlabelled": {"bare"},
    "imbalance:expression8": set(),
    "imbalance:distribution8": set(),
    "imbalance:tags": set(),
    "duplicate": {"twin-a", "twin-b", "leak-a", "leak-b", "conflict-a", "conflict-b"},
    "near-duplicate": {"near-a", "near-b"},
    "missing:expression8": {"bare"},
    "missing:valence_arousal": {"bare", "partly"},
    "missing:distribution8": {"bare"},
    "missing:tags": {"bare", "tagged"},
    "missing:vad": {"bare"},
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return planted.write(tmp_path_factory.mktemp("faulty") / "faces.h5", planted.faulty())


@pytest.fixture(scope="module")
def found(faulty: Store) -> Audit:
    return audit(faulty)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return planted.write(tmp_path_factory.mktemp("mixed") / "faces.h5", planted.mixed())


def sources(found: Audit) -> dict[str, set[str]]:
    return {one.name: {found.sources[row] for row in one.rows} for one in found.findings}


def find(found: Audit, name: str) -> Finding:
    finding = found.find(name)
    assert finding, f"{name} was not found"
    return finding


def test_each_planted_fault_is_found_and_nothing_else(found: Audit) -> None:
    assert sources(found) == SOURCES
    assert set(found.nothing) == {"unreadable", "size"}


def test_a_fair_store_has_no_fault(tmp_path: Path) -> None:
    fair = planted.write(tmp_path / "faces.h5", planted.fair(), planted.HEADS[:2])
    found = audit(fair, AuditLimits(few=0, ratio=1e9))
    assert {one.name for one in found.findings} == {"imbalance:expression8"}  # six labels have no face at all
    assert found.find("leak") is None


def test_findings_come_worst_first_and_say_why(found: Audit) -> None:
    order = [SEVERITIES.index(one.check.severity) for one in found.findings]
    assert order == sorted(order)
    reasons = {found.sources[row]: reason for one in found.findings for row, reason in one.reasons.items()}
    assert reasons["black"] == "grey level 0"
    assert reasons["grey"] == "grey level 90"
    assert reasons["faint"].startswith("standard deviation 0.8")
    assert reasons["outside"] == "outside 1 to 10: valence 11.00, arousal 5.00, dominance 5.00"
    assert reasons["sums"] == "not summing to 1: 0.6"
    assert reasons["no-vote"] == "without a vote"
    assert reasons["uniform"] == "uniform"
    assert reasons["tagless"] == "without a tag"
    assert reasons["far"] == "beyond the unit circle: valence 0.90, arousal 0.90"
    assert reasons["against"] == "against its class: happy with valence -0.60"
    assert reasons["box-out"] == "beyond: [40, 0, 20, 20] in 48x48"
    assert reasons["box-empty"].startswith("empty: ")
    assert reasons["group-a"] == "group anna"


def test_findings_are_counted_by_split_and_label(found: Audit) -> None:
    constant = find(found, "constant")
    assert constant.by_split == {"train": 1, "validation": 1, "test": 0}
    assert constant.by_label == {"happy": 2}
    assert constant.figures["black"] == 1
    assert find(found, "conflict:tags").by_label == {"Happiness": 1, "Sadness": 1}
    assert find(found, "conflict:valence_arousal").by_label == {}
    assert find(found, "leak").says == "1 of validation are also in train"
    assert find(found, "near-leak").figures == {"groups": 1, "test in train": 1}
    assert find(found, "duplicate").figures["redundant"] == 3
    assert find(found, "missing:valence_arousal").says == "2 of 45 rows are not annotated, 1 of them in part"


def test_imbalance_names_the_rare_labels(found: Audit) -> None:
    rare = find(found, "imbalance:expression8")
    assert rare.says.startswith(
        "train: happy 29, sad 1 (29.0 to 1); below 100: happy, sad, angry; none: neutral, "
    )
    assert rare.figures["few"] == {"happy": 29, "sad": 1, "angry": 5}
    balance = next(one for one in found.balance if one.head == "expression8" and one.split == "train")
    assert balance.counts["angry"] == 5
    assert balance.ratio is None
    shares = np.array([29, 5, 1]) / 35
    assert balance.effective == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), abs=0.006)


def test_the_record_is_json(found: Audit) -> None:
    record = json.loads(json.dumps(found.to_dict()))
    assert record["faces"] == 45
    assert {one["code"] for one in record["findings"]} | set(record["nothing_found"]) == set(CHECKS)
    assert record["sources"][str(record["findings"][0]["rows"][0])] == "black"
    assert record["limits"]["likeness"] == 0.95


def test_pictures_of_mixed_sizes(mixed: Store) -> None:
    seen: list[tuple[int, int]] = []
    found = audit(mixed, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (17, 17)
    rows_found = sources(found)
    assert rows_found["unreadable"] == {"broken", "broken-too"}
    assert "not a picture" in find(found, "unreadable").reasons[13]
    assert rows_found["size"] == {"tiny", "long", "heavy"}
    assert find(found, "size").reasons[11].startswith("96x384, ")
    assert rows_found["leak"] == {"left", "right"}, "another person of the same picture leaks it all the same"
    assert "duplicate" not in rows_found, "two persons of one picture are no duplicates"
    assert not [name for name in rows_found if "conflict" in name]


def test_blank_pictures_are_told_once(tmp_path: Path) -> None:
    grey = np.full((48, 48), 90, np.uint8)
    labels = [("train", "happy"), ("train", "angry"), ("validation", "happy")]
    samples = [
        planted.sample(f"s{k}", grey, split, planted.sound(label)) for k, (split, label) in enumerate(labels)
    ]
    leaking = [planted.sample(f"x{split}", planted.noise(1), split) for split in ("train", "validation")]
    found = audit(planted.write(tmp_path / "faces.h5", [*samples, *leaking]))
    rows_found = sources(found)
    assert rows_found["constant"] == {"s0", "s1", "s2"}
    assert rows_found["leak"] == rows_found["duplicate"] == {"xtrain", "xvalidation"}
    assert not [name for name in rows_found if "conflict" in name]
    assert find(found, "leak").figures["with constant ones"] == {"validation in train": 2}
    assert find(found, "duplicate").figures["with constant ones"] == {
        "groups": 2,
        "pictures": 5,
        "redundant": 3,
    }


def test_near_leaks_do_not_count_what_leaks_identically(tmp_path: Path) -> None:
    image = planted.noise(1)
    near = (image * 0.8 + 30).astype(np.uint8)
    given = [("train", image), ("validation", image), ("validation", near)]
    samples = [planted.sample(f"s{k}", face, split) for k, (split, face) in enumerate(given)]
    found = audit(planted.write(tmp_path / "faces.h5", samples))
    assert find(found, "leak").figures["validation in train"] == 1
    assert find(found, "near-leak").figures["validation in train"] == 1
    assert find(found, "near-leak").groups == [[0, 1, 2]]


def test_an_answer_nobody_gave_contradicts_nothing(tmp_path: Path) -> None:
    targets = [
        {"expression8": "happy", "valence_arousal": {"valence": 0.5}},
        {"valence_arousal": {"arousal": 0.1}},
    ]
    samples = [
        planted.sample(f"s{k}", planted.noise(1), targets=answers) for k, answers in enumerate(targets)
    ]
    found = audit(planted.write(tmp_path / "faces.h5", samples))
    assert "duplicate" in sources(found)
    assert not [name for name in sources(found) if "conflict" in name]


def test_values_conflict_beyond_a_share_of_their_bounds(tmp_path: Path) -> None:
    def pair(second: float) -> set[str]:
        answers = [planted.sound(vad={"valence": value}) for value in (5.0, second)]
        samples = [planted.sample(f"s{k}", planted.noise(1), targets=answers[k]) for k in range(2)]
        found = audit(planted.write(tmp_path / "faces.h5", samples))
        return {one.head for one in found.findings if one.code == "conflict"}

    assert pair(6.8) == set()  # 0.2 of the nine points from 1 to 10
    assert pair(6.9) == {"vad"}


def test_values_without_a_valence_are_held_to_their_bounds_only(tmp_path: Path) -> None:
    head = Head("ages", Kind.VALUES, LabelSpace("ages", ("age",)), bounds=(0, 99))
    samples = [
        planted.sample(f"s{k}", planted.noise(k), targets={"ages": {"age": age}})
        for k, age in enumerate((7, 120))
    ]
    found = audit(planted.write(tmp_path / "faces.h5", samples, (head,)))
    assert sources(found) == {"invalid:ages": {"s1"}}
    assert found.balance == ()


def test_a_wider_limit_finds_less(faulty: Store) -> None:
    limits = AuditLimits(near_constant=0.5, likeness=1.1, variation=1.1, contradiction=2, aspect=99)
    rows_found = sources(audit(faulty, limits))
    assert not {"near-constant", "near-duplicate", "near-leak", "conflict:distribution8"} & set(rows_found)
    assert rows_found["improbable:valence_arousal"] == {"far"}


# pictures and hashes


def test_identical_means_pixels_and_shape() -> None:
    flat = np.arange(64, dtype=np.uint8)
    digests = {of_pixels(flat.reshape(shape)).digest for shape in ((8, 8), (4, 16), (16, 4))}
    assert len(digests) == 3
    assert of_pixels(flat.reshape(8, 8)).digest in digests


def test_the_same_pixels_in_another_file_are_identical(tmp_path: Path) -> None:
    image = planted.noise(1)
    samples = [planted.sample(form, pictures.encode(image, form)) for form in ("PNG", "BMP")]
    found = audit(planted.write(tmp_path / "faces.h5", samples))
    assert sources(found)["duplicate"] == {"PNG", "BMP"}


@pytest.mark.parametrize("seed", range(5))
def test_copies_keep_their_hash(seed: int) -> None:
    image = planted.noise(seed, 96)
    dark = (image * 0.5 + 20).astype(np.uint8)
    packed = pictures.decode(pictures.encode(image, quality=40), "")
    smaller = pictures.resize(image, 72)
    for copy in (dark, packed, smaller):
        assert (perceptual_hash(copy) ^ perceptual_hash(image)).bit_count() <= 8
    assert (perceptual_hash(planted.noise(seed + 50, 96)) ^ perceptual_hash(image)).bit_count() > 8


def test_re_encoded_and_resized_copies_are_near_duplicates(tmp_path: Path) -> None:
    image = planted.noise(1, 96, (3,))
    copies = {
        "one": pictures.encode(image, quality=90),
        "worse": pictures.encode(image, quality=30),
        "smaller": pictures.encode(pictures.resize(image, 60)),
        "grey": pictures.encode(pictures.recolour(image, "grey")),
        "other": pictures.encode(planted.noise(2, 96)),
    }
    found = audit(
        planted.write(tmp_path / "faces.h5", [planted.sample(name, blob) for name, blob in copies.items()])
    )
    assert sources(found)["near-duplicate"] == set(copies) - {"other"}


def test_likeness_goes_through_others(tmp_path: Path) -> None:
    """The first resembles the second and the second the third, but not the first the third: all belong
    together."""
    ramp = [planted.noise(1) * (1 - share) + planted.noise(2) * share for share in (0, 0.2, 0.4)]
    samples = [planted.sample(f"s{k}", image.astype(np.uint8)) for k, image in enumerate(ramp)]
    faces = planted.write(tmp_path / "faces.h5", samples)
    looks = _standard(measure(faces).thumbnail)
    assert looks[0] @ looks[2] < 0.93 < min(looks[0] @ looks[1], looks[1] @ looks[2])
    found = audit(faces, AuditLimits(likeness=0.93, hamming=20))
    assert find(found, "near-duplicate").groups == [[0, 1, 2]]


@given(arrays(np.int64, st.integers(1, 30), elements=st.integers(0, 5)), st.data())
def test_rows_that_agree_are_together(first: np.ndarray, data: st.DataObject) -> None:
    second = data.draw(arrays(np.int64, (len(first), 2), elements=st.integers(0, 1)))
    keys = [(int(a), *b.tolist()) for a, b in zip(first, second, strict=True)]
    groups = {key: [row for row, other in enumerate(keys) if other == key] for key in keys}
    assert [group.tolist() for group in group_equal(first, second)] == [
        g for g in groups.values() if len(g) > 1
    ]


def test_alike_is_what_comparing_all_pairs_gives(faulty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.audit.duplicates._TILE", 7)  # many tiles, so that their edges are met
    measures, limits = measure(faulty), AuditLimits(hamming=26, likeness=0.2)
    count = len(faulty)
    label = list(range(count))
    looks = _standard(measures.thumbnail)
    for a, b in combinations(range(count), 2):
        bits = int(measures.hash[a] ^ measures.hash[b]).bit_count()
        same = measures.picture[a] == measures.picture[b]
        if same or (bits <= limits.hamming and looks[a] @ looks[b] >= limits.likeness):
            label = [label[a] if one == label[b] else one for one in label]
    mine = near_duplicates(measures, np.ones(count, np.bool_), limits)
    pairs = list(combinations(range(count), 2))
    assert [mine[a] == mine[b] for a, b in pairs] == [label[a] == label[b] for a, b in pairs]
    assert 0 < sum(label[a] == label[b] for a, b in pairs) < len(pairs)


# answers in words


def test_answers_in_words() -> None:
    affect, emotic = TASKS["affect"].heads, TASKS["emotic"].heads
    distribution = TASKS["distribution8"].heads[0]
    nobody = np.full(8, np.nan, np.float32)
    assert describe(affect[0], np.eye(8, dtype=np.float32)[1]) == "happy"
    assert describe(affect[0], nobody) == ""
    assert labels_of(affect[0], nobody) == []
    assert describe(affect[1], np.array([0.25, np.nan], np.float32)) == "valence 0.25"
    assert describe(distribution, np.array([1, 3, 0, 0, 0, 0, 0, 0], np.float32)) == "happy 75%, neutral 25%"
    assert describe(distribution, np.zeros(8, np.float32)) == "no vote"
    assert describe(emotic[0], np.zeros(26, np.float32)) == "no tag"


# cleaning


def cleaned(found: Audit, store: Store, out: Path, *drop: str, splits: tuple[str, ...] = ("train",)) -> Store:
    return clean.clean(found, store, out, clean.plan(found, store, drop, splits), {"dropped": " ".join(drop)})


def left(store: Store) -> set[str]:
    return set(store.texts("source", store.rows()))


@pytest.mark.parametrize(
    ("drop", "splits", "gone"),
    [
        ("constant", ("train",), {"black"}),
        ("constant", ("train", "validation"), {"black", "grey"}),
        ("duplicate", ("train",), {"twin-b", "leak-a", "conflict-b"}),
        ("leak", ("train",), {"leak-a"}),
        ("leak", ("train", "validation", "test"), {"leak-a"}),
        ("near-leak", ("train",), {"near-a"}),
        ("near-duplicate", ("train",), {"near-a"}),
        ("group-leak", ("train",), {"group-a"}),
        ("conflict", ("train",), {"conflict-a", "conflict-b"}),
        ("conflict:tags", ("train",), {"conflict-a", "conflict-b"}),
        ("near-conflict", ("train",), {"near-a"}),
        ("near-conflict", ("train", "test"), {"near-a", "near-b"}),
        ("invalid", ("train",), {"outside", "sums", "no-vote"}),
        ("invalid:vad", ("train",), {"outside"}),
        ("unreadable", ("train",), set()),
        ("missing:tags", ("train",), {"bare", "tagged"}),
    ],
)  # fmt: skip
def test_what_a_clean_store_lacks(
    drop: str, splits: tuple[str, ...], gone: set[str], faulty: Store, found: Audit, tmp_path: Path
) -> None:
    new = cleaned(found, faulty, tmp_path / "clean.h5", drop, splits=splits)
    assert left(faulty) - left(new) == gone


def test_what_is_left_is_what_it_was(faulty: Store, found: Audit, tmp_path: Path) -> None:
    new = cleaned(found, faulty, tmp_path / "clean.h5", "duplicate", "constant")
    before = {sample.source: sample for sample in faulty.samples(faulty.rows())}
    for after in new.samples(new.rows()):
        one = before[after.source]
        assert np.array_equal(np.asarray(after.inputs["image"].data), np.asarray(one.inputs["image"].data))
        assert (after.targets, after.split, after.inputs["image"].region, after.group) == (
            one.targets,
            one.split,
            one.inputs["image"].region,
            one.group,
        )


def test_the_new_store_says_what_went_and_why(faulty: Store, found: Audit, tmp_path: Path) -> None:
    new = cleaned(found, faulty, tmp_path / "clean.h5", "leak", "duplicate", "constant")
    assert new.meta["inputs"] == {"origin.csv": "0" * 64, "faces.h5": found.sha256}
    assert new.meta["notes"][0] == "old note"
    assert new.meta["notes"][1].startswith("cleaned from faces.h5 (sha256 ")
    assert new.meta["notes"][1].endswith("dropped 1 constant, 1 leak, 2 duplicate")
    assert new.meta["options"]["dropped"] == "leak duplicate constant"
    assert new.meta["left_out"] == [
        "old: fault",
        "black: constant: grey level 0",
        "leak-a: leak: also in validation",
        "twin-b: duplicate: row 23 stays",
        "conflict-b: duplicate: row 29 stays",
    ]


def test_a_clean_store_is_clean(faulty: Store, found: Audit, tmp_path: Path) -> None:
    drop = [code for code in clean.DROPPABLE if code != "missing"]
    again = audit(
        cleaned(found, faulty, tmp_path / "clean.h5", *drop, splits=("train", "validation", "test"))
    )
    assert {one.code for one in again.findings} <= {"imbalance", "missing"}


def test_mixed_sizes_are_cleaned_too(mixed: Store, tmp_path: Path) -> None:
    new = cleaned(audit(mixed), mixed, tmp_path / "clean.h5", "unreadable", "size", "leak")
    assert left(mixed) - left(new) == {"broken", "broken-too", "tiny", "long", "heavy", "left"}
    assert new.encoded(new.rows()[:3]) == mixed.encoded(mixed.rows()[:3])


def test_an_input_of_another_name_than_its_modality_stays(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (6, 2, 24, 24), np.uint8)
    samples = [
        Sample({"image": Item(face), "thermal": Item(heat)}, {"expression7": "happy"}, "train", str(k))
        for k, (face, heat) in enumerate(pictures[[0, 0, 2, 3, 4, 5]])
    ]
    heads = TASKS["expression7"].heads
    store = stores.write(tmp_path / "two.h5", samples, heads, Origin("drawn", "1", {}), {"thermal": "image"})
    new = cleaned(audit(store), store, tmp_path / "clean.h5", "duplicate")
    assert (len(new), new.modalities) == (5, {"image": "image", "thermal": "image"})
    heats = [sample.inputs["thermal"].data for sample in new.samples(new.rows())]
    assert (np.stack(heats) == pictures[[0, 2, 3, 4, 5], 1]).all()


def test_rows_go_by_hand_whatever_their_split(faulty: Store, found: Audit, tmp_path: Path) -> None:
    listed = tmp_path / "rows.txt"
    listed.write_text("# looked at\n\nleak-b\n0\n")
    rows = clean.read_rows(listed, faulty)
    assert rows == [26, 0]
    decided = clean.plan(found, faulty, ["leak", "duplicate"], ["train"], rows)
    assert decided.dropped == {"rows": 2, "leak": 1, "duplicate": 2}
    assert decided.reasons[26] == "named by hand"


def test_what_stays_because_its_split_is_closed_is_told(faulty: Store, found: Audit) -> None:
    decided = clean.plan(found, faulty, ["constant"], ["train"])
    assert (decided.dropped, decided.kept) == ({"constant": 1}, {"constant": 1})


def test_a_duplicate_stays_where_its_twin_went_by_hand(faulty: Store, found: Audit) -> None:
    decided = clean.plan(found, faulty, ["duplicate"], ["train"], [23])
    assert {found.sources[row] for row in decided.reasons} == {"twin-a", "leak-a", "conflict-b"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("fair0\nnobody\n", "line 2: 'nobody' is no source and no row (0 to 44)"),
        ("45\n", "line 1: '45' is no source and no row (0 to 44)"),
    ],
)
def test_a_bad_list_of_rows_is_named(text: str, line: str, faulty: Store, tmp_path: Path) -> None:
    listed = tmp_path / "rows.txt"
    listed.write_text(text)
    with pytest.raises(DataError) as fault:
        clean.read_rows(listed, faulty)
    assert str(fault.value) == f"{listed}, {line}"


def test_lists_that_cannot_be_read(faulty: Store, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        clean.read_rows(tmp_path / "none.txt", faulty)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DataError, match="cannot be read"):
        clean.read_rows(tmp_path / "bytes", faulty)


def test_wrong_names_are_refused(faulty: Store, found: Audit) -> None:
    with pytest.raises(ConfigError, match="unknown finding to drop 'leek', did you mean 'leak'"):
        clean.plan(found, faulty, ["leek"], ["train"])
    with pytest.raises(StoreError, match="has no target 'mood'"):
        clean.plan(found, faulty, ["conflict:mood"], ["train"])
    with pytest.raises(ConfigError, match="unknown split 'dev'"):
        clean.plan(found, faulty, ["leak"], ["dev"])
    with pytest.raises(ConfigError, match="imbalance"):
        clean.plan(found, faulty, ["imbalance"], ["train"])


def test_a_store_never_replaces_itself(faulty: Store, found: Audit, tmp_path: Path) -> None:
    before = faulty.path.read_bytes()
    link = tmp_path / "link.h5"
    link.symlink_to(faulty.path)
    hard = tmp_path / "hard.h5"
    hard.hardlink_to(faulty.path)
    for out in (faulty.path, faulty.path.parent / "." / "faces.h5", link, hard):
        with pytest.raises(DataError, match="is the store itself"):
            cleaned(found, faulty, out, "leak")
    assert faulty.path.read_bytes() == before


def test_nothing_left_is_refused(tmp_path: Path) -> None:
    black = np.zeros((48, 48), np.uint8)
    faces = planted.write(tmp_path / "faces.h5", [planted.sample(f"s{k}", black) for k in range(3)])
    with pytest.raises(DataError, match="nothing would be left of its 3 faces"):
        cleaned(audit(faces), faces, tmp_path / "clean.h5", "constant")
    assert not (tmp_path / "clean.h5").exists()


@settings(max_examples=20)
@given(
    rows=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=12),
    splits=st.sets(st.sampled_from(("train", "validation", "test")), min_size=1),
)
def test_of_duplicates_one_stays_and_closed_splits_lose_nothing(
    rows: list[tuple[int, int]], splits: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    names = ("train", "validation", "test")
    samples = [
        planted.sample(f"s{k}", planted.noise(picture), names[s]) for k, (picture, s) in enumerate(rows)
    ]
    faces = planted.write(tmp_path_factory.mktemp("few") / "faces.h5", samples, planted.HEADS[:1])
    gone = set(clean.plan(audit(faces), faces, ["duplicate"], sorted(splits)).reasons)
    assert {names[rows[row][1]] for row in gone} <= splits
    for picture in {picture for picture, _ in rows}:
        mine = [row for row, (other, _) in enumerate(rows) if other == picture]
        stay = [row for row in mine if row not in gone]
        assert stay
        assert max(rows[row][1] for row in stay) == max(rows[row][1] for row in mine)
        if splits == set(names):
            assert len(stay) == 1


# the real thing


@pytest.fixture(scope="module")
def fer2013_audit(fer2013: Path, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """All of FER-2013 that is here, pixel for pixel as its CSV file holds it."""
    load = runpy.run_path(str(fer2013 / "materialise.py"))["load"]
    labels = TASKS["expression7"].heads[0].space.labels

    def samples() -> Iterator[Sample]:
        for usage, split in (("Training", "train"), ("PublicTest", "validation")):
            for k, (face, row) in enumerate(zip(*load(usage), strict=True)):
                yield Sample.of_image(
                    face, {"expression7": labels[int(row["emotion"])]}, split, f"{usage}:{k}"
                )

    path = tmp_path_factory.mktemp("fer2013") / "faces.h5"
    return audit(planted.write(path, samples(), TASKS["expression7"].heads))


def test_fer2013_is_what_the_reference_says(fer2013_audit: Audit) -> None:
    """Counted independently on a JPEG copy: 12 black pictures, one almost blank, 280 of PublicTest also in
    Training."""
    constant = find(fer2013_audit, "constant")
    assert constant.by_split == {"train": 11, "validation": 1}
    assert constant.by_label == {"angry": 8, "happy": 1, "sad": 1, "surprise": 1, "neutral": 1}
    assert constant.figures["black"] == 12
    assert "standard deviation 0.65" in find(fer2013_audit, "near-constant").reasons.values()
    assert find(fer2013_audit, "leak").figures["with constant ones"] == {"validation in train": 280}
    duplicates = find(fer2013_audit, "duplicate").figures
    assert duplicates["with constant ones"] == {"groups": 1271, "pictures": 2801, "redundant": 1530}
    assert duplicates["redundant"] == 1519
    assert find(fer2013_audit, "conflict:expression7").figures == {"groups": 46, "pictures": 117}
    assert find(fer2013_audit, "near-leak").figures["validation in train"] > 150
    assert {"unreadable", "invalid", "box", "unlabelled", "size", "missing"} <= set(fer2013_audit.nothing)
