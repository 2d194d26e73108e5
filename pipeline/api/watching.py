"""Panels as they change, for many at once: read, written as JSON and packed once for all who look at the same.

A reader is told which panels have changed and takes each one's newest content when it is ready for more. So one that
reads slowly keeps nothing here but its list of changed panels, and what it has missed it never gets.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.api.answers import ApiError
from pipeline.api.packing import Packed, joined
from pipeline.api.panel_data import Question, shown

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Hashable, Mapping, Sequence

    from dashboards.definitions.macros import TimeRange
    from dashboards.definitions.panel import Panel
    from pipeline.api.panel_data import PanelData, Tagged
    from pipeline.api.view import View

_LOOK_SECONDS: Final = 1.0
_SIGN_OF_LIFE_SECONDS: Final = 3.0
_END: Final = Packed.wrapped(b"\n\n")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a panel shows: an answer, and where it stands."""

    panel: Panel
    answer: Tagged
    times: TimeRange
    latest: int

    def body(self) -> Packed:
        """Return it as JSON, in the shape of contract section 10."""
        more = {"id": self.panel.id, "from": self.times.from_ms, "to": self.times.to_ms, "latest": self.latest}
        return shown(self.answer, self.panel.columns, more)


class Looking:
    """Looks at one panel by one view, again and again; the query's text is made anew only when the range moves."""

    def __init__(self, data: PanelData, panel: Panel, view: View) -> None:
        self._data, self.panel, self._view = data, panel, view
        self._times: TimeRange | None = None
        self._question: Question | None = None

    async def look(self) -> Seen:
        """Return what it shows.

        Raises:
            ApiError: there is no such run, or ClickHouse does not answer.
        """
        await self._data.check_run(self._view.run)
        _, latest = await self._data.newest(self._view.run)
        times = self._view.times(latest)
        if self._question is None or times != self._times:
            self._times, self._question = times, Question.of(self.panel.sql, times, self._view.values)
        return Seen(self.panel, await self._data.answered(self._question), times, latest)


@dataclass(frozen=True, slots=True)
class _Event:
    tag: str
    content: Packed


@dataclass(eq=False, slots=True)
class _Reader:
    """One who watches: what it has by panel, and which panels have changed since."""

    tags: dict[str, str]
    changed: set[_Watch] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def mark(self, watch: _Watch) -> None:
        self.changed.add(watch)
        self.wake.set()


class _Watch:
    """One panel by one view, looked at while somebody watches it."""

    def __init__(self, looking: Looking) -> None:
        self._looking = looking
        self._times: TimeRange | None = None
        self.readers: set[_Reader] = set()
        self.event: _Event | None = None
        self.task = asyncio.create_task(self._keep())
        self.task.add_done_callback(self._ended)

    @property
    def panel_id(self) -> str:
        return self._looking.panel.id

    async def _keep(self) -> None:
        while True:
            event = await self._look()
            is_news = self.event is None or self.event.tag != event.tag
            self.event = event
            if is_news:
                self._tell()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self) -> _Event:
        try:
            seen = await self._looking.look()
        except ApiError as error:
            content = {"id": self.panel_id, "error": error.error, "remedy": error.remedy, "tag": error.error}
            return _Event(error.error, _written("problem", Packed.of(json.dumps(content).encode())))
        if self.event and self.event.tag == seen.answer.tag and self._times == seen.times:
            return self.event
        self._times = seen.times
        return _Event(seen.answer.tag, _written("panel", seen.body()))

    def _tell(self) -> None:
        for reader in self.readers:
            reader.mark(self)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Have a fault of ours end the streams that wait for it, and not keep them waiting for ever."""
        if not task.cancelled():
            task.exception()
            self._tell()


class Watches:
    """All that is watched at the moment."""

    def __init__(self, data: PanelData) -> None:
        self._data = data
        self._watches: dict[Hashable, _Watch] = {}

    async def follow(self, view: View, panels: Sequence[Panel], known: Mapping[str, str]) -> AsyncGenerator[Packed]:
        """Give server-sent events: `panel` or `problem` with every change, `pulse` as a sign of life.

        Args:
            view: what is looked at.
            panels: those that are watched.
            known: tags of what the reader has already, by panel.
        """
        reader = _Reader(dict(known))
        keys = [(view.key, panel.id) for panel in panels]
        try:
            for key, panel in zip(keys, panels, strict=True):
                self._join(key, Looking(self._data, panel, view), reader)
            told = -math.inf
            while True:
                reader.wake.clear()
                if time.monotonic() - told >= _SIGN_OF_LIFE_SECONDS:  # also of one for whom there is always news
                    told = time.monotonic()
                    ago = json.dumps({"written_ago": self._data.written_ago(view.run)})
                    yield _written("pulse", Packed.wrapped(ago.encode()))
                if not reader.changed:
                    await _woken(reader.wake, told + _SIGN_OF_LIFE_SECONDS - time.monotonic())
                elif content := _news(reader, reader.changed.pop()):
                    yield content
        finally:
            for key in keys:
                self._leave(key, reader)

    def _join(self, key: Hashable, looking: Looking, reader: _Reader) -> None:
        watch = self._watches.get(key)
        if watch is None or watch.task.done():
            watch = self._watches[key] = _Watch(looking)
        watch.readers.add(reader)
        if watch.event is not None:
            reader.mark(watch)

    def _leave(self, key: Hashable, reader: _Reader) -> None:
        watch = self._watches.get(key)
        if watch is not None and reader in watch.readers:
            watch.readers.discard(reader)
            if not watch.readers:
                watch.task.cancel()
                del self._watches[key]


def _news(reader: _Reader, watch: _Watch) -> Packed | None:
    """Return a panel's newest content, if the reader does not have it; raise what its watch has ended by."""
    if watch.task.done():
        watch.task.result()
    event = watch.event
    if event is None or reader.tags.get(watch.panel_id) == event.tag:
        return None
    reader.tags[watch.panel_id] = event.tag
    return event.content


def _written(event: str, content: Packed) -> Packed:
    return joined((Packed.wrapped(f"event: {event}\ndata: ".encode()), content, _END))


async def _woken(wake: asyncio.Event, seconds: float) -> None:
    """Wait until there is something to tell, or so long."""
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await wake.wait()
    except TimeoutError:
        return
