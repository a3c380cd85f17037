import csv
import functools
import io
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from mien import config as configs
from mien import store
from mien.errors import ConfigError, ModelError, StoreError
from mien.losses import LossContext, head_loss
from mien.store import Store
from mien.tasks import TASKS
from mien.train import callbacks, loop, module, train
from tests import tiny_run, tiny_scenes

EVERYTHING = {
    "ema": 0.9,
    "clip": 1.0,
    "sam": 0.05,
    "label_smoothing": 0.1,
    "augment": {"mixup": 0.4, "cutmix": 0.4, "erasing": 0.5, "mix_until": 0.6},
    "phases": [
        {"epochs": 1, "frozen": True, "lr": 0.01},
        {"epochs": 3, "lr": 0.005, "schedule": "one_cycle"},
    ],
}


def rows(run):
    with (run / "history.csv").open() as file:
        return list(csv.DictReader(file))


def same(one, other):
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(
        name == other_name and torch.equal(value, other_value)
        for (name, value), (other_name, other_value) in pairs
    )


@pytest.mark.parametrize("task", TASKS)
def test_every_task_trains_through_the_one_loop(task, tiny, tmp_path):
    network = train(tiny(task), tmp_path / "run")
    assert not network.training
    history = rows(tmp_path / "run")
    assert [row["epoch"] for row in history] == ["1", "2"]
    for head in TASKS[task]:
        for metric in head.metrics:
            assert f"validation_{head.name}_{metric}" in history[0]
    assert float(history[-1]["train_loss"]) < float(history[0]["train_loss"])


def test_it_learns_what_is_plain_to_see(tiny, tmp_path):
    train(
        tiny(phases=[{"epochs": 6, "lr": 0.02}], augment={"brightness": 0.0, "contrast": 0.0}),
        tmp_path / "run",
    )
    assert float(rows(tmp_path / "run")[-1]["validation_expression7_accuracy"]) > 0.9


def test_same_seed_same_weights_other_seed_other_weights(tiny, tmp_path):
    networks = [
        train(tiny(**EVERYTHING, seed=seed), tmp_path / f"run{k}") for k, seed in enumerate((1, 1, 2))
    ]
    assert same(networks[0], networks[1])
    assert not same(networks[0], networks[2])


def save(network, path):
    safetensors.torch.save_file(
        {name: value.contiguous() for name, value in network.state_dict().items()}, path
    )


def break_off(config, run, stop, monkeypatch):
    """Train until a step fails."""
    left = [stop]
    seed = callbacks.StepSeeds.on_train_batch_start

    def breaking(self, trainer, *rest):
        left[0] -= 1
        if left[0] == 0:
            raise RuntimeError("power cut")
        seed(self, trainer, *rest)

    monkeypatch.setattr(callbacks.StepSeeds, "on_train_batch_start", breaking)
    with pytest.raises(RuntimeError, match="power cut"):
        train(config, run)


@pytest.mark.parametrize(
    ("stop", "task", "more"),
    [
        *((stop, "expression7", {}) for stop in (2, 7, 14)),
        *((stop, "affect", {"head_weights": "uncertainty"}) for stop in (7, 11)),
    ],
)
def test_a_run_that_broke_off_ends_with_the_same_weights(stop, task, more, tiny, tmp_path, monkeypatch):
    config = tiny(task, **EVERYTHING, **more)
    wanted = train(config, tmp_path / "whole")
    break_off(config, tmp_path / "broken", stop, monkeypatch)
    torch.manual_seed(999)
    assert same(wanted, train(config, tmp_path / "broken", resume=True))
    timeless = [
        [{key: value for key, value in row.items() if "second" not in key} for row in rows(tmp_path / name)]
        for name in ("whole", "broken")
    ]
    assert timeless[0] == timeless[1]


@pytest.mark.parametrize("stop", [3, 7])
def test_taught_and_begun_from_another_run_resumes_to_the_same_weights(
    stop, tiny, tmp_path, monkeypatch, capsys
):
    model = {"options": {"widths": [4, 8], "depth": 2, "drop_path": 0.5}}
    (tmp_path / "first").mkdir()
    before = train(tiny("expression8", model, phases=[{"epochs": 1}]), tmp_path / "first")
    save(before, tmp_path / "first/model.safetensors")
    begun = {**model, "start": str(tmp_path / "first")}
    config = tiny(
        "affect", begun, **EVERYTHING, teacher={"runs": [str(tmp_path / "first")]}, precision="bf16-mixed"
    )
    wanted = train(config, tmp_path / "whole")
    assert "first: encoder; heads expression8; fresh heads valence_arousal" in capsys.readouterr().err
    break_off(config, tmp_path / "broken", stop, monkeypatch)
    torch.manual_seed(999)
    assert same(wanted, train(config, tmp_path / "broken", resume=True))


