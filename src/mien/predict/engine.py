"""Run a self-describing `model.onnx` with ONNX Runtime: pictures and boxes in, probabilities and values out. No torch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from .. import files
from ..bundle import checksums
from ..errors import InputError, MienError, ModelError
from ..machine import usable_cores
from ..media.cropping import Boxes, Landmarks
from ..media.image import Preprocessing
from ..records import Floats, Pixels
from ..tasks import Task
from .scaling import label_temperature, read
from .tta import AVERAGES, averaging

SCHEMA = 1
_BATCH = 64


class Engine:
    """A model file opened for prediction. One engine may be used from several threads.

    `task`, `preprocessing`, `thresholds` (of tags, by head and label), `conformal` (the threshold of a head's sets) and
    `metadata` are what the file says of itself; `scaling` is what calibrates the answers of the graph, by head, and
    `label_temperature` what makes shares of votes the chance of each label; `sha256` names the file's exact bytes.
    """

    def __init__(self, path: str | Path, threads: int | None = None) -> None:
        """Open a `model.onnx`, or the one in a run folder, on `threads` cores (default: all it may use). Raises ModelError."""
        self.path = _model_file(Path(path))
        self.sha256 = files.sha256(self.path)
        self._session = _session(self.path, threads or usable_cores())
        self.metadata = _metadata(self._session, self.path)
        try:
            self.task = Task.from_dict(self.metadata["task"])
            self.preprocessing = Preprocessing.from_dict(self.metadata["preprocessing"])
            self.thresholds = {
                head: {label: float(value) for label, value in chosen.items()}
                for head, chosen in self.metadata.get("thresholds", {}).items()
            }
            sets = self.metadata.get("conformal", {})
            self.conformal = {head.name: float(sets[head.name]["threshold"]) for head in self.task if head.name in sets}
            self.scaling = {head.name: scaling for head in self.task if (scaling := read(self.metadata, head))}
            heats = {head.name: label_temperature(self.metadata, head) for head in self.task}
            self.label_temperature = {name: heat for name, heat in heats.items() if heat != 1}
        except (KeyError, TypeError, ValueError, AttributeError, MienError) as error:
            raise ModelError(f"{self.path}: its description of itself is damaged: {error!r}") from None
        self._check_graph()

    @property
    def name(self) -> str:
        """The model's name: what its metadata says, else the file's."""
        return str(self.metadata.get("name") or self.path.stem)

    def probabilities(
        self,
        pictures: Sequence[Pixels] | Pixels,
        boxes: Boxes | None = None,
        landmarks: Landmarks | None = None,
        *,
        align: bool | None = None,
        average: str = "none",
    ) -> dict[str, Floats]:
        """What the model says of each picture's box: {head: float32 (N, K)}, K in the order of the head's labels.

        `pictures`: uint8 (N, H, W) grey or (N, H, W, 3) RGB, or a list of such images of any sizes. Without `boxes`, int (N, 4),
        they are ready crops; a model that looks at the picture too then sees the crop for both. `landmarks` of each face count
        where the model was trained on aligned faces, or `align` says otherwise. `average`: none, flip (each face also mirrored:
        twice the time) or ten_crop (also shifted to four sides, all mirrored: ten times). Raises InputError, ConfigError.
        """
        views = AVERAGES[averaging(average)]
        check_crops(pictures)
        for given, what in ((boxes, "boxes"), (landmarks, "faces' landmarks")):
            if given is not None and len(given) != len(pictures):
                raise InputError(f"{len(given)} {what} for {len(pictures)} pictures, needed is one each")
        pre = self.preprocessing if align is None else replace(self.preprocessing, align=align)
        parts = {head.name: [np.zeros((0, len(head)), np.float32)] for head in self.task}
        for start in range(0, len(pictures), _BATCH):
            some = slice(start, start + _BATCH)
            where = None if boxes is None else boxes[some]
            seen = views(pre.fit(pictures[some], where, None if landmarks is None else landmarks[some]))
            for name, rows in zip(parts, self._mean(map(pre.normalise, seen)), strict=True):
                parts[name].append(self.scaling[name].apply(rows) if name in self.scaling else rows)
        return {name: np.concatenate(rows) for name, rows in parts.items()}

    def _mean(self, views: Iterable[Floats]) -> list[Floats]:
        """The graph's answers in the order of the heads, averaged over views of the same faces."""
        names = [head.name for head in self.task]
        seen = [self._session.run(names, {"pixels": view}) for view in views]
        return (
            seen[0] if len(seen) == 1 else [np.mean(rows, axis=0, dtype=np.float32) for rows in zip(*seen, strict=True)]
        )

    def _check_graph(self) -> None:
        there = {output.name: output.shape for output in self._session.get_outputs()}
        for head in self.task:
            if head.name not in there or there[head.name][-1] not in (len(head), None):
                raise ModelError(f"{self.path}: its graph lacks the output '{head.name}' of {len(head)} columns")
        if [given.name for given in self._session.get_inputs()] != ["pixels"]:
            raise ModelError(f"{self.path}: its graph must have one input named 'pixels'")


def check_crops(crops: Sequence[Pixels] | Pixels) -> None:
    """Raise InputError unless `crops` are uint8 (N, H, W[, 3]) or a list of uint8 (H, W[, 3])."""
    if isinstance(crops, np.ndarray) and (crops.ndim not in (3, 4) or (crops.ndim == 3 and crops.shape[2] == 3)):
        hint = "; for one picture give [picture]" if crops.ndim in (2, 3) else ""
        raise InputError(f"crops of shape {crops.shape}, needed are (N, H, W) or (N, H, W, 3){hint}")
    for position, crop in enumerate(crops):
        if not (isinstance(crop, np.ndarray) and crop.dtype == np.uint8):
            given = getattr(crop, "dtype", type(crop).__name__)
            raise InputError(f"crop {position} is {given}, needed is a uint8 array (0…255)")
        if crop.size == 0 or crop.ndim not in (2, 3) or crop.shape[2:] not in ((), (3,)):
            raise InputError(f"crop {position} has shape {crop.shape}, needed is (H, W) or (H, W, 3)")


def _model_file(path: Path) -> Path:
    if path.is_dir():
        if not (path / "model.onnx").is_file():
            raise ModelError(f"{path}: a folder without model.onnx (make it with `mien export {path}`)")
        return path / "model.onnx"
    if not path.is_file():
        raise ModelError(
            f"{path}: no such model (give a model.onnx or a run folder; bundled are {', '.join(checksums())})"
        )
    with path.open("rb") as file:
        if file.read(64).startswith(b"version https://git-lfs"):
            raise ModelError(f"{path}: a Git-LFS pointer, not the model itself (fetch it with `git lfs pull`)")
    return path


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Between two pictures the threads sleep: a detector or a web server needs the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a class of its own for every status
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(f"{path}: not an ONNX model that ONNX Runtime can load: {reason}") from None


def _metadata(session: onnxruntime.InferenceSession, path: Path) -> dict[str, Any]:
    text = session.get_modelmeta().custom_metadata_map.get("mien")
    if text is None:
        raise ModelError(
            f"{path}: an ONNX model without mien's description (make one with `mien train` or `mien export`)"
        )
    try:
        metadata = json.loads(text)
        schema = metadata["schema"]
    except (ValueError, TypeError, KeyError):
        raise ModelError(f"{path}: its description of itself is damaged (no JSON with a schema)") from None
    if schema != SCHEMA:
        raise ModelError(f"{path}: schema {schema}, this version of mien reads {SCHEMA}")
    return dict(metadata)
