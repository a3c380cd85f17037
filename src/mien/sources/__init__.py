"""Where inputs come from: files, folders, lists, standard input, videos, cameras and addresses."""

from __future__ import annotations

from .base import Flow, Sampling, Source
from .cameras import Camera
from .listing import RESULT, plan
from .pictures import PictureSource
from .urls import Remote
from .videos import Video

__all__ = ["RESULT", "Camera", "Flow", "PictureSource", "Remote", "Sampling", "Source", "Video", "plan"]
