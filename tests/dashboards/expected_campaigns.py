"""What the boards Campaigns and Campaign must show, from the oracle's facts and the alerts' own records."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.alerts.sayings import joined
from schemas.alerts import OPEN_STATES
from tests.oracle import campaign_views
from tests.oracle.campaign_views import ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.alerts.record import AlertRecord
    from tests.dashboards.seeding import Bank
    from tests.oracle.facts import Facts, Row

HOUR: int = 3_600
NAMES = ("touches", "new_reached", "conversion_millionths", "new_converters", "cost_minor", "return_minor", "aum_minor")


def shanghai(instant_ms: int) -> date:
    return (datetime.fromtimestamp(instant_ms / 1000, UTC) + timedelta(hours=8)).date()


def start_of(day: date) -> int:
    """Return the epoch second at which a business day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) - 8 * HOUR


def instant(seconds: float) -> str:
    """Return an instant as ClickHouse writes a DateTime."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def instant_ms(milliseconds: int) -> str:
    return f"{instant(milliseconds // 1000)}.{milliseconds % 1000:03d}"


def somewhere(row: Row) -> bool:
    return any(row[name] for name in NAMES)


class Expected:
    """The boards' content for one run and one choice of campaigns and owners."""

    def __init__(self, bank: Bank, run: str, campaigns: Sequence[str] = (), owners: Sequence[str] = ()) -> None:
        self.bank, self.run = bank, run
        self.facts: Facts = bank.facts[run]
        self._campaigns, self._owners = campaigns, owners

    def chosen(self, campaign_id: str) -> bool:
        return (not self._campaigns or campaign_id in self._campaigns) and (
            not self._owners or self.owner(campaign_id) in self._owners
        )

    def name(self, campaign_id: str) -> str:
        return str(self.bank.definitions.get(campaign_id, {}).get("name", campaign_id))

    def owner(self, campaign_id: str) -> str:
        return self.bank.definitions.get(campaign_id, {}).get("owner") or ""

    def record(self, campaign_id: str) -> AlertRecord | None:
        return self.bank.records.get(campaign_id) if self.run == "live" else None

    def required(self, campaign_id: str) -> float:
        defined = self.bank.definitions.get(campaign_id)
        record = self.record(campaign_id)
        if defined is not None:
            return float(defined.get("min_return_ratio", 2.0))
        return 2.0 if record is None else record.rule.min_return_ratio

    def rows(self, view: Callable[[Facts], list[Row]]) -> list[Row]:
        return [row for row in view(self.facts) if self.chosen(row["campaign_id"])]

    def totals(self) -> list[Row]:
        """Return totals of campaigns that have an event; those of a definition alone are not known to boards."""
        seen = {row["campaign_id"] for row in campaign_views.campaign_tier_totals(self.facts)}
        return [row for row in self.rows(campaign_views.campaign_totals) if row["campaign_id"] in seen]

    def hours(self) -> list[Row]:
        return [row for row in self.rows(campaign_views.campaign_hours) if somewhere(row)]

    def days(self) -> list[Row]:
        found = [row for row in self.rows(campaign_views.campaign_days) if somewhere(row)]
        return [row | {"day": date.fromisoformat(row["day"])} for row in found]

    # -- board Campaigns ------------------------------------------------------------------------------------------

    def figures(self, from_ms: int, to_ms: int) -> list[Row]:
        begins, ends = from_ms // 1000, to_ms // 1000
        begins_before = begins - (ends - begins)
        shown = [row for row in self.hours() if begins_before <= row["hour"] <= ends]
        if not shown:
            return []
        everything = [row for row in campaign_views.campaign_days(self.facts) if somewhere(row)]
        first = min(date.fromisoformat(row["day"]) for row in everything)
        has_before = first <= shanghai(begins_before * 1000)
        found: Row = {}
        for names, rows in (
            (("cost_minor", "return_minor", "return_ratio", "new_converters", "active_campaigns"), "now"),
            (
                (
                    "cost_before_minor",
                    "return_before_minor",
                    "return_ratio_before",
                    "new_converters_before",
                    "active_campaigns_before",
                ),
                "before",
            ),
        ):
            own = [row for row in shown if (row["hour"] >= begins) == (rows == "now")]
            cost, returned = (sum(row[name] for row in own) for name in ("cost_minor", "return_minor"))
            values = (
                cost,
                returned,
                ratio(returned, cost),
                sum(row["new_converters"] for row in own),
                len({row["campaign_id"] for row in own}),
            )
            found |= dict(zip(names, values if rows == "now" or has_before else [None] * 5, strict=True))
        return [found]

    def risk(self) -> list[Row]:
        if self.run != "live":
            return []
        records = [record for name, record in self.bank.records.items() if self.chosen(name)]
        states = [record.state for record in records]
        risks = [
            record.evidence.money_at_risk_minor
            for record in records
            if record.state not in {"immature", "blocked"} and record.evidence.money_at_risk_minor is not None
        ]
        return [
            {
                "open_alerts": sum(state in OPEN_STATES for state in states),
                "unanswered_alerts": states.count("firing"),
                "money_at_risk_minor": sum(risks) if risks else None,
                "pending_alerts": states.count("pending"),
                "blocked_campaigns": states.count("blocked"),
                "immature_campaigns": states.count("immature"),
            }
        ]

    def standing(self, total: Row) -> str:
        record = self.record(total["campaign_id"])
        state = None if record is None else record.state
        if state in {"firing", "acknowledged"}:
            return {"firing": "act", "acknowledged": "decide"}[str(state)]
        if state in {"decided", "blocked", "immature", "pending"}:
            return str(state)
        if total["cost_minor"] == 0:
            return "no_cost"
        return "reached" if total["return_ratio"] >= self.required(total["campaign_id"]) else "below"

    def verdict(self, campaign_id: str) -> Row:
        """Return what the alert's record says beside a campaign's numbers; nulls without one."""
        record = self.record(campaign_id)
        names = (
            "forecast_ratio",
            "forecast_low",
            "forecast_high",
            "matured_share",
            "money_at_risk_minor",
            "alert_state",
        )
        if record is None:
            return dict.fromkeys(names)
        band = record.verdict.forecast
        assert band is not None
        risk = None if record.state in {"immature", "blocked"} else record.evidence.money_at_risk_minor
        return dict(
            zip(names, (band.value, band.low, band.high, record.verdict.matured_share, risk, record.state), strict=True)
        )

    def ranking(self, from_ms: int, to_ms: int) -> list[Row]:
        first, last = shanghai(from_ms), shanghai(to_ms)
        found = []
        for total in self.totals():
            campaign_id = total["campaign_id"]
            days = {row["day"]: row for row in self.days() if row["campaign_id"] == campaign_id and row["day"] <= last}
            record = self.record(campaign_id)
            is_open = record is not None and record.state in OPEN_STATES
            if not is_open and not any(first <= day for day in days):
                continue
            plan = self.bank.definitions.get(campaign_id, {})
            shown = [day for day in days if day >= min(first, last - timedelta(days=29))]
            found.append(
                {
                    name: total[name]
                    for name in ("campaign_id", "return_ratio", "cost_minor", "return_minor", "converters")
                }
                | {"name": self.name(campaign_id), "owner": self.owner(campaign_id)}
                | {"standing": self.standing(total), "min_return_ratio": self.required(campaign_id)}
                | self.verdict(campaign_id)
                | {
                    "trend": [
                        None if day not in days else _rounded(days[day]["return_minor"], days[day]["cost_minor"])
                        for day in (last - timedelta(days=back) for back in range(29, -1, -1))
                    ]
                    if shown
                    else [],
                    "spent_share": ratio(total["cost_minor"], plan["budget_minor"])
                    if plan.get("budget_minor")
                    else None,
                    "elapsed_share": self.elapsed(plan),
                    "reason_en": None if record is None else joined(record.evidence.reasons).read("en"),
                    "reason_zh": None if record is None else joined(record.evidence.reasons).read("zh"),
                }
            )
        return found

    def elapsed(self, plan: Row) -> float | None:
        if not plan.get("ends_at"):
            return None
        starts, ends = (datetime.fromisoformat(plan[name]).timestamp() for name in ("starts_at", "ends_at"))
        return min(1.0, max(0.0, (self.bank.clock_ms[self.run] / 1000 - starts) / (ends - starts)))

    def money(self, from_ms: int, to_ms: int) -> list[Row]:
        """Return cost and return by hour or day, summed over the chosen campaigns."""
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for time, row in self._points(from_ms, to_ms):
            sums[time][0] += row["cost_minor"]
            sums[time][1] += row["return_minor"]
        return [{"time": time, "cost_minor": cost, "return_minor": back} for time, (cost, back) in sorted(sums.items())]

    def _points(self, from_ms: int, to_ms: int) -> Iterator[tuple[str, Row]]:
        begins, ends = from_ms // 1000, to_ms // 1000
        if ends // HOUR - begins // HOUR <= 72:
            yield from ((instant(row["hour"]), row) for row in self.hours() if begins <= row["hour"] <= ends)
        else:
            yield from (
                (instant(start_of(row["day"])), row) for row in self.days() if begins <= start_of(row["day"]) <= ends
            )

    def by_day(self, from_ms: int, to_ms: int) -> list[Row]:
        return [
            {"time": time, "name": self.name(row["campaign_id"])}
            | {name: row[name] for name in ("cost_minor", "return_minor")}
            for time, row in self._points(from_ms, to_ms)
        ]

    def tiers(self) -> list[Row]:
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for row in self.rows(campaign_views.campaign_tier_totals):
            if row["tier"]:
                sums[row["tier"]][0] += row["cost_minor"]
                sums[row["tier"]][1] += row["return_minor"]
        return [
            {"tier": tier, "cost_minor": cost, "return_minor": back, "return_ratio": ratio(back, cost)}
            for tier, (cost, back) in sums.items()
        ]

    def owners(self) -> list[Row]:
        groups: dict[str, list[Row]] = defaultdict(list)
        for total in self.totals():
            groups[self.owner(total["campaign_id"])].append(total)
        found = []
        for owner, totals in groups.items():
            records = [self.record(total["campaign_id"]) for total in totals]
            states = [record.state for record in records if record is not None]
            opened = [record for record in records if record is not None and record.state in OPEN_STATES]
            own = [self.verdict(total["campaign_id"])["money_at_risk_minor"] for total in totals]
            risks = [risk for risk in own if risk is not None]
            cost, back = (sum(total[name] for total in totals) for name in ("cost_minor", "return_minor"))
            found.append(
                {
                    "owner": owner,
                    "campaigns": len(totals),
                    "open_alerts": len(opened),
                    "blocked_campaigns": states.count("blocked"),
                    "immature_campaigns": states.count("immature"),
                    "money_at_risk_minor": sum(risks) if risks else None,
                    "cost_minor": cost,
                    "return_minor": back,
                    "return_ratio": ratio(back, cost),
                }
            )
        return found


def _rounded(back: int, cost: int) -> float | None:
    found: Any = ratio(back, cost)
    return None if found is None else round(found, 4)
