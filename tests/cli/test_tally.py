"""What a prediction has come to, in one line."""

from __future__ import annotations

from mien.cli.tally import Tally
from mien.predict.results import Result


def test_cuts_are_counted_by_video_and_a_flash_once() -> None:
    tally = Tally()
    for source, shot in [("a", 0), ("a", 1), ("a", 0), ("a", 2), ("b", 0), ("b", 1), ("c.png", None)]:
        tally.add(Result(source, 0, None, 8, 8, [], shot=shot))
    assert str(tally) == "7 pictures or frames, 0 faces, 7 without a face, 3 cuts"
    assert "cuts" not in str(Tally())
