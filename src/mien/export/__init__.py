"""From a trained network to files that need nothing else: safetensors with JSON, and ONNX."""

from .exporting import describe, export, learnt_from
from .graph import OPSET, TOLERANCE, parity, write_onnx
from .int8 import quantise

__all__ = ["OPSET", "TOLERANCE", "describe", "export", "learnt_from", "parity", "quantise", "write_onnx"]
