"""Media: how each kind of input is decoded, checked and brought to a network."""

from .input_set import PRESENT, VIEWS, Arrays, InputSet, fit_present
from .modality import MODALITIES, Modality, Transform, transform_of

__all__ = [
    "MODALITIES",
    "PRESENT",
    "VIEWS",
    "Arrays",
    "InputSet",
    "Modality",
    "Transform",
    "fit_present",
    "transform_of",
]
