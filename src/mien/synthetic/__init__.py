"""Drawn faces with exactly known targets for every shipped task: for tests, tutorials and teaching."""

from .appearance import Appearance, draw_appearance
from .faces import face, samples
from .files import LAYOUTS, VERSION, write_folder, write_scenes, write_store
from .scene import SMALLEST, photo, scenes
from .truth import HEADS

__all__ = [
    "HEADS", "LAYOUTS", "SMALLEST", "VERSION", "Appearance", "draw_appearance", "face", "photo", "samples",
    "scenes", "write_folder", "write_scenes", "write_store",
]  # fmt: skip
