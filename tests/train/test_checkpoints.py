import random
import shutil
import zipfile
from pathlib import Path

import pytest
import torch

from mien import config as configs
from mien.errors import ModelError
from mien.train import checkpoints, train
from tests import tiny_run
from tests.cli.test_hostile_outputs import full_disk

WHOSE = {"config": "a", "phase": 1}
PHASES = [{"epochs": 1, "frozen": True, "lr": 0.01}, {"epochs": 4, "lr": 0.005}]


@pytest.fixture(scope="module")
def finished(faces, tmp_path_factory):
    """A configuration, the folder of a run of it that nobody disturbed, and its weights."""
    config = tiny_run.config(faces, ema=0.9, phases=PHASES, augment={"mixup": 0.4})
    run = tmp_path_factory.mktemp("finished") / "run"
    return config, run, train(config, run).state_dict()


@pytest.fixture
def run(finished, tmp_path):
    """A copy of it, as it was when its last epoch had just been saved."""
    shutil.copytree(finished[1], tmp_path / "run")
    (tmp_path / "run/checkpoints/2/best.ckpt").unlink()
    return tmp_path / "run"


def resumed(finished, run):
    """Whether the run goes on to the very same weights and history."""
    torch.manual_seed(999)
    weights = train(finished[0], run, resume=True).state_dict()
    same = all(torch.equal(value, weights[name]) for name, value in finished[2].items())
    return same and timeless(run) == timeless(finished[1])


def timeless(run):
    fingerprint = checkpoints.fingerprint(configs.load(run / "config.toml"), 2)
    rows = checkpoints.read(run / "checkpoints/2/best.ckpt", fingerprint)["rows"]
    return [{key: value for key, value in row.items() if "second" not in key} for row in rows]


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)


def of_another(path):
    held = torch.load(path, weights_only=True)
    held["mien"] = {**held["mien"], "config": "0" * 64}
    torch.save(held, path)


def of_phase_one(path):
    held = torch.load(path, weights_only=True)
    held["mien"] = {**held["mien"], "phase": 1}
    torch.save(held, path)


def weights_flipped(path):
    """Change a bit in the middle of the largest part, as a failing disk might."""
    with zipfile.ZipFile(path) as file:
        part = max(file.infolist(), key=lambda info: info.file_size)
    flip(path, part.header_offset + 200 + part.file_size // 2)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut, "last.ckpt: damaged or cut short (File is not a zip file)"),
        (weights_flipped, "differs from its CRC-32)"),
        (of_another, "last.ckpt: of another configuration"),
        (of_phase_one, "last.ckpt: of phase 1, not 2"),
    ],
)
def test_one_that_cannot_be_used_is_refused_by_name_and_the_one_before_it_used(
    damage, said, finished, run, capsys
):
    damage(run / "checkpoints/2/last.ckpt")
    assert resumed(finished, run)
    lines = [line for line in capsys.readouterr().err.splitlines() if "ckpt" in line]
    assert len(lines) == 1
    assert str(run / "checkpoints/2/last.ckpt") in lines[0]
    assert said in lines[0]
    assert lines[0].endswith("; previous.ckpt, of epoch 3, is used")
    assert (run / "checkpoints/2/last.ckpt.refused").exists()


def test_where_none_can_be_used_the_phase_starts_again_and_says_so(finished, run, capsys):
    cut(run / "checkpoints/2/last.ckpt")
    of_another(run / "checkpoints/2/previous.ckpt")
    assert resumed(finished, run)
    said = capsys.readouterr().err
    assert said.count("; phase 2 starts again\n") == 2
    assert "phase 2/2 epoch 1/4" in said
    assert "phase 1/2" not in said


def test_a_kill_between_two_renames_leaves_the_one_before(finished, run, capsys):
    (run / "checkpoints/2/last.ckpt").unlink()
    assert resumed(finished, run)
    said = capsys.readouterr().err
    assert "ckpt" not in said
    assert said.count("epoch") == 1


