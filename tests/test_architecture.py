"""The house rules that a machine can hold: floors, a core without torch, no cycles, measures, docstrings,
start-up time."""

import ast
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.house import FLOORS, HEAVY, HOUSE, LIBRARIES, MAPS, PACKAGE, ROOT, with_map

WITHOUT_TORCH = {room for room, libraries in LIBRARIES.items() if not libraries & HEAVY} - {"__main__"}

MACHINE = re.compile(r"(?<![\w.])/(?:work|root|tmp)/|pythonhosted\.org|\bpypi\.org/simple|index-url")
TEXTS = {
    ".py",
    ".md",
    ".toml",
    ".html",
    ".css",
    ".js",
    ".sh",
    ".yml",
    ".yaml",
    ".json",
    ".ipynb",
    ".txt",
    ".csv",
    "",
}


class Import(NamedTuple):
    """One import statement: in which module, of which module (of this package) or library, and the line."""

    module: str
    target: str
    line: int

    @property
    def room(self) -> str:
        return room(self.module)

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target or 'the package root'}"


def room(module: str) -> str:
    return module.partition(".")[0] or "__init__"


@cache
def modules() -> dict[str, ast.Module]:
    """Each module of the package, by its dotted name without `mien.` (the root is '')."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


def is_package(module: str) -> bool:
    return (PACKAGE / Path(*module.split("."), "__init__.py")).exists() if module else True


def statements(module: str) -> Iterator[Import]:
    """Every import of a module, those inside functions and by name (`require`, `import_module`) included.

    The command line alone may `require` what a verb is about to need: that is where a missing extra is told.
    """
    for node in ast.walk(modules()[module]):
        for target in targets(node, module):
            yield Import(module, target, getattr(node, "lineno", 0))


def targets(node: ast.AST, module: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""] if not node.level else relative(node, module)
    if (
        isinstance(node, ast.Call)
        and room(module) != "cli"
        and ast.unparse(node.func).endswith(("require", "import_module"))
    ):
        return [str(arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant)]
    return []


def relative(node: ast.ImportFrom, module: str) -> list[str]:
    """`from .x import y` as `.x.y` where that is a module, else `.x`; a leading dot marks modules of this
    package."""
    parts = module.split(".") if module else []
    above = node.level - 1 if is_package(module) else node.level
    base = ".".join([*parts[: len(parts) - above], *filter(None, [node.module])])
    inner = [".".join(filter(None, [base, alias.name])) for alias in node.names]
    return ["." + (name if name in modules() else base) for name in inner]


@cache
def inside() -> list[Import]:
    """The imports between modules of this package."""
    found = [item for module in modules() for item in statements(module) if item.target.startswith(".")]
    return [item._replace(target=item.target[1:]) for item in found]


@cache
def outside() -> list[Import]:
    return [item for module in modules() for item in statements(module) if not item.target.startswith(".")]


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{module}:{node.lineno} {node.name}", node


def listed(found: Iterable[object]) -> str:
    return "\n".join(map(str, found))


def test_rooms_and_floors_are_the_same() -> None:
    """Every room has one floor, and no floor names a room that is not there."""
    assert {room(module) for module in modules()} == set(FLOORS)
    assert sum(map(len, HOUSE)) == len(FLOORS)


@pytest.mark.parametrize("page", MAPS)
def test_maps_in_the_docs_show_the_table(page: str) -> None:
    assert (ROOT / page).read_text(encoding="utf-8") == with_map(page), "run: python -m tests.house"
    assert MAPS[page]() in with_map(page)


def test_imports_point_down() -> None:
    bad = [item for item in inside() if item.target and not points_down(item)]
    assert not bad, listed(bad)


def points_down(item: Import) -> bool:
    target = room(item.target)
    return target == item.room or FLOORS[target] < FLOORS[item.room]


def test_no_import_from_the_package_root() -> None:
    """Relative imports of modules only."""
    bad = [item for item in outside() if item.target.partition(".")[0] == "mien"]
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level and module:
                names = [alias.name for alias in node.names]
                roots = [
                    name for name, target in zip(names, relative(node, module), strict=True) if target == "."
                ]
                bad += [Import(module, name, node.lineno) for name in roots]
    assert not bad, listed(bad)


def test_no_import_cycles() -> None:
    graph = {
        module: {item.target for item in inside() if item.module == module} - {module} for module in modules()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the cycle


def test_libraries_stay_in_their_rooms() -> None:
    """A library that a room imports stands at the room's line of the table."""
    libraries = [item for item in outside() if library(item) not in (*sys.stdlib_module_names, "mien")]
    bad = [item for item in libraries if library(item) not in LIBRARIES[item.room]]
    assert not bad, listed(bad)


def test_no_room_is_given_a_library_that_it_does_not_use() -> None:
    used = {(item.room, library(item)) for item in outside()}
    assert not [
        (room, name) for room, names in LIBRARIES.items() for name in names if (room, name) not in used
    ]


def library(item: Import) -> str:
    return item.target.partition(".")[0]


def test_core_loads_without_torch() -> None:
    core = [f"mien.{module}" for module in modules() if module and room(module) in WITHOUT_TORCH]
    assert loaded(core) == set()


def test_import_mien_is_light() -> None:
    assert not loaded(["mien"], "torch", "matplotlib", "cv2", "h5py", "onnxruntime")


def loaded(names: list[str], *watched: str) -> set[str]:
    """Which of the watched libraries (else: the learning ones) a fresh interpreter has after importing
    `names`."""
    code = f"import sys, importlib\nfor n in {names!r}: importlib.import_module(n)\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return (set(watched) or HEAVY) & set(run.stdout.split())


def test_help_is_instant() -> None:
    """The aim is 0.3 s on an idle machine; the limit here leaves room for a busy one."""
    took = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "mien", "--help"], capture_output=True, check=True)
        took.append(time.perf_counter() - start)
    print(f"mien --help: {min(took):.2f} s")
    assert min(took) < 1.0


def test_modules_are_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")
    }
    assert not {name: lines for name, lines in lengths.items() if lines > 300}


def test_functions_are_short() -> None:
    """No function above 50 lines from `def` to its end; the median body (without docstring) at most 8."""
    bad = [name for name, node in functions() if (node.end_lineno or 0) - node.lineno >= 50]
    assert not bad, listed(bad)
    median = statistics.median(body_lines(node) for _, node in functions())
    assert median <= 8, f"the median function has {median} lines"


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_functions_take_few_positional_parameters() -> None:
    def positional(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
        return [
            arg.arg for arg in [*node.args.posonlyargs, *node.args.args] if arg.arg not in ("self", "cls")
        ]

    bad = [f"{name} {positional(node)}" for name, node in functions() if len(positional(node)) > 5]
    assert not bad, listed(bad)


def test_public_names_have_docstrings() -> None:
    """Modules, classes, functions, and methods of classes that do not override a base's."""
    bad = [name or "mien" for name, tree in modules().items() if not ast.get_docstring(tree)]
    for module, tree in modules().items():
        bad += [f"{module}:{node.lineno} {node.name}" for node in public(tree) if not ast.get_docstring(node)]
    assert not bad, listed(bad)


def public(tree: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef) and not node.bases:
                yield from public(node)


def tracked() -> list[Path]:
    run = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in run.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix in TEXTS and path != Path(__file__)]


def test_texts_name_no_machine() -> None:
    """No file names an absolute path of the machine it was written on, or a package index."""
    bad = [
        f"{path.relative_to(ROOT)}:{number} {line.strip()[:100]}"
        for path in tracked()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MACHINE.search(line)
    ]
    assert not bad, listed(bad)
