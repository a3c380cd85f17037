"""The comparison of runs: what their evaluations and model files say, side by side."""

from .comparison import Comparison, compare
from .outputs import as_dict, write

__all__ = ["Comparison", "as_dict", "compare", "write"]
