"""What a model looks at: its inputs, each with the transform that brings its items to the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..inputs import Input
from ..records import Box, Items
from .image_transform import check_boxes
from .modality import MODALITIES, Transform, transform_of

Arrays = dict[str, NDArray[Any]]
#: What tells a graph of several inputs which of them each sample has, bool (N, inputs).
PRESENT = "present"
#: The one graph input of a model described by schema 1: its views, channel behind channel.
_STACKED = "pixels"


@dataclass(frozen=True)
class InputSet:
    """The inputs of a model, in order, and their transforms by name. `stacked`: the graph takes them as
    one array, as it did in models described by schema 1."""

    inputs: tuple[Input, ...]
    transforms: Mapping[str, Transform]
    stacked: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the inputs as a model's description holds them."""
        return {
            each.name: each.to_dict()
            | dict(self.transforms[each.name].to_dict())
            | {"options": dict(each.options)}
            for each in self.inputs
        }

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> InputSet:
        """Read a model's description. Raises ConfigError, KeyError, TypeError or ValueError where it is
        damaged."""
        stacked = "inputs" not in metadata
        tables = inputs_of(metadata["preprocessing"]) if stacked else metadata["inputs"]
        inputs = tuple(Input.from_dict(name, table) for name, table in tables.items())
        transforms = {each.name: transform_of(each) for each in inputs}
        for each in inputs:  # a default in place of what the network was trained with would be silently wrong
            if absent := transforms[each.name].to_dict().keys() - each.transform.keys():
                raise KeyError(*sorted(absent))
        return cls(inputs, transforms, stacked)

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the items that are looked at."""
        return tuple(dict.fromkeys(each.of for each in self.inputs))

    @property
    def uses_points(self) -> bool:
        """Whether an input is brought to the network by its points, such as crops aligned by the eyes."""
        return any(each.uses_points for each in self.transforms.values())

    @property
    def graph_inputs(self) -> list[str]:
        """The names of what the graph takes."""
        names = [graph_name(each.name) for each in self.inputs]
        if self.stacked:
            return [_STACKED]
        return names if len(names) == 1 else [*names, graph_name(PRESENT)]

    def with_options(self, **options: Any) -> InputSet:
        """Change options of the transforms that know them, such as `align`."""

        def changed(transform: Any) -> Transform:
            known = {key: value for key, value in options.items() if hasattr(transform, key)}
            found: Transform = replace(transform, **known) if known else transform
            return found

        return replace(self, transforms={name: changed(each) for name, each in self.transforms.items()})

    def check(self, items: Mapping[str, Items]) -> int:
        """Return the number of samples. Raises InputError for items that cannot be, or where no input of
        the model is given."""
        _check_kinds(items)
        given = {each.of: each.modality for each in self.inputs if each.of in items}
        wanted = ", ".join(self.sources)
        if not given:
            raise InputError(f"the model looks at {wanted}; given: {', '.join(items) or 'nothing'}")
        counts = {name: len(items[name].data) for name in given}
        masks = [present for name in given if (present := items[name].present) is not None]
        if len(masks) == len(given) and not np.any(masks, axis=0).all():
            raise InputError(f"a sample without {wanted}: the model looks at nothing else")
        for name, modality in given.items():
            column = items[name]
            present = column.present
            MODALITIES[modality].check(
                column.data if present is None else column[np.flatnonzero(present)].data
            )
            if MODALITIES[modality].region is Box and column.regions is not None:
                check_boxes(column.regions)
            for what, values in (
                ("regions", column.regions),
                ("points", column.points),
                ("present", present),
            ):
                if values is not None and len(values) != counts[name]:
                    raise InputError(
                        f"{len(values)} {what} for {counts[name]} items of '{name}', needed is one each"
                    )
        if len(set(counts.values())) > 1:
            raise InputError(f"not as many items of each input: {counts}")
        return next(iter(counts.values()))

    def fit(self, items: Mapping[str, Items]) -> tuple[Arrays, NDArray[np.bool_]]:
        """Bring N samples to compact arrays by input, and say which inputs each has, (N, inputs); zeros
        where one is missing."""
        count = len(next(iter(items.values())).data)
        present = np.ones((count, len(self.inputs)), np.bool_)
        fitted = {}
        for place, each in enumerate(self.inputs):
            column = items.get(each.of)
            if column is None or column.present is not None:
                present[:, place] = False if column is None else column.present
            fitted[each.name] = fit_present(self.transforms[each.name], each, column, present[:, place])
        return fitted, present

    def feed(self, fitted: Arrays, present: NDArray[np.bool_]) -> Arrays:
        """Turn compact arrays into what the graph takes, by the names of its inputs."""
        arrays = {name: self.transforms[name].normalise(values) for name, values in fitted.items()}
        if self.stacked:
            return {
                _STACKED: arrays.popitem()[1] if len(arrays) == 1 else np.concatenate([*arrays.values()], 1)
            }
        if len(arrays) > 1:
            arrays[PRESENT] = present
        return {graph_name(name): values for name, values in arrays.items()}

    def example(self, count: int) -> dict[str, Items]:
        """Make samples of noise: to time and to test a model."""
        return {each.of: self.transforms[each.name].example(count) for each in self.inputs}


def _check_kinds(items: object) -> None:
    """Raise InputError unless these are Items by name."""
    if not isinstance(items, Mapping):
        kind = type(items).__name__
        raise InputError(f"inputs are a {kind}, needed is a mapping such as {{'image': Items(pictures)}}")
    for name, column in items.items():
        if not isinstance(column, Items):
            kind = type(column).__name__
            raise InputError(f"input '{name}' is a {kind}, needed are Items, such as Items(pictures)")


def graph_name(name: str) -> str:
    """The name that an input has in a graph: with a dot, as no head can have one, whose names the outputs
    are."""
    return f"input.{name}"


def fit_present(
    transform: Transform, given: Input, items: Items | None, present: NDArray[np.bool_]
) -> NDArray[Any]:
    """Bring the items that are there to one compact array (N, ...), zeros for the others."""
    seen = items.whole if items is not None and given.region == "whole" else items
    if seen is not None and present.all():
        return transform.fit(seen)
    fitted = np.zeros((len(present), *transform.shape), transform.dtype)
    if seen is not None and (rows := np.flatnonzero(present)).size:
        fitted[rows] = transform.fit(seen[rows])
    return fitted


def inputs_of(preprocessing: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Turn the preprocessing of a schema 1 description, with its views of one picture, into inputs by
    name."""
    # The first versions had not all of these.
    table = {"views": ["crop"], "margin": 0.0, "align": False, **preprocessing}
    views = table.pop("views")
    return {name: {"region": region, **table} for name, region in map(VIEWS.__getitem__, views)}


#: What the views of earlier configurations and models became: the input's name, and what it sees of a
#: picture.
VIEWS = {"crop": ("face", "region"), "picture": ("scene", "whole")}
