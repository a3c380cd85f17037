"""mien reads affect from faces: `mien.load(model).predict(image)`. Names are imported when they are first
used."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .errors import MienError
    from .labels import LabelSpace
    from .predict import Model, load, to_frame
    from .prediction import Prediction
    from .records import Box, Face, Sample
    from .store import Store
    from .tasks import Head, Kind, Task
    from .workflow import train_model

# Its Linux wheels since 1.29 report usage unless this is set before the import; a value of the user's own
# wins.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "Box",
    "Face",
    "Head",
    "Kind",
    "LabelSpace",
    "MienError",
    "Model",
    "Prediction",
    "Sample",
    "Store",
    "Task",
    "__version__",
    "load",
    "to_frame",
    "train_model",
]

_HOMES = {
    "errors": ("MienError",),
    "labels": ("LabelSpace",),
    "predict": ("Model", "load", "to_frame"),
    "prediction": ("Prediction",),
    "records": ("Box", "Face", "Sample"),
    "store": ("Store",),
    "tasks": ("Head", "Kind", "Task"),
    "workflow": ("train_model",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module 'mien' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
