import numpy as np
import pytest
import torch

from mien.config import AugmentConfig, Config, DataConfig, PhaseConfig
from mien.train.augment import Augmentation, mix
from mien.train.batches import EpochOrder, mixed_seed, thinned
from mien.train.callbacks import averaged
from mien.train.optim import OPTIMIZERS, SCHEDULES, optimizer, schedule


def test_the_order_is_a_function_of_seed_and_epoch():
    order, again = EpochOrder(50, 8, seed=1), EpochOrder(50, 8, seed=1)
    first = list(order)
    assert first == list(again)
    assert len(first) == len(order) == 6
    assert len({k for batch in first for k in batch}) == 48
    again.set_epoch(1)
    assert first != list(again)
    assert first != list(EpochOrder(50, 8, seed=2))


def test_a_set_smaller_than_a_batch_is_one_batch():
    assert [sorted(batch) for batch in EpochOrder(3, 8, seed=0)] == [[0, 1, 2]]


def test_weights_draw_the_rare_as_often():
    weights = torch.tensor([1.0] * 99 + [99.0])
    drawn = [k for batch in EpochOrder(100, 10, 0, weights) for k in batch]
    assert 30 < drawn.count(99) < 70


def test_seeds_differ_by_every_part():
    assert len({mixed_seed(a, b, c) for a in (0, 1) for b in ("order", "step") for c in (0, 1)}) == 8
    assert mixed_seed(0, "order", 0) == mixed_seed(0, "order", 0) < 2**63


def augmented(config, pixels, targets, **mixing):
    """What becomes of pictures that are the only input, and of their targets."""
    present = {"face": torch.ones(len(pixels), dtype=torch.bool)}
    inputs, targets = Augmentation(config, {"face": "image"})({"face": pixels}, present, targets, **mixing)
    assert list(inputs) == ["face"]
    return inputs["face"], targets


def mixed_pictures(pixels, targets, share, patch):
    """What `mix` makes of pictures that are the only input, and of their targets."""
    present = {"face": torch.ones(len(pixels), dtype=torch.bool)}
    inputs, targets = mix({"face": pixels}, present, targets, share, patch)
    return inputs["face"], targets


def test_every_face_gets_a_draw_of_its_own():
    torch.manual_seed(0)
    face = torch.rand(1, 1, 24, 24).repeat(8, 1, 1, 1)
    targets = {"a": torch.eye(8)}
    pixels, same = augmented(AugmentConfig(erasing=1.0), face, targets)
    assert pixels.shape == face.shape
    assert same is targets
    assert len({tuple(one.flatten().tolist()) for one in pixels}) == 8


def test_nothing_switched_on_changes_nothing():
    off = AugmentConfig(flip=0, rotation=0, shift=0, scale=0, brightness=0, contrast=0)
    pixels, targets = torch.rand(4, 1, 8, 8), {"a": torch.eye(4)}
    assert augmented(off, pixels, targets) == (pixels, targets)


@pytest.mark.parametrize("patch", [False, True])
def test_mixing_keeps_picture_and_target_in_step(patch):
    torch.manual_seed(4)
    pixels = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).repeat(1, 1, 20, 20)
    mixed, targets = mixed_pictures(pixels, {"v": torch.tensor([[0.0], [1.0]])}, 0.75, patch)
    assert mixed.mean(dim=(1, 2, 3)).tolist() == pytest.approx(targets["v"].flatten().tolist(), abs=1e-6)


@pytest.mark.parametrize("patch", [False, True])
def test_mixing_loses_no_target_and_makes_none_up(patch):
    torch.manual_seed(1)
    level = torch.arange(12.0)
    pixels = level.view(12, 1, 1, 1).repeat(1, 1, 20, 20)
    targets = {"a": level.view(12, 1).repeat(1, 2), "b": level.view(12, 1).clone()}
    targets["a"][::3], targets["b"][1::3], targets["a"][2, 1] = torch.nan, torch.nan, torch.nan
    mixed, after = mixed_pictures(pixels, targets, 0.75, patch)
    for name, before in targets.items():
        assert torch.equal(after[name].isnan(), before.isnan())
        known = ~before.isnan()
        middle = mixed.mean(dim=(1, 2, 3)).view(12, 1).expand_as(before)
        assert torch.allclose(after[name][known], middle[known], atol=1e-4)
    assert not torch.equal(after["b"].nan_to_num(), targets["b"].nan_to_num())
    assert torch.equal(mixed[2], pixels[2])  # no other face misses what it misses


def test_faces_that_miss_nothing_are_mixed_with_any_other():
    pixels = torch.rand(9, 1, 4, 4)
    torch.manual_seed(1)
    wanted = torch.randperm(9)
    torch.manual_seed(1)
    _, after = mixed_pictures(pixels, {"v": torch.arange(9.0).view(9, 1)}, 0.0, patch=False)
    assert after["v"].flatten().tolist() == wanted.tolist()


def test_cutmix_alone_is_used_when_asked_for():
    torch.manual_seed(0)
    config = AugmentConfig(flip=0, rotation=0, shift=0, scale=0, brightness=0, contrast=0, cutmix=1.0)
    pixels = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).repeat(1, 1, 20, 20)
    changed = [augmented(config, pixels, {"a": torch.eye(2)})[0] for _ in range(10)]
    assert all(set(x.unique().tolist()) <= {0.0, 1.0} for x in changed)
    assert any(not torch.equal(x, pixels) for x in changed)


