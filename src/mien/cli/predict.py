"""`mien predict`: from inputs to a table, files of results and annotated media."""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..signals import interruptible
from .predict_options import (
    AnswerOptions,
    DetectionOptions,
    InputOptions,
    PictureOptions,
    ResultOptions,
    VideoOptions,
    WorkOptions,
)
from .run_summary import TABLE, RunSummary
from .terminal import progress_bar, progress_over, say, show

if TYPE_CHECKING:
    from ..outputs.formats import Writer
    from ..outputs.per_source import RunOutputs
    from ..outputs.show import Sink
    from ..predict.job import PredictionJob
    from ..predict.settings import Settings
    from ..scale import Job

#: The options that --engine ray cannot take: what one process shows or writes as it goes, or stops at.
_LOCAL = ("json", "draw", "timeline", "sheet", "page", "strict")


@dataclass
class Predict(
    WorkOptions, PictureOptions, ResultOptions, AnswerOptions, VideoOptions, DetectionOptions, InputOptions
):  # fmt: skip
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
        job = model.read(self.input, self._settings(), allow_urls=self.allow_urls)
        people = People(TABLE) if self.track else None
        summary = RunSummary(unturned=self._unturned(model.engine.inputs.uses_points), people=people)
        with TemporaryDirectory() as folder:
            document = Path(folder) / "results.json" if self.json else None
            self._read(job, document, summary)
            if document:
                with document.open(encoding="utf-8") as text:
                    shutil.copyfileobj(text, sys.stdout)
        self._tell(summary)
        summary.leave(resumable=bool(self.out))

    def _spread(self) -> None:
        """Plan what workers do, each shard into a part of its own, and let them. Raises ConfigError."""
        from ..scale import plan

        if self.out is None:
            raise ConfigError("--engine ray needs --out FOLDER (or an address such as s3://bucket/results)")
        if self.format not in (None, "parquet"):
            raise ConfigError(f"--engine ray writes parquet, not {self.format}")
        if options := [f"--{name}" for name in _LOCAL if getattr(self, name)]:
            raise ConfigError(f"--engine ray writes parquet alone: leave out {', '.join(options)}")
        job = plan(
            self.input, self.out, self.model, self._settings(), shard=self.shard, overwrite=self.overwrite,
            allow_urls=self.allow_urls,
        )  # fmt: skip
        self._finish(job)

    def _finish(self, job: Job) -> None:
        """Let the workers do what is left. Raises InputError at the end if something could not be read."""
        summary = RunSummary(total=job.total)
        for error in job.faults:
            summary.add(error)
        if job.done:
            say(f"{len(job.done):,} of {len(job.shards):,} parts are there already")
        with (
            progress_bar("Predicting") as progress,
            interruptible() as stop,
            closing(job.run(self.workers)) as counts,
        ):
            for done, count in enumerate(counts, 1):
                summary.take(count)
                progress(done, len(job.shards))
                summary.stopped = stop.signal
                if stop.signal:
                    break
        say(f"{summary}")
        say(f"wrote {job.order.folder.location}")
        summary.leave(resumable=True)

    def _unturned(self, trained: bool) -> str:
        """What to say of faces that nobody can turn; `trained`: the model was trained on turned faces."""
        if not {"on": True, "off": False}.get(self.align, trained):
            return ""
        who = "this model" if self.align == "model" else "--align on"
        return (
            f"mien: faces stay as they lean: {who} wants them turned until their eyes are level, "
            f"and --faces {self.faces} does not find the eyes (yunet does)"
        )

    def _check(self) -> None:
        """Say what is wrong with the words themselves, before anything is loaded. Raises ConfigError."""
        from ..detect import fetch_yunet
        from ..outputs.formats import named

        if not self.input:
            raise ConfigError("nothing to predict on: give pictures, videos, folders or patterns")
        if self.format and not self.out:
            raise ConfigError(f"--format {self.format} needs --out FILE")
        if self.out and self.engine == "local":
            named(self.out, self.format)
        if self.fetch and self.faces != "yunet":
            useless = f"with --faces {self.faces} it is of no use (try --faces yunet)"
            raise ConfigError(f"--fetch fetches YuNet's file; {useless}")
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

    def _read(self, job: PredictionJob, document: Path | None, summary: RunSummary) -> None:
        """Go through all results, and finish every file whatever happens."""
        with ExitStack() as stack:
            outputs = self._outputs(job, document)
            stack.callback(summary.close, outputs)
            if self.out:
                job = job.resume_from(outputs.writers[0].done, self.out)
            summary.total = len(job.sources) + len(job.faults)
            bar = stack.enter_context(progress_over(job.left))
            stop = stack.enter_context(interruptible())
            results = stack.enter_context(closing(job.results(keep=bool(outputs.sinks))))
            for item in results:
                outputs.add(item)
                summary.add(item)
                bar.step(item)
                summary.stopped = stop.signal
                if stop.signal or (self.strict and summary.failed):
                    return

    def _outputs(self, job: PredictionJob, document: Path | None) -> RunOutputs:
        from ..outputs.formats import open_writer
        from ..outputs.per_source import PerSourceJson, PerSourceMedia, RunOutputs
        from ..outputs.show import Sheet, open_sink
        from ..outputs.show.picture import SourceNames

        names = SourceNames(source.name for source in job.sources)
        writers: list[Writer] = []
        sinks: list[Sink] = []
        if self.out:
            self._spare_inputs(job)
            writers.append(open_writer(self.out, job.origin, self.format, overwrite=self.overwrite))
        if document:
            writers.append(open_writer(document, job.origin))
        if self.draw:
            single = self.draw.suffix and not self.draw.is_dir()
            sinks.append(open_sink("video", self.draw) if single else PerSourceMedia(self.draw, names))
        if self.sheet:
            sinks.append(Sheet(self.sheet, self.sheet_by))
        files = {"timeline": self.timeline, "page": self.page}
        sinks += [open_sink(kind, path) for kind, path in files.items() if path]
        if not (writers or sinks):
            writers.append(PerSourceJson(self.out_dir, job.origin, names))
            sinks.append(PerSourceMedia(self.out_dir, names))
        return RunOutputs(writers, sinks)

    def _spare_inputs(self, job: PredictionJob) -> None:
        if self.out and self.out.resolve() in {Path(source.name).resolve() for source in job.sources}:
            raise ConfigError(f"--out {self.out} is one of the pictures to predict on")

    def _tell_files(self, summary: RunSummary) -> None:
        """What was written, and what was asked for and was not."""
        if self.out and not (summary.frames or summary.failed):
            say(f"{self.out} holds all of it already (--overwrite begins anew)")
        elif self.out:
            say(f"wrote {self.out}")
        for path in summary.written[:TABLE]:
            say(f"wrote {path}")
        for asked, needed in ((self.timeline, "video"), (self.page, "video"), (self.sheet, "face")):
            if asked and asked not in summary.written:
                say(f"wrote no {asked}: there was no {needed}")

    def _tell(self, summary: RunSummary) -> None:
        from .faces_table import faces_table, people_table

        if not self.json and summary.people and (people := summary.people.summed()):
            show(people_table(people), stderr=False)
        elif summary.first and not self.json:
            show(faces_table(summary.first), stderr=False)
        if summary.frames > len(summary.first):
            say(f"{'…' if not self.json else ''}{summary}")
        self._tell_files(summary)
        if self.faces != "cropped" and 2 * summary.empty >= max(1, summary.frames):
            say("no face found in many pictures; if they are cropped faces already, use --faces cropped")


def predict(
    *,
    source: InputOptions,
    faces: DetectionOptions,
    video: VideoOptions,
    answer: AnswerOptions,
    result: ResultOptions,
    picture: PictureOptions,
    work: WorkOptions,
) -> Predict:
    """Read the faces in pictures, videos and cameras.

    Each input gets <name>.mien.json and <name>.mien.png (a video <name>.mien.mp4), unless --out, --draw,
    --json or another output is asked for. Try: mien predict photo.jpg · mien predict holiday/ --out
    faces.csv · mien predict talk.mp4 --track
    """
    groups = (source, faces, video, answer, result, picture, work)
    return Predict(**{name: value for group in groups for name, value in vars(group).items()})
