"""The options of `mien predict`, in the groups in which its help shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

from tyro.conf import Positional, arg

from ..choices import Averaging, ResultFormat

# What help shows for a value, and no default where there is none to tell.
_File: TypeAlias = Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")]
_Time: TypeAlias = Annotated[str, arg(metavar="TIME", help_behavior_hint="")]
_Number: TypeAlias = Annotated[int, arg(metavar="N", help_behavior_hint="")]
_Switch: TypeAlias = Annotated[bool, arg(help_behavior_hint="")]


@dataclass
class InputOptions:
    """What is read, and by which model."""

    input: Annotated[Positional[tuple[str, ...]], arg(metavar="INPUT …", help_behavior_hint="")]
    """Pictures, videos, folders (through all levels), patterns such as 'photos/*.jpg', @list.txt, - (standard
    input), camera:0, rtsp://…, or http(s)://… with --allow-urls."""
    model: Annotated[str | None, arg(metavar="MODEL", help_behavior_hint="(default: face)")] = None
    """A model that comes with mien (`mien models`), a run folder or a model.onnx."""
    allow_urls: _Switch = field(default=False, kw_only=True)
    """Fetch http(s):// inputs."""
    strict: _Switch = field(default=False, kw_only=True)
    """Stop at the first input that cannot be read, instead of going on with the others."""


@dataclass
class DetectionOptions:
    """How faces are found and cut out."""

    faces: Annotated[str, arg(metavar="NAME")] = "haar"
    """haar, yunet (finds more; needs its file), cropped (each picture is one face), or your own
    package.module:name."""
    detector_file: _File = None
    """The face detector's own file."""
    fetch: _Switch = False
    """Fetch YuNet's file (230 kB) once, if it is not there."""
    smallest: _Number = 0
    """Look for faces from N pixels wide on, and leave out narrower ones."""
    most: _Number = 0
    """Keep the N largest faces of a picture."""
    align: Literal["model", "on", "off"] = "model"
    """Turn faces until their eyes are level: as the model was trained, always or never (needs yunet)."""


@dataclass
class VideoOptions:
    """Of videos and cameras: which frames, and who is who."""

    every: _Time = ""
    """Take a frame every so often: 0.5s, 2, 1:00."""
    start: Annotated[str, arg(name="from", metavar="TIME", help_behavior_hint="")] = ""
    """Begin at this time: 90s, 1:30, 0:01:30."""
    end: Annotated[str, arg(name="to", metavar="TIME", help_behavior_hint="")] = ""
    """End before this time."""
    limit: _Number = 0
    """Take at most N frames of each video."""
    track: _Switch = False
    """Follow each face, so that its face_id stays with the person."""
    cuts: _Switch = True
    """Do not look for cuts, at which all face_ids end."""
    smooth: _Time = ""
    """Average what each followed face shows over time, with this half-life: 0.3s."""


@dataclass
class AnswerOptions:
    """How the model is asked."""

    average: Annotated[Averaging | Literal["ten"], arg(metavar="{none,flip,ten_crop}")] = "none"
    """Ask of each face several times and average: its mirror image too (twice the time), or ten crops."""
    abstain: Annotated[float | None, arg(metavar="0…1", help_behavior_hint="")] = None
    """Mark answers as abstained whose confidence (how likely the label is right) lies below this."""


@dataclass
class ResultOptions:
    """Results as numbers. Without any of these and of the pictures below, each input gets files of its
    own."""

    out: _File = None
    """One file for all results, by its suffix: .csv, .jsonl, .parquet (each goes on where it stopped) or
    .json."""
    format: Annotated[
        ResultFormat | None, arg(metavar=f"{{{','.join(get_args(ResultFormat))}}}", help_behavior_hint="")
    ] = None
    """The format of --out where its suffix does not say, or another tool's."""
    overwrite: _Switch = False
    """Begin --out anew instead of going on with it."""
    json: _Switch = False
    """Print one JSON object on stdout instead of the table."""
    out_dir: Annotated[Path, arg(metavar="FOLDER", help_behavior_hint="(default: the current one)")] = Path()
    """Where each input's own files go."""


@dataclass
class PictureOptions:
    """Results as pictures."""

    draw: Annotated[Path | None, arg(metavar="FOLDER|FILE", help_behavior_hint="")] = None
    """Annotated pictures and videos, into this folder; or one video, with a name such as out.mp4."""
    timeline: _File = None
    """What each face of a video shows over time: .svg or .png."""
    sheet: _File = None
    """All faces as a grid, of a video each followed face once: .png or .jpg."""
    sheet_by: Literal["emotion", "source"] = "emotion"
    """The order of --sheet: by what the faces show, or by file name and time."""
    page: _File = None
    """A page with the video and its timeline in step: .html."""


@dataclass
class WorkOptions:
    """Who does the work."""

    engine: Literal["local", "ray"] = "local"
    """This process, or workers of Ray (RAY_ADDRESS names a cluster); then --out is a folder or s3:// address
    of parts."""
    workers: Annotated[int, arg(metavar="N", help_behavior_hint="(default: one a core)")] = 0
    """Ray: how many workers."""
    shard: Annotated[int, arg(metavar="N")] = 1000
    """Ray: pictures of a part. A part that is there is not done again."""
