"""The trained models that come with mien: files of this folder, named in `SHA256SUMS` (which `sha256sum
--check` reads).

What each answers, was trained on and reached stands in its own description; `tools/bundle.py` writes files
and sums.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import ModelError
from ..files import sha256

FOLDER = Path(__file__).parent
SUMS = "SHA256SUMS"
#: The model that predicts where none is named.
DEFAULT = "face"


def checksums(folder: Path = FOLDER) -> dict[str, str]:
    """SHA-256 of each bundled model, by name. Raises ModelError where the list is missing."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except OSError:
        raise ModelError(f"{folder / SUMS}: missing; install mien again") from None
    return {file.removesuffix(".onnx"): digest for digest, file in (line.split() for line in lines)}


def find(name: str, folder: Path = FOLDER) -> Path:
    """The file of a bundled model. Raises ModelError for an unknown name, and for a file that is not what was
    bundled."""
    known = checksums(folder)
    if name not in known:
        raise ModelError(
            f"no model '{name}' (bundled are {', '.join(known)}; or give a model.onnx or a run folder)"
        )
    path = folder / f"{name}.onnx"
    if not path.is_file():
        raise ModelError(f"{path}: the bundled model is missing; install mien again")
    if sha256(path) != known[name]:
        raise ModelError(
            f"{path}: the bundled model is damaged (SHA-256 is not {known[name][:12]}…); install mien again"
        )
    return path