def test_training_begins_with_the_weights_of_another_run(tiny, tmp_path):
    before = train(tiny(), tmp_path / "first")
    save(before, tmp_path / "weights.safetensors")
    still = {"epochs": 1, "lr": 0.0, "frozen": True}
    after = train(
        tiny("expression7", {"start": str(tmp_path / "weights.safetensors")}, phases=[still]),
        tmp_path / "run",
    )
    assert same(before, after)
    wider = {"start": str(tmp_path / "weights.safetensors"), "options": {"widths": [4, 6], "depth": 1}}
    with pytest.raises(ModelError, match="does not fit"):
        train(tiny("expression7", wider), tmp_path / "wider")
    assert not (tmp_path / "wider").exists()


@pytest.mark.parametrize("precision", ["bf16-mixed", "32-true"])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_gradients_are_clipped_in_any_precision(precision, optimizer, tiny, tmp_path):
    phase = {"epochs": 1, "lr": 0.01, "optimizer": optimizer}
    train(tiny(clip=0.1, precision=precision, phases=[phase]), tmp_path / "run")
    assert rows(tmp_path / "run")[0]["step"] == "4"


def test_mixing_ends_at_a_step(tiny, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        module.Augmentation,
        "__call__",
        lambda _, inputs, present, targets, mixing: seen.append(mixing) or (inputs, targets),
    )
    phases = [{"epochs": 2}, {"epochs": 1}]
    train(tiny(augment={"mixup": 1.0, "mix_until": 0.7}, phases=phases), tmp_path / "run")
    assert seen == [True] * 6 + [False] * 2 + [True] * 3 + [False]


