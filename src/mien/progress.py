"""How far long work is: the one form in which jobs report it, whoever shows it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A function that a job calls now and then with how much is done and how much there is, in any unit."""

    def __call__(self, done: int, total: int, /) -> None:
        """Show how far the job is."""


def silent(_done: int, _total: int) -> None:
    """Show nothing."""
