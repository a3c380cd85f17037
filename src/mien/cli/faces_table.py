"""The tables that `mien predict` prints: of faces, and of people who were followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .terminal import new_table

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from ..predict.results import Result
    from ..predict.smoothing import TrackedPerson
    from ..prediction import Prediction

_BAR = 12
_SHARES = 3


def faces_table(results: Sequence[Result]) -> Table:
    """A row a face, and one for a picture without a face; times only where there are any."""
    table = new_table()
    tagged = any(found.tags for result in results for found in result.predictions)
    timed = any(result.time is not None for result in results)
    titles = ["picture", "time", "face", "dominant", "likeliest", "tags"]
    shown = [title for title in titles if {"time": timed, "tags": tagged}.get(title, True)]
    for title in shown:
        table.add_column(title, overflow="fold")
    for result in results:
        for row in _rows(result):
            table.add_row(*(row[title] for title in shown))
    return table


def _rows(result: Result) -> list[dict[str, Text]]:
    from rich.text import Text

    from ..predict.results import face_id

    time = Text("" if result.time is None else f"{result.time:.2f} s")
    empty = {"picture": Text(result.source), "time": time, "face": Text("–"), "dominant": Text("no face")}
    if not result.predictions:
        return [empty | {"likeliest": Text(), "tags": Text()}]
    return [
        {
            "picture": Text(result.source if place == 0 else ""),
            "time": time if place == 0 else Text(),
            "face": Text(str(face_id(place, found))),
            "dominant": Text(f"{found.dominant or '–'}{' (unsure)' if found.abstained else ''}"),
            "likeliest": _likeliest(found),
            "tags": Text("\n").join([Text(", ".join(names) or "–") for names in found.tags.values()]),
        }
        for place, found in enumerate(result.predictions)
    ]


def _likeliest(prediction: Prediction) -> Text:
    from rich.text import Text

    from ..outputs.show import card_of
    from ..outputs.show.card import scored

    card = card_of(prediction)
    lines = []
    head = scored(prediction.task)
    wide = max(map(len, head.space.labels)) if head else 0
    for label, value, shade in card.bars:
        full = round(value * _BAR)
        bar = ("━" * full, "rgb({},{},{})".format(*shade)), ("─" * (_BAR - full), "dim")
        lines.append(Text.assemble(f"{label:<{wide}} ", *bar, f" {value:4.0%}"))
    return Text("\n").join([*lines, Text(card.note)] if card.note else lines)


def people_table(people: Sequence[TrackedPerson]) -> Table:
    """A row for each followed face: when it was seen, what it showed for how long, its mean answers."""
    from rich.text import Text

    from ..prediction import Prediction
    from ..records import Box, Face

    sources = {person.source for person in people}
    table = new_table(Text(sources.pop()) if len(sources) == 1 else None)
    if sources:
        table.add_column("picture", overflow="fold")
    for title in ("face", "seen", "frames", "of the time", "on average"):
        table.add_column(title, no_wrap=True)
    for person in people:
        first, last = person.first, person.last
        seen = "" if first is None or last is None else f"{first:.2f}–{last:.2f} s"
        shares = [f"{label} {share:.0%}" for label, share in list(person.share.items())[:_SHARES]]
        mean = _likeliest(Prediction(Face(Box(0, 0, 0, 0), track=person.track), person.means, person.task))
        where = [Text(person.source)] if sources else []
        table.add_row(*where, str(person.track), seen, f"{person.frames:,}", "\n".join(shares), mean)
    return table
