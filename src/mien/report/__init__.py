"""The report: what a run left on disk, as one self-contained page, and as a PDF of the same sections."""

from .writing import sections, write_report

__all__ = ["sections", "write_report"]
