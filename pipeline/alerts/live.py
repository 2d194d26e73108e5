"""The facts of all campaigns as of the live instant, kept up to date block by block.

Touches are facts that never change, so the new ones are added to what is known; credits that a block has changed take
the place of what was known of them; costs are read again for the campaigns that have new ones. What is later than the
live instant waits for its minute. After a crash everything is read anew: nothing is remembered but what the ledger
holds.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from pipeline.alerts.amounts import WIDE, amounts_of
from pipeline.alerts.assembly import CampaignFacts, assemble
from pipeline.alerts.conversions import KINDS, no_changes
from pipeline.alerts.credit_book import CREDITS, CreditBook, read_new_credits
from pipeline.alerts.facts import instant_of, plans_of, read_definitions
from pipeline.alerts.parts import in_parts, next_part
from pipeline.alerts.plans import plan_of
from pipeline.alerts.reading import CHUNK, SINCE_EVER, Touch, add_touches, read_reversed, set_conversions, set_events
from pipeline.state.calendar import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipeline.alerts.conversions import Changes
    from pipeline.alerts.credit_book import NewCredits
    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.reading import FactsPort
    from pipeline.alerts.statistics import Statistics
    from pipeline.state.policy import Policy

BUDGET_SECONDS: Final = 0.5
_KNOWN_TOUCHES: Final = np.dtype([("place", "<u4"), ("hour", "<i8"), ("minute", "<i8"), ("creditable", "<i8"), *WIDE])
_EPOCH_SHIFT: Final = 32
_TOUCHES, _COST, _CREDIT, _ALL = "touch", "cost", "credit", "erased"  # as alert_new_rows calls them


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh brought.

    Attributes:
        as_of_ms: the live t; None before anything has been counted.
        changed: campaigns whose figures have changed, by name.
        waiting: campaigns that have changed too, but whose new rows could not be read within the budget.
    """

    as_of_ms: int | None
    changed: list[str]
    waiting: int


@dataclass(slots=True)
class _Pending:
    """What is known already but has not occurred yet as of t, by the minute that ends after it."""

    touches: dict[int, list[tuple[str, Touch]]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[int, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))


