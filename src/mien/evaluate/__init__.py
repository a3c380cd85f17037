"""Score a trained model on a split of a store: `results.json` and `predictions.parquet`."""

from .evaluation import PREDICTIONS, RESULTS, SCHEMA, destination, evaluate
from .predictions import predict

__all__ = ["PREDICTIONS", "RESULTS", "SCHEMA", "destination", "evaluate", "predict"]
