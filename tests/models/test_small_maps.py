"""Maps laid side by side are convolved as each alone."""

from copy import deepcopy

import pytest
import timm
import torch
from torch import nn

from mien.models.small_maps import lay_side_by_side


def laid(network: nn.Module) -> int:
    """How many of its convolutions take small maps side by side."""
    return sum(
        type(module) is not nn.Conv2d and isinstance(module, nn.Conv2d) for module in network.modules()
    )


@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (1, 7)], ids=str)
@pytest.mark.parametrize(
    "shape", [(16, 3, 3), (24, 6, 6), (12, 4, 5), (7, 3, 3), (1, 3, 3), (16, 9, 9)], ids=str
)
def test_the_same_answers_and_gradients(kernel: tuple[int, int], shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    alone = nn.Sequential(nn.Conv2d(4, 6, kernel, padding=tuple(k // 2 for k in kernel)))
    beside = deepcopy(alone)
    lay_side_by_side(beside)
    assert laid(beside) == 1
    found = []
    faces, height, width = shape
    pixels = torch.randn(faces, 4, height, width).contiguous(memory_format=torch.channels_last)
    for network in (alone, beside):
        x = pixels.clone().requires_grad_()
        out = network(x)
        out.square().sum().backward()
        found.append((out.detach(), x.grad, network[0].weight.grad, network[0].bias.grad))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_many_faces_make_one_wide_map(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    plain = nn.Conv2d.forward
    monkeypatch.setattr(
        nn.Conv2d, "forward", lambda self, x: (seen.append(tuple(x.shape)), plain(self, x))[1]
    )
    network = nn.Conv2d(2, 2, 3, padding=1)
    lay_side_by_side(network)
    for faces, side in ((32, 3), (32, 6), (31, 3), (32, 12)):
        network(torch.zeros(faces, 2, side, side))
    assert seen == [(2, 2, 3, 64), (4, 2, 6, 56), (31, 2, 3, 3), (32, 2, 12, 12)]


@pytest.mark.parametrize(
    "kept",
    [
        nn.Conv2d(4, 4, 1),
        nn.Conv2d(4, 4, 3),
        nn.Conv2d(4, 4, 3, stride=2, padding=1),
        nn.Conv2d(4, 4, 3, dilation=2, padding=2),
        nn.Conv2d(4, 4, 3, padding=1, groups=4),
        nn.Conv2d(4, 4, 3, padding="same"),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(4, 4, (3, 1), padding=1),
    ],
    ids=lambda module: str(module)[6:],
)
def test_other_convolutions_stay_as_they_are(kept: nn.Conv2d) -> None:
    lay_side_by_side(kept)
    assert type(kept) is nn.Conv2d


def test_a_timm_network_learns_the_same() -> None:
    torch.manual_seed(0)
    alone = timm.create_model("resnet10t", num_classes=3, in_chans=1).double()
    beside = deepcopy(alone)
    lay_side_by_side(beside)
    assert laid(beside) > 4
    pixels = torch.rand(8, 1, 48, 48, dtype=torch.float64)
    for network in (alone, beside):
        network(pixels).square().sum().backward()
    for (name, one), other in zip(alone.named_parameters(), beside.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-6, atol=1e-8, msg=name)
    assert alone.state_dict().keys() == beside.state_dict().keys()
