"""Drawn faces whose truth is known exactly for every shipped task: for tests, tutorials and teaching."""

from .appearance import Look, draw_look
from .faces import face, samples
from .files import VERSION, write_folder, write_scenes, write_store
from .layouts import LAYOUTS
from .scene import SMALLEST, photo, scenes
from .truth import HEADS

__all__ = [
    "HEADS",
    "LAYOUTS",
    "SMALLEST",
    "VERSION",
    "Look",
    "draw_look",
    "face",
    "photo",
    "samples",
    "scenes",
    "write_folder",
    "write_scenes",
    "write_store",
]
