"""Teachers: finished runs whose mean probability on the same augmented batch a network learns from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import TeacherConfig, load
from ..errors import ConfigError
from ..media.image import Preprocessing
from ..models import preprocessing
from ..models.saved import load_network
from ..models.small_maps import lay_side_by_side
from ..tasks import Head, Kind, Task

SOFT = (Kind.CLASS, Kind.DISTRIBUTION)
_LUMA = (0.299, 0.587, 0.114)


class Teachers:
    """The networks of finished runs.

    Raises ConfigError where one is shown other views, or where none has a head of the task.
    """

    def __init__(self, config: TeacherConfig, task: Task, pre: Preprocessing) -> None:
        self.config = config
        self.loaded = [_Teacher(Path(run), task, pre) for run in config.runs]
        self.heads = [head.name for head in task if any(head.name in teacher.heads for teacher in self.loaded)]
        if self.loaded and not self.heads:
            wanted = ", ".join(head.name for head in task if head.kind in SOFT) or "none that can be taught"
            raise ConfigError(
                f"train.teacher.runs = {list(config.runs)}: no teacher has a head of this task ({wanted})"
            )

    def __deepcopy__(self, _: dict[int, Any]) -> Teachers:
        return self  # averaging of weights copies the module in training; its teachers never change

    @torch.no_grad()
    def __call__(self, pixels: Tensor) -> dict[str, Tensor]:
        """Average the teachers' probabilities (N, K) at the temperature, of each head that is taught.

        `pixels`: 0…1 (N, C, S, S), as the student sees them.
        """
        scores = [teacher.to(pixels.device)(pixels) for teacher in self.loaded]
        return {name: self._mean([part[name] for part in scores if name in part]) for name in self.heads}

    def _mean(self, scores: list[Tensor]) -> Tensor:
        return torch.stack([(part.float() / self.config.temperature).softmax(1) for part in scores]).mean(0)


class _Teacher(nn.Module):
    """The network of a finished run, with its own preprocessing."""

    def __init__(self, run: Path, task: Task, pre: Preprocessing) -> None:
        super().__init__()
        config = load(run / "config.toml")
        self.pre, self.batch = preprocessing(config.model), pre
        if (wrong := _difference(self.pre, pre)) is not None:
            raise ConfigError(
                f"train.teacher: {run} must be shown the same part of a picture as this network ({wrong})"
            )
        self.heads = [head.name for head in config.resolved_task() if _teaches(head, task, run)]
        self.network = load_network(run).requires_grad_(False).to(memory_format=torch.channels_last)
        lay_side_by_side(self.network)
        views = len(pre.views)
        self.mean = nn.Buffer(torch.tensor(self.pre.mean * views).view(1, -1, 1, 1))
        self.std = nn.Buffer(torch.tensor(self.pre.std * views).view(1, -1, 1, 1))

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Convert the student's pixels to this network's size and colour; return raw scores {head: (N, K)}."""
        if self.pre.colour != self.batch.colour:
            pixels = _recoloured(pixels, len(self.pre.views), self.pre.colour)
        if self.pre.size != self.batch.size:
            pixels = F.interpolate(pixels, size=(self.pre.size, self.pre.size), mode="bilinear", antialias=True)
        normal = ((pixels - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        scores: dict[str, Tensor] = self.network(normal)
        return {name: scores[name] for name in self.heads}


def _difference(teacher: Preprocessing, student: Preprocessing) -> str | None:
    """Say in what two preprocessings differ in the part of a picture that they show; None if in nothing."""
    names = ("views", "margin", "align")
    pairs = [(name, getattr(teacher, name), getattr(student, name)) for name in names]
    return next((f"{name} {its!r} there, {ours!r} here" for name, its, ours in pairs if its != ours), None)


def _teaches(theirs: Head, task: Task, run: Path) -> bool:
    """Whether a teacher's head can teach the task's head of that name.

    Raises ConfigError where their labels differ.
    """
    ours = next((head for head in task if head.name == theirs.name), None)
    if ours is None or ours.kind not in SOFT or theirs.kind not in SOFT:
        return False
    if ours.space.labels != theirs.space.labels:
        raise ConfigError(
            f"train.teacher: head {ours.name} of {run} has the labels {', '.join(theirs.space.labels)}, here they are "
            f"{', '.join(ours.space.labels)}"
        )
    return True


def _recoloured(pixels: Tensor, views: int, colour: str) -> Tensor:
    """Convert each of the views (N, views x channels, S, S) to another colour."""
    by_view = pixels.reshape(len(pixels), views, -1, *pixels.shape[2:])
    if colour == "rgb":
        return by_view.expand(-1, -1, 3, -1, -1).flatten(1, 2)
    luma = torch.tensor(_LUMA, device=pixels.device).view(1, 1, 3, 1, 1)
    return (by_view * luma).sum(2)
