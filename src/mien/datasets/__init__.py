"""Data sets as people have them on disk, and the one way from there into a store."""

from .base import Importer, Journal
from .importing import IMPORTERS, detect, import_dataset

__all__ = ["IMPORTERS", "Importer", "Journal", "detect", "import_dataset"]
