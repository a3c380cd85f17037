"""Checkpoints of a phase: whose they are, whether they are whole, and which one to go on from.

    last.ckpt       after the last finished epoch: weights, optimizer, schedule, history, and the best weights so far
    previous.ckpt   the same an epoch earlier
    best.ckpt       once the phase is done: its best weights and the history up to then

Each is one file that stands for itself, so none can contradict another. They are torch's zip archives, which hold a CRC-32 of
every part; torch does not look at it, `read` does.
"""  # fmt: skip

from __future__ import annotations

import hashlib
import json
import math
import sys
import zipfile
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import Checkpoint, EarlyStopping
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason
from torch import Tensor

from ..config import Config
from ..errors import ModelError
from ..files import atomic_write

LAST, PREVIOUS, BEST, REFUSED = "last.ckpt", "previous.ckpt", "best.ckpt", ".refused"
_FINGERPRINT, _BEST = "mien", "best"
Fingerprint = dict[str, Any]


def fingerprint(config: Config, phase: int) -> Fingerprint:
    """Whose a checkpoint is: the digest of the whole configuration, and the number of the phase."""
    text = json.dumps(config.to_dict(), sort_keys=True)
    return {"config": hashlib.sha256(text.encode()).hexdigest(), "phase": phase}


def write(path: Path, found: dict[str, Any], fingerprint: Fingerprint) -> None:
    """Write a checkpoint whole or not at all; what was `last.ckpt` becomes `previous.ckpt`. Raises OSError."""
    with atomic_write(path) as part:
        try:
            with part.open("wb") as file:
                torch.save(found | {_FINGERPRINT: fingerprint}, file)
        except RuntimeError as error:  # torch's own, raised in the wake of what the system said
            raise error.__context__ if isinstance(error.__context__, OSError) else error from None
        if path.name == LAST and path.exists():
            path.replace(path.with_name(PREVIOUS))


def read(path: Path, fingerprint: Fingerprint) -> dict[str, Any]:
    """A checkpoint that is whole and of this phase of this training. Raises ModelError."""
    try:
        with zipfile.ZipFile(path) as file:
            if (part := file.testzip()) is not None:
                raise zipfile.BadZipFile(f"{part} differs from its CRC-32")
        found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes can make the readers fail in any way
        raise ModelError(f"{path}: damaged or cut short ({str(error).partition(chr(10))[0][:100]})") from None
    there = found.get(_FINGERPRINT, {})
    if there.get("config") != fingerprint["config"]:
        raise ModelError(f"{path}: of another configuration")
    if there != fingerprint:
        raise ModelError(f"{path}: of phase {there.get('phase')}, not {fingerprint['phase']}")
    return found


def newest(folder: Path, fingerprint: Fingerprint) -> Path | None:
    """The checkpoint to go on from, None to start the phase. One that cannot be used is told and put aside as `*.refused`."""
    refused, found, goes = [], None, f"phase {fingerprint['phase']} starts again"
    for path in (folder / LAST, folder / PREVIOUS):
        if found is None and path.exists():
            try:
                goes = f"{path.name}, of epoch {read(path, fingerprint)['epoch'] + 1}, is used"
                found = path
            except ModelError as fault:
                refused.append(fault)
                path.replace(path.with_name(path.name + REFUSED))
    for said in refused:
        sys.stderr.write(f"{said}; {goes}\n")
    return found


def outcome(folder: Path, fingerprint: Fingerprint) -> dict[str, Any] | None:
    """What `best.ckpt` holds, None where the phase is not done. One that cannot be used is told: the phase is then finished
    anew, from `last.ckpt`, which has the same weights."""
    path = folder / BEST
    if not path.exists():
        return None
    try:
        return read(path, fingerprint)
    except ModelError as fault:
        sys.stderr.write(f"{fault}; made again from what else is left\n")
        return None


class WholeFiles(TorchCheckpointIO):
    """Checkpoints as `write` leaves them: a kill leaves the old ones or the new one, never half of one."""

    def __init__(self, fingerprint: Fingerprint) -> None:
        super().__init__()
        self.fingerprint = fingerprint

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Save a checkpoint whole."""
        del storage_options
        write(Path(path), checkpoint, self.fingerprint)


class BestCheckpoint(Checkpoint):
    """Saves `last.ckpt` after each epoch, and in it the weights of the epoch with the best metric.

    Lightning lets it have its turn last: after the averaging of weights, whose average is saved. An undefined metric is worse
    than any other.
    """

    def __init__(self, folder: Path, key: str, higher: bool) -> None:
        self.path, self.key, self.sign = folder / LAST, key, 1.0 if higher else -1.0
        self.epoch, self.score, self.fresh = -1, -math.inf, False
        self.weights: dict[str, Tensor] = {}

    def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
        """Save the epoch, which may be the best."""
        value = self.sign * float(trainer.callback_metrics[self.key])
        self.fresh = self.epoch < 0 or value > self.score
        if self.fresh:
            self.epoch, self.score = trainer.current_epoch, -math.inf if math.isnan(value) else value
        trainer.save_checkpoint(self.path)

    def on_save_checkpoint(self, _: Any, __: Any, checkpoint: dict[str, Any]) -> None:
        """Keep the weights that are being saved, if they are the best, and put the best beside them."""
        if self.fresh:
            self.weights = {name: value.detach().cpu().clone() for name, value in checkpoint["state_dict"].items()}
        # The same tensors twice take no room twice.
        checkpoint[_BEST] = checkpoint["state_dict"] if self.fresh else self.weights

    def on_load_checkpoint(self, _: Any, __: Any, checkpoint: dict[str, Any]) -> None:
        """Go on from the best weights of a checkpoint."""
        self.weights = {name: value.clone() for name, value in checkpoint[_BEST].items()}

    def state_dict(self) -> dict[str, Any]:
        """Which epoch is the best."""
        return {"epoch": self.epoch, "score": self.score}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self.epoch, self.score = state_dict["epoch"], state_dict["score"]


class Patience(EarlyStopping):
    """Ends a phase that gains nothing, and one that had ended when it was stopped."""

    def on_train_start(self, trainer: Any, *_: Any) -> None:
        """Without this a phase killed after its last epoch would be trained for one more."""
        if self.stopping_reason is not EarlyStoppingReason.NOT_STOPPED:
            trainer.should_stop = True
