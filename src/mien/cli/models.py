"""`mien models`: the models that come with mien, and the encoders a configuration can name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import extras
from ..errors import MissingExtraError
from .terminal import new_table, print_json, say, show

#: What is shown of a bundled model's figures, where its file has them; shares in per cent.
_FIGURES = {"accuracy": "accuracy", "top_label_accuracy": "top label", "kl": "KL", "ece": "ECE"}
_SHARES = ("accuracy", "top_label_accuracy")


@dataclass
class Models:
    """List the models that come with mien and, with the train extra, the encoders that `model.encoder`
    can name."""

    search: str = ""
    """List encoders alone, whose names contain this text: our own and timm's."""
    json: bool = False
    """Print one JSON object on stdout."""

    def run(self) -> None:
        """List them. Raises ModelError for a damaged model, MissingExtraError for --search without timm."""
        listing: dict[str, Any] = {} if self.search else {"bundled": _bundled()}
        try:
            listing |= _encoders(self.search.lower())
        except MissingExtraError as error:
            if self.search:
                raise
            listing |= {"own": [], "timm": [], "timm_total": 0}
            hint = f"encoders to train: {error}"
        else:
            hint = f"and {listing['timm_total']} names of timm: mien models --search resnet"
        if self.json:
            print_json(listing)
            return
        _print_bundled(listing.get("bundled", []))
        _print(listing["own"], listing["timm"])
        if not self.search:
            say(hint)
        elif not listing["own"] + listing["timm"]:
            searched = f"{listing['timm_total']} names of timm searched"
            say(f"no encoder's name contains '{self.search}' ({searched})")


def _bundled() -> list[dict[str, Any]]:
    """The bundled models' own descriptions; each file is opened and its SHA-256 checked."""
    from .. import bundle
    from ..predict import Engine

    found = []
    for name in bundle.checksums():
        engine = Engine(bundle.find(name), threads=1)
        found.append(
            {
                "name": name,
                "default": name == bundle.DEFAULT,
                "bytes": engine.path.stat().st_size,
                "parameters": engine.metadata.get("parameters"),
                "heads": {head.name: list(head.space.labels) for head in engine.task},
                "figures": engine.metadata.get("figures", []),
                "licence": engine.metadata.get("licence", ""),
                "sha256": engine.sha256,
            }
        )
    return found


def _print_bundled(models: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for model in models:
        size = f"{model['bytes'] / 1e6:.1f} MB, {(model['parameters'] or 0) / 1e6:.2f} M parameters"
        default = ", used unless another is named" if model["default"] else ""
        console.print(Text.assemble((model["name"], "bold"), f"  {size}{default}"))
        for record in model["figures"]:
            console.print(Text("  " + _figures_line(record)), soft_wrap=True)
        console.print(Text(f"  licence: {model['licence']}\n  sha256: {model['sha256']}\n"), soft_wrap=True)


def _figures_line(record: dict[str, Any]) -> str:
    """One line with a head's figures and their intervals."""
    against = "" if record["target"] == record["head"] else f" against {record['target']}"
    figures = [
        f"{title} {_figure(record['metrics'][metric], metric in _SHARES)}"
        for metric, title in _FIGURES.items()
        if metric in record["metrics"]
    ]
    return f"{record['head']}{against} ({record['rows']} faces of {record['split']}): {', '.join(figures)}"


def _figure(figure: dict[str, Any], share: bool) -> str:
    form = ".1%" if share else ".3f"
    value, low, high = (f"{number:{form}}" for number in (figure["value"], *figure["interval"]))
    return f"{value} [{low}, {high}]"


def _encoders(text: str) -> dict[str, Any]:
    """The encoders whose names contain a text; none of timm's for an empty text."""
    extras.require("torch", "train")
    timm = extras.require("timm", "train")
    from ..models import ENCODERS

    known, ours = timm.list_models(), [name for modality, name in ENCODERS if modality == "image"]
    theirs = [_described(timm, name) for name in known if text and text in name and name not in ours]
    return {"own": [name for name in ours if text in name], "timm": theirs, "timm_total": len(known)}


def _described(timm: Any, name: str) -> dict[str, Any]:
    """What timm knows of a name's default weights (tag and licence, None: no weights) and input size."""
    config = timm.models.get_pretrained_cfg(name)
    weights = bool(config and config.has_weights)
    return {
        "name": name,
        "size": config.input_size[-1] if config else None,
        "weights": config.tag if weights else None,
        "licence": config.license if weights else None,
    }


def _print(own: list[str], theirs: list[dict[str, Any]]) -> None:
    table = new_table()
    for title in ("encoder", "from", "size", "pretrained weights", "their licence"):
        table.add_column(title, overflow="fold", no_wrap=title == "encoder")
    for name in own:
        table.add_row(name, "mien", "any", "–", "–")
    for entry in theirs:
        known = (str(entry[key] or "–") for key in ("size", "weights", "licence"))
        table.add_row(entry["name"], "timm", *known)
    if table.row_count:
        show(table, stderr=False)
