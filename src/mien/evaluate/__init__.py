"""Score a trained model on a split of a store: `results/<split>.json` and `predictions/<split>.parquet`."""

from .evaluation import SCHEMA, destination, evaluate
from .predictions import predict

__all__ = ["SCHEMA", "destination", "evaluate", "predict"]
