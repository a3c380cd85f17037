import math
from dataclasses import replace

import pytest
import torch
from scipy.optimize import linprog

from mien import losses
from mien.errors import ConfigError
from mien.labels import EMOTIC26, EXPRESSION7, EXPRESSION8, SPACES, VALENCE_AROUSAL, LabelSpace
from mien.losses import LOSSES, LossContext, head_loss
from mien.tasks import Head, Kind

CLASS = Head("c", Kind.CLASS, EXPRESSION7)
DISTRIBUTION = Head("d", Kind.DISTRIBUTION, EXPRESSION8)
TAGS = Head("t", Kind.TAGS, EMOTIC26)
VALUES = Head("v", Kind.VALUES, VALENCE_AROUSAL)


def scores(output):
    """Raw scores whose softmax is `output`."""
    return torch.tensor(output).log()


@pytest.fixture
def pair():
    source = torch.Generator().manual_seed(3)
    output = torch.rand(5, 8, generator=source).softmax(1)
    target = torch.rand(5, 8, generator=source).mul(3).softmax(1)
    return output, target


def test_cross_entropy_of_one_hot_is_minus_log_probability():
    loss = LOSSES["cross_entropy"](scores([[0.2, 0.8]]), torch.tensor([[0.0, 1.0]]), LossContext(CLASS))
    assert loss.item() == pytest.approx(-math.log(0.8), abs=1e-6)


def test_class_weights_agree_with_torch():
    logits, labels = torch.randn(9, 7), torch.arange(9) % 7
    weights = torch.linspace(0.5, 2, 7)
    mine = LOSSES["cross_entropy"](logits, torch.eye(7)[labels], LossContext(CLASS, class_weights=weights))
    assert mine.item() == pytest.approx(
        torch.nn.functional.cross_entropy(logits, labels, weights).item(), rel=1e-5
    )


def test_label_smoothing_agrees_with_torch():
    logits, labels = torch.randn(9, 7), torch.arange(9) % 7
    mine = head_loss(logits, torch.eye(7)[labels], LossContext(CLASS, smoothing=0.1))
    assert mine.item() == pytest.approx(
        torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.1).item(), rel=1e-5
    )


def test_kl_is_cross_entropy_less_the_entropy_of_the_target(pair):
    output, target = pair
    entropy = -(target * target.log()).sum(1).mean()
    cross = LOSSES["cross_entropy"](output.log(), target, LossContext(DISTRIBUTION))
    assert LOSSES["kl"](output.log(), target, LossContext(DISTRIBUTION)).item() == pytest.approx(
        (cross - entropy).item(), abs=1e-6
    )


@pytest.mark.parametrize("name", ["kl", "js", "l1", "mse", "energy"])
def test_divergences_are_zero_only_at_the_target(pair, name):
    output, target = pair
    context = LossContext(DISTRIBUTION)
    assert LOSSES[name](target.log(), target, context).item() == pytest.approx(0, abs=1e-5)
    assert LOSSES[name](output.log(), target, context).item() > 1e-3


def test_js_of_disjoint_distributions_is_ln_2():
    loss = LOSSES["js"](scores([[1.0, 1e-30]]), torch.tensor([[0.0, 1.0]]), LossContext(CLASS))
    assert loss.item() == pytest.approx(math.log(2), abs=1e-5)


def test_l1_and_mse_by_hand():
    output, target = scores([[0.5, 0.5]]), torch.tensor([[1.0, 0.0]])
    assert LOSSES["l1"](output, target, LossContext(CLASS)).item() == pytest.approx(1.0)
    assert LOSSES["mse"](output, target, LossContext(CLASS)).item() == pytest.approx(0.5)


def test_energy_of_two_certain_labels_is_twice_their_distance():
    target = torch.eye(8)[[1]]
    near = (torch.eye(8)[[3]] + 1e-12).log()
    distance = EXPRESSION8.distances()[1][3]
    assert LOSSES["energy"](near, target, LossContext(DISTRIBUTION)).item() == pytest.approx(
        2 * distance, rel=1e-4
    )


