"""Panels watched by many: read and packed once for all, and nobody who is slow costs memory or anybody's time."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.registry import PANELS
from pipeline.api import watching
from pipeline.api.answers import ApiError
from pipeline.api.packing import Packed
from pipeline.api.panel_data import Tagged
from pipeline.api.view import View
from pipeline.api.watching import Watches

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from pipeline.api.panel_data import Question

RANKING, MONEY = PANELS["campaigns-ranking"], PANELS["campaigns-money"]


class Ledger:
    """Answers that a test changes, in place of ClickHouse, and how often they were asked for."""

    def __init__(self) -> None:
        self.number = 0
        self.asked = 0
        self.problem: Exception | None = None

    async def check_run(self, run: str) -> None:
        assert run

    async def newest(self, run: str) -> tuple[str, int]:
        assert run
        return str(self.number), 1_760_000_000_000

    async def answered(self, question: Question) -> Tagged:
        assert question.query
        self.asked += 1
        if self.problem:
            raise self.problem
        rows = json.dumps([[self.number]]).encode()
        return Tagged((("n", "UInt64"),), ((self.number,),), f"tag-{self.number}", Packed.of(rows))

    def written_ago(self, run: str) -> float | None:
        return None if run == "live" else 1.0


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setattr(watching, "_LOOK_SECONDS", 0.01)
    return Ledger()


@pytest.fixture
def watches(ledger: Ledger) -> Watches:
    return Watches(ledger)  # type: ignore[arg-type] # it has what is asked of PanelData here


def view(campaign: str = "spring") -> View:
    return View(start="0", to="latest", run="live", campaign=[campaign], tier=[], owner=[])


async def news(events: AsyncGenerator[Packed]) -> dict[str, Any]:
    """Return the next event that is no pulse."""
    async for event in events:
        head, data = event.plain.decode().split("\n", 1)
        if head != "event: pulse":
            found: dict[str, Any] = json.loads(data.removeprefix("data: "))
            return found | {"event": head.removeprefix("event: ")}
    raise AssertionError("the stream ended")


async def content(events: AsyncGenerator[Packed]) -> Packed:
    async for event in events:
        if not event.plain.startswith(b"event: pulse"):
            return event
    raise AssertionError("the stream ended")


async def test_a_hundred_who_look_at_the_same_are_sent_the_same_bytes(ledger: Ledger, watches: Watches) -> None:
    streams = [watches.follow(view(), [RANKING], {}) for _ in range(100)]
    found = await asyncio.gather(*(content(one) for one in streams))
    assert len({id(one.deflated) for one in found}) == 1
    ledger.number = 1
    again = await asyncio.gather(*(content(one) for one in streams))
    assert len({id(one.deflated) for one in again}) == 1
    assert again[0].plain != found[0].plain
    await asyncio.gather(*(one.aclose() for one in streams))


async def test_they_are_read_as_often_as_if_one_looked(ledger: Ledger, watches: Watches) -> None:
    async def asked_by(visitors: int) -> int:
        streams = [watches.follow(view(str(visitors)), [RANKING], {}) for _ in range(visitors)]
        await asyncio.gather(*(content(one) for one in streams))
        before = ledger.asked
        await asyncio.sleep(0.1)
        await asyncio.gather(*(one.aclose() for one in streams))
        return ledger.asked - before

    assert await asked_by(100) <= 20 >= await asked_by(1)


async def test_who_reads_slowly_gets_the_newest_and_not_what_was_between(ledger: Ledger, watches: Watches) -> None:
    async with aclosing(watches.follow(view(), [RANKING, MONEY], {})) as slow:
        first = [await news(slow), await news(slow)]
        assert {one["id"] for one in first} == {RANKING.id, MONEY.id}
        async with aclosing(watches.follow(view(), [RANKING, MONEY], {})) as quick:
            for number in range(1, 20):
                ledger.number = number
                behind = {RANKING.id, MONEY.id}
                while behind:
                    if (one := await news(quick))["rows"] == [[number]]:
                        behind.discard(one["id"])
        (reader,) = next(iter(watches._watches.values())).readers
        assert len(reader.changed) <= 2
        assert (await news(slow))["rows"] == [[19]]


async def test_who_has_it_already_is_not_sent_it_again(ledger: Ledger, watches: Watches) -> None:
    known = {RANKING.id: "tag-0"}
    async with aclosing(watches.follow(view(), [RANKING, MONEY], known)) as events:
        assert (await news(events))["id"] == MONEY.id
        ledger.number = 1
        assert {(await news(events))["id"], (await news(events))["id"]} == {RANKING.id, MONEY.id}


async def test_a_problem_is_told_once_and_the_answer_comes_back_after(ledger: Ledger, watches: Watches) -> None:
    ledger.problem = ApiError(503, "ClickHouse does not answer", "see roi status")
    async with aclosing(watches.follow(view(), [RANKING], {RANKING.id: "tag-0"})) as events:
        told = await news(events)
        assert (told["event"], told["remedy"]) == ("problem", "see roi status")
        ledger.problem = None
        assert (await news(events))["rows"] == [[0]]


async def test_a_fault_of_ours_ends_the_stream_and_the_next_one_begins_anew(ledger: Ledger, watches: Watches) -> None:
    ledger.problem = KeyError("a bug")
    with pytest.raises(KeyError):
        await news(watches.follow(view(), [RANKING], {}))
    ledger.problem = None
    async with aclosing(watches.follow(view(), [RANKING], {})) as events:
        assert (await news(events))["rows"] == [[0]]


async def test_nothing_is_looked_at_when_everybody_is_gone(watches: Watches) -> None:
    streams = [watches.follow(view(str(number % 3)), [RANKING], {}) for number in range(9)]
    await asyncio.gather(*(news(one) for one in streams))
    tasks = [one.task for one in watches._watches.values()]
    assert len(tasks) == 3
    await asyncio.gather(*(one.aclose() for one in streams))
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not watches._watches
    assert all(task.cancelled() for task in tasks)


async def test_a_query_that_takes_long_keeps_nobody_from_a_sign_of_life(
    ledger: Ledger, watches: Watches, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = asyncio.Event()

    async def slow(question: Question) -> Tagged:
        await never.wait()
        raise AssertionError(question)

    monkeypatch.setattr(ledger, "answered", slow)
    monkeypatch.setattr(watching, "_SIGN_OF_LIFE_SECONDS", 0.02)
    async with aclosing(watches.follow(view(), [RANKING], {})) as events:
        signs = [(await anext(events)).plain for _ in range(3)]
    assert signs == [b'event: pulse\ndata: {"written_ago": null}\n\n'] * 3


async def test_who_reads_slower_than_numbers_change_is_told_how_old_they_are(
    ledger: Ledger, watches: Watches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_SIGN_OF_LIFE_SECONDS", 0.0)  # one is due at every event
    heads = []
    async with aclosing(watches.follow(view(), [RANKING], {})) as events:
        for number in range(1, 8):
            heads.append((await anext(events)).plain.split(b"\n", 1)[0])
            (watch,) = watches._watches.values()
            ledger.number, told = number, watch.event
            while watch.event is told:  # noqa: ASYNC110 - the next look is news
                await asyncio.sleep(0)
    assert heads.count(b"event: pulse") > 1
    assert b"event: panel" in heads
