"""Networks: encoders by name, their fusion, and one head per answer of the task."""

from .encoders import ENCODERS
from .fusion import FUSIONS
from .heads import activate
from .network import Network, build, input_set

__all__ = ["ENCODERS", "FUSIONS", "Network", "activate", "build", "input_set"]
