"""From moments to results: decoding, detection and recognition overlap, in order and in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from typing import TypeAlias

from ..prediction import Prediction
from ..records import Moment, ReadError
from ..sources.base import one_line
from ..sources.per_source import PerSource
from .prefetch import Prefetcher
from .results import Result
from .session import Found, Session

#: At most this many moments are recognised in one batch, of those that wait: a camera's is never held back.
MOST = 16
Moments: TypeAlias = Iterable[Moment | ReadError]
Step: TypeAlias = Moment | Found | Result | ReadError


def stream(
    make_session: Callable[[], Session], moments: Moments, *, live: Collection[str] = ()
) -> Generator[Result | ReadError, None, None]:
    """Yield results in the order of the moments; a moment that fails becomes a ReadError, the rest goes on.

    Each source has a session of its own. Of the sources named in `live`, newer moments replace those that
    wait. Closing the iterator stops the threads and closes `moments`.
    """

    def passing(item: Step) -> bool:
        return not isinstance(item, ReadError) and _moment_of(item).source in live

    read = Prefetcher(moments, _bytes, passing)
    found = Prefetcher(_found(read, make_session), _bytes, passing)
    done = Prefetcher(_recognised(found), _bytes, passing)
    try:
        yield from done
    finally:
        stages = done, found, read
        for stage in stages:
            stage.stop()
        for stage in stages:
            stage.join()


def _found(moments: Moments, make_session: Callable[[], Session]) -> Iterator[Found | ReadError]:
    sessions = PerSource(lambda _: make_session())
    for moment in moments:
        if isinstance(moment, ReadError):
            yield moment
            continue
        try:
            item: Found | ReadError = sessions.of(moment.source).find(moment)
        except Exception as error:  # one moment's trouble, whatever the detector raises, is not the others'
            item = _failed(moment, error)
        yield item


def _recognised(waiting: Prefetcher[Found | ReadError]) -> Iterator[Result | ReadError]:
    while batch := waiting.waiting(MOST):
        answers = iter(recognise_batch([item for item in batch if isinstance(item, Found)]))
        for item in batch:
            if isinstance(item, ReadError):
                yield item
            elif isinstance(predictions := next(answers), Exception):
                yield _failed(item.moment, predictions)
            else:
                yield item.session.result(item, predictions)


def recognise_batch(batch: Sequence[Found]) -> list[list[Prediction] | Exception]:
    """Recognise these in one go; if that fails, one by one, so that only the one at fault has an error."""
    if not batch:
        return []
    try:
        model = batch[0].session.model
        return [*model.recognise([found.moment for found in batch], [found.subjects for found in batch])]
    except Exception as error:  # whatever a model or its input raises
        return [error] if len(batch) == 1 else [recognise_batch([found])[0] for found in batch]


def _failed(moment: Moment, error: Exception) -> ReadError:
    where = moment.source if moment.time is None else f"{moment.source}, frame {moment.index}"
    return ReadError(moment.source, f"{where}: {one_line(error)}", moment.index, moment.time)


def _moment_of(item: Moment | Found | Result) -> Moment:
    return item if isinstance(item, Moment) else item.moment


def _bytes(item: Step) -> int:
    media = {} if isinstance(item, ReadError) else _moment_of(item).media
    return sum(array.nbytes for array in media.values())
