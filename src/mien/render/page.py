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
Shares = Sequence[tuple[str, str, float]]  # label, colour, share 0…1


@dataclass(frozen=True)
class Node:
    """A section in its place on the page: anchor, and level of its heading."""

    section: Section
    anchor: str
    level: int
    children: tuple["Node", ...]


def page(name: str, sections: Sequence[Section], kind: str = "report", *, shares: Shares = ()) -> str:
    """Return a whole page as HTML; `kind` says what page it is, `shares` what the raters answered."""
    jinja2 = require("jinja2", "report")
    options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    loader, strict = jinja2.FileSystemLoader(TEMPLATES), jinja2.StrictUndefined
    environment = jinja2.Environment(loader=loader, undefined=strict, **options)
    environment.filters.update(percent=words.percent, number=words.number, kind_of=kind_of)
    template, nodes = environment.get_template("page.html"), list(place(sections))
    return str(template.render(name=name, kind=kind, nodes=nodes, shares=shares, colours=PAGE))


def place(sections: Sequence[Section], above: str = "", level: int = 2) -> Iterator[Node]:
    """Give each section its anchor, unique on the page, and the level of its heading."""
    seen: dict[str, int] = {}
    for section in sections:
        slug = above + (re.sub(r"[^a-z0-9]+", "-", section.title.lower()).strip("-") or "section")
        seen[slug] = seen.get(slug, 0) + 1
        anchor = slug if seen[slug] == 1 else f"{slug}-{seen[slug]}"
        yield Node(section, anchor, level, tuple(place(section.children, f"{anchor}-", level + 1)))
