"""Sentences that a report and the command line share: how labels were compared, and where thresholds come
from."""

from collections.abc import Mapping
from typing import Any

from ..matching import LABELS, USER


def comparison(head: str, compared: Mapping[str, Any]) -> list[str]:
    """Say how a head was compared with another target, sentence by sentence, from `compared` of
    results.json."""
    how = {
        USER: " as --match says",
        LABELS: f": none has its name, this one shares most labels (--match {head}=TARGET takes another)",
    }
    lines = [f"{head} is compared with the target {compared['target']}{how.get(compared['matched_by'], '')}."]
    lines.append(f"Compared: {', '.join(compared['labels'])}.")
    if compared["model_only"]:
        lines.append(f"Not in the data: {', '.join(compared['model_only'])}.")
    if compared["data_only"]:
        lost = [
            f"{label} ({count} left out)" if count else label
            for label, count in compared["data_only"].items()
        ]
        lines.append(f"Unknown to the model: {', '.join(lost)}.")
    lines.append(f"Rule: {compared['rule']}.")
    if compared["model_only"] and "accuracy" in compared:
        free, among = compared["accuracy_unrestricted"], compared["accuracy"]
        lines.append(
            f"Accuracy {among:.4f} among the labels compared, {free:.4f} if any label may be answered."
        )
    return lines


def thresholds(chosen: bool, same: bool) -> str:
    """Say whether the thresholds of tags were `chosen`, and whether on the `same` faces that are scored."""
    if not chosen:
        return "A tag applies from 0.5 on: the model holds no thresholds of its own."
    flatters = ": these very faces, so the figures flatter a little" if same else ""
    return (
        f"A tag applies from its own threshold on, chosen for the best F1 on the validation split{flatters}."
    )