def test_emd_is_close_to_the_exact_transport_cost(pair):
    output, target = (side.double() for side in pair)
    distances = torch.tensor(EXPRESSION8.distances(), dtype=torch.float64)
    exact = [_transport(p.numpy(), q.numpy(), distances.numpy()) for p, q in zip(output, target, strict=True)]
    mine = LOSSES["emd"](output.log(), target, LossContext(DISTRIBUTION))
    wanted = sum(exact) / len(exact)
    assert wanted <= mine.item() + 1e-3
    assert mine.item() == pytest.approx(wanted, abs=0.08)


def _transport(p, q, distances):
    k = len(p)
    rows = [[float(i // k == r) for i in range(k * k)] for r in range(k)]
    columns = [[float(i % k == c) for i in range(k * k)] for c in range(k)]
    return linprog(distances.ravel(), A_eq=rows + columns, b_eq=[*p, *q]).fun


def test_sampled_is_cross_entropy_on_average():
    torch.manual_seed(0)
    target = torch.tensor([[0.3, 0.7]]).repeat(20000, 1)
    logits = scores([[0.4, 0.6]]).repeat(20000, 1)
    wanted = LOSSES["cross_entropy"](logits, target, LossContext(CLASS)).item()
    assert LOSSES["sampled"](logits, target, LossContext(CLASS)).item() == pytest.approx(wanted, abs=0.01)


def test_multi_target_takes_the_best_kept_label():
    loss = LOSSES["multi_target"](
        scores([[0.1, 0.3, 0.6]]), torch.tensor([[0.5, 0.5, 0.0]]), LossContext(CLASS)
    )
    assert loss.item() == pytest.approx(-math.log(0.3), abs=1e-5)


def test_focal_forgives_what_is_already_known():
    context, target = LossContext(CLASS), torch.tensor([[1.0, 0.0]])
    sure, unsure = scores([[0.9, 0.1]]), scores([[0.6, 0.4]])
    assert LOSSES["focal"](sure, target, context).item() == pytest.approx(-0.01 * math.log(0.9), abs=1e-6)
    assert LOSSES["focal"](unsure, target, context).item() == pytest.approx(-0.16 * math.log(0.6), abs=1e-6)


def test_bce_and_focal_for_tags():
    logits, target = torch.zeros(2, 26), torch.zeros(2, 26)
    assert LOSSES["bce"](logits, target, LossContext(TAGS)).item() == pytest.approx(math.log(2), abs=1e-6)
    assert LOSSES["focal"](logits, target, LossContext(TAGS)).item() == pytest.approx(
        math.log(2) / 4, abs=1e-6
    )


def test_emotic_discrete_by_hand():
    head = Head("t", Kind.TAGS, LabelSpace("two", ("rare", "common")))
    target = torch.tensor([[0.0, 1.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    wanted = 0.25 * (
        1 / math.log(1.2 + 0.25) + 1 / math.log(1.2 + 0.75)
    )  # all answers are 0.5, so all squares 0.25
    assert LOSSES["emotic_discrete"](torch.zeros(4, 2), target, LossContext(head)).item() == pytest.approx(
        wanted
    )


def test_smooth_l1_bends_at_one_point_of_ten():
    head = Head("v", Kind.VALUES, LabelSpace("one", ("valence",)), bounds=(1.0, 10.0))
    for points, published in ((0.5, 0.5 * 0.5**2), (1.0, 0.5), (3.0, 2.5)):
        loss = LOSSES["smooth_l1"](torch.zeros(1, 1), torch.full((1, 1), 5.5 + points), LossContext(head))
        assert loss.item() == pytest.approx(2 / 9 * published, rel=1e-5)


def test_a_batch_of_classes_that_weigh_nothing_costs_nothing():
    context = LossContext(CLASS, class_weights=torch.tensor([0.0, *[1.0] * 6]))
    logits = torch.randn(3, 7, requires_grad=True)
    loss = head_loss(logits, torch.eye(7)[[0, 0, 0]], context)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_a_batch_is_annotated_where_the_loss_has_something_to_count():
    target = torch.full((3, 2), torch.nan)
    assert not losses.annotated(VALUES, target)
    assert not losses.annotated(TAGS, target)
    target[0, 0] = 1
    assert losses.annotated(VALUES, target)
    assert not losses.annotated(TAGS, target)
    target[0, 1] = 0
    assert losses.annotated(TAGS, target)


def test_class_weights_that_no_loss_uses_are_refused():
    fitting = Head("c", Kind.CLASS, EXPRESSION7, class_weights=(("happy", 2.0),))
    losses.check(fitting)
    with pytest.raises(
        ConfigError, match="head c: class_weights act on bce and cross_entropy alone, its loss is kl"
    ):
        losses.check(replace(fitting, loss=(("kl", 1.0),)))


def test_ccc_is_zero_for_agreement_and_two_for_the_opposite():
    target = torch.tensor([[-0.5], [0.0], [0.5]])
    assert LOSSES["ccc"](torch.atanh(target), target, LossContext(VALUES)).item() == pytest.approx(
        0, abs=1e-5
    )
    assert LOSSES["ccc"](torch.atanh(-target), target, LossContext(VALUES)).item() == pytest.approx(
        2, abs=1e-4
    )


def test_values_weigh_the_same_on_any_scale():
    wide = Head("w", Kind.VALUES, VALENCE_AROUSAL, bounds=(1.0, 10.0))
    logits = torch.zeros(3, 2)
    small = LOSSES["mse"](logits, torch.full((3, 2), 0.5), LossContext(VALUES))
    large = LOSSES["mse"](logits, torch.full((3, 2), 5.5 + 0.5 * 4.5), LossContext(wide))
    assert small.item() == pytest.approx(large.item())


@pytest.mark.parametrize("head", [CLASS, DISTRIBUTION, TAGS, VALUES], ids=lambda head: head.name)
def test_unannotated_rows_do_not_count(head):
    torch.manual_seed(1)
    logits = torch.randn(6, len(head), requires_grad=True)
    target = (
        torch.rand(6, len(head))
        if head.kind in (Kind.TAGS, Kind.VALUES)
        else torch.rand(6, len(head)).softmax(1)
    )
    target[3:] = torch.nan
    with_missing = head_loss(logits, target, LossContext(head))
    without = head_loss(logits[:3], target[:3], LossContext(head))
    assert with_missing.item() == pytest.approx(without.item(), rel=1e-5)
    with_missing.backward()
    assert logits.grad is not None
    assert logits.grad[3:].abs().sum() == 0
    assert logits.grad[:3].abs().sum() > 0


def test_nothing_annotated_costs_nothing_but_has_a_gradient():
    logits = torch.randn(4, 7, requires_grad=True)
    loss = head_loss(logits, torch.full((4, 7), torch.nan), LossContext(CLASS))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_has_a_finite_gradient_for_some_head(name):
    head = next(h for h in (DISTRIBUTION, TAGS, VALUES) if name in losses.FITTING[h.kind])
    torch.manual_seed(2)
    logits = (20 * torch.randn(5, len(head))).requires_grad_()
    target = torch.eye(len(head))[torch.arange(5) % len(head)]
    LOSSES[name](logits, target, LossContext(head)).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_mixture_adds_weighted_terms(pair):
    output, target = pair
    head = Head("d", Kind.DISTRIBUTION, EXPRESSION8, loss=(("kl", 1.0), ("energy", 0.5)))
    parts = [LOSSES[name](output.log(), target, LossContext(head)).item() for name in ("kl", "energy")]
    assert head_loss(output.log(), target, LossContext(head)).item() == pytest.approx(
        parts[0] + 0.5 * parts[1], rel=1e-5
    )


def test_a_loss_that_does_not_fit_is_named():
    with pytest.raises(ConfigError, match="'kl' is no loss for values"):
        losses.check(Head("v", Kind.VALUES, VALENCE_AROUSAL, loss=(("kl", 1.0),)))
    with pytest.raises(
        ConfigError, match="unknown loss of head c 'crossentropy', did you mean 'cross_entropy'"
    ):
        losses.check(Head("c", Kind.CLASS, EXPRESSION7, loss=(("crossentropy", 1.0),)))


# What a loss estimates: docs/concepts/losses.md. Five voters who each draw from an urn of two angry, one fear
# and one happy ball make 4**5 equally likely ballots, so a plain mean over these rows is the exact
# expectation.
URN = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
THREE = LossContext(Head("three", Kind.DISTRIBUTION, LabelSpace("three", ("angry", "fear", "happy"))))
MIXTURE = {"cross_entropy": 1.0, "energy": 1.0}
PROPER = [{"cross_entropy": 1.0}, {"kl": 1.0}, {"mse": 1.0}, {"energy": 1.0}, MIXTURE]


def ballots(voters):
    balls = torch.eye(3, dtype=torch.float64)[[0, 0, 1, 2]]
    draws = torch.cartesian_prod(*[torch.arange(4)] * voters).reshape(-1, voters)
    return balls[draws].mean(1)


def expected(terms, output, votes):
    """Mean loss over all ballots of the one answer `output`, and its gradient with respect to the raw
    scores."""
    logits = output.log().requires_grad_()
    loss = sum(weight * LOSSES[name](logits.expand_as(votes), votes, THREE) for name, weight in terms.items())
    return loss.item(), torch.autograd.grad(loss, logits)[0]


def tempered(power):
    return URN.pow(power) / URN.pow(power).sum()


@pytest.mark.parametrize("terms", PROPER, ids=" + ".join)
@pytest.mark.parametrize("voters", [1, 5])
def test_strictly_proper_losses_are_least_at_the_true_shares(terms, voters):
    votes = ballots(voters)
    least, gradient = expected(terms, URN, votes)
    assert gradient.abs().max() < 1e-9
    others = torch.rand(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for other in others / others.sum(1, keepdim=True):
        assert expected(terms, other, votes)[0] > least


@pytest.mark.parametrize(
    ("name", "power"), [("js", 1.1), ("l1", 1.1), ("emd", 1.1), ("multi_target", 4.0), ("focal", 0.8)]
)
def test_other_losses_prefer_another_answer_to_the_true_shares(name, power):
    votes = ballots(5)
    at_truth, gradient = expected({name: 1.0}, URN, votes)
    assert gradient.abs().max() > 1e-3
    assert expected({name: 1.0}, tempered(power), votes)[0] < at_truth


@pytest.mark.parametrize("name", ["l1", "emd"])
def test_of_one_vote_each_l1_and_emd_make_certainty(name):
    votes = ballots(1)
    certain = torch.tensor([1.0, 1e-9, 1e-9], dtype=torch.float64)
    least, _ = expected({name: 1.0}, certain, votes)
    assert all(expected({name: 1.0}, tempered(power), votes)[0] > least + 0.01 for power in (0.5, 1, 2, 3))


def test_of_one_vote_each_emd_names_the_label_nearest_to_all_votes():
    votes = torch.eye(3, dtype=torch.float64)[[0, 0, 0, 1, 1, 1, 2, 2, 2, 2]]
    certain = (torch.eye(3, dtype=torch.float64) + 1e-9) / (1 + 3e-9)
    angry, fear, happy = (expected({"emd": 1.0}, answer, votes)[0] for answer in certain)
    assert angry < fear < happy


def test_js_is_pushed_from_uniform_by_labels_over_four_votes():
    source = torch.Generator().manual_seed(0)
    draws = torch.multinomial(URN, 100_000 * 40, replacement=True, generator=source).reshape(-1, 40)
    votes = torch.eye(3, dtype=torch.float64)[draws].mean(1)
    pushed = URN + (3 * URN - 1) / (4 * 40)
    _, at_truth = expected({"js": 1.0}, URN, votes)
    _, there = expected({"js": 1.0}, pushed, votes)
    assert there.norm() < at_truth.norm() / 5


def test_noise_floors_of_squares_and_energy():
    votes, distances = ballots(5), torch.tensor(THREE.head.space.distances(), dtype=torch.float64)
    assert expected({"mse": 1.0}, URN, votes)[0] == pytest.approx((1 - URN.square().sum()).item() / 5)
    assert expected({"energy": 1.0}, URN, votes)[0] == pytest.approx((URN @ distances @ URN).item() / 5)


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("space", SPACES.values(), ids=lambda space: space.name)
def test_distances_of_every_label_space_are_of_strict_negative_type(space, axes):
    distances = torch.tensor(space.distances(axes), dtype=torch.float64)
    differences = torch.linalg.qr(torch.eye(len(space), dtype=torch.float64) - 1 / len(space)).Q[
        :, : len(space) - 1
    ]
    assert differences.sum(0).abs().max() < 1e-9
    assert torch.linalg.eigvalsh(-differences.T @ distances @ differences).min() > 0.1


def test_energy_without_positions_is_the_sum_of_squares(pair):
    head = Head("d", Kind.DISTRIBUTION, LabelSpace("eight", tuple("abcdefgh")))
    output, target = pair
    assert LOSSES["energy"](output.log(), target, LossContext(head)).item() == pytest.approx(
        LOSSES["mse"](output.log(), target, LossContext(head)).item(), rel=1e-5
    )


def test_focal_answers_can_be_turned_back_into_shares():
    answer = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    shares = answer / ((1 - answer) ** 2 - 2 * answer * (1 - answer) * answer.log())
    shares /= shares.sum()
    assert shares[0] > answer[0]
    assert expected({"focal": 1.0}, answer, shares[None])[1].abs().max() < 1e-9


def test_class_weights_multiply_the_shares_that_are_estimated():
    weights = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    logits = (weights * URN / (weights * URN).sum()).log().requires_grad_()
    votes = ballots(5)
    LOSSES["cross_entropy"](logits.expand_as(votes), votes, replace(THREE, class_weights=weights)).backward()
    assert logits.grad.abs().max() < 1e-9


def test_only_logarithms_keep_pulling_at_a_sure_mistake():
    logits = torch.tensor([[0.998, 0.001, 0.001]], dtype=torch.float64).log()
    pulls = {}
    for name in ("cross_entropy", "focal", "multi_target", "mse", "energy", "js", "l1", "emd"):
        scores = logits.clone().requires_grad_()
        LOSSES[name](scores, torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64), THREE).backward()
        pulls[name] = scores.grad.norm().item()
    assert min(pulls[name] for name in ("cross_entropy", "focal", "multi_target")) > 1
    assert max(pulls[name] for name in ("mse", "energy", "js", "l1", "emd")) < 0.02


def test_multi_target_gives_up_a_face_it_is_a_thousand_times_surer_of():
    scores = torch.tensor([[0.9999, 0.0001]]).log().requires_grad_()
    LOSSES["multi_target"](scores, torch.tensor([[0.0, 1.0]]), LossContext(CLASS)).backward()
    assert scores.grad[0, 0] < 0  # a step makes the wrong answer surer still


def test_label_smoothing_leaves_votes_alone():
    """They are soft already; a class's target gets a share of all labels, whether it is one label or
    votes."""
    scores, votes = torch.randn(4, 7), torch.rand(4, 7).softmax(1)
    soft = Head("d", Kind.DISTRIBUTION, EXPRESSION7)
    assert head_loss(scores, votes, LossContext(soft, smoothing=0.3)) == head_loss(
        scores, votes, LossContext(soft)
    )
    wanted = head_loss(scores, 0.7 * votes + 0.3 / 7, LossContext(CLASS))
    assert head_loss(scores, votes, LossContext(CLASS, smoothing=0.3)).item() == pytest.approx(wanted.item())
