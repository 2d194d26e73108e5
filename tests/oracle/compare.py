"""Comparing the oracle's views with what somebody else computed, in lines a person can act on."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tests.oracle.evaluate import Views
    from tests.oracle.facts import Row

_TOTAL_COLUMNS: Final = (
    "touches",
    "reached",
    "conversion_millionths",
    "converters",
    "cost_minor",
    "return_minor",
    "aum_minor",
    "conversion_rate",
    "cpa_minor",
    "return_ratio",
    "net_roi",
)
_EVENT_VIEW_COLUMNS: Final = (
    "touches",
    "new_reached",
    "conversion_millionths",
    "new_converters",
    "cost_minor",
    "return_minor",
    "aum_minor",
)
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "campaign_totals": ("campaign_id",),
    "campaign_variant_totals": ("campaign_id", "variant"),
    "campaign_tier_totals": ("campaign_id", "tier"),
    "campaign_minutes": ("campaign_id", "minute"),
    "campaign_hours": ("campaign_id", "hour"),
    "campaign_days": ("campaign_id", "day"),
    "campaign_cohorts": ("campaign_id", "touch_day", "lag_day"),
    "active_users": ("day", "tier"),
    "credits": ("transaction_event_id", "converted_at", "touch_event_id"),
    "dead_letters": ("topic", "partition", "offset"),
}
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "campaign_totals": _TOTAL_COLUMNS,
    "campaign_variant_totals": _TOTAL_COLUMNS,
    "campaign_tier_totals": _TOTAL_COLUMNS,
    "campaign_minutes": _EVENT_VIEW_COLUMNS,
    "campaign_hours": _EVENT_VIEW_COLUMNS,
    "campaign_days": _EVENT_VIEW_COLUMNS,
    "campaign_cohorts": ("conversion_millionths", "return_minor", "cost_minor", "reached"),
    "active_users": ("dau", "wau", "mau", "mau_gross", "reactivated", "stickiness"),
    "credits": (
        "campaign_id",
        "variant",
        "customer_hash",
        "credit_millionths",
        "return_minor",
        "aum_minor",
        "touched_at",
        "converted_at",
    ),
    "dead_letters": ("reason",),
}
RATIOS: Final = frozenset({"conversion_rate", "cpa_minor", "return_ratio", "net_roi", "stickiness"})
RATIO_TOLERANCE: Final = 1e-9
_DAYS: Final = frozenset({"touch_day", "day"})
_INSTANT_UNITS_MS: Final[Mapping[str, int]] = {"minute": 60_000, "hour": 1_000, "touched_at": 1, "converted_at": 1}
_MISSING: Final = "(no such column)"
_ALWAYS_COMPARED: Final = frozenset({"credits", "dead_letters"})


def differences(
    expected: Views,
    actual: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    views: Collection[str] | None = None,
    run: str = "live",
    compare_zero_rows: Collection[str] = (),
) -> list[str]:
    """Return one line per difference, none when every view agrees.

    Integers must be equal, ratios equal to 1e-9 of their size, and null only equals null. ``actual`` may hold
    conversions as ``conversion_millionths`` or as the contract's ``conversions``, instants and minutes as datetimes
    (naive ones are UTC), ISO strings or epoch numbers, days as dates or ISO strings, and integers as digits in a string
    (ClickHouse's JSON).

    Args:
        expected: the oracle's views.
        actual: rows by view; rows of another ``run`` are left out, a column beyond the contract's is ignored.
        views: what to compare, all of the oracle's by default.
        run: the run compared.
        compare_zero_rows: views in which a row of zeros must be there or not as the oracle has it. Elsewhere one may
            be there or not: the contract does not say whether nothing is a row. The days of `active_users` over all
            tiers are always compared.
    """
    found = []
    for view in views if views is not None else expected.rows:
        if view not in actual:
            found.append(f"{view}: the view is missing")
            continue
        strict = view in compare_zero_rows
        wanted = _table(view, expected.rows[view], strict=strict)
        given = _table(view, [row for row in actual[view] if row.get("run", run) == run], strict=strict)
        found += given.repeated
        found += _row_differences(view, wanted.rows, given.rows)
    return found


class _Table:
    def __init__(self) -> None:
        self.rows: dict[tuple[Any, ...], Row] = {}
        self.repeated: list[str] = []


def _table(view: str, rows: Sequence[Mapping[str, Any]], *, strict: bool) -> _Table:
    table = _Table()
    for given in rows:
        row = {name: plain(name, _value(given, name)) for name in (*KEYS[view], *COLUMNS[view])}
        if not strict and _is_zero(view, row):
            continue
        key = tuple(row[name] for name in KEYS[view])
        if key in table.rows:
            table.repeated.append(f"{view} {_shown(view, key)}: more than one row")
        table.rows[key] = row
    return table


def _value(row: Mapping[str, Any], name: str) -> Any:
    if name == "conversion_millionths" and name not in row and row.get("conversions") is not None:
        return _millionths(row["conversions"])
    return row.get(name, _MISSING)


def _millionths(value: Any) -> Any:
    exact = (Decimal(repr(value)) if isinstance(value, float) else Decimal(value)) * 1_000_000
    # a double holds conversions to about 16 digits: beyond that its nearest whole millionth is what it means
    nearest = int(exact.to_integral_value())
    return nearest if abs(exact - nearest) <= abs(exact) * Decimal(RATIO_TOLERANCE) else value


def _is_zero(view: str, row: Row) -> bool:
    if view in _ALWAYS_COMPARED or (view == "active_users" and row["tier"] == ""):
        return False
    return all(row[name] in (0, None) for name in COLUMNS[view])


def _row_differences(
    view: str, wanted: Mapping[tuple[Any, ...], Row], given: Mapping[tuple[Any, ...], Row]
) -> list[str]:
    found = []
    for key in sorted(wanted.keys() | given.keys(), key=repr):
        where = f"{view} {_shown(view, key)}"
        if key not in given:
            found.append(f"{where}: the row is missing; expected {_values(view, wanted[key])}")
        elif key not in wanted:
            found.append(f"{where}: the row should not be there; actual {_values(view, given[key])}")
        else:
            found += [
                f"{where} {name}: expected {wanted[key][name]!r}, actual {given[key][name]!r}"
                for name in COLUMNS[view]
                if not _equal(name, wanted[key][name], given[key][name])
            ]
    return found


def _equal(name: str, expected: Any, actual: Any) -> bool:
    if name not in RATIOS or expected is None or actual is None or isinstance(actual, str):
        return type(expected) is type(actual) and bool(expected == actual)
    return math.isclose(expected, actual, rel_tol=RATIO_TOLERANCE, abs_tol=0.0)


def plain(name: str, value: Any) -> Any:
    """Return a driver's value of a named column as the oracle would write it; what it cannot read stays as it is."""
    if value is None or value == _MISSING:
        return value
    if name in _INSTANT_UNITS_MS:
        return _instant(value, _INSTANT_UNITS_MS[name])
    if name in _DAYS:
        return value.isoformat()[:10] if isinstance(value, date) else str(value)[:10]
    if name in RATIOS:
        return float(value)
    if name in _TEXTS:
        return value.decode() if isinstance(value, bytes) else value
    return _whole(value)


_TEXTS: Final = frozenset(
    {"campaign_id", "variant", "tier", "transaction_event_id", "touch_event_id", "customer_hash", "topic", "reason"}
)


def _instant(value: Any, unit_ms: int) -> Any:
    if isinstance(value, str) and not value.lstrip("-").isdigit():
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        whole_seconds = int(aware.replace(microsecond=0).timestamp())
        return (whole_seconds * 1000 + aware.microsecond // 1000) // unit_ms
    return int(value)


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return int(value) if value.lstrip("-").isdigit() else value
    if isinstance(value, Decimal | float):
        return int(value) if value % 1 == 0 else value
    return value


def _shown(view: str, key: tuple[Any, ...]) -> str:
    return "[" + " ".join(f"{name}={value!r}" for name, value in zip(KEYS[view], key, strict=True)) + "]"


def _values(view: str, row: Row) -> str:
    return " ".join(f"{name}={row[name]!r}" for name in COLUMNS[view])
