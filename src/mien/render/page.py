"""From a tree of sections to one page. Names and sources come from data files, so everything is escaped."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..extras import require
from ..palette import PAGE
from . import text as words
from .blocks import Section
from .blocks import kind as kind_of

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Node:
    """A section in its place on the page: anchor, and level of its heading."""

    section: Section
    anchor: str
    level: int
    children: tuple["Node", ...]


def page(
    name: str, sections: tuple[Section, ...], kind: str = "report", *, shares: Sequence[tuple[str, str, float]] = ()
) -> str:
    """A whole page as HTML: its name, what kind of page it is, and (label, colour, share) of the raters' answers."""
    jinja2 = require("jinja2", "report")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=words.percent, number=words.number, kind_of=kind_of)
    text = environment.get_template("page.html").render(
        name=name, kind=kind, nodes=list(place(sections)), shares=shares, colours=PAGE
    )
    return str(text)


def place(sections: tuple[Section, ...], above: str = "", level: int = 2) -> Iterator[Node]:
    """Give each section its anchor, unique on the page, and the level of its heading."""
    seen: dict[str, int] = {}
    for section in sections:
        slug = above + (re.sub(r"[^a-z0-9]+", "-", section.title.lower()).strip("-") or "section")
        seen[slug] = seen.get(slug, 0) + 1
        anchor = slug if seen[slug] == 1 else f"{slug}-{seen[slug]}"
        yield Node(section, anchor, level, tuple(place(section.children, f"{anchor}-", level + 1)))
