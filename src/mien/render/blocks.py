"""A report as plain data: a tree of sections made of blocks, for `page` (HTML) and `pdf`.

The name of a block's class in snake case is the name of its template in `templates/blocks/` and its kind in
`report.typ`. Colours are CSS colours or `var(--name)` with a name of `palette.PAGE`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Strong:
    """Words within a paragraph that stand out."""

    text: str


Runs = tuple[str | Strong, ...]


@dataclass(frozen=True)
class Block:
    """A part of a section. The name of its class in snake case is that of its template."""


@dataclass(frozen=True)
class Paragraph(Block):
    """A paragraph. Looks: '' plain, 'note' set apart, 'key' small print."""

    runs: Runs
    look: str = ""


@dataclass(frozen=True)
class Callout(Block):
    """Paragraphs in a frame: what must not be overlooked."""

    paragraphs: tuple[Runs, ...]


@dataclass(frozen=True)
class Subhead(Block):
    """A heading within a section that needs no place in the contents, with a few words beside it."""

    title: str
    why: str = ""


@dataclass(frozen=True)
class Points(Block):
    """A list of short paragraphs."""

    items: tuple[Runs, ...]


@dataclass(frozen=True)
class Card:
    """One figure in large letters. `up`: whether higher is better, None where that is no question."""

    what: str
    value: str
    under: tuple[str, ...] = ()
    up: bool | None = None
    lead: bool = False
    flag: str = ""


@dataclass(frozen=True)
class Cards(Block):
    """Figures side by side."""

    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Facts(Block):
    """Pairs of what and value."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Column:
    """The head of a column. Looks: '' words, 'n' numbers, 'says' an explanation, 'meter' a share as a bar
    with its number."""

    title: str
    look: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell. `dot`: a colour before the text; `meter`: a share 0…1 as a bar; `under`: a smaller line."""

    text: str
    strong: bool = False
    soft: bool = False
    dot: str = ""
    meter: float | None = None
    up: bool | None = None
    under: str = ""


@dataclass(frozen=True)
class Table(Block):
    """Rows under column heads; the first cell of a row is its head. `name` says what the table is."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Plot:
    """A drawn plot, and what a person who cannot see it should know."""

    svg: str
    alt: str


@dataclass(frozen=True)
class Plots(Block):
    """Plots side by side. Looks: '' wide, 'square' narrower, 'large' below each other, with small print."""

    plots: tuple[Plot, ...]
    look: str = ""


@dataclass(frozen=True)
class Matrix(Block):
    """Counts and shares of the row (0…1) for each pair of labels: rows of the raters, columns of the
    model."""

    name: str
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    shares: tuple[tuple[float, ...], ...]


Bar = tuple[str, str, float, float]  # label, colour, true, predicted


@dataclass(frozen=True)
class BarList(Block):
    """A bar a label: filled as predicted, outlined as true; `top` is the share that fills the width."""

    title: str
    rows: tuple[Bar, ...]
    top: float = 1.0


@dataclass(frozen=True)
class SideBySide(Block):
    """Plots with bars beside them."""

    plots: tuple[Plot, ...]
    bars: BarList


@dataclass(frozen=True)
class FaceCard:
    """One face: its picture (a data URI), where it comes from, and either bars or places on scales.

    `verdict`: the raters' and the model's label. `scale`: (value, true and predicted as shares of the range,
    both in words).
    """

    picture: str
    small: bool
    source: str
    alt: str
    verdict: tuple[str, str] = ("", "")
    bars: tuple[Bar, ...] = ()
    scale: tuple[tuple[str, float | None, float, str], ...] = ()
    plane: bool = False
    note: str = ""


@dataclass(frozen=True)
class FaceCards(Block):
    """Faces side by side."""

    faces: tuple[FaceCard, ...]


@dataclass(frozen=True)
class Legend(Block):
    """What outlines and fillings mean for a head: 'bars' or 'scales'; `verdicts` explains ✓ and ✗ too."""

    of: str
    verdicts: bool = False


@dataclass(frozen=True)
class Code(Block):
    """Text to be copied as it stands. With a title it is folded away on the page."""

    text: str
    title: str = ""


@dataclass(frozen=True)
class Section:
    """A heading, its blocks, a note on what is left out and why, and sections below.

    `template` with its `data` is for what only a page shows and no block says.
    """

    title: str
    template: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    children: tuple["Section", ...] = ()
    blocks: tuple[Block, ...] = ()


def columns(first: str, *numbers: str, look: str = "n") -> tuple[Column, ...]:
    """Column heads: the first of words, the others of numbers or of another look."""
    return Column(first), *(Column(title, look) for title in numbers)


def text(*runs: str | Strong) -> Paragraph:
    """A plain paragraph."""
    return Paragraph(runs)


def note(*runs: str | Strong) -> Paragraph:
    """A paragraph set apart: what is missing, or to be read with care."""
    return Paragraph(runs, "note")


def key(*runs: str | Strong) -> Paragraph:
    """Small print below a figure or table."""
    return Paragraph(runs, "key")


def kind(block: Block) -> str:
    """The name of a block's template."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(block).__name__).lower()
