"""Put a trained run into the package: the model that `mien.load()` opens, its int8 twin, their checksums and
the model card.

    python tools/bundle.py RUN [--data STORE] [--name face]

Exports the run in float and int8, both calibrated anew, scores both on its validation split (against the
heads' own targets and, where the store has them, FER+ majority labels), writes what they reached into the
files' own descriptions, puts both and `SHA256SUMS` into `src/mien/bundle/`, and the figures into
`docs/reference/model-card.md`. Nothing there is changed if a step fails.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from mien import config, export
from mien.bundle import SUMS
from mien.evaluate import evaluate
from mien.export.graph import stamp
from mien.files import atomic_write, sha256, write_text
from mien.predict.engine import Engine
from mien.store import Store

ROOT = Path(__file__).parents[1]
BUNDLE, CARD = ROOT / "src" / "mien" / "bundle", ROOT / "docs" / "reference" / "model-card.md"
BEGIN, END = "<!-- figures: written by tools/bundle.py -->\n", "<!-- end of figures -->\n"
#: A head of votes is also scored against the label most raters gave, where FER+ keeps one.
VOTES, MAJORITY = "distribution8", "expression8"
#: What the card and `mien models` show of each kind of target, and how it is called there.
SHOWN = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "top_label_accuracy": "top-label accuracy",
    "kl": "mean KL, nats",
    "tvd": "total variation",
    "log_loss": "log loss, nats",
    "ece": "ECE, 15 bins",
    "vote_ece": "ECE against the votes",
}
#: Votes' distances mean nothing against one label; there the model's confidence in the label is what is
#: scored.
ON_MAJORITY = ("top_label_accuracy", "macro_f1", "ece")
#: And shares of votes are not chances of the top label.
ON_VOTES = tuple(metric for metric in SHOWN if metric != "ece")
_FITS = ("before", "after", "cross_fitted")

Results = dict[str, Any]


def scored(model: Path, folder: Path, data: Path | None) -> dict[str, Results]:
    """Results of a model by what it is held against: {'': its heads' own targets, 'majority': FER+ majority
    labels}."""
    found = {"": evaluate(model, data, out=folder / "own")}
    store = Store(found[""]["data"]["store"])
    if any(head["name"] == VOTES for head in found[""]["task"]["heads"]) and MAJORITY in {
        h.name for h in store.heads
    }:
        found["majority"] = evaluate(model, data, out=folder / "majority", match={VOTES: MAJORITY})
    return found


def figures(found: dict[str, Results]) -> list[dict[str, Any]]:
    """What a model's description says it reached: a record for each head and target, with 95 % intervals."""
    records = []
    for against, results in found.items():
        for name, head in results["heads"].items():
            shown = ON_MAJORITY if against else ON_VOTES if name == VOTES else SHOWN
            if not against or name == VOTES:
                records.append(
                    {
                        "head": name,
                        "target": MAJORITY if against else name,
                        "split": results["data"]["split"],
                        "rows": head["rows"],
                        "metrics": {
                            metric: {key: figure[key] for key in ("value", "interval")}
                            for metric, figure in head["metrics"].items()
                            if metric in shown
                        },
                    }
                )
    return records


def card(found: dict[str, dict[str, Results]], files: dict[str, Path]) -> str:
    """The part of the model card that comes from figures, as Markdown."""
    first = next(iter(found.values()))[""]
    sizes = ", ".join(f"`{name}` {path.stat().st_size / 1e6:.1f} MB" for name, path in files.items())
    parameters = first["training"]["parameters"] / 1e6
    intervals = first["intervals"]
    drawn = f"Intervals: {intervals['level']:.0%}, {intervals['draws']} bootstrap draws of faces"
    lines = [f"{parameters:.2f} M parameters; {sizes}. PublicTest, no test-time averaging. {drawn}.", ""]
    lines += comparison({name: figures(results) for name, results in found.items()})
    lines += across_folds(files)
    for against, results in next(iter(found.values())).items():
        for name, head in results["heads"].items():
            if not against or name == VOTES:
                lines += per_class(f"{name} against {MAJORITY if against else 'its own targets'}", head)
    return "\n".join(lines) + "\n"


