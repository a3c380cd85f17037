import json
import shutil

import pytest
import safetensors.torch
import torch

from mien import config as configs
from mien import models
from mien.config import Config
from mien.errors import ModelError
from mien.files import sha256
from mien.models import saved

SMALL = {"widths": [8, 12], "depth": 1}


def config(start="", task="affect", **model):
    return configs.from_dict(
        {"task": task, "model": {"options": SMALL, "start": str(start), **model}}, "test"
    )


@pytest.fixture
def run(tmp_path):
    """The folder of a finished run of the task `affect`."""
    there, folder = config(), tmp_path / "run"
    folder.mkdir()
    torch.manual_seed(1)
    network = models.build(there.model, there.resolved_task())
    (folder / "config.toml").write_text(configs.dumps(there))
    described = {
        "task": there.resolved_task().to_dict(),
        "inputs": models.input_set(there.model).to_dict(),
    }
    (folder / "model.json").write_text(json.dumps(described))
    safetensors.torch.save_file(network.state_dict(), folder / "model.safetensors")
    return folder


def begun(settings: Config):
    torch.manual_seed(2)
    network = models.build(settings.model, settings.resolved_task())
    fresh = {name: value.clone() for name, value in network.state_dict().items()}
    saved.begin(network, settings)
    return network.state_dict(), fresh


def taken(found, fresh, weights):
    """The first parts of the names of weights taken over, and of those left as they were drawn."""
    alike = {name for name in found if name in weights and torch.equal(found[name], weights[name])}
    assert all(torch.equal(found[name], fresh[name]) for name in set(found) - alike)
    return {name.split(".")[0] if name.startswith("encoders") else name.split(".")[2] for name in alike}


@pytest.mark.parametrize("file", ["", "model.safetensors"])
def test_encoder_and_equal_heads_are_taken(file, run, capsys):
    weights = safetensors.torch.load_file(run / "model.safetensors")
    found, fresh = begun(config(run / file))
    assert taken(found, fresh, weights) == {"encoders", "head_expression8", "head_valence_arousal"}
    assert (
        capsys.readouterr().err == f"begins with {run / file}: encoder; heads expression8, valence_arousal\n"
    )
    found, fresh = begun(config(run / file, "expression7"))
    assert taken(found, fresh, weights) == {"encoders"}
    assert capsys.readouterr().err.endswith("encoder; fresh heads expression7\n")


def test_a_head_with_other_labels_of_equal_number_is_fresh(run, capsys):
    labels = ["a", "b", "c", "d", "e", "f", "g", "h"]
    task = {"name": "t", "heads": [{"name": "expression8", "kind": "class", "labels": labels}]}
    weights = safetensors.torch.load_file(run / "model.safetensors")
    assert taken(*begun(config(run, task)), weights) == {"encoders"}
    task["heads"][0]["labels"] = labels[:3]
    assert taken(*begun(config(run, task)), weights) == {"encoders"}
    assert capsys.readouterr().err.count("fresh heads expression8") == 2


def test_other_pixels_are_said(run, capsys):
    begun(config(run, mean=[0.4], std=[0.3]))
    assert "its face had mean [0.5] and std [0.25], here it has [0.4] and [0.3]" in capsys.readouterr().err
    (run / "model.json").unlink()
    begun(config(run, mean=[0.4], std=[0.3]))
    assert capsys.readouterr().err.count("\n") == 1


def test_an_encoder_that_does_not_fit_is_an_error(run):
    weight = r"input_face\.layers\.0\.convolution\.weight"
    wrong = rf"does not fit model\.encoder = 'compact' as set here \({weight}: \[8, 1, 3, 3\] there, \[6,"
    with pytest.raises(ModelError, match=wrong):
        begun(config(run, options={"widths": [6, 12], "depth": 1}))
    with pytest.raises(ModelError, match=r"missing there, \[12, 12, 3, 3\] here|\[8, 8, 3, 3\] here"):
        begun(config(run, options={"widths": [8, 12], "depth": 2}))


def test_what_is_no_run_and_no_weights_is_named(tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"no weights")
    for start, text in (
        ("nowhere", "nowhere: has no model.safetensors$"),
        ("nowhere.safetensors", "nowhere.safetensors: no such file"),
        ("bad.safetensors", "bad.safetensors: not a whole file of weights"),
        ("", r"has no model.safetensors \(train it with"),
    ):
        with pytest.raises(ModelError, match=text):
            begun(config(tmp_path / start))


def test_weights_are_named_without_a_machines_paths(run, tmp_path):
    digest = sha256(run / "model.safetensors")
    for place in (run, run / "model.safetensors"):
        assert saved.source(str(place)) == {"name": "run", "sha256": digest}
    alone = shutil.copy(
        run / "model.safetensors", (tmp_path / "bare").mkdir() or tmp_path / "bare" / "face.safetensors"
    )
    assert saved.source(str(alone)) == {"name": "face.safetensors", "sha256": digest}
    (run / "model.json").write_text(json.dumps({"name": "teacher"}))
    assert saved.source(str(run))["name"] == "teacher"
    assert saved.source(str(tmp_path / "gone")) == {"name": "gone"}


def test_a_run_is_rebuilt_without_the_weights_it_began_with(run):
    text = (run / "config.toml").read_text().replace('start = ""', 'start = "gone"')
    assert "gone" in text
    (run / "config.toml").write_text(text)
    network = saved.load_network(run)
    assert not network.training
    wanted = safetensors.torch.load_file(run / "model.safetensors")
    assert all(torch.equal(value, wanted[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("views", [["crop"], ["picture"], ["crop", "picture"]])
def test_runs_made_before_there_were_inputs_are_read(views, run, capsys):
    """Their weights are named by view, or not at all; their description has the preprocessing of one
    picture."""
    there = config(views=views)
    network = models.build(there.model, there.resolved_task()).eval()
    prefixes = {f"input_{name}.": f"views.{view}." for view, name in (("crop", "face"), ("picture", "scene"))}

    def earlier(name):
        for new, old in prefixes.items():
            name = name.replace(f"encoders.{new}", f"backbone.{old if len(views) > 1 else ''}")
        return name

    state = {
        earlier(name): value for name, value in network.state_dict().items() if not name.startswith("fusion.")
    }
    assert len(state) == len(network.state_dict()) - (2 if len(views) > 1 else 0)
    safetensors.torch.save_file(state, run / "model.safetensors")
    text = (
        configs.dumps(config())
        .replace("encoder =", "backbone =")
        .replace("[model]", f"[model]\nviews = {views}")
    )
    (run / "config.toml").write_text(text.split("[model.inputs")[0] + text[text.index("[train]") :])
    table = json.loads((run / "model.json").read_text())
    transform = models.input_set(config().model).transforms["face"].to_dict()
    described = {"task": table["task"], "preprocessing": transform | {"views": views, "mean": [0.4]}}
    (run / "model.json").write_text(json.dumps(described))
    found = saved.load_network(run)
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in found.state_dict().items())
    begun_with, _ = begun(config(run, views=views))
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in begun_with.items())
    assert "had mean [0.4]" in capsys.readouterr().err
