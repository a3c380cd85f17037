"""Optional dependencies: import one, or say which extra brings it."""

import importlib
from types import ModuleType

from .errors import MissingExtraError


def require(module: str, extra: str) -> ModuleType:
    """Import an optional module. Raises MissingExtraError with the `pip install` line that brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != top:
            raise
        raise MissingExtraError(f'{top} is not installed; run: pip install "mien[{extra}]"') from error
