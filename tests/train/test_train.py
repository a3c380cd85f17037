import csv
import io
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from mien import config as configs
from mien.errors import ConfigError, ModelError, StoreError
from mien.tasks import TASKS
from mien.train import callbacks, loop, train

EVERYTHING = {
    "ema": 0.9,
    "clip": 1.0,
    "label_smoothing": 0.1,
    "augment": {"mixup": 0.4, "cutmix": 0.4, "erasing": 0.5},
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
        name == other_name and torch.equal(value, other_value) for (name, value), (other_name, other_value) in pairs
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
    train(tiny(phases=[{"epochs": 6, "lr": 0.02}], augment={"brightness": 0.0, "contrast": 0.0}), tmp_path / "run")
    assert float(rows(tmp_path / "run")[-1]["validation_expression7_accuracy"]) > 0.9


def test_same_seed_same_weights_other_seed_other_weights(tiny, tmp_path):
    networks = [train(tiny(**EVERYTHING, seed=seed), tmp_path / f"run{k}") for k, seed in enumerate((1, 1, 2))]
    assert same(networks[0], networks[1])
    assert not same(networks[0], networks[2])


@pytest.mark.parametrize("stop", [2, 7, 14])
def test_a_run_that_broke_off_ends_with_the_same_weights(stop, tiny, tmp_path, monkeypatch):
    config = tiny(**EVERYTHING)
    wanted = train(config, tmp_path / "whole")
    left = [stop]
    seed = callbacks.StepSeeds.on_train_batch_start

    def breaking(self, trainer, *rest):
        left[0] -= 1
        if left[0] == 0:
            raise RuntimeError("power cut")
        seed(self, trainer, *rest)

    monkeypatch.setattr(callbacks.StepSeeds, "on_train_batch_start", breaking)
    with pytest.raises(RuntimeError, match="power cut"):
        train(config, tmp_path / "broken")
    torch.manual_seed(999)
    assert same(wanted, train(config, tmp_path / "broken", resume=True))
    timeless = [
        [{key: value for key, value in row.items() if "second" not in key} for row in rows(tmp_path / name)]
        for name in ("whole", "broken")
    ]
    assert timeless[0] == timeless[1]


@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_killed_in_the_middle_and_resumed_is_bit_exact(sent, status, tiny, tmp_path):
    config = tiny(**{**EVERYTHING, "phases": [{"epochs": 40, "lr": 0.005}]})
    wanted = train(config, tmp_path / "whole")
    file = tmp_path / "config.toml"
    file.write_text(configs.dumps(config))
    code = "import sys; from mien.cli import main; main(['train', sys.argv[1], '--out', sys.argv[2]])"
    run = tmp_path / "killed"
    child = subprocess.Popen([sys.executable, "-c", code, str(file), str(run)], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while time.monotonic() < end and not ((run / "history.csv").exists() and len(rows(run)) >= 3):
        time.sleep(0.02)
    os.kill(child.pid, sent)
    assert child.wait() == status
    assert 3 <= len(rows(run)) < 40
    assert same(wanted, train(config, run, resume=True))


def test_a_finished_run_resumes_to_itself(tiny, tmp_path):
    config = tiny()
    wanted = train(config, tmp_path / "run")
    assert same(wanted, train(config, tmp_path / "run", resume=True))
    assert len(rows(tmp_path / "run")) == 2


def test_a_frozen_phase_leaves_the_backbone_as_it_was(tiny, tmp_path):
    config = tiny(phases=[{"epochs": 1, "frozen": True}])
    network = train(config, tmp_path / "run")
    torch.manual_seed(loop.mixed_seed(config.train.seed, "weights"))
    fresh = loop.models.build(config.model, config.resolved_task())
    assert same(fresh.backbone, network.backbone)
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
        {**tiny(precision="bf16-mixed").to_dict(), "data": {"store": str(faces), "memory_gb": 0.0, "limit": 40}}, "test"
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


def test_a_broken_checkpoint_is_named(tiny, tmp_path):
    train(tiny(), tmp_path / "run")
    (tmp_path / "run/checkpoints/1/best.ckpt").write_bytes(b"half")
    with pytest.raises(ModelError, match=r"best\.ckpt: not a whole checkpoint"):
        train(tiny(), tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"monitor": "f2"}, ConfigError, "f2"),
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
