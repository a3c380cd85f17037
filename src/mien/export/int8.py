"""The int8 twin of a model: static quantisation with faces it was trained on, then calibrated anew."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from .. import matching
from ..calibrate import calibrate
from ..config import load
from ..evaluate.predictions import items_of
from ..files import atomic_write
from ..media import Arrays
from ..predict.engine import Engine
from ..store import Rows, Store
from ..tasks import Task
from .graph import stamp

NAME = "model-int8.onnx"
#: Faces whose smallest and largest activations set the scales.
FACES = 448
#: What is done in integers. The rest, and the heads, stay in float.
OPERATORS = (
    "Conv", "MatMul", "Gemm", "Add", "Relu", "Clip", "Concat", "MaxPool", "AveragePool", "GlobalAveragePool",
    "Gather", "Pad", "Reshape", "Transpose",
)  # fmt: skip
_BATCH, _SEED = 64, 0
_PRODUCTS = ("Gemm", "MatMul", "Conv")


def quantise(run: Path, store: Path | None = None) -> Path:
    """Write `model-int8.onnx` beside a run's `model.onnx`, from it and samples of the run's training split.

    Weights are int8, a scale for each channel, activations uint8 between the least and the largest seen.
    Full 8 bits: without VNNI or AMX, 16-bit sums of an x86 processor may saturate. The description is the
    float model's, with temperature, sets and thresholds chosen anew on validation. Raises ModelError,
    StoreError.
    """
    config, engine, target = load(run / "config.toml"), Engine(run), run / NAME
    samples = Store(store or config.data.store)
    rows = samples.rows_with(engine.inputs.sources, balanced(samples, engine.task, config.data.train))
    with atomic_write(target) as part:
        _quantise(engine, _CalibrationBatches(engine, samples, rows), part)
        precision = {"int8": {"faces": len(rows), "split": config.data.train, "store": samples.path.name}}
        description = engine.metadata | {"name": f"{engine.name}-int8", "precision": precision}
        stamp(part, description)
        methods = (str(found["method"]) for found in engine.metadata.get("calibration", {}).values())
        chosen = calibrate(part, samples, config.data.validation, next(methods, "temperature"))
        stamp(part, description | chosen)
    return target


def _quantise(engine: Engine, batches: CalibrationDataReader, target: Path) -> None:
    logging.getLogger().setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(engine.path), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(target),
            batches,
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=list(OPERATORS),
            nodes_to_exclude=heads(onnx.load(prepared).graph),
        )


def heads(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes from each output back to its last layer of weights."""
    made = {name: node for node in graph.node for name in node.output}
    found = []
    for output in graph.output:
        node = made.get(output.name)
        while node:
            found.append(node.name)
            node = None if node.op_type in _PRODUCTS else made.get(node.input[0])
    return found


def balanced(store: Store, task: Task, split: str, count: int = FACES) -> Rows:
    """Choose at most `count` rows of a split, as many of each label of the main head as there are."""
    rows = np.random.default_rng(_SEED).permutation(store.rows(split))
    mappings = {mapping.head: mapping for mapping in matching.match(task, store, {}, other=False)}
    if task.main_head not in mappings:
        return np.sort(rows[:count])
    target = mappings[task.main_head].targets(store, rows)
    known = ~np.isnan(target).any(axis=1)
    rows, label = rows[known], target[known].argmax(axis=1)
    turn = np.zeros(len(rows), np.int64)
    for k in np.unique(label):
        turn[label == k] = np.arange((label == k).sum())
    return np.sort(rows[np.argsort(turn, kind="stable")[:count]])


class _CalibrationBatches(CalibrationDataReader):  # type: ignore[misc]
    """What the graph takes of some rows, batch by batch, exactly as in prediction."""

    def __init__(self, engine: Engine, store: Store, rows: Rows) -> None:
        blocks = (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH))
        fit, feed = engine.inputs.fit, engine.inputs.feed
        self.feeds = (feed(*fit(items_of(engine.inputs, store, block))) for block in blocks)

    def get_next(self) -> Arrays | None:
        """Return the next batch, or None."""
        return next(self.feeds, None)
