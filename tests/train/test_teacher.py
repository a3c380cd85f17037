import csv
from dataclasses import replace

import pytest
import safetensors.torch
import torch
import torch.nn.functional as F

from mien import config as configs
from mien import models, store
from mien.config import TeacherConfig
from mien.errors import ConfigError, ModelError
from mien.losses import distillation
from mien.store import Store
from mien.tasks import TASKS
from mien.train import train
from mien.train.batches import learned_from, mixed_seed
from mien.train.teacher import Teachers
from tests import tiny_run
from tests.train.test_sam import ONE_STEP

MODEL = {"dropout": 0.0, "options": {"widths": [4, 8], "depth": 1, "dropout": 0.0}}


def finished(folder, config, seed=0):
    """A run's folder with a network of random weights, in evaluation mode."""
    torch.manual_seed(seed)
    network = models.build(config.model, config.resolved_task())
    for head in network.heads.layers.values():
        head.weight.data *= 8  # a teacher has an opinion
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(configs.dumps(config))
    safetensors.torch.save_file(network.state_dict(), folder / "model.safetensors")
    return network.eval()


def teachers(runs, config, **settings):
    task, inputs = config.resolved_task(), models.input_set(config.model)
    return Teachers(TeacherConfig(tuple(map(str, runs)), **settings), task, inputs)


def seen(pixels):
    """A batch of pictures that are the only input, and where they are there: everywhere."""
    return {"face": pixels}, {"face": torch.ones(len(pixels), dtype=torch.bool)}


def test_the_mean_probability_of_all_teachers_at_a_temperature(tiny, tmp_path):
    config = tiny()
    networks = [finished(tmp_path / str(k), tiny("expression7"), seed=k) for k in range(2)]
    pixels = torch.rand(5, 1, 24, 24)
    wanted = sum((net({"face": (pixels - 0.5) / 0.25})["expression7"] / 3).softmax(1) for net in networks) / 2
    found = teachers([tmp_path / "0", tmp_path / "1"], config, temperature=3.0)(*seen(pixels))
    assert list(found) == ["expression7"]
    assert torch.allclose(found["expression7"], wanted, atol=1e-6)
    assert not found["expression7"].requires_grad


