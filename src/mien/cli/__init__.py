"""The command line: parse, call, show."""

from .main import Verb, main

__all__ = ["Verb", "main"]
