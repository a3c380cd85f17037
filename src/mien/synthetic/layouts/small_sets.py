"""Drawn faces as FER-2013, RAF-DB, CK+48, JAFFE and users' own folders and tables have theirs on disk."""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from PIL import Image

from ...datasets.fer2013.csv_release import EMOTIONS, USAGES
from ...datasets.fer2013.faces import SIDE
from ...datasets.jaffe import CODES as JAFFE_CODES
from ...datasets.jaffe import SUBJECTS
from ...datasets.rafdb.release import CODES, COMPOUND_CODES
from ...labels import COMPOUND11, EXPRESSION8, canonical
from ...media.image import recolour, resize
from ...records import Pixels, Sample
from .writing import pixels, save, save_csv, save_picture, values

_FER_CODES = {label: code.decode() for code, label in EMOTIONS.items()}
_FER_USAGES = {split: usage.decode() for usage, split in USAGES.items()}
_CODE = {label: code for code, label in CODES.items()}
_COMPOUND_CODE = {label: code for code, label in COMPOUND_CODES.items()}
_CK_FOLDERS = {"angry": "anger", "sad": "sadness"}
_ADVERBS = {
    "happily": "happy", "sadly": "sad", "fearfully": "fear", "angrily": "angry", "disgustedly": "disgust",
}  # fmt: skip
#: Both eyes, the nose and the corners of the mouth, as shares of a picture's side.
_POINTS = ((0.35, 0.4), (0.65, 0.4), (0.5, 0.6), (0.38, 0.78), (0.62, 0.78))


def fer2013(root: Path, samples: Iterable[Sample]) -> None:
    """`fer2013.csv` with the columns emotion, pixels (48x48 grey) and Usage. Contempt is not in it."""
    with (root / "fer2013.csv").open("w", encoding="ascii", newline="") as file:
        file.write("emotion,pixels,Usage\n")
        for sample in _basics(samples):
            shades = " ".join(map(str, _grey(sample, SIDE).ravel().tolist()))
            file.write(f"{_FER_CODES[_basic(sample)]},{shades},{_FER_USAGES[sample.split]}\n")


def rafdb(root: Path, samples: Iterable[Sample]) -> None:
    """`basic/` with list, aligned and original pictures, and gender, race, age and five points of each."""
    _raf(root / "basic", _basics(samples), lambda sample: _CODE[_basic(sample)], (5, 4))


def rafdb_compound(root: Path, samples: Iterable[Sample]) -> None:
    """`compound/`, as `basic/`; the compound is of the two emotions with the most probability together."""
    _raf(root / "compound", samples, lambda sample: _COMPOUND_CODE[compound(sample)], (4, 3))


def rafdb_folders(root: Path, samples: Iterable[Sample]) -> None:
    """`DATASET/train|test/1…7` and the two lists beside it."""
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for sample, split, number in _numbered(_basics(samples)):
        name, code = f"{split}_{number:0{5 - (split == 'test')}d}_aligned.jpg", _CODE[_basic(sample)]
        save_picture(root / "DATASET" / split / code / name, resize(pixels(sample), 100))
        lists[split].append(f"{name},{code}\n")
    for split, rows in lists.items():
        save(root / f"{split}_labels.csv", "".join(["image,label\n", *rows]).encode())


def ck48(root: Path, samples: Iterable[Sample]) -> None:
    """`CK+48/<class>/S<subject>_<sequence>_<frame>.png`, 48x48 grey; three a sequence, none neutral."""
    counts: Counter[str] = Counter()
    for sample in samples:
        if (label := str(sample.targets["expression8"])) == "neutral":
            continue
        take, (sequence, frame) = EXPRESSION8.index(label), divmod(counts[label], 3)
        counts[label] += 1
        name = f"S{10 + 4 * sequence + take // 2:03d}_{take:03d}_{15 + frame:08d}.png"
        save_picture(root / "CK+48" / _CK_FOLDERS.get(label, label) / name, _grey(sample, 48))


def jaffe(root: Path, samples: Iterable[Sample]) -> None:
    """`KA.AN1.39.tiff` and the like, 256x256 grey, packed with LZW."""
    code_of = {label: code for code, label in JAFFE_CODES.items()}
    takes: Counter[str] = Counter()
    for number, sample in enumerate(_basics(samples), 1):
        pose = f"{SUBJECTS[number % len(SUBJECTS)]}.{code_of[_basic(sample)]}"
        takes[pose] += 1
        buffer = io.BytesIO()
        Image.fromarray(_grey(sample, 256)).save(buffer, "TIFF", compression="tiff_lzw")
        save(root / f"{pose}{takes[pose]}.{number}.tiff", buffer.getvalue())


def table(root: Path, samples: Iterable[Sample]) -> None:
    """`labels.csv` with a label, a split, valence and arousal for each picture of `images/`."""
    rows: list[list[object]] = [["image", "label", "split", "valence", "arousal"]]
    for number, sample in enumerate(samples):
        path = f"images/{number:05d}.png"
        save_picture(root / path, pixels(sample))
        affect = values(sample, "valence_arousal")
        rows.append([path, sample.targets["expression8"], sample.split, affect["valence"], affect["arousal"]])
    save_csv(root / "labels.csv", rows)


def folders(root: Path, samples: Iterable[Sample]) -> None:
    """`train|validation|test/<class>/…`."""
    for number, sample in enumerate(samples):
        label = str(sample.targets["expression8"])
        save_picture(root / sample.split / label / f"{number:05d}.png", pixels(sample))


def compound(sample: Sample) -> str:
    """Return the compound emotion of RAF-DB whose two parts have the most probability together."""
    shares = values(sample, "distribution8")
    words = {label: label.split() for label in COMPOUND11.labels}
    parts = {label: [_ADVERBS.get(word, canonical(word)) for word in pair] for label, pair in words.items()}
    return max(parts, key=lambda label: sum(shares[part] for part in parts[label]))


def _raf(
    base: Path, samples: Iterable[Sample], code: Callable[[Sample], str], digits: tuple[int, int]
) -> None:  # fmt: skip
    lines = []
    for sample, split, number in _numbered(samples):
        name = f"{split}_{number:0{digits[split == 'test']}d}"
        lines.append(f"{name}.jpg {code(sample)}\n")
        picture = pixels(sample)
        side = picture.shape[0]
        save_picture(base / "Image" / "aligned" / f"{name}_aligned.jpg", resize(picture, 100))
        save_picture(base / "Image" / "original" / f"{name}.jpg", picture)
        landmarks = "".join(f"{x * side:.3f}\t{y * side:.3f}\n" for x, y in _POINTS)
        attributes = f"{number % 3}\n{number % 3}\n{number % 5}\n"
        save(base / "Annotation" / "manual" / f"{name}_manu_attri.txt", (landmarks + attributes).encode())
    save(base / "EmoLabel" / "list_patition_label.txt", "".join(lines).encode())


def _numbered(samples: Iterable[Sample]) -> Iterator[tuple[Sample, str, int]]:
    """Yield samples with 'train' or 'test' and their number there, from 1; validation samples join train."""
    counts: Counter[str] = Counter()
    for sample in samples:
        split = "test" if sample.split == "test" else "train"
        counts[split] += 1
        yield sample, split, counts[split]


def _basics(samples: Iterable[Sample]) -> Iterator[Sample]:
    return (sample for sample in samples if "expression7" in sample.targets)


def _basic(sample: Sample) -> str:
    return str(sample.targets["expression7"])


def _grey(sample: Sample, side: int) -> Pixels:
    return resize(recolour(pixels(sample), "grey"), side)
