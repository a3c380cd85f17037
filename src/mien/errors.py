"""What can go wrong, as one tree, and the one look-up that every registry shares.

MienError
├── ConfigError     a value in a TOML file or on the command line
├── DataError       a data set: file, row, column
├── StoreError      an HDF5 store: missing, damaged, of another schema
├── ModelError      a model file or run folder
├── InputError      a picture, video or camera to predict on
│   └── TooLargeError   one beyond the limits
└── MissingExtraError    an optional dependency that is not installed
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

Item = TypeVar("Item")


class MienError(Exception):
    """A fault the user can mend; its text is one line that says what was given, what is allowed and where."""


class ConfigError(MienError):
    """A value in a TOML file or on the command line."""


class DataError(MienError):
    """A data set that does not follow its layout."""


class StoreError(MienError):
    """An HDF5 store that is missing, damaged or of another schema."""


class ModelError(MienError):
    """A model file or run folder that cannot be used."""


class InputError(MienError):
    """A picture, video or camera that cannot be read."""


class TooLargeError(InputError):
    """An input with more pixels or bytes than the limits allow."""


class MissingExtraError(MienError):
    """An optional dependency that is not installed."""


def lookup(registry: Mapping[str, Item], name: str, what: str) -> Item:
    """Return `registry[name]`, or raise ConfigError naming the choices."""
    if name in registry:
        return registry[name]
    close = get_close_matches(name, registry, n=1)
    hint = f", did you mean '{close[0]}'?" if close else ""
    raise ConfigError(f"unknown {what} '{name}'{hint} (one of: {', '.join(sorted(registry))})")
