"""How results reach the terminal: JSON on stdout, everything for people on stderr."""

from __future__ import annotations

import json
import sys
from typing import Any


def print_json(record: Any) -> None:
    """Print one machine-readable object on stdout."""
    sys.stdout.write(json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def say(text: str) -> None:
    """Tell the person something, on stderr."""
    sys.stderr.write(text + "\n")
