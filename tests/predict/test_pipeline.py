"""Threads that decode, look for faces and recognise: order, faults, closing, batches, memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import pytest

from mien.errors import InputError
from mien.predict import Model, pipeline
from mien.predict.pipeline import stream
from mien.predict.prefetch import Prefetcher
from mien.predict.results import Result
from mien.predict.session import Session
from mien.predict.settings import Settings
from mien.prediction import Prediction
from mien.records import Box, Face, Moment, Pixels, ReadError
from mien.tasks import TASKS

TASK = TASKS["expression7"]


class Recorder:
    """A recogniser that writes down what it was asked, and fails on pictures of the value 13."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def recognise(
        self, moments: Sequence[Moment], subjects: Sequence[Sequence[Face]]
    ) -> list[list[Prediction]]:
        self.batches.append(len(moments))
        if any(moment.pixels[0, 0] == 13 for moment in moments):
            raise RuntimeError("unlucky\nnumber")
        answers = [{"expression7": {"happy": float(moment.pixels[0, 0])}} for moment in moments]
        return [
            [Prediction(face, one, TASK) for face in some]
            for one, some in zip(answers, subjects, strict=True)
        ]


def find(pixels: Pixels) -> list[Face]:
    if pixels[0, 0] == 7:
        raise ValueError("seven")
    return [Face(Box(0, 0, 2, 2))] * (pixels[0, 0] % 3)


def frames(count: int, source: str = "a.mp4") -> list[Moment]:
    return [Moment({"image": np.full((4, 6), n % 256, np.uint8)}, source, n, n / 25) for n in range(count)]


def run(
    model: object,
    moments: Iterable[Moment | ReadError],
    detector: Callable[[Pixels], list[Face]],
    *settings: Settings,
    keep: bool = False,
    live: Sequence[str] = (),
) -> Iterator[Result | ReadError]:
    """The pipeline with a session of these parts for each source."""
    return stream(partial(Session, model, detector, *settings, keep=keep), moments, live=live)  # type: ignore[arg-type]


def alive() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "mien-prefetch"]


def test_results_come_in_order_and_one_frame_s_trouble_is_its_own() -> None:
    broken = ReadError("b.png", "b.png: not a picture")
    model = Recorder()
    items = list(run(model, [*frames(9), broken, *frames(30, "c.mp4")[9:]], find))
    assert [(item.source, item.index) for item in items] == [
        *(("a.mp4", n) for n in range(9)), ("b.png", None), *(("c.mp4", n) for n in range(9, 30)),
    ]  # fmt: skip
    faults = [item for item in items if isinstance(item, ReadError)]
    assert [str(fault) for fault in faults] == [
        "a.mp4, frame 7: seven", "b.png: not a picture", "c.mp4, frame 13: unlucky number",
    ]  # fmt: skip
    results = [item for item in items if isinstance(item, Result)]
    assert [len(result.predictions) for result in results] == [result.index % 3 for result in results]
    assert all(found.confidence == result.index for result in results for found in result.predictions)
    assert (results[0].width, results[0].height, results[0].time, results[0].pixels) == (6, 4, 0.0, None)
    assert alive() == []


def test_what_the_source_raises_comes_after_what_it_gave() -> None:
    def source() -> Iterator[Moment]:
        yield from frames(3)
        raise InputError("the end")

    found = []
    with pytest.raises(InputError, match="the end"):  # noqa: PT012
        for item in run(Recorder(), source(), find):
            found.append(item.index)  # noqa: PERF401
    assert found == [0, 1, 2]
    assert alive() == []


def test_closing_early_stops_the_threads_and_releases_the_source() -> None:
    released = threading.Event()
    given = []

    def endless() -> Iterator[Moment]:
        try:
            while True:
                given.append(1)
                yield frames(1)[0]
        finally:
            released.set()

    results = run(Recorder(), endless(), find)
    next(results)
    results.close()
    assert released.is_set()
    assert alive() == []
    assert len(given) < 100, "bounded queues"


def test_a_slow_camera_is_not_kept_waiting_for_a_full_batch() -> None:
    go = threading.Semaphore(0)

    def camera() -> Iterator[Moment]:
        for frame in frames(3, "camera"):
            go.acquire()
            yield frame

    model = Recorder()
    results = run(model, camera(), find)
    for number in range(3):
        go.release()
        assert next(results).index == number
    results.close()
    assert model.batches == [1, 1, 1]


def test_frames_that_wait_are_recognised_together() -> None:
    model = Recorder()
    gate = threading.Event()
    slow = model.recognise

    def recognise(moments: Sequence[Moment], subjects: Sequence[Sequence[Face]]) -> list[list[Prediction]]:
        gate.wait(5)
        time.sleep(0.005)
        return slow(moments, subjects)

    model.recognise = recognise  # type: ignore[method-assign]
    results = run(model, (Moment({"image": np.zeros((4, 4), np.uint8)}, f"{n}.png") for n in range(64)), find)
    threading.Timer(0.05, gate.set).start()
    assert len(list(results)) == 64
    assert max(model.batches) > 4
    assert max(model.batches) <= pipeline.MOST


