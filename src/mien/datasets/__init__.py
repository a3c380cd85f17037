"""Importers: data sets as people have them on disk become a store."""

from .base import Importer, ImportLog
from .importing import IMPORTERS, detect, import_dataset

__all__ = ["IMPORTERS", "ImportLog", "Importer", "detect", "import_dataset"]
