"""Two processes that train together do what one does, but for batch norm on CPUs and dropout.

They are started once by torchrun (`together.py`) and compared here.
"""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import coverage
import pytest
import safetensors.torch
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

from mien import machine, workflow
from mien.errors import ConfigError
from mien.models.compact import Compact
from mien.train import callbacks, distributed, global_batch, train
from mien.train.augment import Augmentation
from tests import tiny_run
from tests.train import together

#: Largest difference of any weight, and of any figure in the history, that rounding may make over these 12
#: steps.
NOISE = 2e-5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What one process trained, and two, and who went on with whose run."""
    folder = tmp_path_factory.mktemp("together")
    tiny_run.write(folder / "faces.h5")
    config = together.config(folder / "faces.h5")
    network = train(config, folder / "one")
    together.save(network, folder / "one.safetensors")
    norms = train(together.config(folder / "faces.h5", together.NORMS), folder / "norms-one")
    together.save(norms, folder / "norms-one.safetensors")
    with pytest.raises(together.HaltError):
        train(config, folder / "one-two", on_epoch=together.halt(3))
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    measured = coverage.Coverage.current()
    where = {"MIEN_COVERAGE": measured.config.data_file} if measured is not None else {}
    ended = subprocess.run(
        [*launch, "-m", "tests.train.together", str(folder)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **where},
        stderr=subprocess.PIPE,
        text=True,
        timeout=400,
        check=False,
    )
    assert (folder / "seen1.json").exists(), ended.stderr
    (folder / "status").write_text(str(ended.returncode))
    return folder


@pytest.fixture(scope="module")
def seen(folder):
    """What each of the two processes saw."""
    return [json.loads((folder / f"seen{rank}.json").read_text()) for rank in range(2)]


def history(run):
    with (run / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [[float(value or "nan") for key, value in row.items() if "second" not in key] for row in rows]


def test_weights_and_history_are_those_of_one_process(folder):
    one, two = (safetensors.torch.load_file(folder / f"{name}.safetensors") for name in ("one", "two"))
    for name, value in one.items():
        torch.testing.assert_close(
            two[name], value, rtol=0, atol=NOISE, msg=lambda text, name=name: f"{name}: {text}"
        )
    assert len(history(folder / "two")) == 4
    torch.testing.assert_close(
        torch.tensor(history(folder / "two")),
        torch.tensor(history(folder / "one")),
        rtol=0,
        atol=NOISE,
        equal_nan=True,
    )


def test_each_face_is_seen_once_an_epoch_by_one_of_the_two(seen):
    assert [len(side["orders"]) for side in seen] == [4, 4]
    for epoch in range(4):
        batches = [one + other for one, other in zip(*(side["orders"][epoch] for side in seen), strict=True)]
        assert [len(batch) for batch in batches] == [16] * 3
        given = [position for batch in batches for position in batch]
        assert len(set(given)) == len(given) == 48
    assert seen[0]["orders"][1] != seen[0]["orders"][2]


def test_a_run_goes_on_with_another_number_of_processes(folder, seen):
    assert seen[0]["resumed"] == pytest.approx(seen[0]["whole"], abs=1e-3)
    assert seen[0]["halted"][0] == seen[1]["halted"][0] == "HaltError"
    network = train(together.config(folder / "faces.h5"), folder / "two-one", resume=True)
    wanted = safetensors.torch.load_file(folder / "two.safetensors")
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, wanted[name], rtol=0, atol=NOISE)
    for name in ("one-two", "two-one"):
        torch.testing.assert_close(
            torch.tensor(history(folder / name)),
            torch.tensor(history(folder / "one")),
            rtol=0,
            atol=NOISE,
            equal_nan=True,
        )


def test_both_processes_end_with_the_same_weights_bit_for_bit(seen):
    assert seen[0]["whole"] == seen[1]["whole"]
    assert seen[0]["resumed"] == seen[1]["resumed"]
    assert seen[0]["norms"] == seen[1]["norms"]
    assert seen[0]["dropout"] == seen[1]["dropout"]


def test_batch_norms_on_a_processor_see_the_part_of_each_process(folder):
    """Torch's SyncBatchNorm needs GPUs: with parts of 8 samples the network comes near to that of one
    process, no more."""
    one, two = (safetensors.torch.load_file(folder / f"norms-{name}.safetensors") for name in ("one", "two"))
    changed = torch.cat(
        [(two[name] - value).flatten() for name, value in one.items() if value.is_floating_point()]
    )
    whole = torch.cat([value.flatten() for value in one.values() if value.is_floating_point()])
    assert NOISE < changed.norm() / whole.norm() < 0.3
    histories = [history(folder / f"norms-{name}") for name in ("one", "two")]
    assert len(histories[0]) == len(histories[1]) == 4


@pytest.mark.parametrize(
    ("what", "kind", "text"),
    [
        ("again", "ConfigError", "holds a run already"),
        (
            "uneven",
            "ConfigError",
            "train.batch_size = 15: the batch of all 2 processes together must be a multiple of 2",
        ),
        ("compiled", "ConfigError", "train.compile = true: not with several processes (2 were started)"),
        ("absent", "SystemExit", "absent.toml: no such file"),
    ],
)
def test_a_fault_before_training_is_told_once(what, kind, text, folder, seen):
    fault, told, said = seen[0][what]
    assert fault == kind
    assert text in told + said
    assert (told if kind == "ConfigError" else said).count("\n") == (kind == "SystemExit")
    assert seen[1][what] == ["SystemExit", "1", ""]
    assert not (folder / "uneven").exists()


def test_a_process_that_dies_ends_the_others(folder):
    assert (folder / "status").read_text() == "1"
    assert not (folder / "dead/model.onnx").exists()


@pytest.fixture
def alone(tmp_path):
    """A group of this process alone, so that what belongs to groups can be held against torch's own."""
    dist.init_process_group("gloo", store=dist.FileStore(str(tmp_path / "group"), 1), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_statistics_of_batch_norms_become_the_mean_over_processes(monkeypatch):
    network = nn.Sequential(
        nn.BatchNorm1d(3), nn.BatchNorm1d(3).eval(), nn.BatchNorm1d(3, track_running_stats=False)
    )
    network(torch.randn(8, 3))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    global_batch.average_statistics(network)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    monkeypatch.setattr(distributed, "world_size", lambda: 2)
    monkeypatch.setattr(global_batch, "all_reduce_mean", lambda tensors: [tensor + 1 for tensor in tensors])
    global_batch.average_statistics(network)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name] + (name in ("0.running_mean", "0.running_var")))


