"""What every rule decides of a campaign at every step that it is looked at. Pure, but for the processes it may use."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pipeline.alerts.isolating import each_apart, log_unjudged
from pipeline.alerts.judging import decide
from pipeline.alerts.teachers import learn_apart
from pipeline.alerts.verdict import LARGEST, Band, Outcome, Verdict
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from pipeline.alerts.judging import Decided
    from pipeline.alerts.learning import PeerLibrary
    from pipeline.alerts.rule import AlertRule
    from pipeline.alerts.statistics import BankLevel, Booleans, FinishedCampaign, Floats, Integers, Statistics
    from pipeline.backtest.history import CampaignHistory

OUTCOMES: Final[tuple[Outcome, ...]] = ("immature", "undecided", "below", "above")
IMMATURE, UNDECIDED, BELOW, ABOVE = range(4)
ROWS: Final = 250
"""Rows that are judged at once: their tables stay in the processor's cache."""
Question = tuple[str, float, tuple[int, ...]]
"""Product, window in hours and peers of a library."""


class Decisions(NamedTuple):
    """What one rule decided of one campaign, a row a look; see `pipeline.alerts.judging.Decided`."""

    outcome: NDArray[np.int8]
    p_value: Floats
    low: Floats
    value: Floats
    high: Floats
    floor_rule: Booleans


class Task(NamedTuple):
    """A campaign to be judged.

    Attributes:
        history: of it.
        steps: at which it is looked at, ascending.
        which: the library of each step, a place in the list of all.
        rules: the rule of the campaign by each set of settings.
    """

    history: CampaignHistory
    steps: Integers
    which: Integers
    rules: tuple[AlertRule, ...]


@dataclass(slots=True)
class Looked:
    """What was found of a campaign.

    Attributes:
        steps: at which it was looked at, ascending.
        which: as in `Task`.
        cost: (B,) spent as of each.
        returned: (B,) net return as of each.
        by_rule: what each rule of the task decided.
    """

    steps: Integers
    which: Integers
    cost: Floats
    returned: Floats
    by_rule: list[Decisions]

    def last(self, step: int) -> int:
        """Return the row of the last look up to a step, -1 before the first."""
        return int(np.searchsorted(self.steps, step, "right")) - 1


def decisions_of(found: Sequence[Decided]) -> Decisions:
    """Return decisions of parts as one."""
    codes = {name: number for number, name in enumerate(OUTCOMES)}
    outcome = np.array([codes[name] for one in found for name in one.outcome.tolist()], np.int8)
    rest = (np.concatenate([getattr(one, name) for one in found]) for name in Decisions._fields[1:])
    return Decisions(outcome, *rest)


def verdict_of(name: str, as_of_ms: int, outcome: Outcome, row: int, found: Decisions | None = None) -> Verdict:
    """Return a verdict that says what is decided and forecast, and nothing that only a reader needs."""
    band, p_value = None, 1.0
    if found is not None:
        p_value = float(found.p_value[row])
        low, value, high = (float(column[row]) for column in (found.low, found.value, found.high))
        if all(abs(number) <= LARGEST for number in (low, value, high)):  # as live; NaN is not
            band = Band(low, value, high)
    return Verdict(name, as_of_ms, outcome, None, band, None, None, 0, None, None, 0, 0, 0.0, 0.0, p_value)


def judged(
    rows: Statistics,
    libraries: Sequence[PeerLibrary],
    rules: Sequence[AlertRule],
    bank: Sequence[BankLevel | None] | None = None,
) -> list[Decided]:
    """Return what each of some rules decides of one campaign's rows."""
    return decide(rows, libraries, [[rule] * len(rows) for rule in rules], bank)


def _looked(task: Task, libraries: Sequence[PeerLibrary]) -> Looked | None:
    """Return what is found of a campaign; None where its figures make our own code fail, as live blocks it."""
    return each_apart([task], lambda _: [_look(task, libraries)], _cannot_be_judged)[0]


def _cannot_be_judged(task: Task, error: Exception) -> None:
    log_unjudged(task.history.campaign_id, error)


def _look(task: Task, libraries: Sequence[PeerLibrary]) -> Looked:
    parts: list[list[Decided]] = [[] for _ in task.rules]
    cost, returned = [], []
    for begin in range(0, len(task.steps), ROWS):
        part = slice(begin, begin + ROWS)
        rows = task.history.statistics(task.steps[part])
        of_rows = [libraries[place] for place in task.which[part].tolist()]
        for known, new in zip(parts, judged(rows, of_rows, task.rules), strict=True):
            known.append(new)
        cost.append(rows.cost_total)
        returned.append(rows.return_all)
    together = np.concatenate(cost), np.concatenate(returned)
    return Looked(task.steps, task.which, *together, [decisions_of(part) for part in parts])


# what a process is given once; it lives for one kind of work
_finished: Sequence[FinishedCampaign] = ()
_libraries: Sequence[PeerLibrary] = ()


def _take_finished(finished: Sequence[FinishedCampaign]) -> None:
    global _finished  # noqa: PLW0603 - a process of a pool has no other place for what all its tasks share
    _finished = finished


def _take_libraries(libraries: Sequence[PeerLibrary]) -> None:
    global _libraries  # noqa: PLW0603 - likewise
    _libraries = libraries


def _learn_one(question: Question) -> PeerLibrary:
    product, window_hours, peers = question
    return learn_apart([_finished[place] for place in peers], product, window_hours)


def _look_one(task: Task) -> Looked | None:
    return _looked(task, _libraries)


def learn_all(questions: Sequence[Question], finished: Sequence[FinishedCampaign], workers: int) -> list[PeerLibrary]:
    """Return what peers teach, in the order of the questions.

    Args:
        questions: peers are places in ``finished``.
        finished: campaigns.
        workers: processes; below 2 it is done here.
    """
    if workers < 2:
        _take_finished(finished)
        return [_learn_one(question) for question in questions]
    with _processes(workers, _take_finished, finished) as pool:
        return list(pool.map(_learn_one, questions, chunksize=4))


def look_at_all(tasks: Iterable[Task], libraries: Sequence[PeerLibrary], workers: int) -> Iterator[Looked | None]:
    """Yield what is found of campaigns, in their order, None of one that cannot be judged; ``workers``: `learn_all`."""
    if workers < 2:
        for task in tasks:
            yield _looked(task, libraries)
        return
    with _processes(workers, _take_libraries, libraries) as pool:
        yield from pool.map(_look_one, tasks)


@contextmanager
def _processes(workers: int, take: Callable[..., None], given: object) -> Iterator[ProcessPoolExecutor]:
    """Give processes that compute on one core each and are ended in any case."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))  # read when a child loads numpy
    executor = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, (take, given))
    try:
        yield executor
    except BrokenProcessPool as error:
        raise UserError(
            "a process of the backtest was ended from outside", "give it more memory, or use --workers 1"
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _begin(take: Callable[..., None], given: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who is at the keyboard interrupts the parent, which ends this
    take(given)
