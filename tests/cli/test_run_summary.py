"""What a prediction has come to, in one line and in a table."""

from __future__ import annotations

from rich.console import Console

from mien.cli.faces_table import people_table
from mien.cli.run_summary import RunSummary
from mien.predict.results import Result
from mien.predict.smoothing import People
from mien.records import Moment
from tests.outputs.show.streams import face, step


def test_cuts_are_counted_by_video_and_a_flash_once() -> None:
    tally = RunSummary()
    for source, shot in [("a", 0), ("a", 1), ("a", 0), ("a", 2), ("b", 0), ("b", 1), ("c.png", None)]:
        tally.add(Result(Moment({}, source, 0, None), 8, 8, [], shot=shot))
    assert str(tally) == "7 pictures or frames, 0 faces, 7 without a face, 3 cuts"
    assert "cuts" not in str(RunSummary())


def test_people_are_summed_up_for_the_table_and_only_the_first() -> None:
    tally = RunSummary(people=People(2))
    for frame in range(4):
        result = step([face((9, 9, 30, 30), track=track) for track in (0, 1, 2)], frame / 10, source="a.mp4")
        tally.add(result)
    assert tally.people is not None
    assert [(one.track, one.frames, one.last) for one in tally.people.summed()] == [(0, 4, 0.3), (1, 4, 0.3)]
    told = Console(width=120)
    with told.capture() as caught:
        told.print(people_table(tally.people.summed()))
    assert caught.get().split()[0] == "a.mp4"
    assert caught.get().count("0.00–0.30 s") == 2
    tally.people.add(step([face((9, 9, 30, 30), track=0)], 0.0, source="b.mp4"))
    tally.people.most = 0
    tally.people.add(step([face((9, 9, 30, 30), track=0)], 0.0, source="b.mp4"))
    with told.capture() as caught:
        told.print(people_table(tally.people.summed()))
    assert [line.split()[0] for line in caught.get().splitlines() if ".mp4" in line] == [
        "a.mp4",
        "a.mp4",
        "b.mp4",
    ]
