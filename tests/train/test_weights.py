import math

import pytest
import torch

from mien.config import Config, TrainConfig
from mien.errors import ConfigError
from mien.labels import EXPRESSION8
from mien.tasks import TASKS, Head, Kind, Task
from mien.train.weights import HeadWeights, class_weights

AFFECT = TASKS["affect"]
LOSSES = {"expression8": torch.tensor(1.5), "valence_arousal": torch.tensor(0.4)}


def test_fixed_weights_are_the_declared_ones():
    weights = HeadWeights(AFFECT, "fixed")
    assert weights(LOSSES, LOSSES.keys()).item() == pytest.approx(2 * 1.5 + 2 * 0.4)
    assert weights.state_dict() == {}
    assert weights.learned() == {}


def test_learned_weights_by_hand():
    weights = HeadWeights(AFFECT, "uncertainty")
    assert weights(LOSSES, LOSSES.keys()).item() == pytest.approx(2 * 1.5 + 2 * 0.4)  # they start as declared
    weights.log_variance.data = torch.tensor([math.log(3), math.log(0.5)])
    wanted = 2 * (1.5 / 3 + math.log(3) / 2) + 2 * (0.4 / 0.5 + math.log(0.5) / 2)
    assert weights(LOSSES, LOSSES.keys()).item() == pytest.approx(wanted, rel=1e-6)
    assert weights.learned() == pytest.approx({"expression8": 2 / 3, "valence_arousal": 4.0})


def test_at_rest_a_weight_is_half_over_the_loss():
    weights = HeadWeights(AFFECT, "uncertainty")
    optimizer = torch.optim.SGD(weights.parameters(), lr=0.1)
    for _ in range(500):
        optimizer.zero_grad()
        weights(LOSSES, LOSSES.keys()).backward()
        optimizer.step()
    assert weights.learned() == pytest.approx({"expression8": 2 / 3, "valence_arousal": 2 / 0.8}, rel=1e-3)


def test_a_head_without_a_target_teaches_its_weight_nothing():
    weights = HeadWeights(AFFECT, "uncertainty")
    total = weights({**LOSSES, "valence_arousal": torch.tensor(0.0)}, ["expression8"])
    total.backward()
    assert weights.log_variance.grad[0] != 0
    assert weights.log_variance.grad[1] == 0


def test_a_single_head_has_nothing_to_be_weighed_against():
    with pytest.raises(ConfigError, match=r"train\.head_weights = 'uncertainty': the task has one head"):
        HeadWeights(TASKS["expression7"], "uncertainty")


def balanced(head, target, balance="loss"):
    config = Config(train=TrainConfig(balance=balance))
    return class_weights(config, Task("t", (head,)), {head.name: torch.tensor(target)}).get(head.name)


def test_classes_weigh_by_inverse_frequency_and_by_name():
    rows = [*torch.eye(8)[[0] * 6 + [1] * 2].tolist(), [math.nan] * 8]
    weights = balanced(Head("c", Kind.CLASS, EXPRESSION8), rows)
    assert list(weights) == list(EXPRESSION8.labels)
    assert weights["neutral"] == pytest.approx(8 / (2 * 6))
    assert weights["happy"] == pytest.approx(8 / (2 * 2))
    assert sum(
        weights[name] * share for name, share in (("neutral", 6 / 8), ("happy", 2 / 8))
    ) == pytest.approx(1)
    assert weights["contempt"] == 1  # nobody shows it: label smoothing must not blow it up


def test_tags_weigh_absent_over_present_within_limits():
    head = Head("t", Kind.TAGS, EXPRESSION8)
    target = torch.zeros(100, 8)
    target[:1, 0], target[:20, 1], target[:80, 2] = 1, 1, 1
    assert list(balanced(head, target.tolist()).values()) == [20, 4, 1, 1, 1, 1, 1, 1]


def test_weights_set_by_hand_replace_those_of_their_labels():
    rows = torch.eye(8)[[0] * 6 + [1] * 2].tolist()
    head = Head("c", Kind.CLASS, EXPRESSION8, class_weights=(("happy", 5.0),))
    assert balanced(head, rows)["happy"] == 5
    assert balanced(head, rows)["neutral"] == pytest.approx(8 / 12)
    assert balanced(head, rows, "none") == dict.fromkeys(EXPRESSION8.labels, 1.0) | {"happy": 5.0}


def test_a_head_that_weighs_no_classes_has_none():
    rows = torch.eye(8)[[0, 1]].tolist()
    assert balanced(Head("c", Kind.CLASS, EXPRESSION8), rows, "none") is None
    assert balanced(Head("c", Kind.CLASS, EXPRESSION8, loss=(("focal", 1.0),)), rows) is None
    assert balanced(AFFECT.head("valence_arousal"), [[0.1, 0.2]]) is None
