"""Media: how each kind of input is decoded, checked and brought to a network."""

from .input_set import PRESENT, Arrays, InputSet, fit_present
from .modality import MODALITIES, Modality, Transform, transform_of

__all__ = ["MODALITIES", "PRESENT", "Arrays", "InputSet", "Modality", "Transform", "fit_present", "transform_of"]
