import json
import shutil

import numpy as np
import onnx
import pytest
import safetensors.torch
import torch

from mien import export, files, models
from mien.config import load as load_config
from mien.errors import ModelError
from mien.media.image import decode
from mien.metrics import tags
from mien.models import activate, saved
from mien.models.saved import load_network
from mien.predict import load
from mien.predict.engine import Engine
from mien.records import Box, Face, Items
from mien.store import Store
from mien.train import train
from mien.train.batches import SampleDataset
from tests import tiny_run, tiny_scenes


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
    assert said["schema"] == 2
    assert said["inputs"] == {
        "face": {
            "modality": "image",
            "of": "image",
            "region": "region",
            "encoder": "compact",
            "pretrained": False,
            "size": 24,
            "colour": "grey",
            "mean": [0.5],
            "std": [0.25],
            "margin": 0.0,
            "align": False,
            "options": {"widths": [4, 8], "depth": 1},
        }
    }
    assert set(said["metrics"]) == {"expression8", "valence_arousal"}
    assert said["versions"]["torch"] == torch.__version__


def test_what_a_network_began_with_and_was_taught_by_is_described(run, faces):
    digest = files.sha256(run / "model.safetensors")
    told = {"name": "affect", "sha256": digest}
    config = tiny_run.config(faces, "affect", {"start": str(run)}, teacher={"runs": [str(run), str(run)]})
    assert (
        export.describe(run, config, load_network(run)).items()
        >= {"start": told, "teachers": [told] * 2}.items()
    )
    assert export.learnt_from(tiny_run.config(faces)) == {}
    assert not {"start", "teachers"} & set(json.loads((run / "model.json").read_text()))


def test_weights_of_heads_and_classes_are_described_by_name(run):
    said = json.loads((run / "model.json").read_text())
    assert said["data"]["validation"] == "validation"
    assert said["head_weights"] == {"expression8": 2.0, "valence_arousal": 2.0}
    assert said["class_weights"] == {}
    assert "thresholds" not in said


@pytest.fixture(scope="module")
def tagged(faces, tmp_path_factory):
    """A trained and exported run with tags, with all that is learned or chosen beside its network."""
    folder = tmp_path_factory.mktemp("runs") / "emotic"
    config = tiny_run.config(faces, "emotic", head_weights="uncertainty", balance="loss")
    export.export(folder, train(config, folder))
    return folder


def test_what_was_learned_and_chosen_travels_with_the_model(tagged, faces):
    engine, store = Engine(tagged), Store(faces)
    said = json.loads((tagged / "model.json").read_text())
    assert engine.metadata == said
    head, rows = engine.task.heads[0], store.rows("validation")
    chosen = tags.best_thresholds(engine.probabilities(store.images(rows))["tags"], store.target(head, rows))
    assert said["thresholds"] == {"tags": dict(zip(head.space.labels, chosen.tolist(), strict=True))}
    assert engine.thresholds == said["thresholds"]
    assert list(said["class_weights"]) == ["tags"]
    assert said["class_weights"]["tags"]["Happiness"] == pytest.approx(2, abs=0.2)
    assert all(said["head_weights"][name] not in (0.0, 1.0) for name in ("tags", "vad"))


def test_thresholds_survive_another_export(tagged):
    before = Engine(tagged).thresholds
    (tagged / "model.onnx").unlink()
    export.export(tagged)
    assert Engine(tagged).thresholds == before


def test_onnx_answers_as_torch_does_on_faces_of_any_number(run, faces):
    network, engine = load_network(run), Engine(run, calibrated=False)
    store = Store(faces)
    for count in (1, 2, 7):
        crops = store.images(store.rows("validation")[:count])
        with torch.inference_mode():
            feed = engine.inputs.feed(*engine.inputs.fit({"image": Items(crops)}))
            scores = network({"face": torch.from_numpy(feed["input.face"])})
        mine = engine.probabilities(crops)
        for head in engine.task:
            assert np.allclose(mine[head.name], activate(head, scores[head.name]).numpy(), atol=1e-5)


def test_export_can_be_repeated_from_the_files_alone(run):
    before = (run / "model.onnx").read_bytes()
    (run / "model.onnx").unlink()
    export.export(run)
    assert Engine(run).task.name == "affect"
    assert len((run / "model.onnx").read_bytes()) == len(before)


def test_a_new_model_is_calibrated_and_can_be_anew(run, faces, tmp_path):
    said = json.loads((run / "model.json").read_text())
    assert said["calibration"]["expression8"]["method"] == "temperature"
    assert said["temperature"] == {"expression8": said["calibration"]["expression8"]["temperature"]}
    again = shutil.copytree(run, tmp_path / "again")
    export.export(again)
    assert json.loads((again / "model.json").read_text()) == said
    export.export(again, calibration="vector")
    vector = json.loads((again / "model.json").read_text())
    assert Engine(again).metadata == vector
    assert set(vector["scaling"]["expression8"]) == {"scale", "bias"}
    assert vector["calibration"]["expression8"]["before"] == said["calibration"]["expression8"]["before"]
    other = shutil.copy(faces, tmp_path / "other.h5")
    export.export(again, store=other)
    assert json.loads((again / "model.json").read_text()) == said


