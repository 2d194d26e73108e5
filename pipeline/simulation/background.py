"""What customers do without any campaign: logins and everyday transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.simulation import customers as people
from pipeline.simulation import wire
from schemas.topics import LOGINS, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from pipeline.simulation.campaigns import CampaignPlan
    from pipeline.simulation.schedule import Schedule

_LOGIN_CHANNELS: Final = ("app", "app", "app", "app", "mini_program", "mini_program", "web")
_KINDS: Final = ("transfer", "payment", "payment", "card_spend", "card_spend", "deposit", "withdrawal", "other")
_CHANNELS: Final = ("app", "app", "app", "web", "pos", "counter")
_SCENARIOS: Final = ("", "", ',"scenario":"transit"', ',"scenario":"canteen"', ',"scenario":"hospital"')
_AUTOMATED_SHARE: Final = 0.08
_UNTIMED_SHARE: Final = 0.03
_MEAN_SESSION_SECONDS: Final = 90.0
_CROSS_BANK_SHARE: Final = 0.2
_REVERSED_SHARE: Final = 0.01
_UNPROMPTED_SHARE: Final = 0.02  # a campaign's own product bought by someone whom no campaign reaches


class Background:
    """Puts logins and transactions on the schedule."""

    def __init__(self, rng: Random, schedule: Schedule, campaigns: Sequence[CampaignPlan], customers: int) -> None:
        self._rng = rng
        self._schedule = schedule
        self._campaigns = campaigns
        self._customers = customers

    def login(self, at_ms: int) -> None:
        """Let an active customer, or a robot in its name, log in."""
        rng = self._rng
        customer = people.customer_id(people.active_customer(rng.random(), self._customers))
        robot = rng.random() < _AUTOMATED_SHARE
        seconds = rng.expovariate(0.5 if robot else 1 / _MEAN_SESSION_SECONDS)
        timed = "null" if rng.random() < _UNTIMED_SHARE else f"{seconds:.1f}"
        channel = _LOGIN_CHANNELS[int(rng.random() * len(_LOGIN_CHANNELS))]
        body = wire.Login(channel, timed, "true" if robot else "false")
        event = wire.login(self._schedule.new_id(), customer, at_ms, body)
        self._schedule.put(at_ms, LOGINS, customer.encode(), event)

    def transaction(self, at_ms: int) -> None:
        """Let a customer do something that no campaign's goal matches, or that no campaign has prompted."""
        rng = self._rng
        if rng.random() < _UNPROMPTED_SHARE:
            self._unprompted(at_ms)
            return
        customer = people.customer_id(people.active_customer(rng.random(), self._customers))
        extra = _SCENARIOS[int(rng.random() * len(_SCENARIOS))]
        if rng.random() < _CROSS_BANK_SHARE:
            extra += ',"cross_bank":true'
        kind = _KINDS[int(rng.random() * len(_KINDS))]
        body = wire.Transaction(kind, int(rng.lognormvariate(9.5, 1.2)), self._channel(), extra)
        self._put(at_ms, customer, body)

    def _unprompted(self, at_ms: int) -> None:
        number = people.untargeted_customer(self._rng.random(), self._customers)
        if number is None:
            return
        campaign = self._campaigns[int(self._rng.random() * len(self._campaigns))]
        extra = f',"product":"{campaign.product}","revenue_minor":{int(campaign.mean_return_minor)}'
        amount = 0 if campaign.moneyless else int(self._rng.lognormvariate(11.0, 0.8))
        self._put(at_ms, people.customer_id(number), wire.Transaction(campaign.kind, amount, self._channel(), extra))

    def _put(self, at_ms: int, customer: str, body: wire.Transaction) -> None:
        schedule, key = self._schedule, customer.encode()
        event_id = schedule.new_id()
        schedule.put(at_ms, TRANSACTIONS, key, wire.transaction(event_id, customer, at_ms, body))
        if body.amount_minor and self._rng.random() < _REVERSED_SHARE:
            later = at_ms + int(self._rng.expovariate(1 / (12 * wire.HOUR_MS)))
            reversal = body._replace(extra=f',"reverses":"{event_id}"')
            schedule.put(later, TRANSACTIONS, key, wire.transaction(schedule.new_id(), customer, later, reversal))

    def _channel(self) -> str:
        return _CHANNELS[int(self._rng.random() * len(_CHANNELS))]