def comparison(by_model: dict[str, list[dict[str, Any]]]) -> list[str]:
    """A row for each target and metric, a column for each model."""
    lines = ["| head | against | faces | metric | " + " | ".join(f"`{name}`" for name in by_model) + " |"]
    lines.append("|---" * (4 + len(by_model)) + "|")
    for records in zip(*by_model.values(), strict=True):
        for metric in records[0]["metrics"]:
            cells = " | ".join(cell(metric, record["metrics"][metric]) for record in records)
            first = records[0]
            lines.append(
                f"| {first['head']} | {first['target']} | {first['rows']} | {SHOWN[metric]} | {cells} |"
            )
    return [*lines, ""]


def cell(metric: str, figure: dict[str, Any]) -> str:
    """A figure with its interval; shares in per cent."""
    percent = metric not in ("kl", "tvd", "log_loss", "ece", "vote_ece")
    value, *ends = (
        f"{number:.2%}" if percent else f"{number:.4f}" for number in (figure["value"], *figure["interval"])
    )
    return f"{value} ({ends[0]} to {ends[1]})"


def across_folds(files: dict[str, Path]) -> list[str]:
    """How well confidence in the label does on faces that had no part in its temperature, where there is
    one."""
    lines = []
    for name, path in files.items():
        if fit := Engine(path).metadata.get("calibration", {}).get(VOTES, {}).get("label"):
            temperature, (before, after, across) = fit["temperature"], (fit[when]["ece"] for when in _FITS)
            what = (
                f"`{name}`, ECE of the confidence in the label "
                f"({fit['rows']} faces, label temperature {temperature:.3f})"
            )
            lines += [
                f"{what}: {across:.4f} across five folds, {after:.4f} as fitted, {before:.4f} without it.",
                "",
            ]
    return lines


def per_class(title: str, head: dict[str, Any]) -> list[str]:
    """Each label's faces, precision, recall and F1."""
    lines = [
        f"Per class, {title}:",
        "",
        "| label | faces | precision | recall | F1 |",
        "|---|---|---|---|---|",
    ]
    for row in head["per_class"]:
        shown = " | ".join(
            "–" if row[key] is None else f"{row[key]:.1%}" for key in ("precision", "recall", "f1")
        )
        lines.append(f"| {row['label']} | {row['support']} | {shown} |")
    return [*lines, ""]


def put(files: dict[str, Path], text: str) -> None:
    """Write models, checksums and card into the repository."""
    page = CARD.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    for name, path in files.items():
        with atomic_write(BUNDLE / f"{name}.onnx") as part:
            shutil.copyfile(path, part)
    write_text(BUNDLE / SUMS, "".join(f"{sha256(path)}  {name}.onnx\n" for name, path in files.items()))
    write_text(CARD, before + BEGIN + text + END + rest.split(END)[1])


def main() -> None:
    """Do all of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="a run folder, as `mien train` wrote it")
    parser.add_argument("--data", type=Path, help="its store (default: the one its configuration names)")
    parser.add_argument("--name", default="face")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run = Path(
            shutil.copytree(
                args.run,
                Path(temporary) / args.run.resolve().name,
                ignore=shutil.ignore_patterns("checkpoints"),
            )
        )
        settings = config.load(run / "config.toml")
        files = {args.name: export.export(run, calibration=settings.train.calibration, store=args.data)}
        files[f"{args.name}-int8"] = export.quantise(run, args.data)
        found = {}
        for name, path in files.items():
            found[name] = scored(path, Path(temporary) / name, args.data)
            description = export.learnt_from(settings) | Engine(path).metadata
            stamp(path, description | {"name": name, "figures": figures(found[name])})
        put(files, card(found, files))
    sys.stdout.write(CARD.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0])


if __name__ == "__main__":
    main()
