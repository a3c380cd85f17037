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
    """The networks of finished runs. Raises ConfigError where their inputs or heads do not fit."""

    def __init__(self, config: TeacherConfig, task: Task, inputs: InputSet) -> None:
        self.config = config
        self.loaded = [_Teacher(Path(run), task, inputs) for run in config.runs]
        taught = {name for teacher in self.loaded for name in teacher.heads}
        self.heads = [head.name for head in task if head.name in taught]
        if self.loaded and not self.heads:
            wanted = ", ".join(head.name for head in task if head.kind.is_exclusive)
            text = f"no teacher has a head of this task ({wanted or 'none that can be taught'})"
            raise ConfigError(f"train.teacher.runs = {list(config.runs)}: {text}")

    def __deepcopy__(self, _: dict[int, Any]) -> Teachers:
        return self  # averaging of weights copies the module in training; its teachers never change

    @torch.no_grad()
    def __call__(self, inputs: Tensors, present: Tensors) -> Tensors:
        """Mean probability (N, K) at the temperature, by head, from the student's scaled inputs."""
        device = next(iter(inputs.values())).device
        scores = [teacher.to(device)(inputs, present) for teacher in self.loaded]
        found = {}
        for name in self.heads:
            parts = [part[name].float() / self.config.temperature for part in scores if name in part]
            found[name] = torch.stack([part.softmax(1) for part in parts]).mean(0)
        return found


class _Teacher(nn.Module):
    """The network of a finished run, with its own transforms."""

    def __init__(self, run: Path, task: Task, students: InputSet) -> None:
        super().__init__()
        config = load(run / "config.toml")
        inputs = input_set(config.model)
        #: By each input of the teacher, the student's that sees the same part of the same item.
        self.seen_by = {each.name: _same_part(each, inputs, students, run) for each in inputs.inputs}
        self.adapters = {}
        for each in inputs.inputs:
            ours = students.transforms[self.seen_by[each.name]]
            self.adapters[each.name] = _adapter(each, inputs.transforms[each.name], ours, run)
        self.heads = [head.name for head in config.resolved_task() if _teaches(head, task, run)]
        self.network = load_network(run).requires_grad_(False).to(memory_format=torch.channels_last)
        lay_side_by_side(self.network)
        self.normaliser = Normaliser(inputs.transforms)

    def forward(self, inputs: Tensors, present: Tensors) -> Tensors:
        """Bring the student's inputs to what this network takes -> raw scores {head: (N, K)}."""
        shown = {name: self.adapters[name](inputs[theirs]) for name, theirs in self.seen_by.items()}
        known = {name: present[theirs] for name, theirs in self.seen_by.items()}
        scores: Tensors = self.network(self.normaliser(shown), known)
        return {name: scores[name] for name in self.heads}


def _same_part(source: Input, teachers: InputSet, students: InputSet, run: Path) -> str:
    """The student's input that sees what a teacher's does. Raises ConfigError."""
    for ours in students.inputs:
        if (ours.modality, ours.of, ours.region) == (source.modality, source.of, source.region):
            pair = teachers.transforms[source.name], students.transforms[ours.name]
            for name in ("margin", "align"):
                its, mine = (getattr(transform, name, None) for transform in pair)
                if its != mine:
                    text = f"must be shown the same part of a picture as this network ({name} {its!r} there"
                    raise ConfigError(f"train.teacher: {run} {text}, {mine!r} here)")
            return ours.name
    seen = ", ".join(f"{each.of} ({each.region})" for each in students.inputs)
    text = f"looks at {source.of} ({source.region}), this network must too; it looks at {seen}"
    raise ConfigError(f"train.teacher: {run} {text}")


def _adapter(source: Input, theirs: Transform, ours: Transform, run: Path) -> Callable[[Tensor], Tensor]:
    """What turns the student's items into the teacher's. Raises ConfigError where nothing can."""
    if theirs.to_dict() == ours.to_dict():
        return lambda values: values
    if source.modality not in ADAPTERS:
        raise ConfigError(f"train.teacher: {run} takes '{source.of}' of another kind: {theirs.to_dict()}")
    return partial(ADAPTERS[source.modality], theirs, ours)


def _adapt_picture(theirs: ImageTransform, ours: ImageTransform, pixels: Tensor) -> Tensor:
    """Pictures 0…1 (N, C, S, S) in another colour and size."""
    if theirs.colour != ours.colour:
        luma = torch.tensor(_LUMA, device=pixels.device).view(1, 3, 1, 1)
        grey = theirs.colour != "rgb"
        pixels = (pixels * luma).sum(1, keepdim=True) if grey else pixels.expand(-1, 3, -1, -1)
    if theirs.size != ours.size:
        pixels = F.interpolate(pixels, size=(theirs.size, theirs.size), mode="bilinear", antialias=True)
    return pixels


#: What brings a student's items to a teacher of another transform, by modality.
ADAPTERS: dict[str, Callable[[Any, Any, Tensor], Tensor]] = {"image": _adapt_picture}


def _teaches(theirs: Head, task: Task, run: Path) -> bool:
    """Whether a head can teach the task's head of its name. Raises ConfigError for other labels."""
    ours = next((head for head in task if head.name == theirs.name), None)
    if ours is None or not ours.kind.is_exclusive or not theirs.kind.is_exclusive:
        return False
    if ours.space.labels != theirs.space.labels:
        its, mine = (", ".join(head.space.labels) for head in (theirs, ours))
        text = f"head {ours.name} of {run} has the labels {its}, here they are {mine}"
        raise ConfigError(f"train.teacher: {text}")
    return True
