"""Spread shards over workers by Ray Data: it starts and feeds them, and replaces those that die."""

from __future__ import annotations

import os
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import ConfigError, MienError
from ..extras import require
from ..machine import usable_cores
from ..sources.base import one_line
from .parts import Count
from .worker import Order, Shard, Worker

#: Ray's memory for what goes between processes: lists of names and counts, never media.
_STORE = 100_000_000
#: How often a shard is tried again whose worker died over it, and the most pieces of work that Ray watches.
_RETRIES, _BLOCKS = 3, 1000
#: Nothing is reported to anybody, and of its own work Ray tells only what went wrong.
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DATA_LOG_LEVEL": "ERROR", "RAY_BACKEND_LOG_LEVEL": "fatal"}
#: Ray gives up on its own start after 30 s, which a busy machine may need.
_STARTS = 3


def spread(order: Order, shards: Sequence[Shard], workers: int = 0) -> Generator[Count, None, None]:
    """Yield the parts' counts as they are written, in any order. Raises MienError for a worker's error."""
    with _ray() as ray:
        count, cores = _sized(int(ray.cluster_resources().get("CPU", 0)), workers, len(shards))
        with _quiet():
            answers = _answers(ray.data, order, shards, count, cores)
        for answer in answers:
            if answer["error"]:
                raise MienError(answer["error"])
            yield Count.from_json(answer["count"])


def _answers(data: Any, order: Order, shards: Sequence[Shard], count: int, cores: int) -> Iterator[Any]:
    context = data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    context.max_errored_blocks = -1  # a shard that kills its workers must not take the others with it
    context.max_consecutive_actor_init_deaths = _RETRIES
    blocks = min(len(shards), _BLOCKS)
    rows = data.from_items([shard.to_row() for shard in shards], override_num_blocks=blocks)
    answers = rows.map_batches(
        Worker,
        batch_size=1,
        compute=data.ActorPoolStrategy(size=count),
        num_cpus=cores,
        fn_constructor_kwargs={"order": order, "cores": cores},
        max_restarts=-1,
        max_task_retries=_RETRIES,
    )
    return iter(answers.iter_rows())


def _sized(cores: int, asked: int, shards: int) -> tuple[int, int]:
    """How many workers, and the cores of each: one a core unless fewer are asked for. Raises ConfigError."""
    if not 0 <= asked <= cores:
        known = f"must be 1 to {cores}, the cores that are there"
        raise ConfigError(f"--workers {asked}: {known} (0: one a core)")
    count = asked or cores
    return min(count, shards), cores // count


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray warns of its own doings
        yield


@contextmanager
def _ray() -> Iterator[Any]:
    """Yield Ray: RAY_ADDRESS's cluster, else one on this machine for this work. Raises ConfigError."""
    os.environ.update({name: os.environ.get(name, value) for name, value in _QUIET.items()})
    with _quiet():
        ray = require("ray", "scale")
        require("ray.data", "scale")
    started = not ray.is_initialized()
    if started:
        _start(ray, os.environ.get("RAY_ADDRESS", ""))
    try:
        yield ray
    finally:
        if started:
            ray.shutdown()


def _start(ray: Any, address: str) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if not address:  # reached from this machine alone
        options |= {"num_cpus": usable_cores(), "object_store_memory": _STORE, "include_dashboard": False}
        options |= {"_node_ip_address": "127.0.0.1"}
    for left in reversed(range(1 if address else _STARTS)):
        try:
            ray.init(address or "local", **options)
            return
        except Exception as error:  # Ray raises a bare one where it starts too slowly
            ray.shutdown()
            if not left:
                raise ConfigError(f"Ray cannot be reached or started: {one_line(error)}") from None
