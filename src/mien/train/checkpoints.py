"""Checkpoints of a phase: whether they are whole and of this training, and which one to resume from.

    last.ckpt       after the last finished epoch: weights, optimizer, schedule, history, best weights so far
    previous.ckpt   the same an epoch earlier
    best.ckpt       once the phase is done: its best weights and the history up to then

Each file is complete in itself, so no two can contradict each other. They are torch's zip archives, which
hold a CRC-32 of every part; torch does not check it, `read` does.
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
    """Identify the training a checkpoint belongs to: the digest of the whole configuration, and the phase."""
    text = json.dumps(config.to_dict(), sort_keys=True)
    return {"config": hashlib.sha256(text.encode()).hexdigest(), "phase": phase}


def write(path: Path, checkpoint: dict[str, Any], fingerprint: Fingerprint) -> None:
    """Write a checkpoint whole or not at all; `last.ckpt` becomes `previous.ckpt`. Raises OSError."""
    with atomic_write(path) as part:
        try:
            with part.open("wb") as file:
                torch.save(checkpoint | {_FINGERPRINT: fingerprint}, file)
        except RuntimeError as error:  # raised by torch on top of the system's OSError
            raise error.__context__ if isinstance(error.__context__, OSError) else error from None
        if path.name == LAST and path.exists():
            path.replace(path.with_name(PREVIOUS))


def read(path: Path, fingerprint: Fingerprint) -> dict[str, Any]:
    """Read a checkpoint. Raises ModelError if it is damaged, or of another phase or configuration."""
    try:
        with zipfile.ZipFile(path) as file:
            if (part := file.testzip()) is not None:
                raise zipfile.BadZipFile(f"{part} differs from its CRC-32")
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes can make the readers fail in any way
        raise ModelError(f"{path}: damaged or cut short ({str(error).partition(chr(10))[0][:100]})") from None
    stored = checkpoint.get(_FINGERPRINT, {})
    if stored.get("config") != fingerprint["config"]:
        raise ModelError(f"{path}: of another configuration")
    if stored != fingerprint:
        raise ModelError(f"{path}: of phase {stored.get('phase')}, not {fingerprint['phase']}")
    return checkpoint


def newest(folder: Path, fingerprint: Fingerprint) -> Path | None:
    """Find the checkpoint to resume from, None to start the phase; unusable ones are renamed `*.refused`."""
    refused, found, outcome = [], None, f"phase {fingerprint['phase']} starts again"
    for path in (folder / LAST, folder / PREVIOUS):
        if found is None and path.exists():
            try:
                outcome = f"{path.name}, of epoch {read(path, fingerprint)['epoch'] + 1}, is used"
                found = path
            except ModelError as error:
                refused.append(error)
                path.replace(path.with_name(path.name + REFUSED))
    for fault in refused:
        sys.stderr.write(f"{fault}; {outcome}\n")
    return found


def finished(folder: Path, fingerprint: Fingerprint) -> dict[str, Any] | None:
    """Read `best.ckpt`; None where the phase is not done, or must be finished again from `last.ckpt`."""
    path = folder / BEST
    if not path.exists():
        return None
    try:
        return read(path, fingerprint)
    except ModelError as fault:
        sys.stderr.write(f"{fault}; made again from what else is left\n")
        return None


class AtomicCheckpointIO(TorchCheckpointIO):
    """Save checkpoints with `write`: a kill leaves the old ones or the new one, never half of one."""

    def __init__(self, fingerprint: Fingerprint) -> None:
        super().__init__()
        self.fingerprint = fingerprint

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Save a checkpoint whole."""
        del storage_options
        write(Path(path), checkpoint, self.fingerprint)


class BestCheckpoint(Checkpoint):
    """Save `last.ckpt` after each epoch, with the weights of the best one; an undefined metric is the worst.

    Lightning runs it after the other callbacks, so that averaged weights are saved.
    """

    def __init__(self, folder: Path, key: str, higher: bool) -> None:
        self.path, self.key, self.sign = folder / LAST, key, 1.0 if higher else -1.0
        self.epoch, self.score, self.is_best = -1, -math.inf, False
        self.weights: dict[str, Tensor] = {}

    def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
        """Save the checkpoint of the epoch, and note whether the epoch is the best so far."""
        value = self.sign * float(trainer.callback_metrics[self.key])
        self.is_best = self.epoch < 0 or value > self.score
        if self.is_best:
            self.epoch, self.score = trainer.current_epoch, -math.inf if math.isnan(value) else value
        trainer.save_checkpoint(self.path)

    def on_save_checkpoint(self, _: Any, __: Any, checkpoint: dict[str, Any]) -> None:
        """Keep the weights being saved if they are the best, and add the best ones to the checkpoint."""
        if self.is_best:
            state = checkpoint["state_dict"].items()
            self.weights = {name: value.detach().cpu().clone() for name, value in state}
        # torch saves tensors that stand twice once.
        checkpoint[_BEST] = checkpoint["state_dict"] if self.is_best else self.weights

    def on_load_checkpoint(self, _: Any, __: Any, checkpoint: dict[str, Any]) -> None:
        """Take over the best weights of a checkpoint."""
        self.weights = {name: value.clone() for name, value in checkpoint[_BEST].items()}

    def state_dict(self) -> dict[str, Any]:
        """Return the best epoch and its score."""
        return {"epoch": self.epoch, "score": self.score}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the best epoch and its score."""
        self.epoch, self.score = state_dict["epoch"], state_dict["score"]


class Patience(EarlyStopping):
    """End a phase that no longer improves; one that had ended before it was resumed ends at once."""

    def on_train_start(self, trainer: Any, *_: Any) -> None:
        """Stop a phase that was killed after its last epoch: it would be trained for one more."""
        if self.stopping_reason is not EarlyStoppingReason.NOT_STOPPED:
            trainer.should_stop = True
