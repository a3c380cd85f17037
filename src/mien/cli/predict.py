"""`mien predict`: pictures, videos and cameras in; a table, files of results and annotated pictures out."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ..signals import StopRequest, interruptible
from .predict_options import Answering, Finding, Inputs, Moving, Showing, Working, Writing
from .run_summary import TABLE, Tally
from .show import say

if TYPE_CHECKING:
    from ..outputs.formats import Writer
    from ..outputs.per_source import Outputs
    from ..outputs.show import Sink
    from ..predict.job import Reading
    from ..predict.results import Result
    from ..predict.settings import Settings
    from ..records import Fault
    from .watching import Watch

#: The options that --engine ray cannot take: what one process shows or writes as it goes, or stops at.
_LOCAL = ("json", "draw", "timeline", "sheet", "page", "strict")


@dataclass
class Predict(Working, Showing, Writing, Answering, Moving, Finding, Inputs):
    """`mien predict`: what was asked for, and how it is done."""

    def run(self) -> None:
        """Predict, show and write. Raises InputError at the end if something could not be read."""
        from ..predict import load
        from ..predict.smoothing import People

        self._check()
        if self.engine == "ray":
            self._spread()
            return
        model = load(self.model)
        reading = model.read(self.input, self._settings(), allow_urls=self.allow_urls)
        people = People(TABLE) if self.track else None
        tally = Tally(leaning=self._leaning(model.engine.preprocessing.align), people=people)
        with TemporaryDirectory() as folder:
            document = Path(folder) / "results.json" if self.json else None
            self._read(reading, document, tally)
            if document:
                with document.open(encoding="utf-8") as text:
                    shutil.copyfileobj(text, sys.stdout)
        self._tell(tally)
        tally.leave(going_on=bool(self.out))

    def _spread(self) -> None:
        """Let workers do it, each shard into a part of its own."""
        from ..errors import ConfigError
        from ..scale import plan
        from .many import finish

        if self.out is None:
            raise ConfigError("--engine ray needs --out FOLDER (or an address such as s3://bucket/results)")
        if self.format not in (None, "parquet"):
            raise ConfigError(f"--engine ray writes parquet, not {self.format}")
        if given := [f"--{name}" for name in _LOCAL if getattr(self, name)]:
            raise ConfigError(f"--engine ray writes parquet alone: leave out {', '.join(given)}")
        job = plan(
            self.input, self.out, self.model, self._settings(), shard=self.shard, overwrite=self.overwrite,
            allow_urls=self.allow_urls,
        )  # fmt: skip
        finish(job, self.workers)

    def _leaning(self, trained: bool) -> str:
        """What to say of faces that nobody can turn, where they are to be turned; `trained`: the model was on such faces."""
        if not {"on": True, "off": False}.get(self.align, trained):
            return ""
        who = "this model" if self.align == "model" else "--align on"
        return (
            f"mien: faces stay as they lean: {who} wants them turned until their eyes are level, and --faces {self.faces} "
            "does not find the eyes (yunet does)"
        )

    def _check(self) -> None:
        """Say what is wrong with the words themselves, before anything is loaded. Raises ConfigError."""
        from ..detect import fetch_yunet
        from ..errors import ConfigError
        from ..outputs.formats import named

        if not self.input:
            raise ConfigError("nothing to predict on: give pictures, videos, folders or patterns")
        if self.format and not self.out:
            raise ConfigError(f"--format {self.format} needs --out FILE")
        if self.out and self.engine == "local":
            named(self.out, self.format)
        if self.fetch and self.faces != "yunet":
            raise ConfigError(
                f"--fetch fetches YuNet's file; with --faces {self.faces} it is of no use (try --faces yunet)"
            )
        if self.fetch and self.detector_file is None:
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
            cuts=self.cuts,
            smooth=seconds(self.smooth, "--smooth") or 0.0,
            align={"model": None, "on": True, "off": False}[self.align],
            average=self.average,
            abstain=self.abstain,
        )

    def _read(self, reading: Reading, document: Path | None, tally: Tally) -> None:
        """Go through all results, and finish every file whatever happens."""
        from .watching import watching

        with ExitStack() as stack:
            outputs = self._outputs(reading, document)
            stack.callback(tally.close, outputs)
            if self.out:
                reading = reading.going_on(outputs.writers[0].done, self.out)
            tally.total = len(reading.sources) + len(reading.faults)
            watch = stack.enter_context(watching(reading.left))
            stop = stack.enter_context(interruptible())
            results = stack.enter_context(closing(reading.results(keep=bool(outputs.sinks))))
            self._go(results, outputs, tally, (watch, stop))

    def _go(
        self, results: Iterator[Result | Fault], outputs: Outputs, tally: Tally, person: tuple[Watch, StopRequest]
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
        from ..outputs.formats import open_writer
        from ..outputs.per_source import ByKind, Each, Outputs, names_of
        from ..outputs.show import Sheet, open_sink

        names = names_of(source.name for source in reading.sources)
        writers: list[Writer] = []
        sinks: list[Sink] = []
        if self.out:
            self._spare_inputs(reading)
            writers.append(open_writer(self.out, reading.origin, self.format, overwrite=self.overwrite))
        if document:
            writers.append(open_writer(document, reading.origin))
        if self.draw:
            one = self.draw.suffix and not self.draw.is_dir()
            sinks.append(open_sink("video", self.draw) if one else ByKind(self.draw, names))
        if self.sheet:
            sinks.append(Sheet(self.sheet, self.sheet_by))
        more = {"timeline": self.timeline, "page": self.page}
        sinks += [open_sink(kind, path) for kind, path in more.items() if path]
        if not (writers or sinks):
            writers.append(Each(self.out_dir, reading.origin, names))
            sinks.append(ByKind(self.out_dir, names))
        return Outputs(writers, sinks)

    def _spare_inputs(self, reading: Reading) -> None:
        from ..errors import ConfigError

        if self.out and self.out.resolve() in {Path(source.name).resolve() for source in reading.sources}:
            raise ConfigError(f"--out {self.out} is one of the pictures to predict on")

    def _tell_files(self, tally: Tally) -> None:
        """What was written, and what was asked for and was not."""
        if self.out and not (tally.frames or tally.failed):
            say(f"{self.out} holds all of it already (--overwrite begins anew)")
        elif self.out:
            say(f"wrote {self.out}")
        for path in tally.written[:TABLE]:
            say(f"wrote {path}")
        for asked, needed in ((self.timeline, "video"), (self.page, "video"), (self.sheet, "face")):
            if asked and asked not in tally.written:
                say(f"wrote no {asked}: there was no {needed}")

    def _tell(self, tally: Tally) -> None:
        from rich.console import Console

        from .faces_table import faces_table, people_table

        if not self.json and tally.people and (people := tally.people.summed()):
            Console().print(people_table(people))
        elif tally.first and not self.json:
            Console().print(faces_table(tally.first))
        if tally.frames > len(tally.first):
            say(f"{'…' if not self.json else ''}{tally}")
        self._tell_files(tally)
        if self.faces != "cropped" and 2 * tally.empty >= max(1, tally.frames):
            say("no face found in many pictures; if they are cropped faces already, use --faces cropped")


def predict(
    *,
    source: Inputs,
    faces: Finding,
    video: Moving,
    answer: Answering,
    result: Writing,
    picture: Showing,
    work: Working,
) -> Predict:
    """Read the faces in pictures, videos and cameras.

    Each input gets <name>.mien.json and <name>.mien.png (a video <name>.mien.mp4), unless --out, --draw, --json or another
    output is asked for. Try: mien predict photo.jpg · mien predict holiday/ --out faces.csv · mien predict talk.mp4 --track
    """
    groups = (source, faces, video, answer, result, picture, work)
    return Predict(**{name: value for group in groups for name, value in vars(group).items()})