def test_a_model_that_answers_differently_is_not_written(run, monkeypatch):
    before = (run / "model.onnx").read_bytes()
    monkeypatch.setattr("mien.export.exporting.parity", lambda *_: 0.5)
    with pytest.raises(ModelError, match=r"differ from torch by 5\.0e-01"):
        export.export(run)
    assert (run / "model.onnx").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "no JSON with a schema"),
        ("[]", "no JSON with a schema"),
        ('{"schema": 3}', "schema 3, this version of mien reads 1 and 2"),
        ('{"schema": 1}', "damaged"),
        ('{"schema": 2}', "damaged"),
    ],
)
def test_a_damaged_description_leaves_the_model_as_it_was(run, tmp_path, text, says):
    copy = shutil.copytree(run, tmp_path / "copy")
    (copy / "model.json").write_text(text)
    with pytest.raises(ModelError, match=rf"copy/model\.json: .*{says}"):
        export.export(copy)
    assert (copy / "model.onnx").read_bytes() == (run / "model.onnx").read_bytes()
    assert (copy / "model.json").read_text() == text
    assert {path.name for path in copy.iterdir()} == {path.name for path in run.iterdir()}


def test_an_unfinished_run_is_named(run, tmp_path):
    (tmp_path / "config.toml").write_text((run / "config.toml").read_text())
    with pytest.raises(ModelError, match=r"no model\.safetensors"):
        export.export(tmp_path)


@pytest.mark.parametrize("encoder", ["test_resnet", "test_vit", "test_efficientnet", "alexnet"])
def test_every_family_of_encoders_exports(encoder, tiny, tmp_path):
    config = tiny(model={"encoder": encoder, "size": 64, "colour": "rgb", "options": {}})
    network = models.build(config.model, config.resolved_task()).eval()
    export.write_onnx(network, config, {}, tmp_path / "model.onnx")
    assert export.parity(network, config, tmp_path / "model.onnx") < export.TOLERANCE


def test_published_weights_are_not_fetched_to_read_a_run(run, monkeypatch):
    config = load_config(run / "config.toml")
    published = config.model.from_dict({"encoder": "resnet18", "pretrained": True, "colour": "rgb"})
    (wanted,) = saved.untrained(config.__class__(model=published)).model.all_inputs
    assert not wanted.pretrained
    assert wanted.transform["mean"] == pytest.approx((0.485, 0.456, 0.406))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """A trained and exported run that looks at the person and the place."""
    folder = tmp_path_factory.mktemp("scenes")
    tiny_scenes.write(folder / "scenes.h5")
    export.export(folder / "run", train(tiny_scenes.config(folder / "scenes.h5"), folder / "run"))
    return folder


def test_prediction_shows_the_network_what_training_did(scenes):
    model, network = load(scenes / "run"), load_network(scenes / "run")
    store, inputs = Store(scenes / "scenes.h5"), model.engine.inputs
    assert [(each.name, each.region) for each in inputs.inputs] == [("face", "region"), ("scene", "whole")]
    assert [(each.margin, each.channels) for each in inputs.transforms.values()] == [(0.1, 3)] * 2
    rows = store.rows("train")
    trained = SampleDataset(store, rows, model.task, inputs, 8.0)[list(range(len(rows)))]["inputs"]
    shown = {name: values.permute(0, 2, 3, 1).numpy() for name, values in trained.items()}
    assert (store.boxes(rows)[:, 0] < 0).any(), "some boxes reach past the border"
    normal = {
        name: torch.from_numpy(inputs.transforms[name].normalise(values)) for name, values in shown.items()
    }
    with torch.inference_mode():
        scores = network(normal)
    for row, (blob, box) in enumerate(zip(store.encoded(rows), store.boxes(rows).tolist(), strict=True)):
        pixels = decode(blob, "")
        fitted, _ = inputs.fit({"image": Items([pixels], [Box(*box)])})
        assert all(np.array_equal(shown[name][row], fitted[name][0]) for name in ("face", "scene"))
        (said,) = model.predict_faces(pixels, [Face(Box(*box))])
        for head in model.task:
            wanted = activate(head, scores[head.name][row : row + 1]).numpy()[0]
            assert np.allclose(list(said.outputs[head.name].values()), wanted, atol=1e-5)


@pytest.mark.parametrize("encoder", ["test_resnet", "test_vit"])
def test_two_inputs_of_other_encoders_export(encoder, tiny, tmp_path):
    both = {"encoder": encoder, "size": 64, "colour": "rgb", "options": {}, "views": ["picture", "crop"]}
    config = tiny(model=both)
    network = models.build(config.model, config.resolved_task()).eval()
    export.write_onnx(network, config, {}, tmp_path / "model.onnx")
    assert export.parity(network, config, tmp_path / "model.onnx") < export.TOLERANCE
    given = {each.name: each.type.tensor_type for each in onnx.load(tmp_path / "model.onnx").graph.input}
    assert list(given) == ["input.scene", "input.face", "input.present"]
    shapes = {name: [size.dim_value for size in kind.shape.dim][1:] for name, kind in given.items()}
    assert shapes == {"input.scene": [3, 64, 64], "input.face": [3, 64, 64], "input.present": [2]}
    assert given["input.present"].elem_type == onnx.TensorProto.BOOL
