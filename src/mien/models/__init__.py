"""Networks: a backbone by name and one head per answer of the task.

A backbone is a module with `.features` (length of its vector) and `forward: (N, channels, H, W) -> (N, features)`.
"""

from .heads import activate
from .network import BACKBONES, Network, build, preprocessing

__all__ = ["BACKBONES", "Network", "activate", "build", "preprocessing"]
