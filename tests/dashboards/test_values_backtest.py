"""Board Backtest: its numbers are those of brute force over an export's lines, as the API and Grafana ask for them."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pytest

from dashboards.boards.backtest import BACKTEST
from dashboards.definitions.macros import TimeRange
from dashboards.registry import PANELS
from schemas.instants import parse_instant, to_epoch_milliseconds
from tests.dashboards.plugin import asked, check_types
from tests.dashboards.seeding import HOSTILE
from tests.dashboards.test_values_campaigns import differences, same
from tests.dashboards.trials import KEPT, LIMIT, old_backtest, old_export
from tests.oracle.backtest import HOUR_MS, Rule, episodes, settled_ratio
from tests.oracle.backtest import money as money_by_force

if TYPE_CHECKING:
    from tests.dashboards.conftest import Seeded
    from tests.oracle.facts import Row

EVER: Final = (0, 4_102_444_800_000)
STEP_MS: Final = 6 * HOUR_MS
RULES: Final = ("plain", "default", "hasty")
PLAIN: Final = Rule(limit=Fraction(2), margin=Fraction(1, 10), least_cost=100_000, hold_ms=HOUR_MS)


def shown(seeded: Seeded, name: str, **choice: Any) -> list[Row]:
    return seeded.board.show(f"backtest-{name}", *EVER, **choice)


@cache
def steps() -> list[int]:
    instants = old_export().instants()
    return list(range(min(instants) // STEP_MS * STEP_MS, max(instants) + 1, STEP_MS))


@cache
def campaigns() -> list[str]:
    return sorted({line.campaign for line in old_export().costs})


@cache
def fired(rule: str) -> dict[str, int]:
    """Return when a rule fired first: the plain one by brute force, the others as the backtest itself says."""
    if rule == "plain":
        found = {name: episodes(old_export(), name, steps(), PLAIN) for name in campaigns()}
        return {name: every[0][0] for name, every in found.items() if every}
    (told,) = [one for one in old_backtest().document()["rules"] if one["name"] == rule]
    return {
        one["campaign_id"]: to_epoch_milliseconds(parse_instant(one["fired_at"]))
        for one in told["campaigns"]
        if one["fired_at"]
    }


@cache
def after(name: str, at: int) -> tuple[int, int]:
    """Return cost and return of what came after an instant, over every line."""
    export = old_export()
    cost = sum(line.minor for line in export.costs if line.campaign == name and line.at > at)
    return cost, sum(line.minor for line in export.credits if line.campaign == name and line.touched > at)


@cache
def fates(rule: str) -> dict[str, tuple[float | None, int | None]]:
    """Return each campaign's settled ratio and when the rule fired."""
    return {name: (settled_ratio(old_export(), name), fired(rule).get(name)) for name in campaigns()}