def test_batch_norms_are_synchronised_on_gpus_alone(monkeypatch):
    pixels = torch.rand(4, 1, 24, 24)
    network = Compact(1, widths=(4, 6)).eval()
    wanted, names = network(pixels), set(network.state_dict())
    monkeypatch.setattr(distributed, "world_size", lambda: 2)
    global_batch.synchronise_norms(network)
    assert not any(isinstance(module, nn.SyncBatchNorm) for module in network.modules())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    global_batch.synchronise_norms(network)
    assert sum(isinstance(module, nn.SyncBatchNorm) for module in network.modules()) == 4
    assert not any(type(module) is nn.BatchNorm2d for module in network.modules())
    assert set(network.state_dict()) == names
    assert torch.equal(network(pixels), wanted)


def test_each_process_drops_by_itself_and_all_draw_alike_afterwards(monkeypatch):
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    with global_batch.rank_draws():
        assert torch.equal(torch.rand(2), wanted)
    monkeypatch.setattr(distributed, "world_size", lambda: 2)
    inside, after = [], []
    for rank in range(2):
        monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
        torch.manual_seed(3)
        with global_batch.rank_draws():
            inside.append(F.dropout(torch.ones(100)))
        after.append(torch.rand(4))
    assert not torch.equal(*inside)
    assert torch.equal(*after)


def test_gathered_rows_carry_their_gradient(alone):
    rows = torch.randn(3, 2, requires_grad=True)
    there = global_batch._Gather.apply(rows)
    assert torch.equal(there, rows[None])
    (there * torch.arange(6.0).view(1, 3, 2)).sum().backward()
    assert torch.equal(rows.grad, torch.arange(6.0).view(3, 2))


