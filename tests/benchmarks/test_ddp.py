"""The parts of the measurement of two processes that need no second process."""

from benchmarks import ddp


def test_figures_are_held_against_each_other() -> None:
    one = [
        {"epoch": "1", "seconds": "3", "validation_loss": "1.5"},
        {"epoch": "2", "seconds": "3", "validation_loss": "1.0"},
    ]
    other = [one[0] | {"seconds": "9"}, one[1] | {"validation_loss": "1.25"}]
    assert ddp.apart(one, one) == 0
    assert ddp.apart(one, other) == 0.25
