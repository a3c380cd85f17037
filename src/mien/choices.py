"""The names that options choose among, once each: configuration and command line know them before a registry
is loaded.

Where a registry stands behind one, in a room above these, its keys are the same names (tests/test_config.py).
"""

from typing import Literal

Split = Literal["train", "validation", "test"]
Colour = Literal["grey", "rgb"]
Calibration = Literal["temperature", "vector", "none"]
VoteRule = Literal["raw", "majority", "probability", "crossentropy", "multi_target"]
Averaging = Literal["none", "flip", "ten_crop"]
ResultFormat = Literal["json", "jsonl", "csv", "parquet", "deepface", "fer", "openface", "pyfeat"]
TableFormat = Literal["csv", "markdown", "latex"]
Objective = Literal["score", "latency"]
Sampler = Literal["tpe", "cmaes", "random"]
Pruner = Literal["median", "hyperband", "none"]
