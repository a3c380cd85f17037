"""How results are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien.errors import ConfigError
from mien.media.limits import Limits
from mien.predict.settings import Settings, seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("0.5s", 0.5),
        ("90", 90.0),
        (" 2 s", 2.0),
        ("1:30", 90.0),
        ("1:02:03.5", 3723.5),
        (".25", 0.25),
    ],
)
def test_times_are_read_as_people_write_them(text: str, expected: float | None) -> None:
    assert seconds(text, "--from") == expected


@pytest.mark.parametrize("text", ["-1", "1m", "1:2:3:4", "s", "nan"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=f"--from {text}: not a time"):
        seconds(text, "--from")


def test_settings_say_what_differs_from_the_defaults() -> None:
    assert str(Settings()) == str(Settings(limits=Limits(max_pixels=9))) == "faces=haar"
    asked = Settings("yunet", Path("deep/y.onnx"), every=0.5, track=True, align=False, abstain=0.5)
    assert str(asked) == "faces=yunet detector_file=y.onnx every=0.5 track=1 align=0 abstain=0.5"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"smooth": -1}, "smooth -1"),
        ({"abstain": 2}, "abstain 2"),
        ({"average": "six"}, "six"),
        ({"every": 0}, "every 0"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Settings(**wrong)  # type: ignore[arg-type]
