"""Prediction over millions of inputs: shards, workers on one or many machines, a Parquet part of each.

docs/how-to/predict-millions.md, docs/concepts/scale.md
"""

from .job import Job, plan
from .parts import Count

__all__ = ["Count", "Job", "plan"]
