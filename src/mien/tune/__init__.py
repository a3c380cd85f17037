"""Tuning: the values of a configuration that are left open, searched by training (Optuna)."""

from .finish import complete, write
from .outcome import Outcome
from .space import StudyConfig
from .work import tune

__all__ = ["Outcome", "StudyConfig", "complete", "tune", "write"]
