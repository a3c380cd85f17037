import json

import numpy as np
import onnx
import pytest
import safetensors.torch
import torch

from mien import export, models
from mien.errors import ModelError
from mien.models import activate
from mien.predict.engine import Engine
from mien.store import Store
from mien.train import train
from tests import tiny_run


@pytest.fixture(scope="module")
def run(faces, tmp_path_factory):
    """A trained and exported run with two kinds of head."""

    folder = tmp_path_factory.mktemp("runs") / "affect"
    network = train(tiny_run.config(faces, "affect", ema=0.9), folder)
    export.export(folder, network)
    return folder


def test_the_files_hold_the_trained_weights(run):
    weights = safetensors.torch.load_file(run / "model.safetensors")
    best = torch.load(run / "checkpoints/1/best.ckpt", weights_only=False)["state_dict"]
    assert len(weights) > 8
    for name, value in weights.items():
        assert torch.equal(value, best[f"network.{name}"])


def test_the_model_describes_itself(run, faces):
    said = json.loads((run / "model.json").read_text())
    graph = onnx.load(run / "model.onnx")
    assert json.loads({p.key: p.value for p in graph.metadata_props}["mien"]) == said
    assert said["task"]["name"] == "affect"
    # Every seventh face of the store has neither of the task's targets.
    assert said["data"]["train_rows"] == sum(row % 7 > 0 for row in Store(faces).rows("train"))
    assert said["preprocessing"] == {"size": 24, "colour": "grey", "mean": [0.5], "std": [0.25], "margin": 0.0}
    assert set(said["metrics"]) == {"expression8", "valence_arousal"}
    assert said["versions"]["torch"] == torch.__version__


def test_onnx_answers_as_torch_does_on_faces_of_any_number(run, faces):
    network, engine = export.load_network(run), Engine(run)
    store = Store(faces)
    for count in (1, 2, 7):
        crops = store.images(store.rows("validation")[:count])
        with torch.inference_mode():
            scores = network(torch.from_numpy(engine.preprocessing.normalise(engine.preprocessing.fit(crops))))
        mine = engine.probabilities(crops)
        for head in engine.task:
            assert np.allclose(mine[head.name], activate(head, scores[head.name]).numpy(), atol=1e-5)


def test_export_can_be_repeated_from_the_files_alone(run):
    before = (run / "model.onnx").read_bytes()
    (run / "model.onnx").unlink()
    export.export(run)
    assert Engine(run).task.name == "affect"
    assert len((run / "model.onnx").read_bytes()) == len(before)


def test_a_model_that_answers_differently_is_not_written(run, monkeypatch):
    before = (run / "model.onnx").read_bytes()
    monkeypatch.setattr(export, "parity", lambda *_: 0.5)
    with pytest.raises(ModelError, match=r"differ from torch by 5\.0e-01"):
        export.export(run)
    assert (run / "model.onnx").read_bytes() == before


def test_an_unfinished_run_is_named(run, tmp_path):
    (tmp_path / "config.toml").write_text((run / "config.toml").read_text())
    with pytest.raises(ModelError, match=r"no model\.safetensors"):
        export.export(tmp_path)


@pytest.mark.parametrize("backbone", ["test_resnet", "test_vit", "test_efficientnet", "alexnet"])
def test_every_family_of_backbones_exports(backbone, tiny, tmp_path):
    config = tiny(model={"backbone": backbone, "size": 64, "colour": "rgb", "options": {}})
    network = models.build(config.model, config.resolved_task()).eval()
    export.write_onnx(network, config, "{}", tmp_path / "model.onnx")
    assert export.parity(network, config, tmp_path / "model.onnx") < export.TOLERANCE


def test_published_weights_are_not_fetched_to_read_a_run(run, monkeypatch):
    config = export.load(run / "config.toml")
    wanted = export.untrained(config.__class__(model=config.model.__class__("resnet18", pretrained=True, colour="rgb")))
    assert not wanted.model.pretrained
    assert wanted.model.mean == pytest.approx((0.485, 0.456, 0.406))
