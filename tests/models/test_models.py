from dataclasses import replace

import pytest
import timm
import torch

from mien import models
from mien.config import ModelConfig
from mien.errors import ConfigError, ModelError
from mien.labels import EXPRESSION7
from mien.models import activate, backbones
from mien.models.compact import Compact
from mien.tasks import TASKS, Head, Kind, Task

SMALL = {"widths": [8, 12], "depth": 1}


def model(encoder="compact", **table):
    """The configuration of a model by what stands in its `[model]` table."""
    return ModelConfig.from_dict({"encoder": encoder, **table})


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
@pytest.mark.parametrize(
    "config",
    [
        model("compact", options=SMALL),
        model(
            "compact", colour="rgb", options={"widths": [8], "depth": 2, "activation": "silu", "stride": 2}
        ),
        model("test_resnet", size=40),
        model("test_vit", size=48, colour="rgb"),
    ],
    ids=["compact", "compact-rgb", "timm-cnn", "timm-vit"],
)
def test_every_encoder_serves_every_task(config, task):
    network = models.build(config, task).eval()
    transform = models.input_set(config).transforms["face"]
    scores = network({"face": torch.randn(3, transform.channels, transform.size, transform.size)})
    assert list(scores) == [head.name for head in task]
    for head in task:
        output = activate(head, scores[head.name])
        assert output.shape == (3, len(head))
        low, high = head.bounds if head.kind == "values" else (0, 1)
        assert low <= output.min()
        assert output.max() <= high


def test_softmax_heads_sum_to_one_and_tags_do_not():
    task = TASKS["emotic"]
    assert activate(TASKS["expression7"].heads[0], torch.randn(4, 7)).sum(1).tolist() == pytest.approx(
        [1] * 4
    )
    assert activate(task.head("tags"), torch.full((1, 26), 9.0)).min() > 0.99


def test_alexnet_takes_grey_and_refuses_what_is_too_small():
    network = models.build(model("alexnet", size=64), TASKS["expression7"])
    assert network.eval()({"face": torch.randn(2, 1, 64, 64)})["expression7"].shape == (2, 7)
    with pytest.raises(ConfigError, match="at least 64, given 48"):
        models.build(model("alexnet"), TASKS["expression7"])


def test_grey_alexnet_answers_as_colour_does_on_grey_pictures():
    colour = torch.nn.Conv2d(3, 4, 3, padding=1)
    grey = backbones._grey(colour)
    picture = torch.randn(1, 1, 8, 8)
    assert torch.allclose(grey(picture), colour(picture.repeat(1, 3, 1, 1)), atol=1e-5)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"options": {"width": [3]}}, "'compact' does not take model.options .*width"),
        ({"options": {"widths": []}}, "must be positive"),
        ({"options": {"drop_path": 1.0}}, r"drop_path 1.0 must be in \[0, 1\)"),
        ({"options": {"drop_path": 0.1, "depth": 1}}, "0 where no convolution has a shortcut"),
        ({"options": {"drop_path": 0.1, "residual": False}}, "0 where no convolution has a shortcut"),
        ({"options": {"activation": "rleu"}}, "did you mean 'relu'"),
        (
            {"encoder": "alexnet", "size": 64, "options": {"widths": [3]}},
            "'alexnet' does not take .*cleared with --model.options {}",
        ),
        ({"encoder": "resnett18"}, "unknown encoder 'resnett18'"),
        ({"encoder": "resnet1"}, "near it: .*resnet1"),
        ({"encoder": "test_vit", "size": 50}, "does not take pictures of 50x50"),
        (
            {"encoder": "test_resnet", "options": {"nonsense": 1}},
            "'test_resnet' does not take model.options .*nonsense",
        ),
        ({"mean": [0.5, 0.5, 0.5], "std": [1.0]}, "need 1 numbers each"),
        ({"mean": [0.5], "std": [0.0]}, "model.std.0 = 0.0: must be 0.001 to 1"),
    ],
)
def test_wrong_hyperparameters_are_named(table, text):
    with pytest.raises(ConfigError, match=text):
        models.build(model(**table), TASKS["expression7"])


