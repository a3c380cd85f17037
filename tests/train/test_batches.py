"""Where the pixels of a batch come from: held as stored, held as shown, or read batch by batch."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mien import store
from mien.errors import StoreError
from mien.media.image import Preprocessing, decode
from mien.records import Box, Sample
from mien.store import Store
from mien.tasks import TASKS
from mien.train import batches
from mien.train.batches import SampleDataset
from tests import tiny_scenes

BOTH = Preprocessing(16, "rgb", (0.5,) * 3, (0.25,) * 3, 0.1, ("crop", "picture"))
TASK = TASKS["emotic"]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Store:
    """Encoded pictures of mixed sizes, a person's box in each."""
    return tiny_scenes.write(tmp_path_factory.mktemp("scenes") / "scenes.h5")


def face_set(scenes, pre=BOTH, memory_gb=8.0):
    return SampleDataset(scenes, scenes.rows("train"), TASK, pre, memory_gb)


def test_each_sample_is_shown_its_box_and_its_picture(scenes):
    shown = face_set(scenes)[[5, 0]]["pixels"]
    assert shown.dtype == torch.uint8
    given = [sample for sample in tiny_scenes.samples(80) if sample.split == "train"]
    wanted = BOTH.fit(
        [decode(given[k].inputs["image"].data, "") for k in (5, 0)], [given[k].inputs["image"].region for k in (5, 0)]
    )
    assert np.array_equal(shown.permute(0, 2, 3, 1), wanted)
    assert not torch.equal(shown[:, :3], shown[:, 3:])


@pytest.mark.parametrize("pre", [BOTH, replace(BOTH, views=("crop",)), replace(BOTH, views=("picture",), margin=0.0)])
def test_held_and_read_faces_are_the_same(pre, scenes, monkeypatch):
    monkeypatch.setattr(batches, "_BLOCK", 7)
    held, read = face_set(scenes, pre), face_set(scenes, pre, memory_gb=0.0)
    assert held.fitted is not None
    assert read.fitted is read.raw is None
    picks = [3, 40, 3, 17]
    one, other = held[picks], read[picks]
    assert one["pixels"].shape == (4, pre.channels, 16, 16)
    assert torch.equal(one["pixels"], other["pixels"])
    assert all(torch.equal(one["targets"][name], other["targets"][name]) for name in ("tags",))


def test_held_pictures_are_decoded_once(scenes, monkeypatch):
    held = face_set(scenes)
    monkeypatch.setattr(Store, "images", None)
    assert len(held[list(range(48))]["pixels"]) == len(held) == 48


def test_the_smaller_form_is_held(tmp_path):
    draw = np.random.default_rng(0)
    faces = [draw.integers(0, 256, (20, 20), np.uint8) for _ in range(6)]
    path = tmp_path / "faces.h5"
    given = [
        Sample.of_image(face, {"tags": ["Fear"]}, "train", str(k), Box(k, 2, 9, 9)) for k, face in enumerate(faces)
    ]
    store.write(path, given, TASK.heads, store.Origin("test", "1"))
    for size, raw in ((16, False), (20, False), (24, True)):
        pre = Preprocessing(size, "grey", (0.5,), (0.25,))
        held = face_set(Store(path), pre)
        assert (held.raw is not None, held.fitted is not None) == (raw, not raw)
        wanted = pre.fit(faces, [sample.inputs["image"].region for sample in given])
        assert np.array_equal(held[list(range(6))]["pixels"][:, 0], wanted)


def test_what_does_not_fit_is_not_held(scenes):
    need = len(scenes.rows("train")) * 16 * 16 * 6 / 1e9
    assert face_set(scenes, memory_gb=need * 1.01).fitted is not None
    assert face_set(scenes, memory_gb=need * 0.99).fitted is None


def test_a_damaged_picture_is_named_while_they_are_made(tmp_path):
    path = tmp_path / "scenes.h5"
    scenes = tiny_scenes.write(path)
    whole = Path(path).read_bytes()
    blob = scenes.encoded(np.array([7]))[0]
    path.write_bytes(whole.replace(blob, bytes(len(blob))))
    with pytest.raises(StoreError, match="row 7 is damaged"):
        face_set(Store(path))


CPU = torch.device("cpu")


@pytest.mark.parametrize("pre", [BOTH, replace(BOTH, size=80, views=("crop",))], ids=["fitted", "raw"])
def test_faces_on_a_device_make_the_same_batches(pre, scenes, tmp_path):
    if pre.size > 16:  # as stored they are smaller than as shown
        draw = np.random.default_rng(0)
        given = [
            Sample.of_image(draw.integers(0, 256, (20, 20), np.uint8), {"tags": ["Fear"]}, "train", str(k))
            for k in range(9)
        ]
        store.write(tmp_path / "a.h5", given, TASK.heads, store.Origin("test", "1"))
        scenes = Store(tmp_path / "a.h5")
    here, there = face_set(scenes, pre), face_set(scenes, pre)
    assert (here.raw is not None) == (pre.size > 16)
    there.cache_on(CPU, 10**9)
    assert there.device == CPU
    assert there.raw is None
    one, other = here[[3, 0, 8]], there[[3, 0, 8]]
    assert torch.equal(one["pixels"], other["pixels"])
    assert one["pixels"].stride() == other["pixels"].stride()
    assert torch.equal(one["targets"]["tags"], other["targets"]["tags"])


def test_what_is_too_large_for_a_device_or_for_memory_is_not_put_there(scenes):
    held, read = face_set(scenes), face_set(scenes, memory_gb=0.0)
    held.cache_on(CPU, 2 * 48 * 16 * 16 * 6 - 1)
    read.cache_on(CPU, 10**9)
    assert held.device is read.device is None
    held.cache_on(CPU, 2 * 48 * 16 * 16 * 6)
    assert held.device == CPU


def test_faces_move_to_the_gpu_that_trains(scenes, monkeypatch):
    config = tiny_scenes.config(scenes.path, {"size": 16}, workers=1)
    faces = batches.DataModule(config, TASK, BOTH)
    moved = []
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10**9, 2 * 10**9))
    monkeypatch.setattr(SampleDataset, "cache_on", lambda faces, device, free: moved.append((len(faces), device, free)))
    for kind in ("cpu", "cuda"):
        device = torch.device(kind)
        faces.trainer = SimpleNamespace(strategy=SimpleNamespace(root_device=device), global_step=0)
        faces.setup("fit")
    assert moved == [(48, device, 10**9), (len(faces.validation), device, 10**9)]
    assert faces.train_dataloader().num_workers == 1
    faces.training.device = device
    assert faces.train_dataloader().num_workers == 0
