"""Where the pixels of a batch come from: held as stored, held as shown, or read batch by batch."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mien import store
from mien.errors import StoreError
from mien.inputs import Input
from mien.media import InputSet
from mien.media.image import decode
from mien.media.image_transform import ImageTransform
from mien.records import Box, Item, Items, Sample
from mien.store import Store
from mien.store.stored_input import StoredInput
from mien.tasks import TASKS
from mien.train import batches, dataset
from mien.train.dataset import SampleDataset
from tests import tiny_scenes, toy_modality


def seen_as(transform, **regions):
    """Inputs of one picture by name."""
    inputs = tuple(Input(name, region=region) for name, region in regions.items())
    return InputSet(inputs, dict.fromkeys(regions, transform))


COLOUR = ImageTransform(16, "rgb", margin=0.1)
BOTH = seen_as(COLOUR, face="region", scene="whole")
TASK = TASKS["emotic"]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Store:
    """Encoded pictures of mixed sizes, a person's box in each."""
    return tiny_scenes.write(tmp_path_factory.mktemp("scenes") / "scenes.h5")


def face_set(scenes, inputs=BOTH, memory_gb=8.0):
    return SampleDataset(scenes, scenes.rows("train"), TASK, inputs, memory_gb)


def raw(faces):
    """Whether items are held as they are in the store."""
    return any(column.data is not None for column in faces.columns.values())


def equal(one, other):
    """Whether two batches are the same, and laid out alike."""
    assert list(one) == list(other) == ["inputs", "present", "targets"]
    return all(
        list(one[part]) == list(other[part])
        and all(
            torch.equal(values, other[part][name]) and values.stride() == other[part][name].stride()
            for name, values in one[part].items()
        )
        for part in ("inputs", "present")
    ) and torch.equal(one["targets"]["tags"], other["targets"]["tags"])


def test_each_sample_is_shown_its_box_and_its_picture(scenes):
    batch = face_set(scenes)[[5, 0]]
    shown = batch["inputs"]
    assert [values.dtype for values in shown.values()] == [torch.uint8] * 2
    given = [sample.inputs["image"] for sample in tiny_scenes.samples(80) if sample.split == "train"]
    items = Items([decode(given[k].data, "") for k in (5, 0)], [given[k].region for k in (5, 0)])
    wanted, _ = BOTH.fit({"image": items})
    assert list(shown) == list(wanted) == ["face", "scene"]
    assert all(np.array_equal(shown[name].permute(0, 2, 3, 1), wanted[name]) for name in wanted)
    assert not torch.equal(shown["face"], shown["scene"])
    assert {name: there.tolist() for name, there in batch["present"].items()} == {
        "face": [True, True],
        "scene": [True, True],
    }


@pytest.mark.parametrize(
    "inputs",
    [BOTH, seen_as(COLOUR, face="region"), seen_as(replace(COLOUR, margin=0.0), scene="whole")],
    ids=["both", "face", "scene"],
)
def test_held_and_read_faces_are_the_same(inputs, scenes, monkeypatch):
    monkeypatch.setattr(dataset, "_BLOCK", 7)
    held, read = face_set(scenes, inputs), face_set(scenes, inputs, memory_gb=0.0)
    assert list(held.fitted) == list(inputs.transforms)
    assert not read.fitted
    assert not raw(read)
    picks = [3, 40, 3, 17]
    one, other = held[picks], read[picks]
    assert {values.shape for values in one["inputs"].values()} == {(4, 3, 16, 16)}
    assert equal(one, other)


def test_held_pictures_are_decoded_once(scenes, monkeypatch):
    held = face_set(scenes)
    monkeypatch.setattr(StoredInput, "data", None)
    assert len(held[list(range(48))]["inputs"]["face"]) == len(held) == 48


def small_faces(path, count=6):
    """A store of faces of 20x20, and those faces."""
    draw = np.random.default_rng(0)
    faces = [draw.integers(0, 256, (20, 20), np.uint8) for _ in range(count)]
    given = [
        Sample.of_image(face, {"tags": ["Fear"]}, "train", str(k), Box(k, 2, 9, 9))
        for k, face in enumerate(faces)
    ]
    store.write(path, given, TASK.heads, store.Origin("test", "1"))
    return Store(path), Items(faces, [sample.inputs["image"].region for sample in given])