def test_biases_and_norms_do_not_decay():
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    groups = optimizer(network, PhaseConfig(weight_decay=0.1)).param_groups
    assert [(len(g["params"]), g["weight_decay"]) for g in groups] == [(1, 0.1), (3, 0.0)]


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_steps(name):
    network = torch.nn.Linear(3, 1)
    before = network.weight.detach().clone()
    optim = optimizer(network, PhaseConfig(optimizer=name, lr=0.1))
    network(torch.ones(2, 3)).sum().backward()
    optim.step()
    assert not torch.equal(before, network.weight)


@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - {"plateau"}))
def test_schedules_rise_by_the_warm_up_and_stay_within_the_peak(name):
    optim = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    plan = schedule(
        optim, PhaseConfig(epochs=10, schedule=name, warmup=2), steps=100, monitor="x", higher=True
    )
    rates = []
    for _ in range(100):
        rates.append(optim.param_groups[0]["lr"])
        optim.step()
        plan["scheduler"].step()
    assert plan["interval"] == "step"
    assert rates[0] == pytest.approx(1 / 21)
    assert max(rates) <= 1.0 + 1e-9
    assert rates[-1] < 0.2 or name == "constant"


def test_plateau_follows_the_watched_metric():
    optim = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    plan = schedule(optim, PhaseConfig(schedule="plateau"), 100, "validation_x_accuracy", higher=True)
    for _ in range(6):
        plan["scheduler"].step(0.5)
    assert plan["monitor"] == "validation_x_accuracy"
    assert optim.param_groups[0]["lr"] == 0.5


def test_a_limit_draws_from_the_whole_split():
    config = Config(data=DataConfig(limit=30))
    rows = np.arange(100, 400)
    few = thinned(rows, config)
    assert len(few) == len(set(few)) == 30
    assert list(few) == sorted(few)
    assert few.min() < 150
    assert few.max() > 350
    assert thinned(rows, config).tolist() == few.tolist()
    assert thinned(rows, Config()) is rows
    assert thinned(rows[:10], config).tolist() == rows[:10].tolist()


@pytest.mark.parametrize("changes", [{"erasing": 1.0}, {"cutmix": 1.0}, {"mixup": 1.0}], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_all_inputs_of_a_sample_get_the_same_draw(channels, changes):
    torch.manual_seed(2)
    face = torch.rand(8, 1, 24, 24)
    both = {"face": face, "scene": face.repeat(1, channels, 1, 1)}
    augment = Augmentation(AugmentConfig(**changes), dict.fromkeys(both, "image"))
    present = {name: torch.ones(8, dtype=torch.bool) for name in both}
    inputs, _ = augment(both, present, {"a": torch.eye(8)})
    assert inputs["scene"].shape == (8, channels, 24, 24)
    assert not torch.equal(inputs["face"], face)
    assert torch.equal(inputs["scene"], inputs["face"].expand_as(inputs["scene"]))
    again, _ = augment(both, present, {"a": torch.eye(8)})
    assert not torch.equal(again["face"], inputs["face"])  # and the next batch gets another


def test_inputs_of_two_sizes_are_turned_and_shifted_alike():
    torch.manual_seed(3)
    small = torch.nn.functional.interpolate(torch.rand(8, 1, 4, 4), size=(24, 24), mode="bicubic").clamp(0, 1)
    both = {"face": small, "scene": small.repeat_interleave(2, 2).repeat_interleave(2, 3)}
    augment = Augmentation(AugmentConfig(), dict.fromkeys(both, "image"))
    inputs, _ = augment(both, {name: torch.ones(8, dtype=torch.bool) for name in both}, {"a": torch.eye(8)})
    shrunk = torch.nn.functional.avg_pool2d(inputs["scene"], 2)
    assert (shrunk - inputs["face"]).abs().mean() < 0.03 < (small - inputs["face"]).abs().mean()


def test_samples_are_mixed_with_those_that_miss_the_same_inputs():
    torch.manual_seed(1)
    pixels = torch.arange(12.0).view(12, 1, 1, 1).repeat(1, 1, 8, 8)
    present = {"face": torch.ones(12, dtype=torch.bool), "scene": torch.arange(12) % 3 > 0}
    inputs = {"face": pixels, "scene": torch.where(present["scene"].view(12, 1, 1, 1), pixels, 0.0)}
    mixed, _ = mix(inputs, present, {"v": torch.zeros(12, 1)}, 0.0, patch=False)
    other = mixed["face"][:, 0, 0, 0].long()
    assert not torch.equal(other, torch.arange(12))
    assert torch.equal(present["scene"][other], present["scene"])
    assert torch.equal(mixed["scene"], inputs["scene"][other])


def test_mixing_can_be_over():
    still = {"flip": 0, "rotation": 0, "shift": 0, "scale": 0, "brightness": 0, "contrast": 0}
    config, pixels, targets = AugmentConfig(**still, mixup=1.0), torch.rand(4, 1, 8, 8), {"a": torch.eye(4)}
    assert augmented(config, pixels, targets, mixing=False) == (pixels, targets)
    assert not torch.equal(augmented(config, pixels, targets)[0], pixels)


def test_a_short_run_does_not_remember_its_random_start():
    """The decay grows as (1 + t) / (10 + t), as in timm and TensorFlow, up to the one asked for."""
    step, average = averaged(0.9)._kwargs["multi_avg_fn"], [torch.zeros(1)]
    for count, kept in ((1, 2 / 11), (10, 11 / 20), (80, 0.9), (1000, 0.9)):
        average[0].zero_()
        step(average, [torch.ones(1)], torch.tensor(count))
        assert average[0].item() == pytest.approx(1 - kept)
    numbers = [torch.tensor([3])]
    step(numbers, [torch.tensor([8])], torch.tensor(1))
    assert numbers[0].item() == 8  # what counts batches is no average