@pytest.mark.parametrize("name", ["alexnet", "resnet18"])
def test_unreachable_weights_say_what_to_do(name, monkeypatch):
    def offline(*_, **__):
        raise OSError("name or service not known\nand more")

    monkeypatch.setattr(timm, "create_model", offline)
    monkeypatch.setattr(backbones.torchvision.models, "alexnet", offline)
    with pytest.raises(
        ModelError,
        match=f"weights of '{name}' cannot be reached .name or service not known.*pretrained = false",
    ):
        models.build(model(name, pretrained=True, size=64), TASKS["expression7"])


def test_pretrained_statistics_reach_the_transform():
    def face(*encoder, **table):
        return models.input_set(model(*encoder, **table)).transforms["face"]

    assert face("resnet18", pretrained=True, colour="rgb").mean == pytest.approx((0.485, 0.456, 0.406))
    assert face("resnet18", pretrained=True).mean == pytest.approx((0.449,), abs=1e-3)
    assert face().std == (0.25,)
    assert face("alexnet", pretrained=True, colour="rgb").std[0] == pytest.approx(0.229)


def test_a_frozen_encoder_stands_still():
    network = models.build(model(options=SMALL), TASKS["expression7"])
    network.freeze(True)
    network.train()
    assert not network.encoders["input_face"].training
    assert network.heads.training
    assert [name for name, p in network.named_parameters() if p.requires_grad] == [
        "heads.layers.head_expression7.weight",
        "heads.layers.head_expression7.bias",
    ]
    network.freeze(False)
    assert network.train().encoders["input_face"].training


def test_a_head_may_bear_the_name_of_a_dictionary_method():
    task = Task("t", (Head("values", Kind.CLASS, EXPRESSION7), Head("keys", Kind.CLASS, EXPRESSION7)))
    scores = models.build(model(options=SMALL), task).eval()({"face": torch.randn(2, 1, 48, 48)})
    assert list(scores) == ["values", "keys"]


def test_shortcuts_are_an_option():
    count = [
        models.build(model(options={"widths": [8], "depth": 2, "residual": residual}), TASKS["expression7"])
        for residual in (True, False)
    ]
    assert count[0].parameter_count == count[1].parameter_count
    count[1].load_state_dict(count[0].state_dict())
    picture = {"face": torch.randn(2, 1, 48, 48)}
    assert not torch.allclose(
        count[0].eval()(picture)["expression7"], count[1].eval()(picture)["expression7"]
    )


BOTH = {"views": ["crop", "picture"], "colour": "rgb"}


@pytest.mark.parametrize(
    "config",
    [
        model(options=SMALL, **BOTH),
        model(options=SMALL, views=["picture", "crop"]),
        model("test_resnet", size=40, **BOTH),
        model("test_vit", size=48, **BOTH),
        model("alexnet", size=64, **BOTH),
    ],
    ids=["compact", "grey", "timm-cnn", "timm-vit", "alexnet"],
)
def test_every_encoder_can_be_one_of_two(config):
    network = models.build(config, TASKS["emotic"]).eval()
    alone = models.build(replace(config, inputs={"face": {}}), TASKS["emotic"])
    names, transform = list(config.inputs), models.input_set(config).transforms["face"]
    assert list(network.encoders) == [f"input_{name}" for name in names]
    assert network.fusion.features == 2 * alone.fusion.features
    inputs = {name: torch.randn(2, transform.channels, transform.size, transform.size) for name in names}
    with torch.inference_mode():
        features = {name: network.encoders[f"input_{name}"](values) for name, values in inputs.items()}
        wanted = torch.cat(list(features.values()), dim=1)
        there = dict.fromkeys(names, torch.tensor([True, True]))
        assert torch.equal(network.fusion(features), wanted)
        assert torch.equal(network.fusion(features, there), wanted)
        assert torch.equal(network(inputs)["tags"], network.heads(wanted)["tags"])
        assert network(inputs, there)["tags"].shape == (2, 26)


