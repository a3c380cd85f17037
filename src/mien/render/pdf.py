"""The same tree of sections as a PDF, by typst's Python wheel: no system package, no network.

typst gets everything as JSON. A plot is the page's own SVG in the colours of light paper; a face is wrapped
into an SVG too.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from ..extras import require
from ..files import atomic_write
from ..palette import PAGE
from .blocks import Block, FaceCards, Plots, Section, SideBySide, kind
from .page import TEMPLATES, Node, Shares, place

_SVG = '<svg xmlns="http://www.w3.org/2000/svg" font-family="DejaVu Sans"'


def write(path: Path, name: str, sections: Sequence[Section], shares: Shares = ()) -> None:
    """Write the PDF, whole or not at all: accessible (PDF/UA-1), A4."""
    content = compiler(document(name, sections, shares)).compile(format="pdf", pdf_standards=["ua-1"])
    with atomic_write(path) as part:
        part.write_bytes(content)


def document(name: str, sections: Sequence[Section], shares: Shares) -> dict[str, Any]:
    """Return what typst is given: the tree in plain JSON, every colour resolved."""
    colours = {colour: light for colour, (light, _) in PAGE.items()}
    nodes = [_node(node) for node in place(sections, level=1)]
    tree = {"name": name, "what": "report", "nodes": nodes, "shares": list(shares), "colours": colours}
    plain: dict[str, Any] = json.loads(
        re.sub(r"var\(--(\w+)\)", lambda found: colours[found[1]], json.dumps(tree))
    )
    return plain


def compiler(tree: Mapping[str, Any]) -> Any:
    """Return a typst compiler over the template with this document; fonts of typst and matplotlib come
    first."""
    typst, matplotlib = require("typst", "report"), require("matplotlib", "report")
    fonts = typst.Fonts(font_paths=[str(Path(matplotlib.get_data_path()) / "fonts" / "ttf")])
    source, data = str(TEMPLATES / "report.typ"), {"data": json.dumps(tree)}
    return typst.Compiler(input=source, font_paths=fonts, sys_inputs=data)


def _node(node: Node) -> dict[str, Any]:
    section = node.section
    return {
        "title": section.title,
        "level": node.level,
        "note": section.note,
        "blocks": [_block(block) for block in section.blocks],
        "children": [_node(child) for child in node.children],
    }


def _block(block: Block) -> dict[str, Any]:
    plain = {**asdict(block), "kind": kind(block)}
    if isinstance(block, Plots | SideBySide):
        for plot in plain["plots"]:
            plot["svg"] = plot["svg"].replace('<svg aria-hidden="true"', _SVG, 1)
    if isinstance(block, FaceCards):
        for face in plain["faces"]:
            face["picture"] = _framed(face["picture"], face["small"])
    return plain


def _framed(picture: str, small: bool) -> str:
    """A picture as a square SVG, kept sharp where it is small."""
    look = ' image-rendering="optimizeSpeed"' if small else ""
    return f'{_SVG} viewBox="0 0 96 96"><image width="96" height="96"{look} href="{escape(picture)}"/></svg>'
