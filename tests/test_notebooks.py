"""The notebooks run from top to bottom, quietly and in an empty folder, and are kept clean: no outputs,
public names alone."""

import ast
import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
#: What Jupyter's own parts say where no widgets are installed.
HARMLESS = "IProgress not found"


def cells(path: Path, kind: str = "code") -> list[str]:
    """The sources of the cells of a kind."""
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == kind]


def private(tree: ast.AST) -> list[str]:
    """Names with a leading underscore that are imported, or asked of anything."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names += [
                *(getattr(node, "module", None) or "").split("."),
                *(alias.name for alias in node.names),
            ]
        elif isinstance(node, ast.Attribute):
            names.append(node.attr)
    return [name for name in names if re.match(r"_|.*\._", name)]


def test_there_are_four() -> None:
    assert [path.name[:3] for path in NOTEBOOKS] == ["01-", "02-", "03-", "04-"]


@each
def test_a_notebook_is_kept_clean(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    for cell in notebook["cells"]:
        assert cell["metadata"] == {}
        assert not cell.get("outputs"), "outputs are not committed: clear them before saving"
        assert cell.get("execution_count") is None


@each
def test_a_notebook_uses_public_names_and_its_own_folder(path: Path) -> None:
    code = "\n".join(cells(path))
    assert private(ast.parse(code)) == []
    assert re.findall(r"""["'](?:/|~|[A-Z]:\\)[^"'\s]*["']""", code) == []


@each
def test_a_notebook_tells_its_story(path: Path) -> None:
    text = "\n".join(cells(path, "markdown"))
    assert text.startswith("# ")
    assert "What this does not show" in text
    assert max(len(cell.splitlines()) for cell in cells(path)) <= 26


@each
def test_paths_a_notebook_points_to_are_there(path: Path, root: Path) -> None:
    text = "\n".join(cells(path, "markdown"))
    assert [
        name for name in re.findall(r"`((?:configs|docs)/[\w/.-]+)`", text) if not (root / name).exists()
    ] == []


@each
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    """As in Jupyter, in a kernel of its own; a cell that raises fails, and so does one that warns."""
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    client = nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    said = "".join(
        output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"
    )
    assert [line for line in said.splitlines() if "Warning:" in line and HARMLESS not in line] == []
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 3
    assert list(tmp_path.iterdir()) == [], "a notebook writes into a temporary folder alone"
