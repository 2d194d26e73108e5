"""The views of sql/migrations over a fake ledger's rows, so that a property can look at numbers a thousand times."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from tests.support.standings import standings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.support.fakes import LedgerRow, RunTables

Row = dict[str, Any]
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_MODEL_MEASURES: Final = ("conversion_millionths", "converters", "return_minor", "aum_minor")
_BASE_MEASURES: Final = ("touches", "reached", "cost_minor")
_TOTALS: Final = (
    "touches",
    "reached",
    "conversion_millionths",
    "converters",
    "cost_minor",
    "return_minor",
    "aum_minor",
)
_MINUTES: Final = (
    "touches",
    "new_reached",
    "conversion_millionths",
    "new_converters",
    "cost_minor",
    "return_minor",
    "aum_minor",
)


def _summed(rows: Iterable[LedgerRow], key: Callable[[LedgerRow], Any]) -> dict[Any, list[int]]:
    sums: dict[Any, list[int]] = {}
    for row in rows:
        total = sums.setdefault(key(row), [0] * len(row.measures))
        for place, measure in enumerate(row.measures):
            total[place] += measure
    return sums


def _quotient(above: int, below: int) -> float | None:
    return above / below if below else None


def _with_ratios(row: Row) -> Row:
    return row | {
        "conversion_rate": _quotient(row["converters"], row["reached"]),
        "cpa_minor": _quotient(row["cost_minor"], row["converters"]),
        "return_ratio": _quotient(row["return_minor"], row["cost_minor"]),
        "net_roi": _quotient(row["return_minor"] - row["cost_minor"], row["cost_minor"]),
    }


def _deciding(tables: RunTables, kind: str) -> Iterable[LedgerRow]:
    return (row for row in tables.of_kind(kind) if not row.model)


def campaign_totals(tables: RunTables) -> list[Row]:
    sums = _summed(_deciding(tables, "tier"), lambda row: row.campaign_id)
    return [
        _with_ratios({"campaign_id": name} | dict(zip(_TOTALS, total, strict=True))) for name, total in sums.items()
    ]


def _segment_totals(tables: RunTables, segment: str) -> list[Row]:
    sums = _summed(_deciding(tables, segment), lambda row: (row.campaign_id, row.label))
    return [
        _with_ratios({"campaign_id": name, segment: label} | dict(zip(_TOTALS, total, strict=True)))
        for (name, label), total in sums.items()
    ]


def campaign_minutes(tables: RunTables) -> list[Row]:
    sums = _summed(_deciding(tables, "minute"), lambda row: (row.campaign_id, row.at))
    return [
        {"campaign_id": name, "minute": minute} | dict(zip(_MINUTES, total, strict=True))
        for (name, minute), total in sums.items()
        if any(total)
    ]


def campaign_hours(tables: RunTables) -> list[Row]:
    sums = _summed(_deciding(tables, "hour"), lambda row: (row.id, row.at))
    return [
        {"campaign_id": name, "hour": hour} | dict(zip(_MINUTES, total, strict=True))
        for (name, hour), total in sums.items()
        if any(total)
    ]


def campaign_days(tables: RunTables) -> list[Row]:
    sums = _summed(_deciding(tables, "day"), lambda row: (row.campaign_id, row.at))
    return [
        {"campaign_id": name, "day": _iso(day)} | dict(zip(_MINUTES, total, strict=True))
        for (name, day), total in sums.items()
        if any(total)
    ]


def campaign_cohorts(tables: RunTables) -> list[Row]:
    sums = _summed(_deciding(tables, "cohort"), lambda row: (row.campaign_id, row.at, row.lag))
    return [
        {
            "campaign_id": name,
            "touch_day": _iso(day),
            "lag_day": lag,
            "conversion_millionths": total[2],
            "return_minor": total[5],
            "aum_minor": total[6],
            "cost_minor": total[4],
            "reached": total[1],
        }
        for (name, day, lag), total in sums.items()
        if any(total)
    ]


def _iso(day: int) -> str:
    return date.fromordinal(day + _EPOCH_ORDINAL).isoformat()


def model_credits(tables: RunTables) -> list[Row]:
    return [
        {
            "transaction_event_id": row.id,
            "touch_event_id": row.other_id,
            "campaign_id": row.campaign_id,
            "variant": row.label,
            "model": model,
            "decides": int(model == tables.models[0]),
            "customer_hash": row.customer,
            "tier": row.tier,
            "credit_millionths": millionths,
            "return_minor": returned,
            "aum_minor": aum,
            "touched_at": touched_at,
            "converted_at": row.at,
        }
        for row in tables.of_kind("credit")
        for model, (millionths, returned, aum, touched_at, _) in zip(
            tables.models, standings(row.measures), strict=True
        )
        if millionths
    ]


def dead_letters(tables: RunTables) -> list[Row]:
    return [
        {"topic": row.label, "partition": row.lag, "offset": row.source, "reason": row.other_id, "detail": row.detail}
        for row in tables.of_kind("dead_letter")
    ]


def active_users(tables: RunTables) -> list[Row]:
    changes = _summed(tables.of_kind("activity"), lambda row: (row.label, row.at))
    days = [day for (_, day), total in changes.items() if total[3] > 0]
    if not days:
        return []
    found: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0] * 5)
    for tier in {tier for tier, _ in changes}:
        wau = mau = gross = 0
        for day in range(min(days), max(days) + 1):
            dau, more_wau, more_mau, _, more_gross, reactivated = changes.get((tier, day), [0] * 6)
            wau, mau, gross = wau + more_wau, mau + more_mau, gross + more_gross
            figures = [dau, wau, mau, gross, reactivated]
            found[day, tier] = figures
            found[day, ""] = [one + other for one, other in zip(found[day, ""], figures, strict=True)]
    return [
        {
            "day": _iso(day),
            "tier": tier,
            "dau": dau,
            "wau": wau,
            "mau": mau,
            "mau_gross": gross,
            "reactivated": reactivated,
            "stickiness": _quotient(dau, mau),
        }
        for (day, tier), (dau, wau, mau, gross, reactivated) in found.items()
    ]


def campaign_model_totals(tables: RunTables) -> list[Row]:
    base = _summed(_deciding(tables, "tier"), lambda row: row.campaign_id)
    sums = _summed(tables.of_kind("tier"), lambda row: (row.campaign_id, row.model))
    found = []
    for name, total in base.items():
        shared = dict(zip(_TOTALS, total, strict=True))
        for place, model in enumerate(tables.models):
            own = dict(zip(_TOTALS, sums.get((name, model if place else ""), [0] * len(_TOTALS)), strict=True))
            figures = {each: own[each] for each in _MODEL_MEASURES} | {each: shared[each] for each in _BASE_MEASURES}
            identity = {"campaign_id": name, "model": model, "decides": int(not place)}
            found.append(_with_ratios(identity | figures))
    return found


def views_of(tables: RunTables) -> dict[str, list[Row]]:
    """Return the rows of every view, as the oracle's comparison takes them."""
    return {
        "campaign_totals": campaign_totals(tables),
        "campaign_variant_totals": _segment_totals(tables, "variant"),
        "campaign_tier_totals": _segment_totals(tables, "tier"),
        "campaign_minutes": campaign_minutes(tables),
        "campaign_hours": campaign_hours(tables),
        "campaign_days": campaign_days(tables),
        "campaign_cohorts": campaign_cohorts(tables),
        "active_users": active_users(tables),
        "credits": [row for row in model_credits(tables) if row.pop("decides")],
        "model_credits": model_credits(tables),
        "dead_letters": dead_letters(tables),
        "campaign_model_totals": campaign_model_totals(tables),
    }
