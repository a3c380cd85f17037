"""The command line: parse, call, show. Heavy libraries are imported inside each verb's `run`, so `--help` is instant."""

from .main import Verb, main

__all__ = ["Verb", "main"]
