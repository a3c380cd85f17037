"""The same tree of sections as a PDF, by typst's Python wheel: no system package, no network, fonts of typst and matplotlib.

typst gets everything as JSON. A plot is the page's own SVG with the colours of light paper; a face is wrapped into an SVG too.
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
from .page import TEMPLATES, Node, place

_SVG = '<svg xmlns="http://www.w3.org/2000/svg" font-family="DejaVu Sans"'


def write(
    path: Path,
    name: str,
    sections: tuple[Section, ...],
    shares: Sequence[tuple[str, str, float]] = (),
    what: str = "report",
) -> None:
    """Write the PDF, whole or not at all: accessible (PDF/UA-1), A4."""
    with atomic_write(path) as part:
        part.write_bytes(compiler(document(name, sections, shares, what)).compile(format="pdf", pdf_standards=["ua-1"]))


def document(
    name: str, sections: tuple[Section, ...], shares: Sequence[tuple[str, str, float]], what: str = "report"
) -> dict[str, Any]:
    """What typst is told: the tree in plain JSON, every colour resolved."""
    colours = {colour: light for colour, (light, _) in PAGE.items()}
    nodes = [_node(node) for node in place(sections, level=1)]
    tree = {"name": name, "what": what, "nodes": nodes, "shares": list(shares), "colours": colours}
    resolved = re.sub(r"var\(--(\w+)\)", lambda found: colours[found[1]], json.dumps(tree))
    plain: dict[str, Any] = json.loads(resolved)
    return plain


def compiler(tree: Mapping[str, Any]) -> Any:
    """A typst compiler over the template with this document; what typst and matplotlib bring stands before system fonts."""
    typst, matplotlib = require("typst", "report"), require("matplotlib", "report")
    fonts = typst.Fonts(font_paths=[str(Path(matplotlib.get_data_path()) / "fonts" / "ttf")])
    return typst.Compiler(input=str(TEMPLATES / "report.typ"), font_paths=fonts, sys_inputs={"data": json.dumps(tree)})


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
        plain["plots"] = [
            {**plot, "svg": plot["svg"].replace('<svg aria-hidden="true"', _SVG, 1)} for plot in plain["plots"]
        ]
    if isinstance(block, FaceCards):
        plain["faces"] = [{**face, "picture": _framed(face["picture"], face["small"])} for face in plain["faces"]]
    return plain


def _framed(picture: str, small: bool) -> str:
    """A picture as a square SVG, its pixels kept sharp where they are few."""
    look = ' image-rendering="optimizeSpeed"' if small else ""
    return f'{_SVG} viewBox="0 0 96 96"><image width="96" height="96"{look} href="{escape(picture)}"/></svg>'