@pytest.mark.parametrize("number", range(3))
def test_parts_are_all_and_nearly_equal(number, monkeypatch):
    monkeypatch.setattr(distributed, "world_size", lambda: 3)
    sizes = []
    for size in (3, 7, 8, 9, 0):
        parts = []
        for rank in range(3):
            monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
            parts.append(list(range(size))[global_batch.rank_slice(size)])
        assert [place for part in parts for place in part] == list(range(size))
        sizes.append(max(map(len, parts)) - min(map(len, parts)))
    assert sizes == [0, 1, 1, 0, 0]


def test_a_face_is_changed_alike_whatever_the_number_of_processes(monkeypatch, tiny):
    augment = Augmentation(tiny(augment={"erasing": 0.5, "flip": 0.5}).train.augment, {"face": "image"})
    pixels = torch.rand(8, 1, 24, 24)
    torch.manual_seed(5)
    wanted = augment({"face": pixels}, {}, {})[0]["face"]
    monkeypatch.setattr(distributed, "world_size", lambda: 4)
    for rank in range(4):
        monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
        mine = global_batch.rank_slice(8)
        torch.manual_seed(5)
        assert torch.equal(augment({"face": pixels[mine]}, {}, {})[0]["face"], wanted[mine])


SLURM = {
    "SLURM_STEP_NUM_TASKS": "8",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_TASKS_PER_NODE": "4(x2)",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1",
    "SLURM_STEP_NODELIST": "gpu[07-08]",
    "SLURM_JOB_ID": "1234567",
}


def test_what_srun_says_becomes_what_torchrun_would_say():
    assert distributed.from_slurm(SLURM) == {
        "RANK": "5",
        "LOCAL_RANK": "1",
        "GROUP_RANK": "1",
        "WORLD_SIZE": "8",
        "LOCAL_WORLD_SIZE": "4",
        "MASTER_ADDR": "gpu07",
        "MASTER_PORT": "19567",
    }
    assert distributed.from_slurm({**SLURM, "MASTER_PORT": "777"})["MASTER_PORT"] == "777"
    with pytest.raises(ConfigError, match=r"srun started 5,3 tasks a node, every node must have as many"):
        distributed.from_slurm({**SLURM, "SLURM_STEP_TASKS_PER_NODE": "5,3"})


def test_who_was_started_with_others_and_who_speaks(monkeypatch):
    for name in ("WORLD_SIZE", "RANK", *SLURM):
        monkeypatch.delenv(name, raising=False)
    assert (machine.launched(), machine.is_main()) == (False, True)
    monkeypatch.setenv("SLURM_NTASKS", "4")  # a batch script itself is one process
    assert not machine.launched()
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    assert (machine.launched(), machine.is_main()) == (True, False)
    monkeypatch.setenv("RANK", "0")
    assert machine.is_main()


def test_more_processes_than_gpus_are_refused(monkeypatch):
    for name, value in {"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "4", "RANK": "1", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ConfigError, match="4 processes on this machine, which shows them 2 GPUs"):
        distributed.join()


def test_processes_share_the_cores_of_a_machine(monkeypatch):
    monkeypatch.setattr(distributed, "usable_cores", lambda: 8)
    assert distributed.cores_per_process() == 8
    monkeypatch.setattr(distributed, "world_size", lambda: 6)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    assert distributed.cores_per_process() == 2
    options = distributed.trainer_options()
    assert (options["devices"], options["num_nodes"], options["accelerator"]) == (3, 2, "cpu")


def test_each_process_leaves_at_sigterm():
    before = signal.getsignal(signal.SIGTERM)
    callbacks.SigtermExit().on_train_start()
    try:
        with pytest.raises(KeyboardInterrupt) as stop:
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert stop.value.args == (signal.SIGTERM,)


def test_only_the_first_exports_and_reports(monkeypatch, tiny, tmp_path):
    monkeypatch.setattr("mien.train.train", lambda *_: None)
    monkeypatch.setattr(machine, "is_main", lambda: False)
    assert workflow.train_model(tiny(), tmp_path / "run") == {}
    assert not (tmp_path / "run").exists()
