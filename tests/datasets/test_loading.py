"""Large imports: order, faults, what a stopped import leaves and the next one takes up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from mien.datasets import loading
from mien.datasets.base import ImportLog, PendingSample
from mien.datasets.loading import write_items
from mien.errors import DataError
from mien.media import image
from mien.records import Sample
from mien.store import Origin, Store, check
from mien.tasks import TASKS

HEADS = TASKS["expression7"].heads
COUNT = 300


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 64 items instead of thousands, and little under way."""
    monkeypatch.setattr(loading, "ITEMS", 64)
    monkeypatch.setattr(loading, "_TASK", 16)
    monkeypatch.setattr(loading, "_TASKS", 3)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of pictures, each of another size."""
    folder = tmp_path / "faces"
    folder.mkdir()
    for k in range(COUNT):
        (folder / f"{k}.jpg").write_bytes(picture(k))
    return folder


def picture(k: int) -> bytes:
    return image.encode(np.full((8 + k % 5, 9, 3), k % 256, np.uint8))


def sample(root: Path, k: int) -> Sample | None:
    """The k-th picture; every tenth is nothing to keep."""
    return (
        Sample.of_image(root / f"{k}.jpg", {"expression7": "happy"}, "train", f"{k}.jpg") if k % 10 else None
    )


def items(
    root: Path, log: ImportLog, make: Callable[[Path, int], Sample | None] = sample
) -> Iterator[PendingSample]:
    log.total = COUNT
    yield from (partial(make, root, k) for k in range(COUNT))


def origin(log: ImportLog) -> Origin:
    return Origin("test", "1", log.inputs, {}, log.left_out, log.notes)


def run(
    root: Path, found: Callable[[Path, ImportLog], Iterator[PendingSample]] = items, **settings: bool
) -> Store:
    log = ImportLog(source=str(root), **settings)
    return write_items(root.parent / "faces.h5", found(root, log), HEADS, origin(log), log)


def test_everything_arrives_in_order_as_it_was(root: Path) -> None:
    store = run(root)
    check(store)
    kept = [k for k in range(COUNT) if k % 10]
    assert store.texts("source", store.rows()) == [f"{k}.jpg" for k in kept]
    assert store.encoded(store.rows()) == [picture(k) for k in kept]
    assert list(store.meta["inputs"]) == ["faces/ (pictures)"]
    assert not (root.parent / ".faces.h5.import").exists()


def test_work_is_done_on_several_threads(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pieces of work that wait for each other end."""
    monkeypatch.setattr(loading, "usable_cores", lambda: 2)
    meet = threading.Barrier(2, timeout=20)

    def together(root: Path, k: int) -> Sample | None:
        if k in (0, loading._TASK):
            meet.wait()
        return sample(root, k)

    assert len(run(root, partial(items, make=together))) == COUNT - COUNT // 10


def stopping(at: int) -> Callable[[Path, ImportLog], Iterator[PendingSample]]:
    """Items whose reading stops at one."""

    def read(root: Path, log: ImportLog) -> Iterator[PendingSample]:
        for k, item in enumerate(items(root, log)):
            if k == at:
                raise KeyboardInterrupt
            yield item

    return read


def test_a_stopped_import_goes_on(root: Path) -> None:
    """What was finished is not read again, and the store is the one an undisturbed import writes."""
    with pytest.raises(KeyboardInterrupt):
        run(root, stopping(at=290))
    folder = root.parent / ".faces.h5.import"
    kept = sorted(path.name for path in folder.glob("*.h5"))
    assert kept[:2] == ["00000.h5", "00001.h5"]
    done: list[int] = []

    def watched(root: Path, k: int) -> Sample | None:
        done.append(k)
        return sample(root, k)

    store = run(root, partial(items, make=watched))
    assert min(done) == 64 * len(kept)
    undisturbed = run(root)
    assert store.meta == undisturbed.meta
    assert list(store.samples(store.rows())) == list(undisturbed.samples(undisturbed.rows()))
    assert not folder.exists()


def test_a_torn_part_is_done_again(root: Path) -> None:
    """A kill between a part and its record leaves a part that does not count."""
    with pytest.raises(KeyboardInterrupt):
        run(root, stopping(at=290))
    folder = root.parent / ".faces.h5.import"
    last = max(folder.glob("*.json"), key=lambda path: path.name if path.name != "about.json" else "")
    last.unlink()
    last.with_suffix(".h5").write_bytes(b"half of it")
    assert len(run(root)) == COUNT - COUNT // 10


