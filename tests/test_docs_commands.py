"""Every `mien` command of the docs is run, page by page, in a folder with drawn stand-ins for what a reader
has.

What a command names and no earlier one of its page has made is put there first: pictures, videos, data sets,
stores and runs. Training is made short; nothing else of a command is changed.
"""

import csv
import re
import shlex
import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from mien import synthetic
from mien.cli import main
from mien.datasets import import_dataset
from tests.sources.media import PEOPLE, compose
from tests.test_docs import DOCS, PAGES, ROOT, blocks

#: Commands that cannot run here, by what they contain, and why.
NOT_RUN = {
    "camera:": "needs a camera",
    "rtsp://": "needs a network camera",
    "https://": "needs the network",
    "s3://": "needs an object store",
    "postgresql://": "needs a database server",
    "--engine ray": "starts a cluster: tests/scale runs it",
    "…": "is shortened for the reader",
}
#: Other programs in shell blocks: they install, use several machines or measure for hours.
OTHER_PROGRAMS = re.compile(
    r"(pip|python3?|make|jupyter|torchrun|srun|ray|RAY_ADDRESS=\S+|sed|#SBATCH|#!/bin/bash)\b"
)
#: What is drawn where a page says DOWNLOAD.
DOWNLOADS = {
    "import-affectnet": "affectnet",
    "import-emotic": "emotic",
    "import-fer2013": "",
    "import-small-sets": "rafdb",
}
QUICK = {
    "model.backbone": "compact",
    "model.options": "{widths = [4, 8], depth = 1}",
    "model.pretrained": "false",
    "model.size": "24",
    "data.limit": "16",
    "train.batch_size": "8",
    "train.precision": "32-true",
    "train.threads": "1",
}
#: The runs that pages begin with: name, configuration and store. Any other name is a copy of the first.
RUNS = (("fer2013", "fer2013", "faces"), ("ferplus", "ferplus", "faces"), ("raf", "fer2013", "attributes"))
_LOOP = re.compile(r"for (\w+) in ([^;]+); do(.*?)done", re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """The words of each command that is run, those of a loop once for each round."""
    text = "\n".join(blocks(page, "sh", "")).replace("\\\n", " ")
    text = _LOOP.sub(lambda loop: "\n".join(loop[3].replace(f"${loop[1]}", n) for n in loop[2].split()), text)
    lines = [line.strip() for part in text.splitlines() for line in part.split(";")]
    found = [line for line in lines if line.startswith("mien ") and not any(sign in line for sign in NOT_RUN)]
    return [shlex.split(line, comments=True)[1:] for line in found]


WITH_COMMANDS = [page for page in PAGES if commands(page)]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is drawn or trained once for all pages: a store, one with attributes, a CSV of FER-2013 with
    votes, and a run."""
    folder = tmp_path_factory.mktemp("shelf")
    synthetic.write_store(folder / "faces.h5", 120, 48)
    synthetic.write_folder(folder / "raf", "rafdb", 60, 48)
    import_dataset(folder / "raf", folder / "attributes.h5")
    synthetic.write_folder(folder / "fer", "fer2013", 60)
    write_votes(folder / "fer" / "fer2013new.csv")
    for name, recipe, data in RUNS:
        config = ROOT / "configs" / f"{recipe}.toml"
        store = str(folder / f"{data}.h5")
        main(["train", str(config), "--data.store", store, "--out", str(folder / name), *shortened(config)])
    return folder


def write_votes(path: Path) -> None:
    """FER+ votes for the faces of `fer2013.csv` in the same folder: eight for the label, two for contempt."""
    labels = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    names = (
        "neutral",
        "happiness",
        "surprise",
        "sadness",
        "anger",
        "disgust",
        "fear",
        "contempt",
        "unknown",
        "NF",
    )
    with path.with_name("fer2013.csv").open() as faces, path.open("w") as votes:
        votes.write(f"Usage,Image name,{','.join(names)}\n")
        for row, face in enumerate(csv.DictReader(faces)):
            counts = {labels[int(face["emotion"])]: 8, "contempt": 2}
            votes.write(
                ",".join(map(str, [face["Usage"], f"fer{row:07}.png", *(counts.get(n, 0) for n in names)]))
            )
            votes.write("\n")


def shortened(config: Path) -> list[str]:
    """Overrides that make a run of a configuration short."""
    phases = max(1, config.read_text(encoding="utf-8").count("[[train.phases]]"))
    epochs = {f"train.phases.{number}.epochs": "1" for number in range(phases)}
    return [word for key, value in {**QUICK, **epochs}.items() for word in (f"--{key}", value)]


def supply(word: str, page: Path, shelf: Path) -> None:
    """Put what a command names where it looks for it, unless it is there."""
    path = Path(word)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if word == "DOWNLOAD" and (layout := DOWNLOADS[page.stem]):
        synthetic.write_folder(path, layout, 40, 64)
    elif word in ("DOWNLOAD", "ferplus"):
        shutil.copytree(shelf / "fer", path)
    elif word.startswith("mine"):
        synthetic.write_folder(Path("mine"), "table", 24, 48)
    elif re.fullmatch(r"runs/[\w-]+|[A-Z]\d?", word):
        shutil.copytree(shelf / (path.name if (shelf / path.name).is_dir() else RUNS[0][0]), path)
    elif path.suffix in MAKERS:
        MAKERS[path.suffix](path, shelf)
    elif word.endswith("/"):
        picture(path / "1.jpg", shelf)


def picture(path: Path, _: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(synthetic.photo(faces=1, size=(320, 240))[0]).save(str(path).replace("*", "1"))


#: How a file that a command reads comes about, by its suffix.
MAKERS: dict[str, Callable[[Path, Path], object]] = {
    ".h5": lambda path, shelf: shutil.copy(shelf / "faces.h5", path),
    ".csv": lambda path, shelf: shutil.copy(shelf / "fer" / "fer2013.csv", path),
    ".onnx": lambda path, shelf: shutil.copy(shelf / RUNS[0][0] / "model.onnx", path),
    ".mp4": lambda path, _: compose(path, PEOPLE, 125.0, times=range(0, 125, 5)),
    ".jpg": picture,
}
#: The options whose value is written, not read.
WRITTEN = {"--out", "--draw", "--sheet", "--page", "--timeline", "--out-dir"}


def read_by(words: list[str]) -> Iterator[str]:
    """The words of a command that name what it reads."""
    verb = 2 if words[0] == "data" else 1
    for before, word in zip(words[verb - 1 :], words[verb:], strict=False):
        if word.startswith("["):
            yield from re.findall(r'"([^"]+)"', word)
        elif not word.startswith("--") and before not in WRITTEN and words[:2] != ["data", "sketch"]:
            yield word


def changes(words: list[str]) -> list[str]:
    """What is added to a command that it may be short."""
    if words[:2] == ["data", "sketch"]:
        return ["--count", "40"]
    if words[0] not in ("train", "tune"):
        return []
    return [*(["--trials", "2", "--no-best"] if words[0] == "tune" else []), *shortened(ROOT / words[1])]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=[str(page.relative_to(ROOT)) for page in WITH_COMMANDS])
def test_commands_run(page: Path, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    for words in commands(page):
        for word in read_by(words):
            supply(word, page, shelf)
        if words[0] in ("train", "tune") and "--data.store" not in words:
            supply(tomllib.loads(Path(words[1]).read_text())["data"]["store"], page, shelf)
        try:
            main([*words, *changes(words)])
        except SystemExit as left:
            pytest.fail(f"{page.name}: mien {shlex.join(words)} leaves with {left.code}")


def test_what_is_not_run_is_known() -> None:
    """Every line of a shell block is a command that is run, one of NOT_RUN, or another program."""
    left = []
    for page in PAGES:
        for line in "\n".join(blocks(page, "sh")).replace("\\\n", " ").splitlines():
            plain = re.sub(r"^(for .*; do|done)", "", line).strip()
            if plain and not plain.startswith(("mien ", "#")) and not OTHER_PROGRAMS.match(plain):
                left.append(f"{page.relative_to(ROOT)}: {line}")
    assert left == []
    everything = "\n".join(text for page in [*PAGES, DOCS / "README.md"] for text in blocks(page, "sh", ""))
    assert [sign for sign in NOT_RUN if sign not in everything] == []
