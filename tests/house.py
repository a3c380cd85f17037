"""The rooms of the package: on which floor each stands, what happens there and which libraries it may import.

`tests/test_architecture.py` holds the code to this table. The maps in CONTRIBUTING.md and
docs/concepts/architecture.md are made from it: `python -m tests.house` writes them anew.
"""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "mien"


class Room(NamedTuple):
    """What happens in a room, and the libraries that it may import, at the top of a module or inside a
    function."""

    purpose: str
    libraries: str = ""


#: The floors from the ground up, and the rooms on each. A room imports from lower floors and from itself.
HOUSE: tuple[dict[str, Room], ...] = (
    {
        "choices": Room("the names that options choose among"),
        "errors": Room("the tree of errors, and the look-up that registries share"),
        "signals": Room("what Ctrl-C and SIGTERM do to work under way"),
        "progress": Room("how long work tells how far it is"),
        "machine": Room("cores, memory and the processes of a distributed run"),
        "version": Room("the version"),
    },
    {
        "extras": Room("optional libraries, and which extra brings them"),
        "files": Room("files that are written whole or not at all, checksums"),
        "labels": Room("every label: order, aliases, valence-arousal-dominance"),
        "run_folder": Room("where each file of a run folder is, split by split"),
        "tables": Room("TOML tables read into dataclasses, every value checked"),
    },
    {
        "bundle": Room("the trained models that come with the package"),
        "palette": Room("one colour for each label"),
        "inputs": Room("what a model looks at"),
        "tasks": Room("heads, tasks and the shipped tasks"),
    },
    {
        "metrics": Room("metrics, each with its direction", "numpy ot"),
        "records": Room("samples, moments of a source, faces", "numpy"),
    },
    {
        "baselines": Room("what a figure is measured against: chance, oracle, noise floor", "numpy"),
        "intervals": Room("bootstrap intervals and paired differences", "numpy scipy threadpoolctl"),
        "render": Room(
            "page, plots, PDF and blocks that results are shown with", "jinja2 matplotlib numpy typst"
        ),
        "prediction": Room("what a model says of one subject"),
        "media": Room("what each modality is: decode, crop, bring to a network", "PIL cv2 numpy"),
    },
    {
        "detect": Room("faces in a picture", "cv2 numpy"),
        "model_config": Room("what a network looks at, as its configuration says it"),
        "sources": Room("frames from files, folders, videos, cameras and addresses", "PIL av cv2 numpy"),
        "store": Room("the HDF5 store", "h5py numpy"),
        "subgroups": Room("metrics by groups of faces, and the gaps between them", "numpy"),
    },
    {
        "audit": Room("what is wrong with a data set, and a store without it", "cv2 numpy"),
        "config": Room("the configuration of a run"),
        "datasets": Room("importers of data sets as people have them", "PIL numpy scipy"),
        "matching": Room("which target of a store answers which head", "numpy"),
        "predict": Room("from a source to predictions, on ONNX Runtime", "PIL cv2 numpy onnxruntime pandas"),
    },
    {
        "evaluate": Room("a model scored on a split of a store", "numpy pyarrow"),
        "models": Room("encoders, fusion and heads", "safetensors timm torch torchvision"),
        "outputs": Room(
            "predictions as files, drawings and pages, and going on with such files", "PIL av numpy pyarrow"
        ),
        "report": Room("a run's page; reads saved results, never a model", "PIL numpy pyarrow"),
        "synthetic": Room(
            "drawn faces with known truth, in the layouts of real data sets", "PIL cv2 numpy scipy"
        ),
    },
    {
        "calibrate": Room(
            "temperatures, thresholds and conformal sets, chosen on the validation split", "numpy scipy"
        ),
        "compare": Room("runs side by side; reads saved results", "matplotlib numpy onnx"),
        "losses": Room("losses for all kinds of head", "torch"),
        "scale": Room("prediction over millions of pictures, on many machines", "cv2 pyarrow ray"),
    },
    {"train": Room("batches, loop, checkpoints", "kornia lightning numpy rich timm torch")},
    {
        "export": Room(
            "safetensors, ONNX and its int8 twin from a trained network",
            "numpy onnx onnxruntime safetensors torch",
        )
    },
    {"workflow": Room("what `mien train` does, as one call", "torch")},
    {
        "__init__": Room("the public names"),
        "tune": Room(
            "search of the values that a configuration leaves open",
            "cmaes matplotlib numpy optuna psycopg sqlalchemy torch",
        ),
    },
    {"cli": Room("the command line: parse, call, show", "rich tyro")},
    {"__main__": Room("`python -m mien`")},
)
FLOORS = {room: floor for floor, rooms in enumerate(HOUSE) for room in rooms}
LIBRARIES = {room: set(entry.libraries.split()) for rooms in HOUSE for room, entry in rooms.items()}

#: What training needs and prediction must not load: kept out of a room unless its line in the table names it.
HEAVY = {"torch", "torchvision", "lightning", "timm", "kornia"}


def shown(room: str) -> str:
    """A room as people write it: a folder with a slash, a module with its suffix."""
    return f"{room}/" if (PACKAGE / room).is_dir() else f"{room}.py"


def map_of_rooms() -> str:
    """Each room with its purpose and libraries, as a Markdown table, top floor first."""
    lines = ["| floor | room | what happens there | may import |", "|---|---|---|---|"]
    for floor, rooms in reversed(list(enumerate(HOUSE))):
        for room, (purpose, libraries) in rooms.items():
            lines.append(f"| {floor} | `{shown(room)}` | {purpose} | {', '.join(libraries.split())} |")
    return "\n".join(lines)


def map_of_floors() -> str:
    """The rooms of each floor in one line; those that torch may enter are marked."""
    lines = []
    for floor, rooms in reversed(list(enumerate(HOUSE))):
        names = (shown(room) + (" *" if LIBRARIES[room] & HEAVY else "") for room in rooms)
        lines.append(f"{floor:>2}  {'  '.join(names)}")
    return "\n".join(["```", *lines, "```"])


#: The maps by the page that shows each, between the marks.
MAPS = {"CONTRIBUTING.md": map_of_rooms, "docs/concepts/architecture.md": map_of_floors}
BEGIN, END = "<!-- rooms: written by python -m tests.house -->", "<!-- end of rooms -->"


def with_map(page: str) -> str:
    """The text of a page with its map as the table has it."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.sub(
        f"({BEGIN}\n).*({END})", lambda marks: f"{marks[1]}{MAPS[page]()}\n{marks[2]}", text, flags=re.DOTALL
    )


if __name__ == "__main__":
    for name in MAPS:
        (ROOT / name).write_text(with_map(name), encoding="utf-8")
