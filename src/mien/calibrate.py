"""What is chosen on the validation split once a model is trained, and then kept in its description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .evaluate import predict
from .metrics import tags
from .predict.engine import Engine
from .store import Store
from .tasks import Kind


def calibrate(model: Path, store: Store, split: str) -> dict[str, Any]:
    """{"thresholds": {head: {label: threshold}}}: from which probability on each tag applies, for the best F1 on a split.

    Empty where the task has no tags, or nobody annotated them there.
    """
    engine, rows = Engine(model), store.rows(split)
    targets = {head: store.target(head, rows) for head in engine.task if head.kind is Kind.TAGS}
    targets = {head: target for head, target in targets.items() if not np.isnan(target).all()}
    if not targets:
        return {}
    outputs = predict(engine, store, rows)
    return {
        "thresholds": {
            head.name: dict(
                zip(head.space.labels, tags.best_thresholds(outputs[head.name], target).tolist(), strict=True)
            )
            for head, target in targets.items()
        }
    }
