"""Board Campaigns: its numbers are those of the contract's own counting, as the API and as Grafana ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dashboards.definitions.macros import TimeRange
from dashboards.registry import PANELS
from tests.dashboards.expected_campaigns import Expected
from tests.dashboards.plugin import asked, check_types
from tests.dashboards.seeding import FREE, HOSTILE, UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.dashboards.conftest import Seeded
    from tests.oracle.facts import Row

# days before the end of the live run, from and to
RANGES = ((30, 0), (100, -3), (66.5, 64.3), (92.3, 84.7), (60, 59.9), (99_999, -3))
NO_RANGE = {"campaigns-risk", "campaigns-tiers", "campaigns-owners"}
CHOICES: tuple[dict[str, Any], ...] = (
    {},
    {"campaign": (FREE,)},
    {"campaign": ("wide", UNDEFINED)},
    {"owner": ("lin",)},
    {"owner": ("wu", HOSTILE), "campaign": ("wide", "spring.2026", HOSTILE)},
    {"run": "other"},
)


def same(found: Any, expected: Any) -> bool:
    if isinstance(expected, list):
        return len(found) == len(expected) and all(same(*pair) for pair in zip(found, expected, strict=True))
    if isinstance(expected, float) or (isinstance(found, float) and expected is not None):
        return found is not None and bool(found == pytest.approx(expected, rel=1e-9, abs=1e-9))
    return bool(found == expected)


def differences(found: Sequence[Row], expected: Sequence[Row], *keys: str) -> list[str]:
    """Return how two tables differ, whatever the order of their rows; rows are known by their keys."""
    tables: list[dict[tuple[Any, ...], Row]] = []
    for rows in (found, expected):
        tables.append({tuple(row[key] for key in keys): row for row in rows})
        assert len(tables[-1]) == len(rows), f"rows with the same {keys}"
    have, want = tables
    lines = [f"missing: {key}" for key in want.keys() - have.keys()]
    lines += [f"not expected: {key}" for key in have.keys() - want.keys()]
    for key in want.keys() & have.keys():
        assert have[key].keys() == want[key].keys()
        lines += [
            f"{key} {name}: {have[key][name]!r} is not {value!r}"
            for name, value in want[key].items()
            if not same(have[key][name], value)
        ]
    return lines


CAMPAIGNS: dict[str, tuple[Callable[[Expected, int, int], list[Row]], tuple[str, ...]]] = {
    "campaigns-figures": (Expected.figures, ()),
    "campaigns-risk": (lambda expected, _from, _to: expected.risk(), ()),
    "campaigns-ranking": (Expected.ranking, ("campaign_id",)),
    "campaigns-money": (Expected.money, ("time",)),
    "campaigns-tiers": (lambda expected, _from, _to: expected.tiers(), ("tier",)),
    "campaigns-owners": (lambda expected, _from, _to: expected.owners(), ("owner",)),
}


@pytest.mark.parametrize("choice", CHOICES, ids=str)
@pytest.mark.parametrize("panel_id", CAMPAIGNS)
def test_numbers_are_those_of_the_oracle(seeded: Seeded, panel_id: str, choice: dict[str, Any]) -> None:
    wanted, keys = CAMPAIGNS[panel_id]
    expected = Expected(seeded.bank, choice.get("run", "live"), choice.get("campaign", ()), choice.get("owner", ()))
    for back, ahead in RANGES[: 1 if panel_id in NO_RANGE else None]:
        span = seeded.span(back, ahead)
        found = seeded.board.show(panel_id, *span, **choice)
        assert differences(found, wanted(expected, *span), *keys) == [], (back, ahead)


def test_the_first_row_is_the_one_to_act_on(seeded: Seeded) -> None:
    rows = seeded.board.show("campaigns-ranking", *seeded.span(30, 0))
    waiting = [row["standing"] in {"act", "decide"} for row in rows]
    assert waiting == sorted(waiting, reverse=True)
    assert any(waiting)
    risks = [row["money_at_risk_minor"] or -1 for row in rows if row["standing"] == "act"]
    assert risks == sorted(risks, reverse=True)


def test_a_hostile_name_is_text_like_any_other(seeded: Seeded) -> None:
    rows = seeded.board.show("campaigns-ranking", *seeded.span(100, 0))
    assert HOSTILE in {row["name"] for row in rows}


def test_money_beyond_the_doubles_whole_numbers_is_a_number(seeded: Seeded) -> None:
    (row,) = seeded.board.show("campaigns-ranking", *seeded.span(100, -3), campaign=("wide",))
    assert isinstance(row["cost_minor"], int)
    assert row["cost_minor"] > 2**53


def test_nothing_spent_has_no_ratio(seeded: Seeded) -> None:
    (row,) = seeded.board.show("campaigns-ranking", *seeded.span(100, -3), campaign=(FREE,))
    assert (row["cost_minor"], row["return_minor"], row["return_ratio"]) == (0, 777, None)


@pytest.mark.parametrize("panel_id", CAMPAIGNS)
def test_nothing_is_shown_of_what_is_not_there(seeded: Seeded, panel_id: str) -> None:
    for choice in ({"run": HOSTILE}, {"campaign": (HOSTILE,)}, {"owner": (HOSTILE,)}):
        found = seeded.board.show(panel_id, *seeded.span(30, 0), **choice)
        assert found == [] or (panel_id == "campaigns-risk" and found[0]["money_at_risk_minor"] is None)


@pytest.mark.parametrize("panel_id", [name for name in PANELS if name.startswith("campaign")])
def test_grafanas_plugin_gets_the_same_values_in_types_that_it_knows(seeded: Seeded, panel_id: str) -> None:
    panel = PANELS[panel_id]
    choices: tuple[dict[str, Any], ...] = ({}, {"run": "other"}, {"campaign": ("wide",)}, {"campaign": (HOSTILE,)})
    for choice in choices:
        span = seeded.span(100, -3)
        values = {"run": [choice.get("run", "live")], "campaign": choice.get("campaign", ()), "tier": (), "owner": ()}
        types, rows = asked(seeded.reader, panel, TimeRange.between(*span), values)
        if rows:
            check_types(panel, types)
        found = [tuple(row.values()) for row in seeded.board.show(panel_id, *span, **choice)]
        assert same([list(row) for row in rows], [list(row) for row in found])
