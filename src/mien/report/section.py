"""A report is a tree of sections: each says what it shows; turning it into a page comes last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Section:
    """A heading, a template with its data, a note on what is left out and why, and sections below."""

    title: str
    template: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    children: tuple[Section, ...] = ()
