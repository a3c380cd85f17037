"""What can go wrong, as one tree, and the one look-up that every registry shares.

MienError                  its text is one line for people
├── ConfigError            a value in a TOML file, on the command line or of an argument (status 2, others 1)
├── DataError              a data set: file, row, column
├── StoreError             an HDF5 store: missing, damaged, of another schema, without what is asked for
├── ModelError             a model file or run folder
├── InputError             a file, video or camera to predict on
│   └── TooLargeError      one beyond the limits
└── MissingExtraError      an optional dependency that is not installed
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

Item = TypeVar("Item")


class MienError(Exception):
    """A fault the user can mend; its text is one line: what was given, what is allowed and where."""


class ConfigError(MienError):
    """A value in a TOML file, on the command line or of an argument, that is not allowed."""


class DataError(MienError):
    """A data set that does not follow its layout."""


class StoreError(MienError):
    """An HDF5 store that is missing, damaged, of another schema, or without what is asked for."""


class ModelError(MienError):
    """A model file or run folder that cannot be used."""


class InputError(MienError):
    """A file, video or camera that cannot be read."""


class TooLargeError(InputError):
    """An input that is larger than the limits allow."""


class MissingExtraError(MienError):
    """An optional dependency that is not installed."""


def lookup(registry: Mapping[str, Item], name: str, what: str, error: type[MienError] = ConfigError) -> Item:
    """Return `registry[name]`. Raises `error` with `what` the name was to be, and the choices."""
    if name in registry:
        return registry[name]
    choices = f"one of: {', '.join(sorted(registry))}" if registry else "there is none"
    raise error(f"unknown {what} '{name}'{hint(name, registry)} ({choices})")


def hint(name: str, names: Iterable[str]) -> str:
    """Return ", did you mean …?" with the name closest to an unknown one, '' if none is close."""
    close = get_close_matches(str(name), list(names), n=1)
    return f", did you mean '{close[0]}'?" if close else ""
