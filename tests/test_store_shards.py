"""A store split into shards reads as the store it was, and several processes read both at once."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from mien import cli
from mien.errors import StoreError
from mien.store import Store, check, write_shards
from tests import tiny_run, tiny_scenes

WRITERS: list[Callable[[Path], object]] = [tiny_run.write, tiny_scenes.write]


@pytest.fixture(scope="module", params=WRITERS, ids=["pixels", "encoded"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Store]:
    """A store, of pixels or of encoded pictures, and what it was split into."""
    folder = tmp_path_factory.mktemp("split")
    request.param(folder / "whole.h5")
    whole = Store(folder / "whole.h5")
    return whole, write_shards(folder / "shards" / "faces.h5", whole, 3)


def told(sample: object) -> str:
    return repr(sample)


def test_it_reads_as_the_store_it_was(pair: tuple[Store, Store]) -> None:
    whole, split = pair
    assert [path.name for path in sorted(split.path.parent.iterdir())] == [
        "faces-00.h5",
        "faces-01.h5",
        "faces-02.h5",
        "faces.h5",
    ]
    assert split.path.stat().st_size < whole.path.stat().st_size
    assert (len(split), split.heads, split.splits, split.image_shape) == (
        len(whole), whole.heads, whole.splits, whole.image_shape,
    )  # fmt: skip
    assert {key: split.meta[key] for key in whole.meta} == whole.meta
    rows = np.random.default_rng(1).permutation(len(whole))[:40]
    rows = np.concatenate([rows, rows[:5]])
    for ours, theirs in zip(split.images(rows), whole.images(rows), strict=True):
        assert np.array_equal(ours, theirs)
    assert [told(sample) for sample in split.samples(rows)] == [
        told(sample) for sample in whole.samples(rows)
    ]
    for head in whole.heads:
        assert np.array_equal(split.target(head, rows), whole.target(head, rows), equal_nan=True)
    assert len(split.images(rows[:0])) == 0
    check(split)


def test_each_shard_is_a_store(pair: tuple[Store, Store]) -> None:
    whole, split = pair
    assert sum(len(shard) for shard in split.shards) == len(whole)
    sources = [source for shard in split.shards for source in shard.texts("source", shard.rows())]
    assert sources == whole.texts("source", whole.rows())


def test_a_split_store_can_be_split_again(pair: tuple[Store, Store], tmp_path: Path) -> None:
    whole, split = pair
    again = write_shards(tmp_path / "again.h5", split, 2)
    assert [told(sample) for sample in again.samples(again.rows())] == [
        told(sample) for sample in whole.samples(whole.rows())
    ]


def test_pixels_are_not_encoded_pictures(faces: Path, tmp_path: Path) -> None:
    split = write_shards(tmp_path / "faces.h5", Store(faces), 2)
    with pytest.raises(StoreError, match="holds arrays, not encoded files"):
        split.encoded(split.rows())


def test_missing_foreign_and_changed_shards_are_told(pair: tuple[Store, Store], tmp_path: Path) -> None:
    path = Path(shutil.copytree(pair[1].path.parent, tmp_path / "copy"), "faces.h5")
    shard = path.with_name("faces-01.h5")
    with shard.open("ab") as file:
        file.write(b"more")
    with pytest.raises(StoreError, match=r"faces-01.h5: not the file that faces.h5 was split into"):
        check(Store(path))
    shutil.copy(path, shard)
    with pytest.raises(StoreError, match=r"faces-01.h5: a split store, where a shard of one is expected"):
        Store(path)
    shutil.copy(path.with_name("faces-00.h5"), shard)
    write_shards(tmp_path / "more" / "faces.h5", pair[0], 5)
    shutil.copy(tmp_path / "more" / "faces-00.h5", path.with_name("faces-00.h5"))
    with pytest.raises(StoreError, match=r"faces-00.h5: holds \d+ rows, faces.h5 was split with \d+ there"):
        Store(path)
    path.with_name("faces-00.h5").unlink()
    with pytest.raises(StoreError, match=r"faces-00.h5: no such store"):
        Store(path)


def test_wrong_use(faces: Path, tmp_path: Path) -> None:
    whole = Store(faces)
    for shards in (0, len(whole) + 1):
        with pytest.raises(StoreError, match=f"{shards} shards of {len(whole)} rows"):
            write_shards(tmp_path / "faces.h5", whole, shards)
    with pytest.raises(StoreError, match="the store that is to be split"):
        write_shards(faces, whole, 2)


def test_a_failed_split_leaves_nothing(tmp_path: Path) -> None:
    tiny_run.write(tmp_path / "whole.h5")
    with h5py.File(tmp_path / "whole.h5") as file:
        last = file["inputs/image/values"].id.get_chunk_info(
            -1 + file["inputs/image/values"].id.get_num_chunks()
        )
    content = bytearray((tmp_path / "whole.h5").read_bytes())
    content[last.byte_offset] ^= 1
    (tmp_path / "whole.h5").write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        write_shards(tmp_path / "split.h5", Store(tmp_path / "whole.h5"), 2)
    assert [path.name for path in tmp_path.iterdir()] == ["whole.h5"]


def test_the_command(faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["data", "split", str(faces), "--out", str(tmp_path / "s.h5"), "--shards", "2"])
    assert "96 faces ->" in capsys.readouterr().err
    cli.main(["data", "check", str(tmp_path / "s.h5")])
    assert "every checksum holds" in capsys.readouterr().err


def sums(store: Store, rounds: int, start: int) -> list[int]:
    """What a reader sees: the sum of each picture, in an order of its own."""
    order = np.random.default_rng(start).permutation(len(store))
    found = np.zeros(len(store), np.int64)
    for _ in range(rounds):
        for rows in np.array_split(order, 7):
            found[rows] = [picture.sum(dtype=np.int64) for picture in store.images(rows)]
    return [int(value) for value in found]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_several_processes_read_at_once(pair: tuple[Store, Store]) -> None:
    whole, split = pair
    wanted = sums(whole, 1, 0)  # the parent has used HDF5 before it forks
    with multiprocessing.get_context("fork").Pool(4) as pool:
        found = pool.starmap(sums, [(store, 3, start) for start in range(4) for store in pair])
    assert found == [wanted] * 8
    assert sums(split, 1, 9) == wanted


@pytest.mark.parametrize("memory_gb", [0, 1])
def test_training_sees_the_same_batches(pair: tuple[Store, Store], memory_gb: float) -> None:
    from mien.model_config import ModelConfig
    from mien.models import input_set
    from mien.tasks import TASKS
    from mien.train.batches import SampleDataset

    task = TASKS["expression7" if pair[0].image_shape else "emotic"]
    inputs = input_set(ModelConfig.from_dict({"size": 16}))
    whole, split = (
        SampleDataset(store, store.rows("train"), task, inputs, memory_gb)[[3, 0, 20]] for store in pair
    )
    assert repr(whole) == repr(split)
    assert whole["inputs"]["face"].equal(split["inputs"]["face"])
