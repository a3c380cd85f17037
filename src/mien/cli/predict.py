"""`mien predict`: pictures in, a table, JSON and annotated pictures out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from .show import print_json, say

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from ..predict import Detector, Model
    from ..predict.formats import Result, Results
    from ..records import Pixels, Prediction

_BAR = 12


@dataclass
class Predict:
    """Read the faces in pictures.

    Writes <name>.mien.json and <name>.mien.png for each picture, unless --out, --draw or --json say otherwise.
    """

    input: Positional[tuple[str, ...]]
    """Pictures, folders (searched through all levels) or patterns such as 'photos/*.jpg'."""
    model: Path | None = None
    """A model.onnx or a run folder."""
    faces: str = "haar"
    """How faces are found: haar, yunet (needs --detector-file), or cropped (each picture is one face already)."""
    detector_file: Path | None = None
    """The face detector's own model file."""
    out: Path | None = None
    """Write all results to this one file: .json, .jsonl or .csv."""
    draw: Path | None = None
    """Write annotated pictures into this folder."""
    out_dir: Path = Path()
    """Where <name>.mien.json and <name>.mien.png go (default: the current folder)."""
    json: bool = False
    """Print one JSON object on stdout instead of the table; files are written only where --out or --draw ask for them."""

    def run(self) -> None:
        """Predict, show and write. Raises InputError at the end if a picture could not be read."""
        from ..errors import ConfigError, InputError
        from ..predict import detector, formats, load, sources

        if not self.input:
            raise ConfigError("nothing to predict on: give pictures, folders or patterns")
        paths, missing = sources.expand(self.input)
        if self.out:
            formats.writer(self.out)
            if self.out.resolve() in {path.resolve() for path in paths}:
                raise ConfigError(f"--out {self.out} is one of the pictures to predict on")
        find = detector(self.faces, self.detector_file)
        model = load(self.model)
        results = self._predict(model, find, paths, missing)
        self._show(results)
        if results.failed:
            total = len(results.pictures) + len(results.failed)
            raise InputError(f"{len(results.failed)} of {total} inputs could not be read")

    def _predict(self, model: Model, find: Detector, paths: list[Path], missing: Sequence[Exception]) -> Results:
        from rich.console import Console
        from rich.progress import track

        from .. import pictures
        from ..errors import InputError
        from ..predict.formats import Result, Results

        names = _names(paths)
        done: list[Result] = []
        failed = [(str(error).partition(":")[0], str(error)) for error in missing]
        for _, reason in failed:
            say(f"mien: {reason}")
        for path in track(paths, "Predicting", console=Console(stderr=True), transient=True, disable=len(paths) < 5):
            try:
                pixels = pictures.read(path)
            except InputError as error:
                failed.append((str(path), str(error)))
                say(f"mien: {error}")
                continue
            result = Result(str(path), pixels.shape[1], pixels.shape[0], model.predict(pixels, find))
            self._write(names[path], pixels, result, model)
            done.append(result)
        return Results(model.engine, done, failed)

    def _write(self, name: str, pixels: Pixels, result: Result, model: Model) -> None:
        """Write what is asked for of one picture, so that its pixels need not be kept."""
        from ..predict import draw, formats

        alone = not (self.json or self.out or self.draw)
        if self.draw or alone:
            draw.save((self.draw or self.out_dir) / f"{name}.mien.png", pixels, result.predictions)
        if alone:
            formats.write(self.out_dir / f"{name}.mien.json", formats.Results(model.engine, [result]))
            say(f"wrote {self.out_dir / name}.mien.json and .mien.png")

    def _show(self, results: Results) -> None:
        from rich.console import Console

        from ..predict import formats

        if self.json:
            print_json(results.to_dict())
        elif results.pictures:
            Console().print(_table(results))
        if self.out:
            formats.write(self.out, results)
            say(f"wrote {self.out}")
        if self.draw and results.pictures:
            say(f"wrote {len(results.pictures)} annotated pictures into {self.draw}")
        if self.faces != "cropped" and any(not picture.predictions for picture in results.pictures):
            say("no face found in some pictures; if they are cropped faces already, use --faces cropped")


def _names(paths: Sequence[Path]) -> dict[Path, str]:
    """A different name for each picture's results: its own, numbered where two pictures share it."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path in paths:
        number, name = 1, path.stem
        while name.casefold() in taken:
            number, name = number + 1, f"{path.stem}-{number + 1}"
        taken.add(name.casefold())
        names[path] = name
    return names


def _table(results: Results) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    tagged = any(prediction.tags for picture in results.pictures for prediction in picture.predictions)
    for title in ("picture", "face", "dominant", "likeliest", *(["tags"] if tagged else [])):
        table.add_column(title, overflow="fold")
    for picture in results.pictures:
        for number, prediction in enumerate(picture.predictions):
            source = picture.source if number == 0 else ""
            tags = [Text(", ".join(names) or "–") for names in prediction.tags.values()]
            says = Text(prediction.dominant or "–"), _likeliest(prediction), Text("\n").join(tags)
            table.add_row(Text(source), str(number), *(says if tagged else says[:2]))
        if not picture.predictions:
            table.add_row(Text(picture.source), "–", "no face", "")
    return table


def _likeliest(prediction: Prediction) -> Text:
    from rich.text import Text

    from ..predict.draw import card_of, colour_of

    card = card_of(prediction)
    lines = []
    wide = max((len(label) for label, _ in card.bars), default=0)
    for label, value in card.bars:
        full = round(value * _BAR)
        colour = "rgb({},{},{})".format(*colour_of(label))
        lines.append(
            Text.assemble(f"{label:<{wide}} ", ("━" * full, colour), ("─" * (_BAR - full), "dim"), f" {value:4.0%}")
        )
    return Text("\n").join([*lines, Text(card.note)] if card.note else lines)