@pytest.mark.parametrize("damage", [cut, weights_flipped, of_another])
def test_a_damaged_best_one_is_made_again_from_the_last(damage, finished, tmp_path, capsys):
    run = shutil.copytree(finished[1], tmp_path / "run")
    damage(run / "checkpoints/2/best.ckpt")
    assert resumed(finished, run)
    said = capsys.readouterr().err
    assert said.startswith(f"{run}/checkpoints/2/best.ckpt: ")
    assert said.endswith("; made again from what else is left\n")
    assert "epoch" not in said
    assert resumed(finished, run)
    assert capsys.readouterr().err == ""


def test_with_nothing_but_damaged_ones_training_starts_again(finished, tmp_path, capsys):
    run = shutil.copytree(finished[1], tmp_path / "run")
    for path in run.glob("checkpoints/*/*.ckpt"):
        cut(path)
    assert resumed(finished, run)
    said = capsys.readouterr().err
    assert said.count("phase 1 starts again") == 1  # it has had one epoch only
    assert said.count("phase 2 starts again") == 2


def test_a_phase_that_ended_early_has_ended(faces, tmp_path, capsys):
    config = tiny_run.config(faces, phases=[{"epochs": 30, "lr": 0.0, "frozen": True, "patience": 2}])
    run = tmp_path / "run"
    train(config, run)
    (run / "checkpoints/1/best.ckpt").unlink()
    capsys.readouterr()
    train(config, run, resume=True)
    assert "epoch" not in capsys.readouterr().err
    fingerprint = checkpoints.fingerprint(config, 1)
    assert len(checkpoints.read(run / "checkpoints/1/best.ckpt", fingerprint)["rows"]) == 3


def saved(path, **more):
    draw = torch.Generator().manual_seed(0)
    held = {
        "state_dict": {f"layer{n}": torch.randn(50, generator=draw) for n in range(6)},
        "epoch": 3,
        **more,
    }
    checkpoints.write(path, held, WHOSE)
    return held


def test_no_flipped_bit_goes_unseen(tmp_path):
    """Wherever a bit flips, the checkpoint is refused, or what is read is what was written."""
    path = tmp_path / "last.ckpt"
    held = saved(path)["state_dict"]
    whole, draw, refused = path.read_bytes(), random.Random(0), []
    for _ in range(250):
        place = draw.randrange(len(whole))
        path.write_bytes(whole)
        flip(path, place)
        try:
            found = checkpoints.read(path, WHOSE)["state_dict"]
        except ModelError as fault:
            refused.append(str(fault))
        else:
            assert all(torch.equal(value, found[name]) for name, value in held.items()), place
    assert len(refused) > 100
    assert all(f"{path}: " in line and "\n" not in line for line in refused)


def test_no_cut_goes_unseen(tmp_path):
    path = tmp_path / "last.ckpt"
    saved(path)
    whole = path.read_bytes()
    for size in (0, 1, *range(100, len(whole), 500), len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelError, match="damaged or cut short"):
            checkpoints.read(path, WHOSE)


def test_a_full_disk_leaves_the_checkpoint_that_was_there(tmp_path):
    path = tmp_path / "last.ckpt"
    saved(path)
    before = path.read_bytes()
    with full_disk(3000), pytest.raises(OSError, match="File too large") as fault:
        saved(path)
    assert fault.value.filename == str(path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["last.ckpt"]


def test_an_undefined_metric_is_worse_than_any_other():
    class Trainer:
        def save_checkpoint(self, path):
            assert path == Path("folder/last.ckpt")

    trainer, best = Trainer(), checkpoints.BestCheckpoint(Path("folder"), "rmse", False)
    for epoch, value in enumerate([float("nan"), float("nan"), 3.0, float("nan"), 2.0, 2.0, 4.0]):
        trainer.current_epoch, trainer.callback_metrics = epoch, {"rmse": value}
        best.on_train_epoch_end(trainer)
        assert best.is_best == (epoch in (0, 2, 4))
    assert best.epoch == 4
