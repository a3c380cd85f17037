"""A report is a tree of sections: each says what it shows; turning it into a page or a PDF comes last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .blocks import Block


@dataclass(frozen=True)
class Section:
    """A heading, its blocks, a note on what is left out and why, and sections below.

    `template` with its `data` is for what only a page shows and no block says.
    """

    title: str
    template: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    children: tuple[Section, ...] = ()
    blocks: tuple[Block, ...] = ()
