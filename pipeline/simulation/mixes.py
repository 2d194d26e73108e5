"""Fast streams of valid events in the proportions that the measurements in the project's notes use."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final, Literal

from pipeline.simulation.wire import stamp
from schemas.topics import COSTS, LOGINS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

MixName = Literal["A", "B"]

# shares of logins and of logins or transactions and of those or touches; the rest are costs
_BOUNDS: Final[dict[MixName, tuple[float, float, float]]] = {"A": (0.70, 0.90, 0.99), "B": (0.20, 0.60, 0.99)}
_LOGIN_CHANNELS: Final = ("app", "web", "mini_program", "app")
_KINDS: Final = ("transfer", "payment", "card_spend", "deposit", "withdrawal", "wealth_purchase", "payment", "other")
_TOUCH_KINDS: Final = ("send", "view", "click", "send")
_TOUCH_CHANNELS: Final = ("app_push", "sms", "wecom", "call")


@dataclass(frozen=True, slots=True)
class MixOptions:
    """A mix: A is 70 % logins, 20 % transactions, 9 % touches, 1 % costs; B is 20/40/39/1.

    Attributes:
        begin_ms: epoch milliseconds of the first event; the others follow evenly spaced over ``span_ms``.
        first_number: what the ids begin with, so that one stream can go on where another ended.
    """

    name: MixName
    events: int
    customers: int
    campaigns: int = 50
    seed: int = 1
    begin_ms: int = 1_790_000_000_000
    span_ms: int = 7 * 86_400_000
    first_number: int = 0


def mix_events(options: MixOptions) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield topic, key and JSON value (130 to 200 bytes) of each event, in order of time; same options, same bytes."""
    random = Random(options.seed).random  # noqa: S311 - a benchmark must be repeatable
    logins, transactions, touches = _BOUNDS[options.name]
    step = options.span_ms / max(1, options.events)
    for place in range(options.events):
        number = options.first_number + place
        at = stamp(options.begin_ms + int(place * step))
        draw, detail = random(), int(random() * 4096)
        customer = f"customer-{int(random() * options.customers):08d}"
        if draw < logins:
            yield (
                LOGINS,
                customer.encode(),
                (
                    f'{{"event_id":"login-{number:011d}","customer_id":"{customer}","occurred_at":"{at}",'
                    f'"channel":"{_LOGIN_CHANNELS[detail & 3]}","session_seconds":{detail >> 2},"automated":false}}'
                ).encode(),
            )
        elif draw < transactions:
            yield (
                TRANSACTIONS,
                customer.encode(),
                (
                    f'{{"event_id":"payment-{number:011d}","customer_id":"{customer}","occurred_at":"{at}",'
                    f'"kind":"{_KINDS[detail & 7]}","amount_minor":{detail * 97},"channel":"app",'
                    f'"revenue_minor":{detail}}}'
                ).encode(),
            )
        elif draw < touches:
            yield (
                TOUCHES,
                customer.encode(),
                (
                    f'{{"event_id":"touch-{number:011d}","customer_id":"{customer}","occurred_at":"{at}",'
                    f'"campaign_id":"campaign-{detail % options.campaigns:03d}",'
                    f'"channel":"{_TOUCH_CHANNELS[detail >> 4 & 3]}","kind":"{_TOUCH_KINDS[detail >> 2 & 3]}",'
                    f'"cost_minor":{detail >> 8}}}'
                ).encode(),
            )
        else:
            campaign = f"campaign-{detail % options.campaigns:03d}"
            yield (
                COSTS,
                campaign.encode(),
                (
                    f'{{"event_id":"cost-{number:011d}","campaign_id":"{campaign}","occurred_at":"{at}",'
                    f'"category":"media","amount_minor":{detail * 10}}}'
                ).encode(),
            )
