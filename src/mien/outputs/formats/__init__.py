"""Results as files, written frame by frame. `docs/reference/prediction-format.md`."""

from .registry import FORMATS, RESUMED, named, open_writer
from .writer import Writer

__all__ = ["FORMATS", "RESUMED", "Writer", "named", "open_writer"]