@pytest.mark.parametrize("shards", [False, True])
def test_the_smaller_form_is_held(shards, tmp_path):
    faces, items = small_faces(tmp_path / "faces.h5")
    if shards:
        faces = store.write_shards(tmp_path / "split" / "faces.h5", faces, 2)
    for size, stored in ((16, False), (20, False), (24, True)):
        transform = ImageTransform(size)
        held = face_set(faces, seen_as(transform, face="region"))
        assert (raw(held), bool(held.fitted)) == (stored, not stored)
        shown = held[list(range(6))]["inputs"]["face"]
        assert np.array_equal(shown.permute(0, 2, 3, 1), transform.fit(items))


@pytest.mark.parametrize(("length", "fitted"), [(20, True), (30, False)])
@pytest.mark.usefixtures("numbers")
def test_memory_is_counted_in_bytes(length, fitted, tmp_path):
    stored = toy_modality.write(tmp_path / "numbers.h5", 16)
    assert stored.input("numbers").item_bytes == 4 * 24
    made = Input("numbers", "numbers", "numbers", encoder="linear", transform={"length": length})
    inputs = InputSet((made,), {"numbers": toy_modality.NumbersTransform(length)})
    size = 16 * 4 * min(length, 24)

    def data(memory):
        return SampleDataset(stored, stored.rows(), toy_modality.TASK, inputs, memory / 1e9)

    assert bool(data(size).fitted) is fitted
    assert (data(size).columns["numbers"].data is None) is fitted
    assert not data(size - 1).is_held


def test_what_does_not_fit_is_not_held(scenes):
    need = len(scenes.rows("train")) * 16 * 16 * 6 / 1e9
    assert face_set(scenes, memory_gb=need * 1.01).fitted
    assert not face_set(scenes, memory_gb=need * 0.99).fitted


@pytest.mark.parametrize("memory_gb", [8.0, 0.0])
def test_what_is_missing_is_zeros_and_is_told(memory_gb, tmp_path):
    draw = np.random.default_rng(0)
    pictures = [draw.integers(0, 256, (20, 20), np.uint8) for _ in range(6)]
    samples = [
        Sample(
            {"image": Item(face)} | ({"place": Item(face[::-1])} if k % 2 else {}),
            {"tags": ["Fear"]},
            "train",
            str(k),
        )
        for k, face in enumerate(pictures)
    ]
    modalities = {"place": "image"}
    store.write(tmp_path / "a.h5", samples, TASK.heads, store.Origin("test", "1"), modalities)
    transform = ImageTransform(16)
    inputs = InputSet((Input("face"), Input("scene", of="place")), {"face": transform, "scene": transform})
    batch = face_set(Store(tmp_path / "a.h5"), inputs, memory_gb)[[0, 1, 2]]
    assert {name: there.tolist() for name, there in batch["present"].items()} == {
        "face": [True] * 3,
        "scene": [False, True, False],
    }
    scene = batch["inputs"]["scene"]
    assert not scene[[0, 2]].any()
    assert np.array_equal(scene[1, 0], transform.fit(Items([pictures[1][::-1]]))[0, ..., 0])


def test_a_damaged_picture_is_named_while_they_are_made(tmp_path):
    path = tmp_path / "scenes.h5"
    scenes = tiny_scenes.write(path)
    whole = Path(path).read_bytes()
    blob = scenes.encoded(np.array([7]))[0]
    path.write_bytes(whole.replace(blob, bytes(len(blob))))
    with pytest.raises(StoreError, match="row 7 is damaged"):
        face_set(Store(path))


CPU = torch.device("cpu")


@pytest.mark.parametrize("stored", [False, True], ids=["fitted", "raw"])
def test_faces_on_a_device_make_the_same_batches(stored, scenes, tmp_path):
    inputs = BOTH
    if stored:  # as stored they are smaller than as shown
        scenes, _ = small_faces(tmp_path / "a.h5", 9)
        inputs = seen_as(replace(COLOUR, size=80), face="region")
    here, there = face_set(scenes, inputs), face_set(scenes, inputs)
    assert raw(here) == stored
    there.cache_on(CPU, 10**9)
    assert there.device == CPU
    assert not raw(there)
    assert equal(here[[3, 0, 8]], there[[3, 0, 8]])


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
    monkeypatch.setattr(
        SampleDataset, "cache_on", lambda faces, device, free: moved.append((len(faces), device, free))
    )
    for kind in ("cpu", "cuda"):
        device = torch.device(kind)
        faces.trainer = SimpleNamespace(strategy=SimpleNamespace(root_device=device), global_step=0)
        faces.setup("fit")
    assert moved == [(48, device, 10**9), (len(faces.validation), device, 10**9)]
    assert faces.train_dataloader().num_workers == 1
    faces.training.device = device
    assert faces.train_dataloader().num_workers == 0
