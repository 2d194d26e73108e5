"""The simulated bank: every event of it, in the order in which it reaches Kafka.

The same options and the same ``now`` give the same bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.simulation import customers as people
from pipeline.simulation.background import Background
from pipeline.simulation.campaigns import plan_campaigns, plan_finished
from pipeline.simulation.journeys import Journeys
from pipeline.simulation.schedule import Irregularities, Schedule
from pipeline.simulation.wire import DAY_MS
from schemas.topics import CAMPAIGNS, CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.simulation.campaigns import CampaignPlan
    from pipeline.simulation.schedule import Due

_BACKFILL_JOURNEYS: Final = 0.12
_LIVE_JOURNEYS: Final = 0.03
_LIVE_HOURS_TO_MATCH_THE_PAST: Final = 1.0  # quicker, and costs without conversions yet would soon outweigh the past
_LOGIN_SHARE: Final = 0.6
LONGEST_PAST_DAYS: Final = 30
"""Days of the past that finished campaigns leave room for."""

_FINISHED_JOURNEYS: Final = 600  # of a usual finished campaign: about a hundred converters


@dataclass(frozen=True, slots=True)
class BankOptions:
    """What to simulate.

    Attributes:
        rate: events per second from ``now`` on.
        backfill_days: how far before ``now`` the simulation begins.
        backfill_density: events per customer and day before ``now``.
        finished: campaigns that were over weeks ago, which come first of all.
        irregularities: how much arrives out of order, twice, or broken.
    """

    seed: int = 1
    customers: int = 30_000
    campaigns: int = 40
    rate: float = 500.0
    backfill_days: float = 2.5
    backfill_density: float = 8.0
    finished: int = 0
    irregularities: Irregularities = field(default_factory=Irregularities)

    def __post_init__(self) -> None:
        for name, low in (("customers", 1), ("campaigns", 1), ("rate", 0.001), ("backfill_days", 0), ("finished", 0)):
            if getattr(self, name) < low:
                raise ValueError(f"{name} == {getattr(self, name)}, must be at least {low}")
        if self.finished and self.backfill_days > LONGEST_PAST_DAYS:
            raise ValueError(f"backfill_days == {self.backfill_days}, must be at most {LONGEST_PAST_DAYS}")


class _Phase(NamedTuple):
    begin_ms: int
    end_ms: float
    events_per_second: float
    journey_share: float


class Bank:
    """One simulation. ``now_ms`` (epoch milliseconds) parts the past, which comes at once, from the live events."""

    def __init__(self, options: BankOptions, now_ms: int) -> None:
        self._options = options
        self.now_ms = now_ms
        self._begin_ms = now_ms - int(options.backfill_days * DAY_MS)
        self._rng = Random(options.seed)  # noqa: S311 - a simulation must be repeatable
        self.campaigns: list[CampaignPlan] = plan_campaigns(self._rng, options.campaigns, self._begin_ms, now_ms)
        self.finished = plan_finished(self._rng, options.finished, options.campaigns, now_ms)
        self._schedule = Schedule(self._rng, options.irregularities, f"s{options.seed:x}-{now_ms:x}-")
        self._journeys = Journeys(self._rng, self._schedule, self.campaigns, options.customers)
        self._background = Background(self._rng, self._schedule, self.campaigns, options.customers)

    def definitions(self) -> Iterator[tuple[str, bytes, bytes]]:
        """Yield campaign definitions, then customer profiles: topic, key, value."""
        for campaign in (*self.finished, *self.campaigns):
            yield CAMPAIGNS, campaign.campaign_id.encode(), campaign.definition()
        for number in range(self._options.customers):
            key = people.customer_id(number).encode()
            yield CUSTOMERS, key, people.profile(number, self._options.customers)

    def events(self, *, live_seconds: float = math.inf, settle: bool = False) -> Iterator[Due]:
        """Yield events as they fall due. May be called once.

        Args:
            live_seconds: how long to go on after ``now``; 0 is the past only.
            settle: at the end, let come what is under way (conversions, reversals, corrections), and nothing new.
        """
        options = self._options
        density = options.backfill_density * options.customers / (DAY_MS / 1000)
        past = _Phase(self._begin_ms, self.now_ms, density, _BACKFILL_JOURNEYS)
        live = _Phase(self.now_ms, self.now_ms + live_seconds * 1000, options.rate, self._live_journeys(density))
        if self.finished:
            yield from self._history()
        for phase in (past, live):
            yield from self._run(phase)
        if settle:
            self._journeys.close_books(int(live.end_ms))
            yield from self._schedule.due_until(math.inf)

    def truth(self) -> dict[str, object]:
        """Return each campaign's true numbers by campaign_id."""
        return {campaign.campaign_id: campaign.truth() for campaign in (*self.finished, *self.campaigns)}

    def _history(self) -> Iterator[Due]:
        """Run the finished campaigns; what follows their last journeys falls due within what comes after."""
        journeys = Journeys(self._rng, self._schedule, self.finished, self._options.customers)
        starts = [
            (campaign.starts_ms + int(self._rng.random() * (campaign.ends_ms - campaign.starts_ms)), place, False)
            for place, campaign in enumerate(self.finished)
            for _ in range(_FINISHED_JOURNEYS * campaign.weight)
        ]
        ends = [(campaign.ends_ms, place, True) for place, campaign in enumerate(self.finished)]
        for moment, place, is_end in sorted(starts + ends):
            yield from self._schedule.due_until(moment)
            if is_end:
                journeys.close_book(self.finished[place], moment)
            else:
                journeys.begin(self.finished[place], moment)
        yield from self._schedule.due_until(self._begin_ms)

    def _run(self, phase: _Phase) -> Iterator[Due]:
        """Start logins, transactions and journeys as a Poisson process; let out what falls due between them."""
        rng, schedule = self._rng, self._schedule
        started_per_ms = phase.events_per_second / 1000 / self._events_per_start(phase.journey_share)
        logins = phase.journey_share + (1 - phase.journey_share) * _LOGIN_SHARE
        moment = phase.begin_ms + rng.expovariate(started_per_ms)
        while moment < phase.end_ms:
            yield from schedule.due_until(moment)
            draw, at = rng.random(), int(moment)
            if draw < phase.journey_share:
                self._journeys.start(at)
            elif draw < logins:
                self._background.login(at)
            else:
                self._background.transaction(at)
            moment += rng.expovariate(started_per_ms)
        yield from schedule.due_until(phase.end_ms)

    def _live_journeys(self, density: float) -> float:
        past_events = density * (self.now_ms - self._begin_ms) / 1000
        if not past_events:
            return _LIVE_JOURNEYS
        bound = past_events * _BACKFILL_JOURNEYS / (_LIVE_HOURS_TO_MATCH_THE_PAST * 3600)
        return min(_LIVE_JOURNEYS, bound / self._options.rate)

    def _events_per_start(self, journey_share: float) -> float:
        regular = 1 - journey_share + journey_share * self._journeys.events_per_journey
        return regular * self._options.irregularities.events_per_event
