"""The whole tick of the alert service: ten thousand campaigns known, some fifty changed; printed as JSON.

From what has become durable since the tick before to alerts that are durable again: facts, faults, judging, the look
back of those that are below, steps of the lifecycle, evidence, and the write. Twice: where event time stays within its
minute, so that only what has changed is judged, and where a new minute has begun, so that all are.

Run as its own process, on the ledger of `bench.facts`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from bench.facts import CAMPAIGNS, CHANGED, add_block, fill, serving
from pipeline.alerts.desk import Desk
from pipeline.alerts.evaluator import Evaluator
from pipeline.alerts.facts import LedgerFacts
from pipeline.alerts.finished import FinishedFacts
from pipeline.alerts.garbage import Garbage
from pipeline.alerts.ledger_faults import LedgerFaults
from pipeline.alerts.looking import LedgerLooks
from pipeline.alerts.peers import PeerShelf
from pipeline.alerts.service import addressing_of, conduct_of, moment
from pipeline.alerts.store import ClickHouseAlertStore
from pipeline.alerts.telemetry import AlertTelemetry
from pipeline.clickhouse.connection import connect
from pipeline.evaluator.evidences import LedgerEvidences
from pipeline.evaluator.opening import RunFacts
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.state.policy import Policy

if TYPE_CHECKING:
    from pipeline.settings import Settings

TICKS: Final = 20
_WARM: Final = 3
"""So many ticks of each kind come before those that count."""
_APART_SECONDS: Final = 6.0
"""So far apart ticks are that take most of a second and are rested from (`pipeline.alerts.service.rest_seconds`)."""
_RUN: Final = "bench"


class Logs:
    """A broker whose logs hold nothing that is not durable."""

    def newest(self) -> tuple[float, dict[tuple[str, str, int], int]]:
        """Return no logs, now."""
        return time.monotonic(), {}


def looks_of(settings: Settings) -> LedgerLooks:
    """Return looks put together as `pipeline.evaluator.opening` does it, upon the ledger of the measurement."""
    policy = Policy(pseudonym_key=b"bench")

    def opened() -> LedgerFacts:
        return LedgerFacts(connect(settings, "writer"), "roi", _RUN)

    shelf = PeerShelf(ClickHouseLedger(connect(settings, "writer"), "roi", _RUN, ""))
    facts = RunFacts(opened(), policy, FinishedFacts(opened(), policy))
    faults = LedgerFaults(opened(), settings.alerts, facts.facts, Logs(), clocks=moment)
    return LedgerLooks(settings.alerts, facts, shelf, faults, LedgerEvidences(opened(), policy, shelf))


async def measure(settings: Settings, campaigns: int) -> dict[str, Any]:
    """Fill a ledger and return how long the first tick and later ones take, in seconds."""
    client = connect(settings, "writer")
    fill(client, campaigns)
    store = ClickHouseAlertStore(connect(settings, "writer"), "roi", "bench")
    desk = Desk(store, store.claim(), store.load())
    looks = looks_of(settings)
    addressing, told = addressing_of(settings), AlertTelemetry()
    evaluator = Evaluator(
        desk,
        conduct_of(settings, store.installation()),
        addressing,
        repeat_seconds=settings.alerts.repeat_minutes * 60,
        told=told,
        now=moment,
    )

    async def tick() -> tuple[float, float]:
        """Return the seconds of the look and of all."""
        records, begun = dict(desk.records), time.perf_counter()
        found = await asyncio.to_thread(looks.look, records)
        looked = time.perf_counter() - begun
        await evaluator.turn(found)
        return looked, time.perf_counter() - begun

    clock = 0.0  # of the garbage: a collection in so many ticks, as of a service that rests between them
    garbage = Garbage(lambda: clock)
    first = (await tick())[1]
    seconds: dict[str, list[tuple[float, float]]] = {"within": [], "minute": []}
    number = minutes = 0
    for _ in range(_WARM + TICKS):
        for kind, taken in seconds.items():
            number, minutes = number + 1, minutes + (kind == "minute")
            garbage.collect()
            clock += _APART_SECONDS
            await asyncio.to_thread(add_block, client, campaigns, number, minutes)
            taken.append(await tick())
    states: dict[str, int] = {}
    for record in desk.records.values():
        states[record.state] = states.get(record.state, 0) + 1
    client.close()
    figures: dict[str, Any] = {"campaigns": campaigns, "changed": CHANGED, "first_seconds": first, "states": states}
    for kind, taken in seconds.items():
        figures[f"{kind}_seconds"] = median(whole for _, whole in taken[_WARM:])
        figures[f"{kind}_slowest_seconds"] = max(whole for _, whole in taken[_WARM:])
        figures[f"{kind}_look_seconds"] = median(looked for looked, _ in taken[_WARM:])
    return figures


def main() -> None:
    """Measure and print."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else CAMPAIGNS
    with serving() as settings:
        sys.stdout.write(json.dumps(asyncio.run(measure(settings, campaigns))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
