"""Python literals, and `.npy` files, whose headers are literals: parsed by one thread at a time."""

import ast
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: CPython 3.11 counts the depth of what it parses for all threads together: two at once now and then end in
#: "AST constructor recursion depth mismatch" (github.com/python/cpython/issues/106905).
_ALONE = Lock()


def value(text: str) -> Any:
    """Parse a Python literal. Raises what `ast.literal_eval` raises."""
    with _ALONE:
        return ast.literal_eval(text)


def array(file: Path | BytesIO, mapped: bool = False) -> NDArray[Any]:
    """Read the array of a `.npy` file, never unpickled; `mapped`: on the disk. Raises as `np.load`."""
    with _ALONE:
        return np.asanyarray(np.load(file, mmap_mode="r" if mapped else None, allow_pickle=False))
