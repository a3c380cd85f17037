"""The public names, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import mien

HEAVY = {"torch", "matplotlib", "cv2", "onnxruntime", "h5py", "PIL", "tyro", "rich", "scipy", "sklearn"}


def test_all_is_true_and_short() -> None:
    assert len(mien.__all__) <= 15
    assert dir(mien) == sorted(mien.__all__)
    for name in mien.__all__:
        assert getattr(mien, name) is not None
    assert mien.load.__module__ == "mien.predict.model"


def test_every_lazy_name_is_public() -> None:
    lazy = {name for names in mien._HOMES.values() for name in names}
    assert lazy == set(mien.__all__) - {"__version__"}


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'mien' has no attribute 'lode'"):
        _ = mien.lode


def _imported(code: str) -> set[str]:
    line = f"import sys; {code}; print(*{HEAVY} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_mien_imports_nothing_heavy() -> None:
    assert _imported("import mien") == set()


def test_loading_brings_no_torch_and_no_plots() -> None:
    assert _imported("import mien; mien.load; mien.Store") == {"cv2", "onnxruntime", "h5py", "PIL"}
