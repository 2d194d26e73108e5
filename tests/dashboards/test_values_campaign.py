"""Board Campaign: its numbers are those of the contract's own counting; of many campaigns it shows the five dearest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dashboards.boards.campaign import CAMPAIGN
from tests.dashboards.expected_campaign import MOST, ExpectedCampaign
from tests.dashboards.seeding import FREE, HOSTILE, UNDEFINED
from tests.dashboards.test_values_campaigns import differences
from tests.oracle import campaign_views

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.dashboards.conftest import Seeded
    from tests.oracle.facts import Row

# days before the end of the live run, from and to
RANGES = ((100, -3), (66.5, 64.3), (92.3, 84.7), (99_999, -3))
CHOICES: tuple[dict[str, Any], ...] = (
    {"campaign": ("spring.2026",)},
    {},
    {"campaign": (FREE, UNDEFINED, "wide", HOSTILE)},
    {"campaign": ("Spring.2026",), "run": "other"},
)
_ONE = ("campaign_id",)
PANELS: dict[str, tuple[Callable[[ExpectedCampaign, int, int], list[Row]], tuple[str, ...]]] = {
    "campaign-figures": (ExpectedCampaign.since_it_began, _ONE),
    "campaign-alert": (ExpectedCampaign.alert, _ONE),
    "campaign-states": (ExpectedCampaign.states, ("name", "time")),
    "campaign-views": (ExpectedCampaign.views, ("campaign_id", "view")),
    "campaign-ratio": (ExpectedCampaign.ratios, ("name", "time")),
    "campaign-days": (ExpectedCampaign.by_day, ("name", "time")),
    "campaign-cohorts": (ExpectedCampaign.cohorts, ("name", "touch_day", "lag_day")),
    "campaign-lag": (ExpectedCampaign.lag, ("name", "lag_day")),
    "campaign-funnel": (ExpectedCampaign.funnel, ("name", "step")),
    "campaign-models": (ExpectedCampaign.models, ("campaign_id", "model")),
    "campaign-tiers": (lambda one, *_: one.segments(campaign_views.campaign_tier_totals, "tier"), (*_ONE, "tier")),
    "campaign-variants": (
        lambda one, *_: one.segments(campaign_views.campaign_variant_totals, "variant"),
        (*_ONE, "variant"),
    ),
    "campaign-channels": (ExpectedCampaign.channels, (*_ONE, "channel")),
    "campaign-costs": (ExpectedCampaign.costs, ("name", "category")),
    "campaign-budget": (ExpectedCampaign.budget, _ONE),
    "campaign-history": (ExpectedCampaign.history, ("changed_at", "name")),
    "campaign-credits": (ExpectedCampaign.credits, ("transaction_event_id", "touch_event_id")),
}
RANGED = {"states", "views", "ratio", "days", "cohorts", "credits"}


@pytest.mark.parametrize("choice", CHOICES, ids=str)
@pytest.mark.parametrize("panel_id", PANELS)
def test_numbers_are_those_of_the_oracle(seeded: Seeded, panel_id: str, choice: dict[str, Any]) -> None:
    wanted, keys = PANELS[panel_id]
    expected = ExpectedCampaign(seeded.bank, choice.get("run", "live"), choice.get("campaign", ()))
    for back, ahead in RANGES[: None if panel_id.partition("-")[2] in RANGED else 1]:
        span = seeded.span(back, ahead)
        found = seeded.board.show(panel_id, *span, **choice)
        assert differences(found, wanted(expected, *span), *keys) == [], (back, ahead)


def test_every_panel_of_the_board_is_held_against_something() -> None:
    assert {panel.id for panel in CAMPAIGN.panels} == PANELS.keys()


def test_models_differ_and_so_do_what_they_would_do(seeded: Seeded) -> None:
    rows = seeded.board.show("campaign-models", *seeded.span(30, 0))
    by_campaign: dict[str, list[Row]] = {}
    for row in rows:
        by_campaign.setdefault(row["campaign_id"], []).append(row)
    assert any(len({row["return_minor"] for row in own}) > 2 for own in by_campaign.values())
    assert {row["would_do"] for row in rows} == {"stop", "continue", None}
    assert all(own[0]["decides"] == "deciding" for own in by_campaign.values())


def test_the_lag_curve_ends_complete_and_never_falls(seeded: Seeded) -> None:
    rows = seeded.board.show("campaign-lag", *seeded.span(30, 0))
    for name in {row["name"] for row in rows}:
        curve = [row for row in rows if row["name"] == name]
        assert [row["lag_day"] for row in curve] == list(range(len(curve)))
        for share in ("return_share", "conversion_share"):
            shares = [row[share] for row in curve]
            assert shares == sorted(shares)
            assert shares[-1] == 1
    assert rows


def test_of_many_campaigns_five_are_shown_under_their_names(seeded: Seeded) -> None:
    rows = seeded.board.show("campaign-figures", *seeded.span(30, 0))
    assert len(rows) == MOST
    costs = [row["cost_minor"] for row in rows]
    assert costs == sorted(costs, reverse=True)
    assert len({row["name"] for row in rows}) == MOST


def test_the_last_ratio_so_far_is_the_campaigns_ratio(seeded: Seeded) -> None:
    chosen: dict[str, Any] = {"campaign": ("undefined",)}
    line = seeded.board.show("campaign-ratio", *seeded.span(200, -100), **chosen)
    (total,) = seeded.board.show("campaign-figures", *seeded.span(30, 0), **chosen)
    assert line[-1]["return_ratio"] == pytest.approx(total["return_ratio"])


def test_no_customer_id_stands_among_the_records(seeded: Seeded) -> None:
    rows = seeded.board.show("campaign-credits", *seeded.span(200, -3))
    assert rows
    customers = {touch.customer_id for touch in seeded.bank.facts["live"].touches}
    assert not customers & {str(cell) for row in rows for cell in row.values()}
    assert all(len(row["customer_hash"]) == 32 for row in rows)


@pytest.mark.parametrize("panel_id", PANELS)
def test_nothing_is_shown_of_what_is_not_there(seeded: Seeded, panel_id: str) -> None:
    assert seeded.board.show(panel_id, *seeded.span(30, 0), run=HOSTILE) == []
    assert seeded.board.show(panel_id, *seeded.span(30, 0), campaign=(HOSTILE,)) == []