def test_a_compiled_network_has_the_same_weights_by_the_same_names(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    config = tiny(ema=0.9, sam=0.05, phases=[{"epochs": 1}])
    compiled = train(replace(config, train=replace(config.train, compile=True)), tmp_path / "a")
    plain = train(config, tmp_path / "b")
    assert compiled._compiled_call_impl is not None
    assert plain._compiled_call_impl is None
    assert all(
        torch.allclose(one, two) for one, two in zip(compiled.parameters(), plain.parameters(), strict=True)
    )
    assert list(compiled.state_dict()) == list(plain.state_dict())


@pytest.fixture(scope="module")
def unbroken(faces, tmp_path_factory):
    """A configuration, and the weights of a run of it that nobody stopped."""
    config = tiny_run.config(faces, **{**EVERYTHING, "phases": [{"epochs": 20, "lr": 0.005}]})
    return config, train(config, tmp_path_factory.mktemp("unbroken") / "run")


@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_killed_in_the_middle_and_resumed_is_bit_exact(sent, status, unbroken, tmp_path):
    config, wanted = unbroken
    file = tmp_path / "config.toml"
    file.write_text(configs.dumps(config))
    # In a background job SIGINT comes ignored, and so it would stay.
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code += "from mien.cli import main; main(['train', sys.argv[1], '--out', sys.argv[2]])"
    run = tmp_path / "killed"
    child = subprocess.Popen([sys.executable, "-c", code, str(file), str(run)], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while time.monotonic() < end and not ((run / "history.csv").exists() and len(rows(run)) >= 3):
        time.sleep(0.02)
    os.kill(child.pid, sent)
    assert child.wait() == status
    assert 3 <= len(rows(run)) < 20
    assert same(wanted, train(config, run, resume=True))


def test_losses_of_heads_are_told_apart_and_together(tiny, tmp_path):
    train(tiny("affect", precision="32-true"), tmp_path / "run")
    for row in rows(tmp_path / "run"):
        for part in ("train_loss", "validation_loss"):
            apart = [float(row[f"{part}.{head}"]) for head in ("expression8", "valence_arousal")]
            assert float(row[part]) == pytest.approx(2 * apart[0] + 2 * apart[1])
    assert not any(name.startswith("weight.") for name in row)
    train(tiny(), tmp_path / "single")
    assert not any("loss." in name for name in rows(tmp_path / "single")[0])


def test_the_validation_loss_is_that_of_the_whole_set(tiny, tmp_path):
    network = train(tiny("affect", phases=[{"epochs": 1}]), tmp_path / "run")
    faces = Store(tiny().data.store)
    seen = faces.rows("validation")
    with torch.no_grad():
        scores = network(
            {"face": torch.from_numpy((faces.images(seen)[:, None] / 255.0 - 0.5) / 0.25).float()}
        )
    for head in TASKS["affect"]:
        wanted = head_loss(
            scores[head.name], torch.from_numpy(faces.target(head, seen)), LossContext(head)
        ).item()
        assert float(rows(tmp_path / "run")[0][f"validation_loss.{head.name}"]) == pytest.approx(
            wanted, abs=1e-5
        )


def test_learned_head_weights_go_on_from_phase_to_phase(tiny, tmp_path):
    phases = [{"epochs": 2, "lr": 0.05, "weight_decay": 0.5}, {"epochs": 1, "lr": 0.0}]
    train(tiny("affect", phases=phases, head_weights="uncertainty"), tmp_path / "run")
    history = rows(tmp_path / "run")
    weights = [
        [float(row[f"weight.{head}"]) for head in ("expression8", "valence_arousal")] for row in history
    ]
    assert weights[0] != [2.0, 2.0]
    assert weights[1] != weights[0]
    best = torch.load(tmp_path / "run/checkpoints/1/best.ckpt", weights_only=False)["state_dict"]
    assert (2 * (-best["weighting.log_variance"]).exp()).tolist() == pytest.approx(weights[2])


def test_a_head_that_no_face_of_a_split_has_is_left_out(tiny, tmp_path):
    def without(sample):
        kept = {name: target for name, target in sample.targets.items() if name != "valence_arousal"}
        return replace(sample, targets=kept) if sample.split == "train" else sample

    store.write(
        tmp_path / "a.h5", map(without, tiny_run.samples(96)), tiny_run.HEADS, store.Origin("test", "1")
    )
    config = tiny_run.config(tmp_path / "a.h5", "affect", head_weights="uncertainty", augment={"mixup": 0.4})
    train(config, tmp_path / "run")
    row = rows(tmp_path / "run")[-1]
    assert "train_loss.valence_arousal" not in row
    assert float(row["train_loss"]) == pytest.approx(2 * float(row["train_loss.expression8"]))
    assert float(row["validation_loss.valence_arousal"]) > 0
    assert float(row["weight.valence_arousal"]) == 2


def test_a_watched_head_that_no_validation_face_has_is_named(tmp_path):
    def without(sample):
        return (
            replace(sample, targets={"valence_arousal": {"valence": 0.1}})
            if sample.split == "validation"
            else sample
        )

    store.write(
        tmp_path / "a.h5", map(without, tiny_run.samples(96)), tiny_run.HEADS, store.Origin("test", "1")
    )
    with pytest.raises(
        StoreError, match=r"'validation' has no annotated expression8, whose accuracy picks the best"
    ):
        train(tiny_run.config(tmp_path / "a.h5", "affect"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    train(tiny_run.config(tmp_path / "a.h5", "affect", monitor="valence_arousal.rmse"), tmp_path / "run")


def test_class_weights_are_said_by_name(tiny, tmp_path, capsys):
    table = tiny(balance="loss", phases=[{"epochs": 1}]).to_dict()
    table["heads"] = {"expression7": {"class_weights": {"anger": 3.5}}}
    train(configs.from_dict(table, "test"), tmp_path / "run")
    said = capsys.readouterr().err
    assert said.count("class weights of expression7: angry 3.50, disgust 1.00, ") == 1
    assert "happy 1.00" in said


def test_a_finished_run_resumes_to_itself(tiny, tmp_path):
    config = tiny()
    wanted = train(config, tmp_path / "run")
    assert same(wanted, train(config, tmp_path / "run", resume=True))
    assert len(rows(tmp_path / "run")) == 2


def test_a_frozen_phase_leaves_the_encoder_as_it_was(tiny, tmp_path):
    config = tiny(phases=[{"epochs": 1, "frozen": True}])
    network = train(config, tmp_path / "run")
    torch.manual_seed(loop.mixed_seed(config.train.seed, "weights"))
    fresh = loop.models.build(config.model, config.resolved_task())
    assert same(fresh.encoders, network.encoders)
    assert not same(fresh.heads, network.heads)


def test_early_stopping_ends_a_phase_that_gains_nothing(tiny, tmp_path):
    train(tiny(phases=[{"epochs": 30, "lr": 0.0, "frozen": True, "patience": 2}]), tmp_path / "run")
    assert len(rows(tmp_path / "run")) == 3


def test_the_best_epoch_by_the_watched_metric_is_kept(tiny, tmp_path):
    config = tiny(phases=[{"epochs": 4, "lr": 0.05}], monitor="log_loss")
    train(config, tmp_path / "run")
    history = [float(row["validation_expression7_log_loss"]) for row in rows(tmp_path / "run")]
    best = torch.load(tmp_path / "run/checkpoints/1/best.ckpt", weights_only=False)
    assert best["epoch"] == history.index(min(history))


@pytest.mark.parametrize("balance", ["loss", "sampler"])
def test_balance_and_every_schedule_train(balance, tiny, tmp_path):
    schedules = ["constant", "linear", "step", "plateau"]
    phases = [
        {"epochs": 1, "schedule": name, "optimizer": opt}
        for name, opt in zip(schedules, ("sgd", "adam", "radam", "rmsprop"), strict=True)
    ]
    train(tiny(balance=balance, phases=phases), tmp_path / "run")
    assert [row["phase"] for row in rows(tmp_path / "run")] == ["1", "2", "3", "4"]


def test_bf16_and_reading_batch_by_batch(tiny, tmp_path, faces):
    config = configs.from_dict(
        {
            **tiny(precision="bf16-mixed").to_dict(),
            "data": {"store": str(faces), "memory_gb": 0.0, "limit": 40},
        },
        "test",
    )
    train(config, tmp_path / "run")
    assert rows(tmp_path / "run")[0]["step"] == "2"


def test_in_memory_or_not_the_weights_are_the_same(tiny, tmp_path, faces):
    held = tiny()
    table = held.to_dict()
    table["data"]["memory_gb"] = 0.0
    assert same(train(held, tmp_path / "a"), train(configs.from_dict(table, "test"), tmp_path / "b"))


def test_workers_do_not_change_the_order(tiny, tmp_path):
    assert same(train(tiny(), tmp_path / "a"), train(tiny(workers=1), tmp_path / "b"))


def test_a_run_is_not_overwritten_nor_resumed_with_other_settings(tiny, tmp_path):
    train(tiny(), tmp_path / "run")
    with pytest.raises(ConfigError, match="holds a run already; go on with --resume"):
        train(tiny(), tmp_path / "run")
    with pytest.raises(ConfigError, match=r"another configuration \(train.batch_size was 16, now 8\)"):
        train(tiny(batch_size=8), tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"monitor": "f2"}, ConfigError, "f2"),
        ({"head_weights": "uncertainty"}, ConfigError, "has one head"),
        ({"monitor": "age.accuracy"}, ConfigError, "age"),
        ({"phases": [{"optimizer": "sdg"}]}, ConfigError, "unknown optimizer 'sdg', did you mean 'sgd'"),
        ({"phases": [{"schedule": "cosin"}]}, ConfigError, "did you mean 'cosine'"),
        ({"phases": [{"schedule": "plateau", "warmup": 2.0}]}, ConfigError, "takes none"),
    ],
)
def test_wrong_settings_are_named_before_anything_is_written(change, error, text, tiny, tmp_path):
    with pytest.raises(error, match=text):
        train(tiny(**change), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_store_without_the_target_is_named(tiny, tmp_path):
    task = {"name": "t", "heads": [{"name": "mood", "kind": "class", "labels": ["good", "bad"]}]}
    with pytest.raises(StoreError, match=r"mood.*it has: expression8"):
        train(tiny(task), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_terminal_shows_a_bar_with_loss_metric_and_time(tiny, tmp_path, monkeypatch):
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", screen)
    train(tiny(phases=[{"epochs": 12}]), tmp_path / "run")
    shown = screen.getvalue()
    assert "phase 1/1 epoch 12/12  loss " in shown
    assert "accuracy 0." in shown
    assert "48/48" in shown
    assert "0:00:0" in shown


@pytest.mark.parametrize(
    ("views", "place", "person"),
    [(["crop", "picture"], True, True), (["crop"], False, True), (["picture"], True, False)],
    ids=["both", "crop", "picture"],
)
def test_a_model_knows_what_its_inputs_show(views, place, person, tmp_path):
    tiny_scenes.write(tmp_path / "scenes.h5")
    steady = {"brightness": 0.0, "contrast": 0.0}
    config = tiny_scenes.config(
        tmp_path / "scenes.h5",
        {"views": views, "dropout": 0.0},
        batch_size=8,
        augment=steady,
        phases=[{"epochs": 8, "lr": 0.02}],
    )
    train(config, tmp_path / "run")
    history = rows(tmp_path / "run")
    assert float(history[-1]["train_loss"]) < float(history[0]["train_loss"])
    assert (float(history[-1]["validation_tags_average_precision"]) > 0.95) == place
    assert (float(history[-1]["validation_vad_ccc"]) > 0.6) == person


def test_two_inputs_resume_to_the_same_weights(tmp_path, monkeypatch):
    tiny_scenes.write(tmp_path / "scenes.h5")
    config = tiny_scenes.config(tmp_path / "scenes.h5", **EVERYTHING)
    wanted = train(config, tmp_path / "whole")
    break_off(config, tmp_path / "broken", 7, monkeypatch)
    assert same(train(config, tmp_path / "broken", resume=True), wanted)