def test_each_video_has_a_tracker_and_smoother_of_its_own_and_pictures_none() -> None:
    made: list[Session] = []

    class Counting:
        def __init__(self) -> None:
            self.seen = 0

        def update(self, items: list[Face], time: float, shot: int) -> list[Face]:
            self.seen += 1
            return [Face(face.box, track=self.seen) for face in items]

    class Smooth:
        def update(self, found: list[Prediction], time: float) -> list[Prediction]:
            return found[:1]

    still = Moment({"image": np.full((4, 4), 2, np.uint8)}, "still.png")
    given = [*frames(6), still, *frames(6, "b.mp4")]

    def make() -> Session:
        session = Session(Recorder(), find, Settings(smooth=1.0))
        session.tracker, session.smoother = Counting(), Smooth()
        made.append(session)
        return session

    items = [item for item in stream(make, given) if isinstance(item, Result)]
    tracks = {(item.source, item.index): [found.face.track for found in item.predictions] for item in items}
    assert tracks["a.mp4", 5] == tracks["b.mp4", 5] == [6]
    assert tracks["still.png", 0] == [None, None]
    assert len(made) == 3


def test_a_cut_ends_all_tracks_and_a_new_video_begins_with_shot_0() -> None:
    rng = np.random.default_rng(0)
    scenes = rng.integers(20, 255, (2, 48, 64), np.uint8)
    given = [
        Moment({"image": scenes[n // 5 % 2]}, source, n, n / 25)
        for source in ("a.mp4", "b.mp4")
        for n in range(10)
    ]
    given.append(Moment({"image": scenes[0]}, "still.png"))

    def one(pixels: Pixels) -> list[Face]:
        return [Face(Box(20, 10, 24, 24))]

    def told(settings: Settings) -> list[tuple[int | None, int | None]]:
        items = [item for item in run(Recorder(), given, one, settings) if isinstance(item, Result)]
        return [(item.shot, item.predictions[0].face.track) for item in items]

    assert told(Settings(track=True)) == ([(0, 0)] * 5 + [(1, 1)] * 5) * 2 + [(None, None)]
    assert told(Settings(track=True, cuts=False)) == [(None, 0)] * 20 + [(None, None)]


def test_a_camera_is_kept_up_with_and_a_video_is_read_whole() -> None:
    """While the model looks at its first frames, 60 come: of a camera the newest few are left, of a video
    all."""

    def seen(live: Sequence[str]) -> list[int]:
        over = threading.Event()

        class Slow(Recorder):
            def recognise(
                self, moments: Sequence[Moment], subjects: Sequence[Sequence[Face]]
            ) -> list[list[Prediction]]:
                over.wait(5 if live else 0.1)
                return [[] for _ in moments]

        def camera() -> Iterator[Moment]:
            yield from frames(60, "camera:0")
            over.set()

        return [
            item.index for item in run(Slow(), camera(), lambda _: [], live=live) if item.index is not None
        ]

    looked_at = seen(["camera:0"])
    assert looked_at == sorted(looked_at)
    assert looked_at[-1] == 59
    assert len(looked_at) < 12
    assert seen([]) == list(range(60))


def test_waiting_frames_of_a_camera_make_way_and_nothing_else_does() -> None:
    go = threading.Event()

    def items() -> Iterator[int]:
        yield from [1, 2, -1, 3, 4, 5, -2, 6]
        go.set()

    ahead = Prefetcher(items(), passing=lambda item: item > 0)
    assert go.wait(5)
    ahead.join()
    assert list(ahead) == [-1, 5, -2, 6]


def test_pixels_are_kept_where_asked_for() -> None:
    given = frames(3)
    kept = [item.pixels for item in run(Recorder(), given, find, keep=True) if isinstance(item, Result)]
    assert all(pixels is frame.pixels for pixels, frame in zip(kept, given, strict=True))


def test_few_frames_are_held_however_large_they_are() -> None:
    held: list[int] = []

    def large() -> Iterator[Moment]:
        for n in range(80):
            held.append(n)
            yield Moment({"image": np.zeros((4096, 4096), np.uint8)}, f"{n}.png")

    results = run(Recorder(), large(), lambda _: [])
    next(results)
    time.sleep(0.3)
    results.close()
    # 16 results without pixels wait to be read; three frames fill each of the two queues before, a few are in
    # hand.
    assert len(held) <= 16 + 2 * 3 + 8


def test_ahead_hands_on_items_and_closes_what_it_reads() -> None:
    ahead = Prefetcher(iter(range(100)))
    assert list(ahead) == list(range(100))
    assert ahead.waiting(3) == []
    ahead.stop()
    ahead.join()

    class Troubled:
        def __iter__(self) -> Iterator[int]:
            return iter([1])

        def close(self) -> None:
            raise OSError("stuck")

    with pytest.raises(OSError, match="stuck"):
        list(Prefetcher(Troubled()))


def test_a_real_model_says_the_same_as_by_itself(affect: Model) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    whole = [Face(Box(0, 0, 64, 48)), Face(Box(5, 6, 20, 20))]
    (result,) = run(affect, [Moment({"image": picture}, "a.png")], lambda _: whole)
    assert isinstance(result, Result)
    for one, other in zip(result.predictions, affect.predict_faces(picture, whole), strict=True):
        assert one.outputs["expression8"] == pytest.approx(other.outputs["expression8"], abs=1e-6)
