"""Every shipped configuration: from drawn faces in its data set's layout, through import and training, to a
report."""

import csv
import functools
import json
import re
import tomllib
from pathlib import Path

import pytest

from mien import config as configs
from mien import models, synthetic
from mien.cli import main
from mien.datasets import import_dataset
from mien.store import Store
from mien.tasks import Kind

FOLDER = Path(__file__).parents[1] / "configs"
#: The layout that each configuration's data come in; '' for those of FER-2013, which nothing is drawn in.
LAYOUTS = {
    "affect": "affectnet",
    "demo": "",
    "distribution13": "prob-rank",
    "emotic": "emotic",
    "face": "",
    "expression8_raf": "rafdb",
    "fer2013": "",
    "ferplus": "",
    "ferplus_distribution": "",
}
#: Small enough for a test, and a learning rate at which a few steps from scratch show.
QUICK = {
    "model.pretrained": "false",
    "model.size": "32",
    "model.dropout": "0",
    "data.limit": "24",
    "train.batch_size": "8",
    "train.precision": "32-true",
    "train.threads": "1",
    "train.ema": "0",
    "train.phases.0.epochs": "4",
    "train.phases.0.lr": "1e-3",
    "train.phases.0.warmup": "0",
    "train.augment.rotation": "0",
    "train.augment.erasing": "0",
}
SECOND = {"train.phases.0.epochs": "1", "train.phases.1.epochs": "5", "train.phases.1.lr": "1e-3"}
SMALLER = {
    "model.backbone": "compact"
}  # large networks take their time to export: one is, and all are built below
BRANCHES = {**SMALLER, "model.views": '["crop", "picture"]'}
#: What is trained: configurations as they are, and one as its comments say to change it.
RUNS = [
    ("affect", {**SMALLER, **SECOND}),
    ("distribution13", SMALLER),
    ("emotic", SMALLER),
    ("emotic", BRANCHES),
    ("expression8_raf", {}),
    ("ferplus_distribution", {}),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store of drawn faces by the layout they were imported from."""
    folder = tmp_path_factory.mktemp("drawn")

    @functools.cache
    def drawn(layout):
        out = folder / f"{layout or 'faces'}.h5"
        if not layout:
            return synthetic.write_store(out, 80, 24).path
        synthetic.write_folder(folder / layout, layout, 40 if layout == "emotic" else 80, 64)
        return import_dataset(folder / layout, out).path

    return drawn


def history(run):
    with (run / "history.csv").open() as file:
        return list(csv.DictReader(file))


def test_every_configuration_is_listed():
    assert set(LAYOUTS) == {path.stem for path in FOLDER.glob("*.toml") if not path.name.startswith("tune_")}


@pytest.mark.parametrize(
    ("name", "changes"), RUNS, ids=[" ".join([name, *changes.values()]) for name, changes in RUNS]
)
def test_it_imports_trains_evaluates_and_reports(name, changes, store, tmp_path):
    words = [word for key, value in {**QUICK, **changes}.items() for word in (f"--{key}", value)]
    faces, run = store(LAYOUTS[name]), tmp_path / "run"
    main(["train", str(FOLDER / f"{name}.toml"), "--out", str(run), "--data.store", str(faces), *words])
    losses = [float(row["train_loss"]) for row in history(run)]
    assert losses[-2] + losses[-1] < losses[0] + losses[1]  # of three steps each
    results = json.loads((run / "results" / "validation.json").read_text())
    heads = configs.load(FOLDER / f"{name}.toml").resolved_task().heads
    assert list(results["heads"]) == [head.name for head in heads]
    assert all(found["rows"] for found in results["heads"].values())
    assert (run / "report.html").exists()


@pytest.mark.parametrize("name", LAYOUTS)
def test_its_store_has_what_it_learns(name, store):
    there = {head.name: head for head in Store(store(LAYOUTS[name])).heads}
    for head in configs.load(FOLDER / f"{name}.toml").resolved_task():
        assert there[head.name].space == head.space
        assert there[head.name].kind is head.kind or head.kind is Kind.DISTRIBUTION


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_its_comments_say_to_type_is_understood(name):
    """Each `--key value` after `mien train` or a backbone's name, and each setting that is commented out."""
    text = (FOLDER / f"{name}.toml").read_text()
    for said in re.findall(r"(--(?:model|train|heads)\.[^\n)]*)", text):
        words = re.findall(r"'[^']*'|[^\s,]+", said.split(" (")[0])
        configs.load(FOLDER / f"{name}.toml", [word.strip("'") for word in words])
    quiet = re.sub(r"(?m)^# ((?:\w+ = |\[)[^#]*)", r"\1", text)
    configs.from_dict(tomllib.loads(quiet), name)


@pytest.mark.parametrize("name", LAYOUTS)
def test_its_network_can_be_built(name):
    config = configs.load(FOLDER / f"{name}.toml", ["--model.pretrained", "false", "--model.size", "32"])
    assert models.build(config.model, config.resolved_task()).parameter_count > 1e4


@pytest.mark.parametrize(
    "backbone", ["resnet50", "efficientnet_b0", "vit_small_patch16_224", "vit_tiny_patch16_224"]
)
def test_backbones_that_the_comments_name_can_be_built(backbone):
    config = configs.load(
        FOLDER / "distribution13.toml",
        ["--model.backbone", backbone, "--model.pretrained", "false", "--model.size", "32"],
    )
    assert models.build(config.model, config.resolved_task()).parameter_count > 1e6