@cache
def figures(rule: str) -> Row:
    known = {name: (ratio, at) for name, (ratio, at) in fates(rule).items() if ratio is not None}
    right = {name: at for name, (ratio, at) in known.items() if at is not None and ratio < LIMIT}
    wrong = {name: at for name, (ratio, at) in known.items() if at is not None and ratio >= LIMIT}
    bad = sum(ratio < LIMIT for ratio, _ in known.values())
    spent = [[after(name, at) for name, at in group.items()] for group in (right, wrong)]
    sums = [(sum(cost for cost, _ in group), sum(back for _, back in group)) for group in spent]
    days = sorted((at - min(line.at for line in old_export().costs if line.campaign == name)) / 86_400_000
                  for name, at in right.items())  # fmt: skip
    gain = round(sum(LIMIT * cost - back for group in spent for cost, back in group))
    middle = None if not days else (days[(len(days) - 1) // 2] + days[len(days) // 2]) / 2
    return {
        "rule": rule,
        "fired": len(right) + len(wrong),
        "fired_rightly": len(right),
        "fired_wrongly": len(wrong),
        "fired_too_late": sum(cost <= 0 for cost, _ in spent[0]),
        "precision": len(right) / (len(right) + len(wrong)) if right or wrong else None,
        "recall": len(right) / bad,
        "days_to_fire": middle,
        "spend_avoided_minor": sums[0][0],
        "return_given_up_minor": sums[0][1],
        "return_forgone_minor": sums[1][1],
        "spend_not_made_minor": sums[1][0],
        "gain_at_limit_minor": gain,
    }


def test_rules_side_by_side_are_those_of_brute_force(seeded: Seeded) -> None:
    wanted = [dict(figures(rule)) for rule in RULES]
    found = shown(seeded, "rules")
    for row in wanted:
        row["beyond_plain_minor"] = row["gain_at_limit_minor"] - wanted[0]["gain_at_limit_minor"]
    assert differences(found, wanted, "rule") == []
    assert [row["rule"] for row in found] == list(RULES)
    by_force = money_by_force(old_export(), campaigns(), steps(), PLAIN)
    assert {name: found[0][name] for name in by_force if name in found[0]} == {
        name: value for name, value in by_force.items() if name in found[0]
    }
    assert wanted[0]["fired_wrongly"] > wanted[1]["fired_wrongly"], "the product's rule is better than the plain one"
    assert wanted[1]["fired_rightly"] > 0


def test_bars_and_headline_are_the_same_numbers(seeded: Seeded) -> None:
    wanted = [figures(rule) for rule in RULES]
    money = ("rule", "spend_avoided_minor", "return_forgone_minor", "gain_at_limit_minor")
    assert shown(seeded, "money") == [{name: row[name] for name in money} for row in wanted]
    bad = sum(ratio is not None and ratio < LIMIT for ratio, _ in fates("plain").values())
    assert shown(seeded, "fired") == [
        {"rule": row["rule"], "fired_rightly": row["fired_rightly"], "fired_wrongly": row["fired_wrongly"]}
        | {"missed": bad - row["fired_rightly"]}
        for row in wanted
    ]
    (head,) = shown(seeded, "headline")
    settled = sum(ratio is not None for ratio, _ in fates("plain").values())
    assert (head["campaigns"], head["below_limit"], head["not_settled"]) == (settled, bad, len(campaigns()) - settled)
    gains = [row["gain_at_limit_minor"] for row in wanted]
    assert [head["plain_gain_minor"], head["default_gain_minor"]] == gains[:2]
    assert head["not_settled"] > 0
    assert head["kept_at"].startswith("2026-11-03")


@pytest.mark.parametrize(("name", "is_bad"), [("found", True), ("spared", False)])
def test_how_soon_rules_fire_is_counted_day_by_day(seeded: Seeded, name: str, *, is_bad: bool) -> None:
    rows = shown(seeded, name)
    begins = {one: min(line.at for line in old_export().costs if line.campaign == one) for one in campaigns()}
    for rule in RULES:
        chosen = {
            one: at for one, (ratio, at) in fates(rule).items() if ratio is not None and (ratio < LIMIT) == is_bad
        }
        line = {row["day"]: row["share"] for row in rows if row["rule"] == rule}
        assert sorted(line) == list(range(len(line)))
        for day, share in line.items():
            sooner = [one for one, at in chosen.items() if at is not None and at - begins[one] <= day * 86_400_000]
            assert share == pytest.approx(len(sooner) / len(chosen)), (rule, day)
        last = [one for one, at in chosen.items() if at is not None]
        assert line[max(line)] == pytest.approx(len(last) / len(chosen)), "the curve ends where all that fired have"


def test_campaigns_tell_when_each_rule_fired_and_what_came_after(seeded: Seeded) -> None:
    rows = {(row["name"], row["rule"]): row for row in shown(seeded, "campaigns")}
    assert rows.keys() == {(name, rule) for name in campaigns() for rule in RULES}
    for rule in RULES:
        for name, (ratio, at) in fates(rule).items():
            row = rows[name, rule]
            assert same(row["settled_ratio"], ratio)
            assert (row["cost_after_minor"], row["return_after_minor"]) == ((0, 0) if at is None else after(name, at))
            if at is None:
                fate = "unsettled" if ratio is None else "missed" if ratio < LIMIT else "left_alone"
                assert (row["fired_at"], row["days_to_fire"], row["gain_minor"]) == (None, None, None)
            else:
                fate = "fired_unsettled" if ratio is None else "fired_rightly" if ratio < LIMIT else "fired_wrongly"
                assert to_epoch_milliseconds(parse_instant(row["fired_at"].replace(" ", "T") + "Z")) == at
            assert row["fate"] == fate
            assert row["reason_en"] != row["reason_zh"]
            assert row["campaign_id"] == "", "the stream does not know it: there is no board to lead to"
    assert {row["fate"] for row in rows.values()} >= {"fired_rightly", "fired_wrongly", "left_alone"}


@pytest.mark.parametrize("name", [panel.id.partition("-")[2] for panel in BACKTEST.panels])
def test_every_panel_is_filled_and_follows_its_choice_whatever_the_range(seeded: Seeded, name: str) -> None:
    rows = shown(seeded, name)
    assert rows
    assert shown(seeded, name, backtest=KEPT) == rows, "without a choice it is the newest"
    assert seeded.board.show(f"backtest-{name}", 0, 0) == rows, "it has a range of its own"
    other = shown(seeded, name, backtest=HOSTILE)
    assert [dict(row, kept_at=0) for row in other] == [dict(row, kept_at=0) for row in rows]
    for harmful in ("'", "\\", "x' OR 1=1 -- ", "{x:String}", "\0"):
        assert shown(seeded, name, backtest=harmful) == []
    panel = PANELS[f"backtest-{name}"]
    types, grafanas = asked(seeded.reader, panel, TimeRange.between(*EVER), {"backtest": [""]})
    check_types(panel, types)
    assert same([list(row) for row in grafanas], [list(row.values()) for row in rows])
