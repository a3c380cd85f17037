"""mien reads affect from faces."""

__version__ = "0.1.0"
