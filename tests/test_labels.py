"""The vocabulary: orders as the field publishes them, aliases, joins between spaces, geometry."""

import itertools
import math

import pytest

from mien.errors import DataError
from mien.labels import (
    AFFECTNET8,
    ALIASES,
    EMOTIC26,
    EMOTION13,
    EXPRESSION7,
    EXPRESSION8,
    FERPLUS10,
    SPACES,
    VAD,
    VAD_MEANS,
    VALENCE_AROUSAL,
    LabelSpace,
    canonical,
)

#: As published: codes of fer2013.csv; columns of fer2013new.csv; codes of AffectNet; the 13-value
#: distributions.
PUBLISHED = {
    "expression7": "angry disgust fear happy sad surprise neutral",
    "expression8": "neutral happiness surprise sadness anger disgust fear contempt",
    "ferplus10": "neutral happiness surprise sadness anger disgust fear contempt unknown NF",
    "affectnet8": "neutral happy sad surprise fear disgust anger contempt",
    "emotion13": "neutral happy sad surprised fear disgust angry contempt "
    "serene contemplative secure untroubled quiet",
    "valence_arousal": "valence arousal",
    "vad": "valence arousal dominance",
}
SPELLINGS = {
    "angry": ["angry", "Angry", "anger", " ANGER "],
    "disgust": ["disgust", "disgusted", "Disgusted"],
    "fear": ["fear", "fearful", "afraid"],
    "happy": ["happy", "happiness", "joy"],
    "sad": ["sad", "sadness", "Sadness"],
    "surprise": ["surprise", "surprised"],
    "neutral": ["neutral", "normal", "neutrality"],
    "contempt": ["contempt", "contemptuous"],
    "no-face": ["NF", "no-face", "no_face", "Not a  face"],
    "disquietment": ["Disquietment", "Disquitement"],
    "doubt/confusion": ["Doubt/Confusion", "doubt", "Confusion"],
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_orders_are_the_published_ones(name: str) -> None:
    space = SPACES[name]
    assert [space.index(word) for word in PUBLISHED[name].split()] == list(range(len(space)))


def test_emotic_has_26_names_in_alphabetical_order() -> None:
    assert len(EMOTIC26) == 26
    assert list(EMOTIC26.labels) == sorted(EMOTIC26.labels)


@pytest.mark.parametrize(
    ("name", "spelling"), [(name, word) for name, words in SPELLINGS.items() for word in words]
)
def test_spellings(name: str, spelling: str) -> None:
    assert canonical(spelling) == name


def test_every_alias_leads_to_a_name_that_is_used() -> None:
    used = {canonical(label) for space in SPACES.values() for label in space.labels}
    assert set(ALIASES.values()) <= used
    assert not set(ALIASES) & used
    assert {alias for words in SPELLINGS.values() for alias in map(str.lower, words)} >= {
        alias for alias in ALIASES if " " not in alias
    }


def test_canonical_is_idempotent() -> None:
    words = [*ALIASES, *(label for space in SPACES.values() for label in space.labels)]
    assert all(canonical(canonical(word)) == canonical(word) for word in words)


@pytest.mark.parametrize(("here", "there"), list(itertools.product(SPACES, SPACES)))
def test_mapping_joins_by_name(here: str, there: str) -> None:
    mapping = SPACES[here].mapping_to(SPACES[there])
    assert len(mapping) == len(SPACES[here])
    for label, position in zip(SPACES[here].labels, mapping, strict=True):
        if position is None:
            assert label not in SPACES[there]
        else:
            assert canonical(SPACES[there].labels[position]) == canonical(label)


def test_mapping_examples() -> None:
    assert EXPRESSION8.mapping_to(EXPRESSION7) == (6, 3, 5, 4, 0, 1, 2, None)  # contempt is dropped
    assert EXPRESSION7.mapping_to(EXPRESSION8) == (4, 5, 6, 1, 3, 2, 0)
    assert FERPLUS10.mapping_to(EXPRESSION8) == (0, 1, 2, 3, 4, 5, 6, 7, None, None)
    assert AFFECTNET8.mapping_to(EMOTION13) == tuple(range(8))
    assert [EMOTIC26.labels[i] for i in EXPRESSION7.mapping_to(EMOTIC26) if i is not None] == [
        "Anger", "Fear", "Happiness", "Sadness", "Surprise",
    ]  # fmt: skip


def test_index_of_an_unknown_name_lists_the_choices() -> None:
    with pytest.raises(
        DataError, match=r"'bored' is no label of expression7 \(one of: angry, disgust, .*neutral\)"
    ):
        EXPRESSION7.index("bored")


def test_membership_takes_any_spelling() -> None:
    assert "Happiness" in EXPRESSION7
    assert "contempt" not in EXPRESSION7


@pytest.mark.parametrize("labels", [(), ("angry", "sad", "anger")])
def test_a_space_needs_different_labels(labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="label space 'mine'"):
        LabelSpace("mine", labels)


def test_positions_are_russell_and_mehrabian_1977() -> None:
    """The means of their table, as used for the AffectNet distributions."""
    assert AFFECTNET8.positions == (
        (0, 0), (0.81, 0.51), (-0.63, -0.27), (0.40, 0.67), (-0.64, 0.60), (-0.60, 0.35), (-0.51, 0.59),
        (-0.23, 0.31),
    )  # fmt: skip
    assert (EMOTION13.positions or ())[8:] == (
        (0.65, -0.33),
        (0.15, -0.18),
        (0.74, -0.13),
        (0.79, -0.01),
        (0.19, -0.40),
    )


def test_positions_lie_in_range_and_dominance_separates_anger_from_fear() -> None:
    assert all(-1 <= axis <= 1 for spot in VAD_MEANS.values() for axis in spot if axis is not None)
    flat = math.dist(VAD_MEANS["angry"][:2], VAD_MEANS["fear"][:2])
    assert flat == pytest.approx(0.130, abs=5e-4)
    assert distance(EXPRESSION7, "angry", "fear") == pytest.approx(0.692, abs=5e-4)


def test_no_positions_where_a_label_has_none() -> None:
    assert EMOTIC26.positions is None
    assert VALENCE_AROUSAL.positions is None
    assert VAD.distances() == ((0, 1, 1), (1, 0, 1), (1, 1, 0))


def test_distances_drop_dominance_where_one_label_lacks_it() -> None:
    assert distance(EMOTION13, "angry", "fear") == pytest.approx(0.130, abs=5e-4)
    assert EMOTION13.distances() == EMOTION13.distances(axes=2)
    assert EXPRESSION7.distances(axes=2)[EXPRESSION7.index("angry")][2] == pytest.approx(0.130, abs=5e-4)
    assert EXPRESSION7.distances(axes=1)[0][3] == pytest.approx(0.81 + 0.51)


@pytest.mark.parametrize("space", list(SPACES.values()), ids=list(SPACES))
def test_distances_are_a_metric(space: LabelSpace) -> None:
    table, labels = space.distances(), range(len(space))
    assert all(table[i][i] == 0 for i in labels)
    assert all(table[i][j] == table[j][i] > 0 for i in labels for j in labels if i != j)
    assert all(
        table[i][k] <= table[i][j] + table[j][k] + 1e-12 for i in labels for j in labels for k in labels
    )


def distance(space: LabelSpace, one: str, other: str) -> float:
    return space.distances()[space.index(one)][space.index(other)]