class LiveFacts:
    """Facts of one run for the instance that decides. Calls block and come from one thread at a time.

    Every call may raise LedgerUnavailableError and be repeated.

    Args:
        port: the ledger.
        policy: how the run counts.
        monotonic: a clock for the budget.
    """

    def __init__(self, port: FactsPort, policy: Policy, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._port = port
        self._policy = policy
        self._monotonic = monotonic
        self._versions: dict[int, int] = {}
        self._stamp: Any = None
        self._retired: set[str] = set()
        self._pending = _Pending()
        self._book = CreditBook(splits=policy.models[0] not in {"last_touch", "first_touch"})
        self._late: dict[int, tuple[str, int]] = {}  # transactions reversed after t, by hash: id, last instant
        self._dirty: dict[str, set[str]] = {}  # in the order of waiting: campaign -> what must be read again
        self._facts: dict[str, CampaignFacts] = {}
        self._last_hours: dict[str, int] = {}
        self._as_of_ms: int | None = None
        self.plans: dict[str, CampaignPlan] = {}

    @property
    def as_of_ms(self) -> int | None:
        """The live t of the last refresh."""
        return self._as_of_ms

    def refresh(self, *, budget_seconds: float = BUDGET_SECONDS) -> Refreshed:
        """Take in what has become durable since the last call.

        Campaigns beyond the budget keep their figures and come first the next time; the very first call reads all.
        """
        marks: dict[str, int] = {}
        until: dict[int, int] = {}
        for shard, topic, watermark, version in self._port.fetch("alert_positions"):
            marks[topic] = max(watermark, marks.get(topic, watermark))
            until[shard] = max(version, until.get(shard, 0))
        instant = instant_of(marks)
        if instant is None:
            return Refreshed(None, [], 0)
        instant = max(instant, self._as_of_ms or instant)
        is_first = self._as_of_ms is None
        self._read_plans()
        if until != self._versions:
            self._take_new_rows(instant, until)
        self._late = {key: (name, at) for key, name, at in self._port.fetch("alert_late_reversals", since=instant)}
        self._as_of_ms = instant
        changed = self._arrive(instant)
        for name in sorted(self.plans.keys() - self._facts.keys()):  # neighbours in the ledger are read at once
            self._soil(name, _ALL)
        changed |= self._read_dirty(instant, None if is_first else budget_seconds)
        return Refreshed(instant, sorted(changed - self._dirty.keys()), len(self._dirty))

    def facts(self, names: Iterable[str]) -> list[CampaignFacts]:
        """Return what is known of campaigns as of the last refresh; not to be changed."""
        return [self._facts[name] for name in names]

    def statistics(self, names: Sequence[str], *, ages: int | None = None) -> Statistics:
        """Return campaigns' statistics as of the last refresh, one row each; one that waits is read before.

        Raises:
            RuntimeError: nothing has been counted yet.
        """
        if self._as_of_ms is None:
            raise RuntimeError("no campaign is known before the first event")
        read = partial(self._read_again, instant=self._as_of_ms)
        in_parts([name for name in names if name in self._dirty], self._book.size, read)
        return assemble(self.facts(names), [self._as_of_ms] * len(names), ZoneInfo(self._policy.zone), ages=ages)

    def last_touch_hours(self) -> dict[str, int]:
        """Return the hour of each campaign's last creditable touch, where there is one; not to be changed."""
        return self._last_hours

    # -- definitions -----------------------------------------------------------------------------------------------

    def _read_plans(self) -> None:
        stamp = self._port.fetch("alert_definitions_stamp")
        if stamp == self._stamp:
            return
        stored = read_definitions(self._port)
        self._retired = {name for name, text in stored.items() if not text}
        plans = plans_of(self._port, stored, self._policy)
        for name, facts in self._facts.items():
            plan = plans.setdefault(name, self._undefined(name))
            if plan != facts.plan:
                facts.plan = plan
                self._soil(name, _CREDIT)
        self.plans, self._stamp = plans, stamp

    def _plan(self, name: str) -> CampaignPlan:
        """Return a campaign's plan; one that has shown up with an event alone has no definition."""
        known = self.plans.get(name)
        if known is None:
            known = self.plans[name] = self._undefined(name)
        return known

    def _undefined(self, name: str) -> CampaignPlan:
        return plan_of(name, None, self._policy, is_retired=name in self._retired)

    # -- what is new -----------------------------------------------------------------------------------------------

    def _take_new_rows(self, instant: int, until: dict[int, int]) -> None:
        """Note the new touches, and whose costs and credits have changed."""
        now = instant // MINUTE_MS
        touches, rows = list[list[Any]](), list[list[Any]]()
        credits_now: list[NewCredits] = []
        for shards in self._groups(until):
            since = [self._versions.get(shard, 0) for shard in shards]
            bounds: dict[str, Any] = {"shards": shards, "since": since, "oldest": min(since)}
            new = self._port.fetch("alert_new_rows", now=now, after=SINCE_EVER if self._facts else instant, **bounds)
            rows += new
            if self._facts:
                credited = sorted({name for kind, name, _ in new if kind == _CREDIT and name in self._facts})
                credits_now += read_new_credits(self._port, credited, **bounds)
                seen = [until[shard] for shard in shards]
                touches += self._port.fetch("alert_new_touches", now=now, until=seen, **bounds)
        self._versions = until
        for name, hour, minute, creditable, cost in touches:
            self._plan(name)
            if name in self._facts:  # else it is about to be read as a whole
                self._pending.touches[minute].append((name, (hour, creditable, int(cost))))
        for names, found in credits_now:
            self._book.change(names, found)
        for kind, name, minute in rows:
            self._plan(name)
            if minute > now:
                self._pending.rows[minute].add((name, kind))
            else:
                self._soil(name, kind)

    def _groups(self, until: dict[int, int]) -> list[list[int]]:
        """Return the shards with new blocks, those together whose blocks are of about one age."""
        groups: dict[int, list[int]] = defaultdict(list)
        for shard, version in sorted(until.items()):
            since = self._versions.get(shard, 0)
            if version > since:
                groups[since >> _EPOCH_SHIFT].append(shard)
        return list(groups.values())

    def _arrive(self, instant: int) -> set[str]:
        """Let what was pending take its place now that t has come to it; return whose touches have changed."""
        now = instant // MINUTE_MS
        new: dict[str, list[Touch]] = defaultdict(list)
        for minute in [minute for minute in self._pending.touches if minute <= now]:
            for name, touch in self._pending.touches.pop(minute):
                if name in self._facts:
                    new[name].append(touch)
        for minute in [minute for minute in self._pending.rows if minute <= now]:
            for name, kind in sorted(self._pending.rows.pop(minute)):
                self._soil(name, kind)
        for name, touches in new.items():
            add_touches(self._facts[name], touches)
            self._pay(self._facts[name])
        return set(new)

    def _soil(self, name: str, kind: str) -> None:
        self._dirty.setdefault(name, set()).add(kind)

    # -- reading ---------------------------------------------------------------------------------------------------

    def _read_dirty(self, instant: int, budget_seconds: float | None) -> set[str]:
        """Read again what has changed, those that have waited longest first; return whose figures are new."""
        begun = self._monotonic()
        changed: set[str] = set()
        while self._dirty and (budget_seconds is None or self._monotonic() - begun < budget_seconds):
            part = next_part(self._dirty, self._book.size)
            self._read_again(part, instant)
            changed.update(part)
        return changed

    def _read_again(self, names: Sequence[str], instant: int) -> None:
        facts = {name: self._facts.get(name) or CampaignFacts(self._plan(name)) for name in names}
        for kinds, read in (
            ({_TOUCHES, _ALL}, self._read_touches),
            ({_COST, _ALL}, self._read_costs),
            ({_ALL}, self._read_credits),
            ({_CREDIT, _ALL}, self._count_credits),
        ):
            chosen = [name for name in names if name not in self._facts or self._dirty.get(name, set()) & kinds]
            for start in range(0, len(chosen), CHUNK):
                read([facts[name] for name in chosen[start : start + CHUNK]], instant)
        for name in names:
            self._pay(facts[name])
            self._dirty.pop(name, None)
        self._facts |= facts

    def _pay(self, facts: CampaignFacts) -> None:
        hour = facts.pay().last_hour
        self._last_hours.pop(facts.plan.campaign_id, None)
        if hour is not None:
            self._last_hours[facts.plan.campaign_id] = hour

    def _read_touches(self, facts: Sequence[CampaignFacts], instant: int) -> None:
        names = [one.plan.campaign_id for one in facts]
        shards = list(self._versions)
        bounds = {"shards": shards, "until": [self._versions[shard] for shard in shards]}
        now = instant // MINUTE_MS
        found = self._port.records("alert_known_touches", _KNOWN_TOUCHES, campaigns=names, now=now, **bounds)
        again = set(names)
        for minute, pending in self._pending.touches.items():
            self._pending.touches[minute] = [one for one in pending if one[0] not in again]
        later = found[found["minute"] > now]
        for (place, hour, minute, creditable, *_), cost in zip(later.tolist(), amounts_of(later).tolist(), strict=True):
            self._pending.touches[minute].append((names[place], (hour, creditable, cost)))
        known = found[found["minute"] <= now]
        bounds_of = np.searchsorted(known["place"], np.arange(len(facts) + 1))
        for place, one in enumerate(facts):
            part = known[bounds_of[place] : bounds_of[place + 1]]
            one.hours, one.touches, one.touch_cost = part["hour"].copy(), part["creditable"].copy(), amounts_of(part)

    def _read_costs(self, facts: Sequence[CampaignFacts], instant: int) -> None:
        names = [one.plan.campaign_id for one in facts]
        rows = self._port.fetch("alert_costs", campaigns=names, until=-SINCE_EVER)
        set_events(facts, [row for row in rows if row[3] <= instant])
        for place, _, _, at, _ in rows:
            if at > instant:
                self._pending.rows[-(-at // MINUTE_MS)].add((names[place], _COST))

    def _read_credits(self, facts: Sequence[CampaignFacts], _instant: int) -> None:
        """Read credits anew; what blocks change of them later is told by `read_new_credits`."""
        names = [one.plan.campaign_id for one in facts]
        found = self._port.records("alert_known_credits", CREDITS, campaigns=names, kinds=list(KINDS))
        bounds = np.searchsorted(found["place"], np.arange(len(facts) + 1))
        for place, name in enumerate(names):
            self._book.enter(name, found[bounds[place] : bounds[place + 1]])

    def _count_credits(self, facts: Sequence[CampaignFacts], instant: int) -> None:
        """Work out customers and arrivals from the credits that are known."""
        late = np.array(list(self._late), np.uint64)
        parts: list[Changes] = []
        told: list[tuple[str, int]] = []  # id and time of the transactions that are told apart
        for place, one in enumerate(facts):
            name = one.plan.campaign_id
            changes, later = self._book.changes(name, place, instant, late)
            parts.append(changes)
            for at in later.tolist():
                self._pending.rows[-(-at // MINUTE_MS)].add((name, _CREDIT))
            for credit in self._book.late(name, late) if len(late) else ():
                if credit["converted_at"] <= instant:
                    transaction, until = self._late[int(credit["transaction"])]
                    told.append((transaction, int(credit["converted_at"])))
                    self._pending.rows[-(-until // MINUTE_MS)].add((name, _CREDIT))
        if told:
            parts.append(self._told_apart([one.plan for one in facts], told, instant))
        changes = np.concatenate(parts)
        set_conversions(facts, changes, instant)
        for place, at in changes[["row", "at"]][changes["at"] > instant].tolist():
            self._pending.rows[-(-at // MINUTE_MS)].add((facts[place].plan.campaign_id, _CREDIT))

    def _told_apart(self, plans: Sequence[CampaignPlan], told: Sequence[tuple[str, int]], instant: int) -> Changes:
        """Return what reversals have changed, and when, of transactions that are reversed after t."""
        few = len(told) <= CHUNK
        places = {plan.campaign_id: place for place, plan in enumerate(plans)}
        booked = read_reversed(
            self._port,
            list(places),
            instant,
            self._policy,
            model="",
            since=instant,
            only=sorted({name for name, _ in told}) if few else (),
            instants=sorted({at for _, at in told}) if few else (),
        )
        if booked is None:
            return no_changes()
        return booked.changes(plans, self._policy, lambda credit: places.get(credit.campaign_id))
