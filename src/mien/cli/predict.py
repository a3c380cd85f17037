"""`mien predict`: pictures, videos and cameras in; a table, files of results and annotated pictures out."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from .show import say

if TYPE_CHECKING:
    from ..predict.formats import Writer
    from ..predict.outputs import Outputs
    from ..predict.reading import Reading
    from ..predict.results import Result
    from ..predict.settings import Settings
    from ..predict.show import Sink
    from ..records import Fault
    from .watching import Stop, Watch

#: Up to so many results are printed as a table; of more only the sums.
_TABLE = 50


@dataclass
class Predict:
    """Read the faces in pictures, videos and cameras.

    Writes <name>.mien.json and <name>.mien.png (of a video <name>.mien.mp4) of each input, unless --out, --draw or --json say
    otherwise. Running again with the same --out (.jsonl, .csv, .parquet) goes on where it stopped.
    """

    input: Positional[tuple[str, ...]]
    """Pictures, videos, folders (searched through all levels), patterns such as 'photos/*.jpg', @list.txt, - (standard input),
    camera:0, rtsp:// or, with --allow-urls, http(s):// addresses."""
    model: str | None = None
    """A model that comes with mien, by its name (default: face), a model.onnx or a run folder."""
    faces: str = "haar"
    """How faces are found: haar, yunet (needs its file), cropped (each picture is one face already), or package.module:name."""
    detector_file: Path | None = None
    """The face detector's own model file."""
    fetch: bool = False
    """Fetch YuNet's model file (230 kB) once, if it is not there."""
    smallest: int = 0
    """Leave out faces narrower than so many pixels, and look for faces that small (0: what the detector finds)."""
    most: int = 0
    """Keep only so many faces of a picture, the largest (0: all)."""
    every: str = ""
    """Take a frame of a video every so often: 0.5s, 2, 1:00 (default: every frame)."""
    start: Annotated[str, arg(name="from")] = ""
    """Begin at this time of a video: 90s, 1:30, 0:01:30."""
    end: Annotated[str, arg(name="to")] = ""
    """End before this time of a video."""
    limit: int = 0
    """Take at most so many frames of each video (0: all)."""
    track: bool = False
    """Follow each face through a video: face_id then stays with the person."""
    smooth: str = ""
    """Smooth each followed face's probabilities over time, with this half-life: 0.3s."""
    align: Literal["model", "on", "off"] = "model"
    """Turn each face until its eyes are level (needs a detector that finds them): as the model was trained, or on, or off."""
    average: Literal["none", "flip", "ten"] = "none"
    """Ask the model several times of each face, and average: its mirror image too, or ten crops."""
    abstain: float | None = None
    """Mark predictions whose largest probability lies below this, 0…1, as abstained."""
    allow_urls: bool = False
    """Fetch http(s):// inputs."""
    out: Path | None = None
    """Write all results to this one file: .json, .jsonl, .csv or .parquet; other formats with --format."""
    format: Literal["json", "jsonl", "csv", "parquet", "deepface", "fer", "openface", "pyfeat"] | None = None
    """The format of --out, where its suffix does not say."""
    overwrite: bool = False
    """Begin --out anew instead of going on with it."""
    draw: Path | None = None
    """Write annotated pictures and videos into this folder; or one annotated video, with a name such as out.mp4."""
    timeline: Path | None = None
    """Plot what each face of a video shows over time into this file: .svg or .png."""
    sheet: Path | None = None
    """Put all faces on contact sheets: .png or .jpg; of a video each followed face once."""
    page: Path | None = None
    """Write a page with the video and its timeline in step: .html."""
    out_dir: Path = Path()
    """Where the files of each input go (default: the current folder)."""
    strict: bool = False
    """Stop at the first input that cannot be read."""
    json: bool = False
    """Print one JSON object on stdout instead of the table; files are written only where asked for (--out, --draw …)."""

    def run(self) -> None:
        """Predict, show and write. Raises InputError at the end if something could not be read."""
        from ..errors import InputError
        from ..predict import load

        self._check()
        reading = load(self.model).read(self.input, self._settings(), allow_urls=self.allow_urls)
        tally = Tally()
        with TemporaryDirectory() as folder:
            document = Path(folder) / "results.json" if self.json else None
            self._read(reading, document, tally)
            if document:
                with document.open(encoding="utf-8") as text:
                    shutil.copyfileobj(text, sys.stdout)
        self._tell(tally)
        if tally.stopped:
            say(f"stopped after {tally}" + ("; run the same again to go on" if self.out else ""))
            raise SystemExit(130)
        if tally.failed:
            raise InputError(f"{len(tally.failed)} of {tally.total} inputs could not be read")

    def _check(self) -> None:
        """Say what is wrong with the words themselves, before anything is loaded. Raises ConfigError."""
        from ..errors import ConfigError
        from ..predict.faces import fetch_yunet
        from ..predict.formats import named

        if not self.input:
            raise ConfigError("nothing to predict on: give pictures, videos, folders or patterns")
        if self.format and not self.out:
            raise ConfigError(f"--format {self.format} needs --out FILE")
        if self.out:
            named(self.out, self.format)
        if self.fetch and self.faces == "yunet" and self.detector_file is None:
            fetch_yunet()

    def _settings(self) -> Settings:
        from ..predict.settings import Settings, seconds

        return Settings(
            self.faces,
            self.detector_file,
            smallest=self.smallest,
            most=self.most,
            every=seconds(self.every, "--every"),
            start=seconds(self.start, "--from") or 0.0,
            end=seconds(self.end, "--to"),
            limit=self.limit,
            track=self.track,
            smooth=seconds(self.smooth, "--smooth") or 0.0,
            align={"model": None, "on": True, "off": False}[self.align],
            average=self.average,
            abstain=self.abstain,
        )

    def _read(self, reading: Reading, document: Path | None, tally: Tally) -> None:
        """Go through all results, and finish every file whatever happens."""
        from .watching import stoppable, watching

        with ExitStack() as stack:
            outputs = self._outputs(reading, document)
            stack.callback(tally.close, outputs)
            if self.out:
                reading = reading.going_on(outputs.writers[0].done, self.out)
            tally.total = len(reading.sources) + len(reading.faults)
            watch = stack.enter_context(watching(reading.left))
            stop = stack.enter_context(stoppable())
            results = stack.enter_context(closing(reading.results(keep=bool(outputs.sinks))))
            self._go(results, outputs, tally, (watch, stop))

    def _go(
        self, results: Iterator[Result | Fault], outputs: Outputs, tally: Tally, person: tuple[Watch, Stop]
    ) -> None:
        watch, stop = person
        for item in results:
            outputs.add(item)
            tally.add(item)
            watch.step(item)
            tally.stopped = stop.asked
            if stop.asked or (self.strict and tally.failed):
                return

    def _outputs(self, reading: Reading, document: Path | None) -> Outputs:
        from ..predict.formats import open_writer
        from ..predict.outputs import ByKind, Each, Outputs, names_of
        from ..predict.show import open_sink

        names = names_of(source.name for source in reading.sources)
        writers: list[Writer] = []
        sinks: list[Sink] = []
        if self.out:
            self._spare_inputs(reading)
            writers.append(open_writer(self.out, reading.origin, self.format, overwrite=self.overwrite))
        if document:
            writers.append(open_writer(document, reading.origin))
        if self.draw:
            sinks.append(open_sink("video", self.draw) if self.draw.suffix else ByKind(self.draw, names))
        more = {"timeline": self.timeline, "sheet": self.sheet, "page": self.page}
        sinks += [open_sink(kind, path) for kind, path in more.items() if path]
        if not (writers or sinks):
            writers.append(Each(self.out_dir, reading.origin, names))
            sinks.append(ByKind(self.out_dir, names))
        return Outputs(writers, sinks)

    def _spare_inputs(self, reading: Reading) -> None:
        from ..errors import ConfigError

        if self.out and self.out.resolve() in {Path(source.name).resolve() for source in reading.sources}:
            raise ConfigError(f"--out {self.out} is one of the pictures to predict on")

    def _tell(self, tally: Tally) -> None:
        from rich.console import Console

        from .faces_table import faces_table

        if tally.first and not self.json:
            Console().print(faces_table(tally.first))
        if tally.frames > len(tally.first):
            say(f"{'…' if not self.json else ''}{tally}")
        for path in [*([self.out] if self.out else []), *tally.written[:_TABLE]]:
            say(f"wrote {path}")
        if self.faces != "cropped" and tally.empty:
            say("no face found in some pictures; if they are cropped faces already, use --faces cropped")


@dataclass
class Tally:
    """What was read so far. `first`: up to _TABLE results for the table."""

    total: int = 0
    frames: int = 0
    faces: int = 0
    empty: int = 0
    stopped: bool = False
    first: list[Result] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)
    written: list[Path] = field(default_factory=list)

    def add(self, item: Result | Fault) -> None:
        """Count one result; say a fault."""
        from ..records import Fault

        if isinstance(item, Fault):
            say(f"mien: {item.reason}")
            self.failed[item.source] = self.failed.get(item.source, 0) + 1
            return
        self.frames += 1
        self.faces += len(item.predictions)
        self.empty += not item.predictions
        if len(self.first) < _TABLE:
            self.first.append(replace(item, pixels=None))

    def close(self, outputs: Outputs) -> None:
        """Finish the outputs, and note what they wrote."""
        outputs.close()
        self.written = outputs.written

    def __str__(self) -> str:
        return f"{self.frames:,} pictures or frames, {self.faces:,} faces, {self.empty:,} without a face"
