"""Board Experiments: its numbers are those of the oracle's customers, as the API and as Grafana ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from dashboards.boards.experiments import EXPERIMENTS
from dashboards.definitions.macros import TimeRange
from dashboards.registry import PANELS
from tests.dashboards import expected_experiments as expected
from tests.dashboards.plugin import asked, check_types
from tests.dashboards.seeding import HOSTILE
from tests.dashboards.test_values_campaigns import differences, same
from tests.dashboards.trials import TRIAL
from tests.oracle.experiments import METRICS

if TYPE_CHECKING:
    from tests.dashboards.conftest import Seeded
    from tests.oracle.facts import Row

EVER: Final = (0, 4_102_444_800_000)
DAY: Final = ("time", "variant")


def shown(seeded: Seeded, name: str, outcome: str = "converted", **choice: Any) -> list[Row]:
    """Return a panel of the experiment, without what the oracle says nothing of."""
    return seeded.board.show(f"experiments-{name}", *EVER, run=TRIAL, outcome=outcome, **choice)


def without(rows: list[Row], *names: str) -> list[Row]:
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


@pytest.mark.parametrize("outcome", METRICS)
def test_lifts_day_by_day_are_those_of_the_oracles_customers(seeded: Seeded, outcome: str) -> None:
    always, once = shown(seeded, "lift", outcome), shown(seeded, "once", outcome)
    assert differences(always, expected.lift_days(outcome, expected.always), *DAY) == []
    assert differences(once, expected.lift_days(outcome, expected.welch), *DAY) == []
    assert all(row["lift_low"] < other["lift_low"] for row, other in zip(always, once, strict=True))
    assert always


def test_shares_and_incremental_roi_day_by_day_are_those_of_the_oracle(seeded: Seeded) -> None:
    assert differences(shown(seeded, "shares"), expected.shares(), *DAY) == []
    for outcome in METRICS:
        found = shown(seeded, "roi-days", outcome)
        assert found
        assert differences(found, expected.roi_days(), *DAY) == []


def test_variants_are_those_of_the_oracle(seeded: Seeded) -> None:
    for outcome in METRICS:
        assert (
            differences(without(shown(seeded, "arms", outcome), "srm_sequential_p"), expected.arms(), "variant") == []
        )


def test_money_is_that_of_the_oracle_and_attribution_that_of_the_views(seeded: Seeded) -> None:
    found = shown(seeded, "money")
    attributed = ("attributed_return_minor", "attributed_roi")
    assert differences(without(found, *attributed), expected.money(), "variant") == []
    credited = {
        row[0]: int(row[1])
        for row in seeded.reader.query(
            f"SELECT variant, return_minor FROM campaign_variant_totals WHERE run = '{TRIAL}'"
        ).result_rows
    }
    assert {row["variant"]: row["attributed_return_minor"] for row in found} == {
        variant: credited[variant] for variant in expected.TREATED
    }
    for row in found:
        roi = (row["attributed_return_minor"] - row["cost_minor"]) / row["cost_minor"]
        assert row["attributed_roi"] == pytest.approx(roi)
    bars = {row["arm"]: (row["incremental_roi"], row["attributed_roi"]) for row in shown(seeded, "roi")}
    assert bars == {f"spring · {row['variant']}": (row["incremental_roi"], row["attributed_roi"]) for row in found}


@pytest.mark.parametrize("outcome", METRICS)
def test_tiers_are_those_of_the_oracle(seeded: Seeded, outcome: str) -> None:
    found = shown(seeded, "tiers", outcome)
    assert differences(without(found, "difference_p"), expected.tiers(outcome), "variant", "tier") == []
    assert len({(row["variant"], row["difference_p"]) for row in found}) == len(expected.TREATED)


def test_verdicts_say_the_same_numbers_in_words_of_both_languages(seeded: Seeded) -> None:
    rows = shown(seeded, "verdicts")
    better = [(row["outcome"], row["variant"]) for row in rows if row["decision"] == "better"]
    assert better[:1] == [("converted", "A")], [(row["decision"], row["p_value"], row["verdict_en"]) for row in rows]
    assert {(row["outcome"], row["variant"]) for row in rows} == {
        (metric, variant) for metric in METRICS for variant in expected.TREATED
    }
    for row in rows:
        last = [one for one in expected.lift_days(row["outcome"], expected.always) if one["variant"] == row["variant"]][
            -1
        ]
        assert same(
            [row["lift"], row["lift_low"], row["lift_high"]], [last["lift"], last["lift_low"], last["lift_high"]]
        )
        assert row["verdict_en"].startswith(f"{row['variant']} against control: ")
        assert row["verdict_zh"].startswith(f"{row['variant']} 对比 control：")
        assert "windows are open" in row["caveats_en"]
        assert "观察窗口" in row["caveats_zh"]
    (first, *_) = rows
    assert "is higher by" in first["verdict_en"]
    assert "更高，差值" in first["verdict_zh"]


def test_the_headline_counts_comparisons_by_decision(seeded: Seeded) -> None:
    (row,) = shown(seeded, "headline")
    decisions = [one["decision"] for one in shown(seeded, "verdicts")]
    assert row.pop("experiments") == 1
    as_of = row.pop("as_of")
    assert {name: count for name, count in row.items() if count} == {name: decisions.count(name) for name in decisions}
    assert as_of.startswith("2026-03-1")


def test_how_long_it_takes_is_told_by_shares_of_the_controls_mean(seeded: Seeded) -> None:
    rows = shown(seeded, "power")
    ended = {variant: len(expected.chosen(variant, expected.is_over)) for variant in ("control", *expected.TREATED)}
    assert [row["variant"] for row in rows] == list(expected.TREATED)
    for row in rows:
        assert row["ended"] == ended["control"] + ended[row["variant"]]
        assert row["relevant_lift"] == pytest.approx(0.1)
        assert row["detectable_lift"] > row["relevant_lift"]
        assert row["customers_needed"] > row["customers_needed_once"] > 0


@pytest.mark.parametrize("name", [panel.id.partition("-")[2] for panel in EXPERIMENTS.panels])
def test_every_panel_is_filled_follows_its_choices_and_is_what_grafana_gets(seeded: Seeded, name: str) -> None:
    rows = shown(seeded, name)
    assert rows
    assert shown(seeded, name, campaign=("spring",)) == rows
    assert shown(seeded, name, campaign=("wide",)) == []
    assert seeded.board.show(f"experiments-{name}", *EVER, run=HOSTILE) == []
    if "${outcome:" in PANELS[f"experiments-{name}"].sql:
        assert shown(seeded, name, HOSTILE) == []
    panel = PANELS[f"experiments-{name}"]
    values = {"run": [TRIAL], "campaign": (), "outcome": ["converted"]}
    types, grafanas = asked(seeded.reader, panel, TimeRange.between(*EVER), values)
    check_types(panel, types)
    assert same([list(row) for row in grafanas], [list(row.values()) for row in rows])


def test_a_range_before_the_experiment_shows_no_line_of_it(seeded: Seeded) -> None:
    for name in ("lift", "once", "shares", "roi-days"):
        assert seeded.board.show(f"experiments-{name}", 0, 86_400_000, run=TRIAL) == []


def test_of_many_experiments_lines_are_drawn_of_the_largest_and_hostile_names_are_text(seeded: Seeded) -> None:
    rows = seeded.board.show("experiments-shares", *EVER)
    assert len({row["name"] for row in rows}) == 2
    assert HOSTILE in {row["name"] for row in rows}
    assert HOSTILE[:64] in {row["variant"] for row in rows}
