"""Training: from a configuration to a run folder with a network in it."""

from .loop import train

__all__ = ["train"]
