"""Teachers: finished runs whose mean probability on the same augmented batch a network learns from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import TeacherConfig, load
from ..errors import ConfigError
from ..inputs import Input
from ..media import InputSet, Transform
from ..media.image_transform import ImageTransform
from ..models import input_set
from ..models.normaliser import Normaliser
from ..models.saved import load_network
from ..models.small_maps import lay_side_by_side
from ..tasks import Head, Task

Tensors = dict[str, Tensor]
_LUMA = (0.299, 0.587, 0.114)


class Teachers:
    """The networks of finished runs.

    Raises ConfigError where one is shown other views, or where none has a head of the task.
    """

    def __init__(self, config: TeacherConfig, task: Task, inputs: InputSet) -> None:
        self.config = config
        self.loaded = [_Teacher(Path(run), task, inputs) for run in config.runs]
        self.heads = [head.name for head in task if any(head.name in teacher.heads for teacher in self.loaded)]
        if self.loaded and not self.heads:
            wanted = ", ".join(head.name for head in task if head.kind.is_exclusive) or "none that can be taught"
            raise ConfigError(
                f"train.teacher.runs = {list(config.runs)}: no teacher has a head of this task ({wanted})"
            )

    def __deepcopy__(self, _: dict[int, Any]) -> Teachers:
        return self  # averaging of weights copies the module in training; its teachers never change

    @torch.no_grad()
    def __call__(self, inputs: Tensors, present: Tensors) -> Tensors:
        """Average the teachers' probabilities (N, K) at the temperature, of each head that is taught.

        `inputs`: {input: (N, ...)} scaled, as the student sees them.
        """
        device = next(iter(inputs.values())).device
        scores = [teacher.to(device)(inputs, present) for teacher in self.loaded]
        return {name: self._mean([part[name] for part in scores if name in part]) for name in self.heads}

    def _mean(self, scores: list[Tensor]) -> Tensor:
        return torch.stack([(part.float() / self.config.temperature).softmax(1) for part in scores]).mean(0)


class _Teacher(nn.Module):
    """The network of a finished run, with its own transforms."""

    def __init__(self, run: Path, task: Task, students: InputSet) -> None:
        super().__init__()
        config = load(run / "config.toml")
        inputs = input_set(config.model)
        #: By each input of the teacher, the student's that sees the same part of the same item.
        self.seen_by = {each.name: _same_part(each, inputs, students, run) for each in inputs.inputs}
        self.adapters = {
            each.name: _adapter(each, inputs.transforms[each.name], students.transforms[self.seen_by[each.name]], run)
            for each in inputs.inputs
        }
        self.heads = [head.name for head in config.resolved_task() if _teaches(head, task, run)]
        self.network = load_network(run).requires_grad_(False).to(memory_format=torch.channels_last)
        lay_side_by_side(self.network)
        self.normaliser = Normaliser(inputs.transforms)

    def forward(self, inputs: Tensors, present: Tensors) -> Tensors:
        """Bring the student's inputs to what this network takes -> raw scores {head: (N, K)}."""
        shown = {name: self.adapters[name](inputs[theirs]) for name, theirs in self.seen_by.items()}
        there = {name: present[theirs] for name, theirs in self.seen_by.items()}
        scores: Tensors = self.network(self.normaliser(shown), there)
        return {name: scores[name] for name in self.heads}


def _same_part(given: Input, teachers: InputSet, students: InputSet, run: Path) -> str:
    """The student's input that sees what a teacher's does. Raises ConfigError."""
    for ours in students.inputs:
        if (ours.modality, ours.of, ours.region) == (given.modality, given.of, given.region):
            theirs, mine = teachers.transforms[given.name], students.transforms[ours.name]
            if (wrong := _apart(theirs, mine)) is None:
                return ours.name
            raise ConfigError(
                f"train.teacher: {run} must be shown the same part of a picture as this network ({wrong})"
            )
    seen = ", ".join(f"{each.of} ({each.region})" for each in students.inputs)
    raise ConfigError(
        f"train.teacher: {run} looks at {given.of} ({given.region}), this network must too; it looks at {seen}"
    )


def _apart(theirs: Transform, ours: Transform) -> str | None:
    """In what two cuts of a picture differ, in words."""
    pairs = [(name, getattr(theirs, name, None), getattr(ours, name, None)) for name in ("margin", "align")]
    return next((f"{name} {its!r} there, {mine!r} here" for name, its, mine in pairs if its != mine), None)


def _adapter(given: Input, theirs: Transform, ours: Transform, run: Path) -> Callable[[Tensor], Tensor]:
    """What turns the student's items into the teacher's. Raises ConfigError where nothing can."""
    if theirs.to_dict() == ours.to_dict():
        return lambda values: values
    if given.modality not in ADAPTERS:
        raise ConfigError(f"train.teacher: {run} takes '{given.of}' of another kind: {theirs.to_dict()}")
    return partial(ADAPTERS[given.modality], theirs, ours)


def _adapt_picture(theirs: ImageTransform, ours: ImageTransform, pixels: Tensor) -> Tensor:
    """Pictures 0…1 (N, C, S, S) in another colour and size."""
    if theirs.colour != ours.colour:
        luma = torch.tensor(_LUMA, device=pixels.device).view(1, 3, 1, 1)
        pixels = pixels.expand(-1, 3, -1, -1) if theirs.colour == "rgb" else (pixels * luma).sum(1, keepdim=True)
    if theirs.size != ours.size:
        pixels = F.interpolate(pixels, size=(theirs.size, theirs.size), mode="bilinear", antialias=True)
    return pixels


#: What brings a student's items to a teacher of another transform, by modality.
ADAPTERS: dict[str, Callable[[Any, Any, Tensor], Tensor]] = {"image": _adapt_picture}


def _teaches(theirs: Head, task: Task, run: Path) -> bool:
    """Whether a teacher's head can teach the task's head of that name.

    Raises ConfigError where their labels differ.
    """
    ours = next((head for head in task if head.name == theirs.name), None)
    if ours is None or not ours.kind.is_exclusive or not theirs.kind.is_exclusive:
        return False
    if ours.space.labels != theirs.space.labels:
        raise ConfigError(
            f"train.teacher: head {ours.name} of {run} has the labels {', '.join(theirs.space.labels)}, here they are "
            f"{', '.join(ours.space.labels)}"
        )
    return True