def test_a_teacher_of_another_size_colour_and_mean_sees_the_same_face(tiny, tmp_path):
    model = {"size": 32, "colour": "rgb", "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]}
    network = finished(tmp_path / "a", tiny("expression7", model))
    pixels = torch.rand(3, 1, 24, 24)
    large = F.interpolate(pixels, size=(32, 32), mode="bilinear", antialias=True).repeat(1, 3, 1, 1)
    mean, std = (torch.tensor(model[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
    found = teachers([tmp_path / "a"], tiny(), temperature=1.0)(*seen(pixels))["expression7"]
    assert torch.allclose(found, network({"face": (large - mean) / std})["expression7"].softmax(1), atol=1e-6)


def test_a_grey_teacher_of_a_colour_network(tiny, tmp_path):
    network = finished(tmp_path / "a", tiny("expression7"))
    pixels = torch.rand(3, 3, 24, 24)
    grey = (pixels * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    student = tiny("expression7", {"colour": "rgb"})
    found = teachers([tmp_path / "a"], student, temperature=1.0)(*seen(pixels))["expression7"]
    assert torch.allclose(found, network({"face": (grey - 0.5) / 0.25})["expression7"].softmax(1), atol=1e-6)


def test_a_teacher_of_one_input_teaches_a_network_of_two(tiny, tmp_path):
    network = finished(tmp_path / "a", tiny("expression7", {"views": ["picture"]}))
    inputs = {name: torch.rand(4, 1, 24, 24) for name in ("face", "scene")}
    present = {name: torch.ones(4, dtype=torch.bool) for name in inputs}
    student = tiny("expression7", {"views": ["crop", "picture"]})
    found = teachers([tmp_path / "a"], student, temperature=1.0)(inputs, present)["expression7"]
    wanted = network({"scene": (inputs["scene"] - 0.5) / 0.25})["expression7"].softmax(1)
    assert torch.allclose(found, wanted, atol=1e-6)
    with pytest.raises(
        ConfigError, match=r"a looks at image \(whole\), this network must too; it looks at image \(region\)"
    ):
        teachers([tmp_path / "a"], tiny("expression7"))


def test_each_head_has_the_teachers_that_know_it(tiny, tmp_path):
    finished(tmp_path / "a", tiny("affect"))
    finished(tmp_path / "b", tiny("expression8"), seed=1)
    both = teachers([tmp_path / "a", tmp_path / "b"], tiny("affect"))
    assert both.heads == ["expression8"]  # nobody distils values
    assert teachers([], tiny()).heads == []


def test_distillation_by_hand():
    scores, taught = (
        torch.tensor([[2.0, 0.0], [0.0, 0.0]], requires_grad=True),
        torch.tensor([[0.9, 0.1], [0.5, 0.5]]),
    )
    loss = distillation(scores, taught, 2.0)
    p = torch.tensor(1.0).exp() / (1 + torch.tensor(1.0).exp())
    wanted = 4 * (0.9 * (0.9 / p).log() + 0.1 * (0.1 / (1 - p)).log()) / 2
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)
    loss.backward()
    assert scores.grad[0].tolist() == pytest.approx(
        [(p - 0.9).item(), (0.9 - p).item()], rel=1e-4
    )  # T² (p - q) / T / N
    assert scores.grad[1].abs().max() < 1e-7


def first_loss(run):
    with (run / "history.csv").open() as file:
        return next(csv.DictReader(file))


def test_the_loss_is_shared_between_target_and_teacher(tiny, tmp_path):
    teacher = finished(tmp_path / "t", tiny("expression7", MODEL), seed=3)
    config = tiny(
        "expression7",
        MODEL,
        teacher={"runs": [str(tmp_path / "t")], "weight": 0.25, "temperature": 3.0},
        **ONE_STEP,
    )
    train(config, tmp_path / "run")
    faces = Store(config.data.store)
    rows = faces.rows("train")
    pixels = {"face": (torch.from_numpy(faces.images(rows))[:, None] / 255.0 - 0.5) / 0.25}
    torch.manual_seed(mixed_seed(config.train.seed, "weights"))
    student = models.build(config.model, config.resolved_task())
    with torch.no_grad():
        scores, taught = student(pixels)["expression7"], (teacher(pixels)["expression7"] / 3).softmax(1)
    hard = F.cross_entropy(scores, torch.from_numpy(faces.target(config.resolved_task().heads[0], rows)))
    soft = 9 * F.kl_div((scores / 3).log_softmax(1), taught, reduction="batchmean")
    wanted = 0.75 * hard + 0.25 * soft
    assert float(first_loss(tmp_path / "run")["train_loss"]) == pytest.approx(wanted.item(), rel=1e-4)


def test_faces_that_nobody_annotated_are_learned_from_the_teacher(tiny, tmp_path):
    def bare(sample):
        kept = {"expression7": sample.targets["expression7"]} if sample.split == "validation" else {}
        return replace(sample, targets=kept if int(sample.source[4:]) > 8 else {"expression7": "happy"})

    path = tmp_path / "few.h5"
    store.write(path, map(bare, tiny_run.samples(96)), TASKS["expression7"].heads, store.Origin("test", "1"))
    finished(tmp_path / "t", tiny("expression7", MODEL), seed=3)
    alone = tiny_run.config(path, "expression7", MODEL)
    config = tiny_run.config(path, "expression7", MODEL, teacher={"runs": [str(tmp_path / "t")]}, **ONE_STEP)
    task, faces = config.resolved_task(), Store(path)
    assert (len(learned_from(faces, task, alone)), len(learned_from(faces, task, config))) == (6, 72)
    train(config, tmp_path / "run")
    assert first_loss(tmp_path / "run")["step"] == "1"


def test_wrong_teachers_are_named(tiny, tmp_path):
    finished(tmp_path / "a", tiny("distribution13"))
    finished(tmp_path / "b", tiny("expression7", {"margin": 0.1}))
    other = {"name": "t", "heads": [{"name": "expression7", "kind": "class", "labels": ["good", "bad"]}]}
    finished(tmp_path / "c", tiny(other))
    (tmp_path / "d").mkdir()
    (tmp_path / "d/config.toml").write_text(configs.dumps(tiny()))
    for run, error, text in (
        ("a", ConfigError, r"no teacher has a head of this task \(expression7\)"),
        ("b", ConfigError, r"b must be shown the same part .*margin 0\.1 there, 0\.0 here"),
        ("c", ConfigError, "head expression7 of .*c has the labels good, bad, here they are angry, "),
        ("d", ModelError, r"d: has no model\.safetensors"),
        ("e", ConfigError, r"e/config\.toml: no such file"),
    ):
        with pytest.raises(error, match=text):
            train(tiny(teacher={"runs": [str(tmp_path / run)]}), tmp_path / "run")
    assert not (tmp_path / "run").exists()
