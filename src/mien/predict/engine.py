"""Run a self-describing `model.onnx` with ONNX Runtime, without torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnxruntime

from .. import files
from ..bundle import checksums
from ..errors import MienError, ModelError
from ..machine import usable_cores
from ..media import Arrays, InputSet
from ..media.cropping import Boxes, Landmarks
from ..records import Floats, Items, Pixels
from ..run_folder import read_description
from ..tasks import Task
from .scaling import label_temperature, read
from .tta import AVERAGES, averaging, seen_in

_BATCH = 64
Pictures: TypeAlias = Sequence[Pixels] | Pixels


class Engine:
    """A model file opened for prediction. One engine may be used from several threads.

    `task`, `inputs`, `thresholds` (of tags, by head and label), `conformal` (the threshold of a head's sets)
    and `metadata` come from the file. `scaling` calibrates the graph's answers, by head; `label_temperature`
    turns shares of votes into the chance of each label; `sha256` is that of the file.
    """

    def __init__(self, path: str | Path, threads: int | None = None, *, calibrated: bool = True) -> None:
        """Open a `model.onnx`, or the one in a run folder, on `threads` cores (default: all it may use).

        Without `calibrated` it gives the graph's answers as they are. Raises ModelError.
        """
        self.path = _model_file(Path(path))
        self.sha256 = files.sha256(self.path)
        self._session = _session(self.path, threads or usable_cores())
        self.metadata = _metadata(self._session, self.path)
        try:
            self.task = Task.from_dict(self.metadata["task"])
            self.inputs = InputSet.of(self.metadata)
            self.thresholds = {
                head: {label: float(value) for label, value in chosen.items()}
                for head, chosen in self.metadata.get("thresholds", {}).items()
            }
            sets = self.metadata.get("conformal", {})
            heads = {head.name: head for head in self.task}
            self.conformal = {name: float(sets[name]["threshold"]) for name in heads if name in sets}
            scaling = {name: found for name, head in heads.items() if (found := read(self.metadata, head))}
            self.scaling = scaling if calibrated else {}
            temperatures = {name: label_temperature(self.metadata, head) for name, head in heads.items()}
            self.label_temperature = {name: value for name, value in temperatures.items() if value != 1}
        except (KeyError, TypeError, ValueError, AttributeError, MienError) as error:
            raise ModelError(f"{self.path}: its description of itself is damaged: {error!r}") from None
        self._check_graph()

    @property
    def name(self) -> str:
        """The model's name: what its metadata says, else the file's."""
        return str(self.metadata.get("name") or self.path.stem)

    def outputs(
        self, inputs: Mapping[str, Items], *, align: bool | None = None, average: str = "none"
    ) -> dict[str, Floats]:
        """Predict on N samples: {head: float32 (N, K)}, K in the order of the head's labels.

        `inputs`: the samples' items by name, such as {"image": Items(pictures, boxes)}; a missing one counts
        as absent. `align`: whether crops are turned until the eyes are level (None: as the model was
        trained). `average`: none, flip (each picture also mirrored: twice the time) or ten_crop (also shifted
        to four sides, all mirrored: ten times). Raises InputError, ConfigError.
        """
        views = AVERAGES[averaging(average)]
        shown = self.inputs if align is None else self.inputs.with_options(align=align)
        count = shown.check(inputs)
        parts = {head.name: [np.zeros((0, len(head)), np.float32)] for head in self.task}
        for start in range(0, count, _BATCH):
            block = {name: items[start : start + _BATCH] for name, items in inputs.items()}
            fitted, present = shown.fit(block)
            feeds = (shown.feed(view, present) for view in seen_in(views, fitted, shown.inputs))
            for name, rows in zip(parts, self._mean(feeds), strict=True):
                parts[name].append(self.scaling[name].apply(rows) if name in self.scaling else rows)
        return {name: np.concatenate(rows) for name, rows in parts.items()}

    def probabilities(
        self,
        pictures: Pictures,
        boxes: Boxes | None = None,
        landmarks: Landmarks | None = None,
        *,
        align: bool | None = None,
        average: str = "none",
    ) -> dict[str, Floats]:
        """Predict on each picture's box, as `outputs` does on {"image": Items(pictures, boxes, landmarks)}.

        `pictures`: uint8 (N, H, W) grey or (N, H, W, 3) RGB, or a list of such images of any sizes. Without
        `boxes`, int (N, 4), they are ready crops; a model that looks at the picture too then sees the crop
        for both. Raises InputError, ConfigError.
        """
        return self.outputs({"image": Items(pictures, boxes, landmarks)}, align=align, average=average)

    def _mean(self, feeds: Iterable[Arrays]) -> list[Floats]:
        """The graph's answers in the order of the heads, averaged over views of the same samples."""
        names = [head.name for head in self.task]
        seen = [self._session.run(names, feed) for feed in feeds]
        if len(seen) == 1:
            return list(seen[0])
        return [np.mean(rows, axis=0, dtype=np.float32) for rows in zip(*seen, strict=True)]

    def _check_graph(self) -> None:
        shapes = {output.name: output.shape for output in self._session.get_outputs()}
        for head in self.task:
            if head.name not in shapes or shapes[head.name][-1] not in (len(head), None):
                columns = f"output '{head.name}' of {len(head)} columns"
                raise ModelError(f"{self.path}: its graph lacks the {columns}")
        found, needed = {item.name for item in self._session.get_inputs()}, self.inputs.graph_inputs
        if found != set(needed):
            must = f"must have the inputs {', '.join(needed)}; it has {', '.join(found)}"
            raise ModelError(f"{self.path}: its graph {must}")


def _model_file(path: Path) -> Path:
    if path.is_dir():
        if not (path / "model.onnx").is_file():
            raise ModelError(f"{path}: a folder without model.onnx (make it with `mien export {path}`)")
        return path / "model.onnx"
    if not path.is_file():
        choices = f"give a model.onnx or a run folder; bundled are {', '.join(checksums())}"
        raise ModelError(f"{path}: no such model ({choices})")
    with path.open("rb") as file:
        if file.read(64).startswith(b"version https://git-lfs"):
            raise ModelError(f"{path}: a Git-LFS pointer, not the model (fetch it with `git lfs pull`)")
    return path


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Between two calls the threads sleep: a detector or a web server needs the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a class of its own for every status
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(f"{path}: not an ONNX model that ONNX Runtime can load: {reason}") from None


def _metadata(session: onnxruntime.InferenceSession, path: Path) -> dict[str, Any]:
    text = session.get_modelmeta().custom_metadata_map.get("mien")
    if text is None:
        hint = "make one with `mien train` or `mien export`"
        raise ModelError(f"{path}: an ONNX model without mien's description ({hint})")
    return read_description(text, path)
