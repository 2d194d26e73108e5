"""Answers of panels: one query for all who look at the same, again only when the ledger has changed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import math
import re
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from dashboards.definitions.macros import TimeRange, expand
from pipeline.api.answers import ApiError
from pipeline.api.packing import Packed, joined
from pipeline.api.sharing import Shared
from pipeline.clickhouse import sql
from pipeline.clickhouse.answers import Answer, ask
from pipeline.clickhouse.reader import Reader
from pipeline.errors import UnreachableError, UserError
from pipeline.ledger.rows import LIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dashboards.definitions.panel import Column
    from pipeline.settings import Settings

_MOST_KEPT: Final = 500
_STAMP_SECONDS: Final = 0.5
_SHARE_OF_TIME: Final = 10
"""A query that took long is asked again no sooner than this many times as long after."""
_SECONDS: Final = 15.0
MOST_ROWS: Final = 5_000
_CLOCK: Final = re.compile(r"\bnow(64)?\(")
_CLOCK_SECONDS: Final = 5.0
"""How old the answer to a query that reads the clock on the wall may become while the ledger does not change."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tagged(Answer):
    """An answer; equal ones have equal tags, and `body` is the JSON of the rows, made once for all who are sent it."""

    tag: str
    body: Packed


@dataclass(frozen=True, slots=True)
class Question:
    """A query as it is asked, of a run; whether its answer changes by the clock on the wall alone."""

    query: str
    run: str
    reads_clock: bool

    @classmethod
    def of(cls, text: str, times: TimeRange, values: Mapping[str, Sequence[str]]) -> Question:
        """Make one of SQL with macros and variables, a time range for the macros and the variables' values."""
        query = expand(text, times, values)
        return cls(query, next(iter(values.get("run", ())), LIVE), _CLOCK.search(query) is not None)


@dataclass(slots=True)
class _Kept:
    stamp: str
    answer: Tagged
    asked_at: float
    took: float


class PanelData:
    """What panels show; safe for many visitors at once.

    Args:
        settings: ClickHouse, with the reader's login.
        clock: monotonic seconds.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._reader = Reader(settings, timeout_seconds=_SECONDS)
        self._database = settings.clickhouse_database
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._asking: Shared[Tagged] = Shared()
        self._stamps: dict[str, tuple[float, str, int]] = {}
        self._stamping: Shared[tuple[float, str, int]] = Shared()
        self._written: dict[str, float] = {}
        self._runs: tuple[float, frozenset[str]] = (-math.inf, frozenset())
        self._listing: Shared[frozenset[str]] = Shared()

    async def answer(self, text: str, times: TimeRange, values: Mapping[str, Sequence[str]]) -> Tagged:
        """Return a query's answer, as fresh as the ledger or, of a slow query, a little older.

        Args:
            text: SQL with macros and variables.
            times: for the macros.
            values: of the variables.

        Raises:
            ApiError: 503: ClickHouse does not answer, or refuses the query.
        """
        return await self.answered(Question.of(text, times, values))

    async def answered(self, question: Question) -> Tagged:
        """Return the answer to a question that was made before; like `answer`."""
        query = question.query
        stamp, _ = await self.newest(question.run)
        if question.reads_clock:  # ages grow by themselves, and signs of life are no part of the ledger
            stamp = f"{stamp}-{self._clock() // _CLOCK_SECONDS}"
        kept = self._kept.get(query)
        if kept and (kept.stamp == stamp or self._clock() - kept.asked_at < _SHARE_OF_TIME * kept.took):
            self._kept.move_to_end(query)
            return kept.answer
        return await self._asking.do(query, partial(self._ask, query, stamp))

    async def check_run(self, run: str) -> None:
        """Return if a run is there; the live one may have counted nothing yet.

        Raises:
            ApiError: 404, or 503.
        """
        if run == LIVE:
            return
        known_at, known = self._runs
        if self._clock() - known_at > _STAMP_SECONDS:
            known = await self._listing.do("", self._list_runs)
        if run not in known:
            raise ApiError(404, f"there is no run {run[:40]!r}", "choose one of GET /api/variables/run (roi runs list)")

    async def _list_runs(self) -> frozenset[str]:
        began = self._clock()
        query = sql.query("known_runs", self._database)
        found = (await asyncio.to_thread(self._rows, query, {})).rows
        self._runs = (began, frozenset(str(name) for (name,) in found))
        return self._runs[1]

    async def newest(self, run: str) -> tuple[str, int]:
        """Return what changes with every change of the ledger, and the run's newest event in epoch milliseconds.

        Raises:
            ApiError: 503.
        """
        known = self._stamps.get(run)
        if known is None or self._clock() - known[0] > _STAMP_SECONDS:
            known = await self._stamping.do(run, partial(self._stamp, run))
        _, text, newest = known
        return text, newest

    async def _stamp(self, run: str) -> tuple[float, str, int]:
        began = self._clock()
        query = sql.query("board_stamp", self._database)
        ((stamp, latest, ago),) = (await asyncio.to_thread(self._rows, query, {"run": run})).rows
        recent = {name: known for name, known in self._stamps.items() if began - known[0] <= _STAMP_SECONDS}
        self._stamps = recent | {run: (began, str(stamp), int(latest))}  # names of runs that are none cost no memory
        if ago is not None:
            self._written[run] = began - int(ago) / 1000
        return self._stamps[run]

    def written_ago(self, run: str) -> float | None:
        """Return how many seconds ago the newest block known here was written; None: none is known.

        Asks nobody: the age grows also while ClickHouse does not answer.
        """
        written = self._written.get(run)
        return None if written is None else max(0.0, self._clock() - written)

    async def _ask(self, query: str, stamp: str) -> Tagged:
        began = self._clock()
        answer = await asyncio.to_thread(self._rows, query, {})
        self._kept[query] = _Kept(stamp, answer, began, self._clock() - began)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return answer

    def _rows(self, query: str, parameters: Mapping[str, object]) -> Tagged:
        try:
            found = ask(self._reader, query, MOST_ROWS, parameters)
        except UserError as error:
            _log.warning("a panel was not read: %s", error)
            if isinstance(error, UnreachableError):
                raise ApiError(503, "ClickHouse does not answer", "see roi status") from error
            raise ApiError(503, "ClickHouse refused the query", "see the board's log and roi doctor") from error
        rows = json.dumps(found.rows, separators=(",", ":")).encode()
        tag = hashlib.blake2b(json.dumps(found.columns).encode() + rows, digest_size=12).hexdigest()
        return Tagged(found.columns, found.rows, tag, Packed.of(rows))


def shown(answer: Tagged, columns: Sequence[Column], more: Mapping[str, object]) -> Packed:
    """Return an answer as JSON in the shape of contract section 10, and more fields: the rows as they are packed."""
    known = {column.name: column for column in columns}
    described = [
        {"name": name, "type": kind, "unit": known[name].unit if name in known else "text"}
        for name, kind in answer.columns
    ]
    head = json.dumps({**more, "tag": answer.tag, "columns": described}, separators=(",", ":"))
    return joined((Packed.of(f'{head[:-1]},"rows":'.encode()), answer.body, Packed.wrapped(b"}")))
