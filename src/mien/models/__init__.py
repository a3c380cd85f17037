"""Networks: encoders by name, their fusion, and one head per answer of the task."""

from .encoders import ENCODERS
from .network import FUSIONS, Network, activate, build, input_set

__all__ = ["ENCODERS", "FUSIONS", "Network", "activate", "build", "input_set"]
