import csv

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mien import models
from mien.store import Store
from mien.train import train
from mien.train.batches import mixed_seed
from mien.train.sam import Sam, frozen_statistics

STILL = {"flip": 0.0, "rotation": 0.0, "shift": 0.0, "scale": 0.0, "brightness": 0.0, "contrast": 0.0}
ONE_STEP = {
    "batch_size": 72,
    "augment": STILL,
    "phases": [
        {
            "epochs": 1,
            "lr": 0.1,
            "optimizer": "sgd",
            "momentum": 0.0,
            "weight_decay": 0.0,
            "schedule": "constant",
        }
    ],
}


class Bowl(nn.Module):
    """Half the squared length of its weights."""

    def __init__(self, *weights: float) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights))
        self.spare = nn.Parameter(torch.ones(2))

    def forward(self):
        return self.weights.square().sum() / 2


def test_a_step_by_hand():
    bowl = Bowl(3.0, 4.0)
    step, sam = torch.optim.SGD(bowl.parameters(), lr=0.1), Sam(bowl, 0.5)
    sam.perturb(bowl())
    assert bowl.weights.tolist() == pytest.approx([3.3, 4.4])  # 0.5 along (3, 4) / 5
    bowl().backward()
    sam.restore()
    assert bowl.weights.tolist() == [3.0, 4.0]
    step.step()
    assert bowl.weights.tolist() == pytest.approx([2.67, 3.56])
    assert bowl.spare.tolist() == [1.0, 1.0]


def test_frozen_weights_stay_and_a_flat_loss_moves_nothing():
    bowl = Bowl(0.0, 0.0)
    bowl.spare.requires_grad_(False)
    sam = Sam(bowl, 0.5)
    sam.perturb(bowl())
    assert sam.moved == [bowl.weights]
    assert bowl.weights.tolist() == [0.0, 0.0]


def test_the_climb_shows_in_16_bits_too():
    layer = nn.Linear(1, 1, bias=False)
    nn.init.ones_(layer.weight)
    sam = Sam(layer, 1.0)
    with torch.autocast("cpu", torch.bfloat16):
        sam.perturb(layer(torch.ones(1, 1)).square().sum())
        assert layer(torch.ones(1, 1)).item() == 2.0
    sam.restore()
    assert layer.weight.item() == 1.0


def test_running_statistics_stand_still():
    network = nn.Sequential(nn.BatchNorm1d(3), nn.BatchNorm1d(3).eval())
    faces = torch.randn(8, 3)
    wanted = network(faces)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with frozen_statistics(network):
        assert torch.equal(network(faces), wanted)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    network(faces)
    assert network[0].num_batches_tracked == 2
    assert network[1].track_running_stats


def fresh(config):
    torch.manual_seed(mixed_seed(config.train.seed, "weights"))
    return models.build(config.model, config.resolved_task())


def by_hand(config, rho, clip):
    """The network after one such step, written out."""
    faces = Store(config.data.store)
    rows, network = faces.rows("train"), fresh(config)
    pixels = (torch.from_numpy(faces.images(rows))[:, None] / 255.0 - 0.5) / 0.25
    head = config.resolved_task().heads[0]
    target = torch.from_numpy(faces.target(head, rows))
    weights = list(network.parameters())
    slopes = torch.autograd.grad(F.cross_entropy(network({"face": pixels})[head.name], target), weights)
    norm = sum(slope.square().sum() for slope in slopes).sqrt()
    there = fresh(config)
    for weight, slope in zip(there.parameters(), slopes, strict=True):
        weight.data += rho * slope / norm
    slopes = torch.autograd.grad(
        F.cross_entropy(there({"face": pixels})[head.name], target), list(there.parameters())
    )
    norm = sum(slope.square().sum() for slope in slopes).sqrt()
    for weight, slope in zip(weights, slopes, strict=True):
        weight.data -= 0.1 * slope * min(clip / norm, 1.0)
    return network.eval()


@pytest.mark.parametrize("clip", [0.0, 0.05])
def test_one_step_of_training_by_hand(clip, tiny, tmp_path):
    model = {"dropout": 0.0, "options": {"widths": [4, 8], "depth": 1, "dropout": 0.0}}
    config = tiny("expression7", model, sam=0.5, clip=clip, **ONE_STEP)
    trained, wanted = train(config, tmp_path / "run"), by_hand(config, 0.5, clip or 1e9)
    plain = train(tiny("expression7", model, clip=clip, **ONE_STEP), tmp_path / "plain")
    for name, value in wanted.state_dict().items():
        assert torch.allclose(trained.state_dict()[name].to(value), value, atol=2e-6), name
    last = "heads.layers.head_expression7.weight"
    assert not torch.allclose(trained.state_dict()[last], plain.state_dict()[last], atol=1e-5)


@pytest.mark.parametrize("precision", ["bf16-mixed", "32-true"])
def test_it_learns_with_clipped_gradients(precision, tiny, tmp_path):
    train(
        tiny(sam=0.05, clip=1.0, precision=precision, phases=[{"epochs": 8, "lr": 0.04}], augment=STILL),
        tmp_path / "run",
    )
    with (tmp_path / "run" / "history.csv").open() as file:
        assert float(list(csv.DictReader(file))[-1]["validation_expression7_accuracy"]) > 0.9
