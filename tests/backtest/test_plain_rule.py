"""The plain rule, what settles and the money, held against brute force over every line of small exports."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings, strategies

from pipeline.alert_settings import AlertSettings
from pipeline.alerts.warehouse import read_warehouse
from pipeline.backtest.backtest import backtest
from pipeline.backtest.export import past_of_export
from pipeline.backtest.past import Range
from pipeline.backtest.rules import rules_of_files
from pipeline.errors import UserError
from schemas.instants import instant_text, parse_instant, to_epoch_milliseconds
from tests.alerts.facts_support import POLICY
from tests.oracle.backtest import DAY_MS, HOUR_MS, Cost, Credit, Export, Rule, episodes, money, settled_ratio
from tests.support.depth import depth

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = to_epoch_milliseconds(parse_instant("2026-03-01T00:00:00Z"))
MINUTE = 60_000
NAMES = ("a", "b", "c")


@strategies.composite
def exports(draw: Any) -> Export:
    """Return some days of up to three campaigns; lines often stand on the stroke of an hour."""
    minutes = strategies.one_of(
        strategies.integers(0, 4 * 1440), strategies.integers(0, 96).map(lambda hour: 60 * hour)
    )
    costs = [
        Cost(
            draw(strategies.sampled_from(NAMES)), BEGIN + draw(minutes) * MINUTE, draw(strategies.integers(0, 50)) * 20
        )
        for _ in range(draw(strategies.integers(1, 25)))
    ]
    known = sorted({line.campaign for line in costs})
    lines: list[Credit] = []
    for _ in range(draw(strategies.integers(0, 15))):
        campaign, touched = draw(strategies.sampled_from(known)), BEGIN + draw(minutes) * MINUTE
        converted = touched + draw(strategies.integers(0, 2 * 1440)) * MINUTE
        amount = draw(strategies.integers(1, 4_000))
        lines.append(Credit(campaign, touched, converted, amount))
        if draw(strategies.booleans()):
            back = converted + draw(strategies.integers(0, 1440)) * MINUTE
            lines.append(Credit(campaign, touched, back, -draw(strategies.integers(1, amount))))
    if draw(strategies.booleans()):  # far behind all others, so that these settle
        costs.append(Cost("a", BEGIN + 30 * DAY_MS, 0))
    return Export(costs, lines, 7 * DAY_MS)


@strategies.composite
def rules(draw: Any) -> Rule:
    return Rule(
        limit=Fraction(draw(strategies.sampled_from(("0.5", "1", "2", "3.5")))),
        margin=Fraction(draw(strategies.sampled_from(("0", "0.1", "1")))),
        least_cost=draw(strategies.sampled_from((0, 100, 3_000))),
        hold_ms=draw(strategies.sampled_from((0, 45, 60, 150))) * MINUTE,
    )


def document(folder: Path, export: Export, rule: Rule) -> dict[str, Any]:
    costs = [
        {"campaign_id": line.campaign, "product": "p", "at": instant_text(line.at), "cost_minor": line.minor}
        for line in export.costs
    ]
    lines = [
        {
            "campaign_id": line.campaign,
            "customer": f"{line.campaign}{line.touched}{number if line.minor > 0 else number - 1}",
            "touched_at": instant_text(line.touched),
            "converted_at": instant_text(line.converted),
            "return_minor": line.minor,
        }
        for number, line in enumerate(export.credits)
    ]
    files = folder / "costs", folder / "credits"
    for file, rows in zip(files, (costs, lines), strict=True):
        file.write_text("\n".join(map(json.dumps, rows)))
    given_rule = AlertSettings(
        min_return_ratio=float(rule.limit),
        resolve_margin=float(rule.margin),
        min_cost_minor=rule.least_cost,
        hold_minutes=rule.hold_ms / MINUTE,
    )
    past = past_of_export(read_warehouse(*files, POLICY), Range(None, None, HOUR_MS), "an export")
    found: dict[str, Any] = backtest(past, rules_of_files(given_rule, [])[:1]).document()
    return found


@settings(max_examples=depth(150), deadline=None)
@given(exports(), rules())
@example(
    Export([Cost("a", BEGIN + MINUTE, 100)], [], 7 * DAY_MS),
    Rule(limit=Fraction(2), margin=Fraction(0), least_cost=0, hold_ms=0),
)
def test_it_is_what_brute_force_finds(tmp_path_factory: pytest.TempPathFactory, export: Export, rule: Rule) -> None:
    folder = tmp_path_factory.mktemp("export")
    begin, end = min(export.instants()) // HOUR_MS * HOUR_MS, max(export.instants())
    steps = list(range(begin, end + 1, HOUR_MS))
    if steps[-1] < min(export.instants()):  # all of it lies between two strokes of the hour
        with pytest.raises(UserError, match="no step is within the data"):
            document(folder, export, rule)
        return
    found = document(folder, export, rule)
    (plain,) = found["rules"]
    names = [one["campaign_id"] for one in plain["campaigns"]]
    for one in plain["campaigns"]:
        name = one["campaign_id"]
        wanted = episodes(export, name, steps, rule)
        mine = [(each["fired_at"], each["resolved_at"]) for each in one["episodes"]]
        assert mine == [(instant_text(fired), resolved and instant_text(resolved)) for fired, resolved in wanted]
        assert (one["fired_at"], one["resolved_at"]) == (mine[0] if mine else (None, None))
        assert one["settled_ratio"] == settled_ratio(export, name)
    wanted_money = money(export, names, steps, rule)
    assert {name: plain["money"][name] for name in wanted_money} == wanted_money