@pytest.mark.parametrize("changed", ["source", "options", "total", "version"])
def test_parts_of_another_import_are_not_taken_up(root: Path, changed: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(root, stopping(at=290))
    log = ImportLog(source=str(root))
    found = items(root, log)
    first = next(found)
    if changed == "source":
        log.source = "elsewhere"
    elif changed == "options":
        log.options = {"votes": "majority"}
    elif changed == "total":
        log.total += 1
    about = origin(log) if changed != "version" else replace(origin(log), version="2")
    done: list[int] = []
    again = (partial(lambda k: (done.append(k), sample(root, k))[1], k) for k in range(1, COUNT))

    def rest() -> Iterator[PendingSample]:
        yield first
        yield from again

    write_items(root.parent / "faces.h5", rest(), HEADS, about, log)
    assert sorted(done) == list(range(1, COUNT))


def test_a_fault_stops_or_is_listed(root: Path) -> None:
    whole = (root / "150.jpg").read_bytes()
    (root / "151.jpg").write_bytes(whole[: len(whole) - 200])
    (root / "152.jpg").write_bytes(b"")
    (root / "153.jpg").unlink()
    with pytest.raises(DataError, match=r"151.jpg: damaged picture.*--skip-bad"):
        run(root)
    store = run(root, skip_bad=True)
    assert len(store) == COUNT - COUNT // 10 - 3
    faults = store.meta["left_out"]
    assert [Path(fault.split(": ")[0]).name for fault in faults] == ["151.jpg", "152.jpg", "153.jpg"]
    assert faults[1].endswith("an empty file")
    assert faults[2].endswith("no such file")


def test_faults_of_finished_parts_are_remembered(root: Path) -> None:
    (root / "3.jpg").write_bytes(b"<html>")

    def read(root: Path, log: ImportLog) -> Iterator[PendingSample]:
        log.skip_bad = True
        yield from stopping(at=290)(root, log)

    with pytest.raises(KeyboardInterrupt):
        run(root, read)
    assert [Path(fault.split(": ")[0]).name for fault in run(root, skip_bad=True).meta["left_out"]] == [
        "3.jpg"
    ]
    with pytest.raises(DataError, match=r"3.jpg: not a picture"):
        run(root)


def test_nothing_is_left_where_nothing_was_done(root: Path) -> None:
    (root / "1.jpg").write_bytes(b"")
    with pytest.raises(DataError, match="an empty file"):
        run(root)
    assert [path.name for path in root.parent.iterdir()] == ["faces"]


@pytest.mark.parametrize("make", [lambda root, k: None, None])
def test_nothing_to_import(root: Path, make: Callable[[Path, int], Sample | None] | None) -> None:
    found = partial(items, make=make) if make else lambda root, log: iter(())
    with pytest.raises(DataError, match="faces: no samples to import"):
        run(root, found)


def test_pixels_made_by_work_are_packed_without_loss(root: Path) -> None:
    def made(root: Path, k: int) -> Sample:
        return Sample.of_image(np.full((3, 4), k % 200, np.uint8), {}, "train", str(k))

    store = run(root, partial(items, make=made))
    assert store.images(np.array([150]))[0].tolist() == np.full((3, 4), 150).tolist()


def test_progress_is_told(root: Path) -> None:
    steps: list[tuple[int, int]] = []
    log = ImportLog(source=str(root), progress=lambda done, total: steps.append((done, total)))
    write_items(root.parent / "faces.h5", items(root, log), HEADS, origin(log), log)
    assert steps[-1] == (COUNT, COUNT)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_a_source_that_appears_in_two_parts_is_told(root: Path) -> None:
    def twins(root: Path, k: int) -> Sample:
        return Sample.of_image(picture(k), {}, "train", str(min(k, 250)))

    with pytest.raises(DataError, match="250: appears twice"):
        run(root, partial(items, make=twins))


def test_work_among_pixels_is_done_too(root: Path) -> None:
    """Nothing is dropped where some samples of one size come ready and others are made."""

    def made(k: int) -> Sample | None:
        return Sample.of_image(np.full((3, 4), k, np.uint8), {}, "train", str(k)) if k != 2 else None

    found: list[PendingSample | None] = [made(0), partial(made, 1), partial(made, 2), made(3)]
    store = run(root, lambda root, log: iter([item for item in found if item]))
    assert store.image_shape == (3, 4)
    assert store.texts("source", store.rows()) == ["0", "1", "3"]
