"""What can go wrong, as one tree, and the one look-up that every registry shares.

MienError                  its text is one line for people
├── ConfigError            a value in a TOML file, on the command line or of an argument (status 2, all others 1)
├── DataError              a data set: file, row, column
├── StoreError             an HDF5 store: missing, damaged, of another schema, without what is asked for
├── ModelError             a model file or run folder
├── InputError             a picture, video or camera to predict on
│   └── TooLargeError      one beyond the limits
└── MissingExtraError      an optional dependency that is not installed
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

Value = TypeVar("Value")


class MienError(Exception):
    """A fault the user can mend; its text is one line that says what was given, what is allowed and where."""


class ConfigError(MienError):
    """A value in a TOML file, on the command line or of an argument, that is not allowed."""


class DataError(MienError):
    """A data set that does not follow its layout."""


class StoreError(MienError):
    """An HDF5 store that is missing, damaged, of another schema, or without the split or attribute that is asked for."""


class ModelError(MienError):
    """A model file or run folder that cannot be used."""


class InputError(MienError):
    """A picture, video or camera that cannot be read."""


class TooLargeError(InputError):
    """An input with more pixels or bytes than the limits allow."""


class MissingExtraError(MienError):
    """An optional dependency that is not installed."""


def lookup(registry: Mapping[str, Value], name: str, what: str, error: type[MienError] = ConfigError) -> Value:
    """Return `registry[name]`. Raises `error` that says what the name was meant to be, and names the choices."""
    if name in registry:
        return registry[name]
    close = get_close_matches(name, registry, n=1)
    hint = f", did you mean '{close[0]}'?" if close else ""
    raise error(f"unknown {what} '{name}'{hint} (one of: {', '.join(sorted(registry))})")
