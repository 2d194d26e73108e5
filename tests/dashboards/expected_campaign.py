"""What the board Campaign must show: five campaigns at most, those that cost most, from the oracle's facts."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from pipeline.alerts.sayings import LANGUAGES, in_language, joined
from tests.dashboards.expected_campaigns import Expected, instant, instant_ms, shanghai, start_of
from tests.figures import expected_budgets
from tests.oracle import campaign_views, record_views
from tests.oracle.campaign_views import ratio
from tests.oracle.config import MODELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.dashboards.seeding import Bank
    from tests.oracle.facts import Facts, Row

MOST: Final = 5
_TOTALS: Final = ("cost_minor", "return_minor", "net_roi", "reached", "converters", "conversion_rate", "cpa_minor")


class ExpectedCampaign(Expected):
    """The board's content for one run and one choice of campaigns."""

    def __init__(self, bank: Bank, run: str, campaigns: Sequence[str] = ()) -> None:
        super().__init__(bank, run, campaigns)
        ranked = sorted(self.totals(), key=lambda total: (-total["cost_minor"], total["campaign_id"]))
        self.shown = {total["campaign_id"] for total in ranked[:MOST]}

    def chosen(self, campaign_id: str) -> bool:
        return super().chosen(campaign_id) and campaign_id in getattr(self, "shown", {campaign_id})

    def _named(self, row: Row, *names: str) -> Row:
        return {"campaign_id": row["campaign_id"], "name": self.name(row["campaign_id"])} | {n: row[n] for n in names}

    def since_it_began(self, *_: int) -> list[Row]:
        return [
            self._named(row, "return_ratio", *_TOTALS, "aum_minor")
            | {"min_return_ratio": self.required(row["campaign_id"])}
            | self.verdict(row["campaign_id"])
            for row in self.totals()
        ]

    def views(self, from_ms: int, to_ms: int) -> list[Row]:
        first, last = shanghai(from_ms - 1000) + timedelta(days=1), shanghai(to_ms)
        first_before = first - (last - first + timedelta(days=1))
        everything = [row["day"] for row in Expected(self.bank, self.run).days()]
        has_before = min(everything) <= first_before
        cells = [(row, "event_view", row["day"], row["new_reached"]) for row in self.days()]
        cells += [
            (row, "cohort_view", date.fromisoformat(row["touch_day"]), row["reached"])
            for row in self.rows(campaign_views.campaign_cohorts)
            if _is_cell(row)
        ]
        sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 6)
        for row, view, day, reached in cells:
            if first_before <= day <= last:
                is_now = day >= first
                own = sums[row["campaign_id"], view]
                own[0 if is_now else 1] += row["cost_minor"]
                own[2 if is_now else 3] += row["return_minor"]
                own[4] += row["conversion_millionths"] * is_now
                own[5] += reached * is_now
        return [
            {
                "campaign_id": campaign_id,
                "name": self.name(campaign_id),
                "view": view,
                "cost_minor": cost,
                "cost_before_minor": cost_before if has_before else None,
                "return_minor": back,
                "return_before_minor": back_before if has_before else None,
                "return_ratio": ratio(back, cost),
                "return_ratio_before": ratio(back_before, cost_before) if has_before else None,
                "conversions": credited / 1_000_000,
                "new_reached": reached,
            }
            for (campaign_id, view), (cost, cost_before, back, back_before, credited, reached) in sums.items()
        ]

    def ratios(self, from_ms: int, to_ms: int) -> list[Row]:
        so_far: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        found = []
        for row in sorted(self.days(), key=lambda one: one["day"]):
            own = so_far[row["campaign_id"]]
            own[0] += row["cost_minor"]
            own[1] += row["return_minor"]
            if from_ms // 1000 <= start_of(row["day"]) <= to_ms // 1000:
                found.append(
                    {
                        "time": instant(start_of(row["day"])),
                        "name": self.name(row["campaign_id"]),
                        "return_ratio": ratio(own[1], own[0]),
                        "min_return_ratio": self.required(row["campaign_id"]),
                        "day_ratio": ratio(row["return_minor"], row["cost_minor"]),
                    }
                )
        return found

    def states(self, from_ms: int, to_ms: int) -> list[Row]:
        found = []
        for campaign_id in self.shown if self.run == "live" else ():
            changes = [record for record, *_ in self.bank.changes if record.campaign_id == campaign_id]
            ends = [*(record.as_of_ms // 1000 for record in changes[1:]), to_ms // 1000][: len(changes)]
            for record, end in zip(changes, ends, strict=True):
                began, ended = max(record.as_of_ms, from_ms) // 1000, min(end, to_ms // 1000)
                if began < ended:
                    name = self.name(campaign_id)
                    found.append(
                        {"time": instant(began), "time_end": instant(ended), "name": name, "state": record.state}
                    )
        return found

    def cohorts(self, from_ms: int, to_ms: int) -> list[Row]:
        return [
            {name: row[name] for name in ("touch_day", "lag_day", "return_minor")}
            | {"name": self.name(row["campaign_id"]), "conversions": row["conversion_millionths"] / 1_000_000}
            | {"cost_minor": row["cost_minor"] if row["lag_day"] == 0 else None}
            for row in self.rows(campaign_views.campaign_cohorts)
            if _is_cell(row) and from_ms // 1000 <= start_of(date.fromisoformat(row["touch_day"])) <= to_ms // 1000
        ]

    def funnel(self, *_: int) -> list[Row]:
        found = []
        for total in self.totals():
            touches = [one for one in self.facts.creditable_touches if one.campaign_id == total["campaign_id"]]
            steps = [("touched", total["reached"], total["touches"]), ("converted", total["converters"], None)]
            for kind in {touch.kind for touch in touches}:
                own = [touch for touch in touches if touch.kind == kind]
                steps.append((kind, len({touch.customer_id for touch in own}), len(own)))
            name = self.name(total["campaign_id"])
            found += [{"name": name, "step": step, "customers": who, "touches": count} for step, who, count in steps]
        return found

    def models(self, *_: int) -> list[Row]:
        return [
            self._named(row, "return_ratio", "converters", "return_minor", "net_roi")
            | {"model": model, "decides": "deciding" if model == "last_touch" else "informing"}
            | {"min_return_ratio": self.required(row["campaign_id"])}
            | {"conversions": row["conversion_millionths"] / 1_000_000}
            | {"would_do": self._would(row["campaign_id"], model)}
            for model in MODELS
            for row in campaign_views.campaign_totals(self.bank.under(self.run, model))
            if row["campaign_id"] in self.shown
        ]

    def _would(self, campaign_id: str, model: str) -> str | None:
        record = self.record(campaign_id)
        if record is None or model not in record.evidence.decisions_by_model:
            return None
        return "stop" if record.evidence.decisions_by_model[model] else "continue"

    def lag(self, *_: int) -> list[Row]:
        """Return the curve of right-truncated lags, each lag over the touch days that have lived through it.

        After Lawless 1994 (reverse-time hazards): share(l) = product over later lags k of 1 - at(k) / through(k). A
        touch day has lived through a lag when two business days more than it have passed: one may last 48 hours.
        """
        newest = shanghai(self.bank.transactions_ms[self.run])
        cells: dict[str, dict[int, dict[str, list[Row]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        for row in self.rows(campaign_views.campaign_cohorts):
            age = (newest - date.fromisoformat(row["touch_day"])).days - 2
            if age >= 0 and any(
                row[name] for name in ("conversion_millionths", "return_minor", "cost_minor", "reached")
            ):
                cells[row["campaign_id"]][age][row["touch_day"]].append(row)
        found = []
        for campaign_id, by_age in cells.items():
            days = [(age, rows) for age, by_day in by_age.items() for rows in by_day.values()]
            longest = max(row["lag_day"] for age, rows in days for row in rows if row["lag_day"] <= age)
            found += [
                {
                    "lag_day": lag,
                    "name": self.name(campaign_id),
                    "return_share": _in_after(lag, longest, days, "return_minor"),
                    "conversion_share": _in_after(lag, longest, days, "conversion_millionths"),
                    "cohorts": sum(age >= lag for age, _ in days),
                }
                for lag in range(longest + 1)
            ]
        return found

    def segments(self, view: Callable[[Facts], list[Row]], label: str) -> list[Row]:
        return self._without(self.rows(view), label)

    def _without(self, rows: Iterable[Row], label: str) -> list[Row]:
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            groups[row["campaign_id"]].append(row)
        found = []
        for group in groups.values():
            cost, back = (sum(row[name] for row in group) for name in ("cost_minor", "return_minor"))
            found += [
                self._named(row, label, "touches", "reached", "converters", "cost_minor", "return_minor")
                | {
                    "conversion_rate": ratio(row["converters"], row["reached"]),
                    "return_ratio": ratio(row["return_minor"], row["cost_minor"]),
                    "ratio_without": ratio(back - row["return_minor"], cost - row["cost_minor"]),
                }
                for row in group
            ]
        return found

    def channels(self, *_: int) -> list[Row]:
        rows: dict[tuple[str, str], dict[str, Any]] = defaultdict(
            lambda: {"touches": 0, "reached": set(), "converters": set(), "cost_minor": 0, "return_minor": 0}
        )
        for touch in self.facts.touches:
            if self.chosen(touch.campaign_id):
                own = rows[touch.campaign_id, touch.channel]
                own["cost_minor"] += touch.cost_minor
                if self.facts.catalogue.creditable(touch):
                    own["touches"] += 1
                    own["reached"].add(touch.customer_id)
        for credit in self.facts.credits:
            if self.chosen(credit.touch.campaign_id):
                own = rows[credit.touch.campaign_id, credit.touch.channel]
                own["converters"].add(credit.touch.customer_id)
                own["return_minor"] += credit.return_minor
        counted = [
            {"campaign_id": campaign_id, "channel": channel}
            | own
            | {name: len(own[name]) for name in ("reached", "converters")}
            for (campaign_id, channel), own in rows.items()
        ]
        return self._without(counted, "channel")

    def costs(self, *_: int) -> list[Row]:
        return [
            {name: row[name] for name in ("category", "cost_minor", "cost_share", "entries")}
            | {"name": self.name(row["campaign_id"])}
            for row in self.rows(expected_budgets.campaign_costs)
        ]

    def budget(self, *_: int) -> list[Row]:
        as_of = datetime.fromtimestamp(self.bank.clock_ms[self.run] / 1000, UTC)
        vouchers = {row["campaign_id"]: row for row in expected_budgets.campaign_vouchers(self.facts)}
        found = []
        for row in expected_budgets.campaign_budget(self.facts, self.bank.definitions, as_of):
            if self.chosen(row["campaign_id"]):
                own = vouchers.get(row["campaign_id"], {"issued": 0, "redeemed": 0, "redemption_rate": None})
                found.append(
                    row
                    | {"name": self.name(row["campaign_id"])}
                    | {name: own[name] for name in ("issued", "redeemed", "redemption_rate")}
                )
        return found

    def alert(self, *_: int) -> list[Row]:
        found = []
        for campaign_id in self.shown:
            record = self.record(campaign_id)
            if record is None:
                continue
            verdict, advice = record.verdict, record.evidence.advice or {}
            found.append(
                {"campaign_id": campaign_id, "alert_id": record.alert_id, "name": self.name(campaign_id)}
                | self.verdict(campaign_id)
                | {f"reason_{one}": joined(record.evidence.reasons).read(one) for one in LANGUAGES}
                | {"min_return_ratio": record.rule.min_return_ratio}
                | {"return_ratio": verdict.return_ratio, "upper_bound": verdict.upper_bound}
                | {"confidence": record.rule.confidence, "converters": verdict.converters}
                | {"converters_expected": verdict.converters_expected}
                | {"advice_segment": advice.get("segment"), "advice_label": advice.get("label")}
                | {"ratio_without": advice.get("ratio_without"), "decision": None, "decided_by": None}
                | {"opened_at": instant_ms(record.opened_ms), "as_of": instant_ms(record.as_of_ms)}
            )
        return found

    def history(self, *_: int) -> list[Row]:
        return [
            {
                "changed_at": instant_ms(record.changed_ms),
                "name": self.name(record.campaign_id),
                "previous_state": before,
                "state": record.state,
                "event": event,
                "by": by,
                "note_en": in_language(note, "en"),
                "note_zh": in_language(note, "zh"),
                "alert_id": record.alert_id,
            }
            for record, event, before, by, note in self.bank.changes
            if self.run == "live" and record.campaign_id in self.shown
        ]

    def credits(self, from_ms: int, to_ms: int) -> list[Row]:
        rows = [
            row
            for row in record_views.credit_rows(self.facts)
            if self.chosen(row["campaign_id"]) and from_ms <= row["converted_at"] <= to_ms
        ]
        rows.sort(key=lambda row: (-row["converted_at"], row["transaction_event_id"], row["touch_event_id"]))
        tiers = {
            self.facts.customer_hash(one.customer_id): self.facts.tier(one.customer_id) for one in self.facts.touches
        }
        names = ("customer_hash", "transaction_event_id", "touch_event_id", "variant", "return_minor", "aum_minor")
        return [
            {name: row[name] for name in names}
            | {name: instant_ms(row[name]) for name in ("converted_at", "touched_at")}
            | {"name": self.name(row["campaign_id"]), "tier": tiers[row["customer_hash"]]}
            | {"credit_share": row["credit_millionths"] / 1_000_000}
            for row in rows[:100]
        ]


def _in_after(lag: int, longest: int, days: Sequence[tuple[int, list[Row]]], measure: str) -> float:
    """Return the share that is in so many days after the touch."""
    share = Fraction(1)
    for later in range(lag + 1, longest + 1):
        seen = [row for age, rows in days if age >= later for row in rows if row["lag_day"] <= later]
        through, at = (
            sum(row[measure] for row in chosen) for chosen in (seen, [row for row in seen if row["lag_day"] == later])
        )
        if through:
            share *= 1 - Fraction(at, through)
    return float(share)


def _is_cell(row: Row) -> bool:
    return any(row[name] for name in ("conversion_millionths", "return_minor", "cost_minor", "reached"))
