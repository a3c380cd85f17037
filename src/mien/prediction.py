"""What a model says of one subject, ready to be read by a person or written to a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .records import Face, Subject
from .tasks import Kind, Task


@dataclass(frozen=True)
class Prediction:
    """What a model says of one subject: for each head, name -> probability (0…1) or value. `thresholds`, by
    head and tag: from which probability on a tag applies. `conformal`, by head: from which on a label belongs
    to its set. `abstain`: below which confidence the model gives no answer. `label_temperature`, by head:
    what makes shares of votes the chance of each label."""

    subject: Subject
    outputs: Mapping[str, Mapping[str, float]]
    task: Task = field(repr=False)
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False)
    conformal: Mapping[str, float] = field(default_factory=dict, repr=False)
    abstain: float = field(default=0.0, repr=False)
    label_temperature: Mapping[str, float] = field(default_factory=dict, repr=False)

    @property
    def face(self) -> Face:
        """The subject of a prediction from a picture. Raises TypeError where it is no face."""
        if not isinstance(self.subject, Face):
            raise TypeError(f"this prediction is of {self.subject}, not of a face")
        return self.subject

    @property
    def dominant(self) -> str | None:
        """The likeliest label of the main head; None if the task has none."""
        ranked = self.top(1)
        return ranked[0][0] if ranked else None

    @property
    def confidence(self) -> float | None:
        """How likely the dominant label is right, 0…1; None if the task has no such head.

        Of classes that is its probability; of a distribution, whose probabilities are shares of votes, p **
        (1 / T) renormalised where the model has a label temperature T (`docs/concepts/calibration.md`).
        """
        if (head := self.task.main_head) is None:
            return None
        values, temperature = self.outputs[head.name].values(), self.label_temperature.get(head.name, 1)
        best = max(values)
        if temperature == 1 or best <= 0:
            return best
        return float(1 / sum((value / best) ** (1 / temperature) for value in values))

    @property
    def entropy(self) -> float | None:
        """Entropy of the main head's probabilities in nats, 0 (certain) … ln K (all alike); None without
        one."""
        if not (ranked := self.top(None)):
            return None
        return max(0.0, -sum(value * math.log(value) for _, value in ranked if value > 0))

    @property
    def abstained(self) -> bool:
        """Whether the confidence lies below what was asked for: `dominant` is then no more than a guess."""
        return self.confidence is not None and self.confidence < self.abstain

    def top(self, k: int | None = 3) -> list[tuple[str, float]]:
        """The k likeliest labels of that head (None: all) with their probabilities, best first."""
        if (head := self.task.main_head) is None:
            return []
        return sorted(self.outputs[head.name].items(), key=lambda item: -item[1])[:k]

    @property
    def tags(self) -> dict[str, list[str]]:
        """For each head of tags the names that apply: at or above their threshold, 0.5 where there is
        none."""
        return {
            head.name: [
                name
                for name, value in self.outputs[head.name].items()
                if value >= self.thresholds.get(head.name, {}).get(name, 0.5)
            ]
            for head in self.task
            if head.kind is Kind.TAGS
        }

    @property
    def sets(self) -> dict[str, list[str]]:
        """For each head whose threshold the model holds, the labels that together cover the true one as
        often as the model promises (`docs/concepts/calibration.md`), likeliest first; never empty."""
        ranked = {
            head: sorted(self.outputs[head].items(), key=lambda item: -item[1]) for head in self.conformal
        }
        return {
            head: [
                name
                for place, (name, value) in enumerate(labels)
                if not place or value >= self.conformal[head]
            ]
            for head, labels in ranked.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """The prediction as JSON can hold it; `tags` and `sets` are there if there are any."""
        tags, sets = self.tags, self.sets
        return {
            "face" if isinstance(self.subject, Face) else "subject": self.subject.to_dict(),
            "dominant": self.dominant,
            "confidence": self.confidence,
            "entropy": self.entropy,
            "abstained": self.abstained,
            **({"tags": tags} if tags else {}),
            **({"sets": sets} if sets else {}),
            "outputs": {head: dict(values) for head, values in self.outputs.items()},
        }
