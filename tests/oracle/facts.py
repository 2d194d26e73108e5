"""What the views are computed from: everything that counts, with the credits."""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from tests.oracle.credits import Catalogue, all_credits

if TYPE_CHECKING:
    from tests.oracle.config import OracleConfig
    from tests.oracle.credits import Credit
    from tests.oracle.events import Cost, Login, Touch
    from tests.oracle.verdicts import Judged

Row = dict[str, Any]
UNKNOWN_TIER: Final = "unknown"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Facts:
    """Accepted events, and what is derived from them once for all views."""

    judged: Judged
    config: OracleConfig

    def __post_init__(self) -> None:
        self.catalogue = Catalogue(self.judged.campaigns, self.config)
        self._zone = self.config.zone_info

    @property
    def logins(self) -> list[Login]:
        return self.judged.logins

    @property
    def touches(self) -> list[Touch]:
        return self.judged.touches

    @property
    def costs(self) -> list[Cost]:
        return self.judged.costs

    @cached_property
    def credits(self) -> list[Credit]:
        return all_credits(self.judged, self.catalogue, self.config)

    @cached_property
    def creditable_touches(self) -> list[Touch]:
        return [touch for touch in self.touches if self.catalogue.creditable(touch)]

    @cached_property
    def first_reached_at(self) -> dict[tuple[str, str], int]:
        """When each campaign first reached each customer, by (campaign_id, customer_id)."""
        instants: dict[tuple[str, str], list[int]] = defaultdict(list)
        for touch in self.creditable_touches:
            instants[touch.campaign_id, touch.customer_id].append(touch.occurred_at)
        return {pair: min(times) for pair, times in instants.items()}

    @cached_property
    def first_converted_at(self) -> dict[tuple[str, str], int]:
        """When each campaign first earned credit with each customer, by (campaign_id, customer_id)."""
        instants: dict[tuple[str, str], list[int]] = defaultdict(list)
        for credit in self.credits:
            pair = (credit.touch.campaign_id, credit.touch.customer_id)
            instants[pair].append(credit.transaction.occurred_at)
        return {pair: min(times) for pair, times in instants.items()}

    def tier(self, customer_id: str) -> str:
        """Return a customer's tier, ``unknown`` where no profile names one."""
        customer = self.judged.customers.get(customer_id)
        return UNKNOWN_TIER if customer is None or customer.tier is None else customer.tier

    def business_day(self, instant_ms: int) -> int:
        """Return the proleptic ordinal of the calendar day in the configured zone."""
        return (_EPOCH + timedelta(seconds=instant_ms // 1000)).astimezone(self._zone).toordinal()

    def business_hour(self, instant_ms: int) -> int:
        """Return the start, in epoch seconds, of the hour on the configured zone's clock."""
        seconds = instant_ms // 1000
        clock = (_EPOCH + timedelta(seconds=seconds)).astimezone(self._zone)
        return seconds - clock.minute * 60 - clock.second

    def customer_hash(self, customer_id: str) -> str:
        """Return the pseudonym a customer has in every table."""
        return hmac.new(self.config.hash_key, customer_id.encode(), hashlib.sha256).hexdigest()[:32]