def test_encoders_have_weights_of_their_own_and_freeze_together():
    network = models.build(model(options=SMALL, views=["crop", "picture"]), TASKS["expression7"])
    names = [name for name, _ in network.encoders.named_parameters()]
    assert {name.split(".")[0] for name in names} == {"input_face", "input_scene"}
    first = [name.startswith("input_face") for name in names]
    weights = list(network.encoders.parameters())
    assert not torch.equal(weights[0], weights[first.index(False)])
    network.freeze(True)
    assert not any(parameter.requires_grad for parameter in weights)
    assert not any(encoder.training for encoder in network.train().encoders.values())


def test_fusion_is_frozen_with_the_encoders():
    network = models.build(model(options=SMALL, views=["crop", "picture"]), TASKS["expression7"])
    network.freeze(True)
    assert not network.train().fusion.training
    learning = {name.split(".")[0] for name, weight in network.named_parameters() if weight.requires_grad}
    assert list(network.fusion.parameters())
    assert learning == {"heads"}
    network.freeze(False)
    assert network.train().fusion.training
    assert all(weight.requires_grad for weight in network.parameters())


def test_where_an_input_is_missing_a_vector_is_learned_in_its_place():
    network = models.build(model(options=SMALL, views=["crop", "picture"]), TASKS["expression7"]).eval()
    torch.nn.init.normal_(network.fusion.absent["input_scene"])
    inputs = {name: torch.randn(3, 1, 48, 48) for name in ("face", "scene")}
    present = {"face": torch.tensor([True] * 3), "scene": torch.tensor([True, False, False])}
    with torch.no_grad():
        vectors = {name: network.encoders[f"input_{name}"](values) for name, values in inputs.items()}
        vectors["scene"][1:] = network.fusion.absent["input_scene"]
        wanted = network.heads(torch.cat([vectors["face"], vectors["scene"]], dim=1))["expression7"]
    found = network(inputs, present)["expression7"]
    assert torch.allclose(found, wanted, atol=1e-6)
    found.sum().backward()
    assert network.fusion.absent["input_scene"].grad.abs().sum() > 0


def test_one_input_has_a_plain_encoder():
    config = model(options=SMALL, views=["picture"], margin=0.3)
    inputs = models.input_set(config)
    assert [(each.name, each.region) for each in inputs.inputs] == [("scene", "whole")]
    assert inputs.transforms["scene"].margin == 0.3
    network = models.build(config, TASKS["expression7"])
    assert isinstance(network.encoders["input_scene"], Compact)
    assert not list(network.fusion.parameters())


@pytest.mark.parametrize("views", [[], ["crop", "crop"]])
def test_views_must_differ(views):
    with pytest.raises(ConfigError, match=r"model.views = .* must name crop, picture or both, each once"):
        models.build(model(views=views), TASKS["expression7"])


def test_stochastic_depth_grows_evenly_and_drops_faces_one_by_one():
    network = Compact(1, widths=[4, 8], depth=3, drop_path=0.8)
    blocks = [layer for layer in network.layers if getattr(layer, "shortcut", False)]
    assert [block.dropped for block in blocks] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    block, faces = blocks[-1], torch.rand(400, 8, 6, 6)  # ReLU leaves what is positive alone
    with torch.no_grad():
        out = block.norm(block.convolution(faces))  # statistics of the batch, as in training
        torch.manual_seed(0)
        found = block(faces)
    alone = (found == faces).flatten(1).all(1)
    assert 0.7 < alone.float().mean() < 0.9
    assert torch.allclose(found[~alone], (faces + out / 0.2).relu()[~alone], atol=1e-4)
    assert torch.equal(block.eval()(faces), (block.norm(block.convolution(faces)) + faces).relu())


def test_stochastic_depth_of_timm_is_an_option():
    network = models.build(model("test_vit", options={"drop_path_rate": 0.3}), TASKS["expression7"])
    assert any(getattr(layer, "drop_prob", 0) == pytest.approx(0.3) for layer in network.modules())
