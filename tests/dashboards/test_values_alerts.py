"""Board Alerts: what it shows is what the lifecycle has made of the looks and of what people did."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.registry import PANELS
from pipeline.alerts.after_decision import Around, after_decision
from pipeline.alerts.sayings import LANGUAGES, in_language, joined
from pipeline.ledger.rows import FORM
from tests.alerts.building import HOUR, T0
from tests.dashboards.alert_story import HOSTILE, LATER_MS, Story, by_risk, text, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.alerts.lifecycle import Change
    from tests.dashboards.conftest import Board

DAY = 86_400
END = T0 + 240 * HOUR
ALL = (T0 - HOUR, END)
PART = (T0 + 60 * HOUR, T0 + 150 * HOUR)
CHOICES: tuple[dict[str, Any], ...] = (
    {},
    {"owner": [HOSTILE]},
    {"campaign": ["c1", "c4"]},
    {"campaign": ["c1", "c2", "c3"], "owner": ["wealth", HOSTILE]},
)
OPEN = {"pending", "firing", "acknowledged", "decided"}


@pytest.fixture(scope="module")
def minutes() -> dict[str, list[tuple[int, int, int]]]:
    """Money of the live run by campaign: minute (epoch seconds), cost, return; corrections may make a cost negative."""
    random = Random(3)
    return {
        f"c{number}": [
            (minute, random.choice((0, random.randrange(-(10**4), 10**6), 10**15)), random.randrange(-(10**5), 10**6))
            for minute in random.sample(range(T0 // 60_000 - 14 * 1440, END // 60_000 + 8 * 1440), 400)
        ]
        for number in range(8)  # the others have no money at all
    }


@pytest.fixture(scope="module")
def story(clickhouse: Any, minutes: dict[str, list[tuple[int, int, int]]]) -> Iterator[Story]:
    tables = ("alert_log", "alert_actions", "alert_leases", "campaign_log")
    for table in tables:
        clickhouse.command(f"TRUNCATE TABLE roi.{table}")
    clickhouse.command("DELETE FROM roi.ledger WHERE run = 'live'")
    found = told(Random(11))
    found.write(clickhouse)
    cells = [
        ["live", "minute", number % 3, campaign, minute, [0, 0, 0, 0, cost, returned, 0], 1]
        for campaign, rows in minutes.items()
        for number, (minute, cost, returned) in enumerate(rows)
    ]
    columns = ["run", "kind", "shard", "campaign_id", "at", "measures", "version"]
    clickhouse.insert("roi.ledger", cells, columns)
    clickhouse.command("INSERT INTO roi.runs (run, fingerprint, settings, models) VALUES ('live', 'f', 's', [])")
    clickhouse.insert(
        "roi.ledger",
        [["live", "position", "bank.touches.v1", [1, last_event(found), 0, 0, 0, last_event(found), FORM], 1]],
        ["run", "kind", "label", "measures", "version"],
    )
    yield found
    for table in tables:
        clickhouse.command(f"TRUNCATE TABLE roi.{table}")
    clickhouse.command("DELETE FROM roi.ledger WHERE run = 'live'")
    clickhouse.command("DELETE FROM roi.runs WHERE run = 'live'")


def last_event(story: Story) -> int:
    """Return the live run's newest event: people decided later."""
    return max(one.record.changed_ms for one in decisions(story).values()) - LATER_MS


def is_shown(story: Story, wall_ms: int, times: tuple[int, int]) -> bool:
    """Tell whether something of the wall clock belongs to a range; one that reaches the newest event goes on to now."""
    begin, end = times
    return begin <= wall_ms and (wall_ms <= end or end >= last_event(story))


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("times", [ALL, PART])
def test_headline(board: Board, story: Story, choice: dict[str, Any], times: tuple[int, int]) -> None:
    records = [one for one in story.every() if story.chosen(one.campaign_id, **choice)]
    (found,) = board.show("alerts-headline", *times, **choice)
    states = Counter(one.state for one in records)
    risks = [
        one.evidence.money_at_risk_minor
        for one in records
        if one.state in {"firing", "acknowledged"} and one.evidence.money_at_risk_minor is not None
    ]
    first: dict[str, int] = {}
    for change in story.changes:
        if change.record.state == "firing" and story.chosen(change.record.campaign_id, **choice):
            first.setdefault(change.record.alert_id, change.record.as_of_ms)
    begin, end = times
    assert found == {
        **{state: states[state] for state in ("firing", "acknowledged", "pending", "blocked", "immature")},
        "money_at_risk_minor": sum(risks) if risks else None,
        "fired": sum(begin <= at <= end for at in first.values()),
        "fired_before": sum(2 * begin - end <= at < begin for at in first.values()),
        "newest_look": text(max(one.as_of_ms for one in records)),
    }


@pytest.mark.parametrize("choice", CHOICES)
def test_open_alerts_stand_in_the_order_of_their_money(board: Board, story: Story, choice: dict[str, Any]) -> None:
    records = [one for one in story.every() if one.state in OPEN and story.chosen(one.campaign_id, **choice)]
    assert board.show("alerts-open", *ALL, **choice) == [
        {
            "alert_id": one.alert_id,
            "campaign_id": one.campaign_id,
            "name": story.name_of(one.campaign_id),
            "owner": one.campaign.owner or "",
            "alert_state": one.state,
            "return_ratio": one.verdict.return_ratio,
            "min_return_ratio": one.rule.min_return_ratio,
            "upper_bound": one.verdict.upper_bound,
            "matured_share": one.verdict.matured_share,
            "money_at_risk_minor": one.evidence.money_at_risk_minor,
            **{
                f"reason_{language}": one.decision_reason
                if one.state == "decided"
                else joined(one.evidence.reasons).read(language)
                for language in LANGUAGES
            },
            "opened_at": text(one.opened_ms),
            "changed_at": text(one.changed_ms),
        }
        for one in sorted(records, key=by_risk)
    ]


@pytest.mark.parametrize("choice", CHOICES)
def test_every_campaign_stands_in_one_state(board: Board, story: Story, choice: dict[str, Any]) -> None:
    wanted = Counter(one.state for one in story.records.values() if story.chosen(one.campaign_id, **choice))
    found = {row["alert_state"]: row["campaigns"] for row in board.show("alerts-states", *ALL, **choice)}
    assert len(found) == 8
    assert {state: count for state, count in found.items() if count} == wanted


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("times", [ALL, PART])
def test_the_timeline_has_every_state_that_lasted(
    board: Board, story: Story, choice: dict[str, Any], times: tuple[int, int]
) -> None:
    begin, end = times
    regions: dict[str, list[dict[str, Any]]] = {}
    moves = [one for one in story.changes if one.previous_state != one.record.state]
    for place, change in enumerate(moves):
        record = change.record
        if not story.chosen(record.campaign_id, **choice):
            continue
        later = (one.record.as_of_ms for one in moves[place + 1 :] if one.record.campaign_id == record.campaign_id)
        since, until = max(begin, record.as_of_ms), min(end, next(later, end))
        if since < until:
            regions.setdefault(record.campaign_id, []).append(
                {
                    "time": text(since),
                    "end": text(until),
                    "name": story.name_of(record.campaign_id),
                    "alert_state": record.state,
                    "campaign_id": record.campaign_id,
                    "alert_id": record.alert_id,
                }
            )
    eventful = [own for own in regions.values() if {one["alert_state"] for one in own} - {"immature", "watching"}]
    wanted = sorted(
        (one for own in eventful for one in own),
        key=lambda one: (one["time"], one["name"].encode(), one["campaign_id"]),
    )
    assert board.show("alerts-timeline", *times, **choice) == wanted


def decisions(story: Story) -> dict[str, Change]:
    return {one.record.alert_id: one for one in story.changes if one.event in {"decided", "approved"}}


def about(ratio: float | None) -> Any:
    """Return what equals a ratio of sums beyond the integers that doubles hold."""
    return None if ratio is None else pytest.approx(ratio, rel=1e-12)


def outcome(story: Story, change: Change, money: list[tuple[int, int, int]]) -> dict[str, Any]:
    record = change.record
    decided = record.as_of_ms // 60_000 * 60
    own = [(minute * 60, cost, returned) for minute, cost, returned in money]
    before = [row for row in own if decided - 7 * DAY <= row[0] < decided]
    after = [row for row in own if decided <= row[0] < decided + 7 * DAY]
    plan = story.plan(record.campaign_id)
    newest = max(one.as_of_ms for one in story.every() if one.campaign_id == record.campaign_id)
    around = Around(
        cost_before_minor=sum(row[1] for row in before),
        return_before_minor=sum(row[2] for row in before),
        cost_after_minor=sum(row[1] for row in after),
        return_after_minor=sum(row[2] for row in after),
        spent_minor=sum(row[1] for row in own if row[0] < decided),
        first_cost=min((row[0] for row in own if row[1] > 0), default=None),
        budget_minor=plan["budget_minor"],
        ends=(T0 + 210 * HOUR) // 1000 if "ends_at" in plan else None,
        newest=newest // 1000,
    )
    assert record.decision is not None
    told = after_decision(record.decision, decided, around)
    after_week = told["after"] or dict.fromkeys(told["before"])
    return {
        "alert_id": record.alert_id,
        "campaign_id": record.campaign_id,
        "decided_at": text(record.changed_ms),
        "name": story.name_of(record.campaign_id),
        "owner": record.campaign.owner or "",
        "decision": record.decision,
        "decided_by": record.decided_by,
        "approved_by": change.approved_by or "",
        "note": change.note,
        "days_so_far": pytest.approx(told["days_so_far"], abs=0.006),
        "ratio_before": about(told["before"]["return_ratio"]),
        "ratio_after": about(after_week["return_ratio"]),
        "cost_before_minor": told["before"]["cost_minor"],
        "cost_after_minor": after_week["cost_minor"],
        "spend_avoided_minor": told["spend_avoided_minor"],
    }


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("times", [ALL, PART])
def test_decisions_and_what_became_of_them(
    board: Board, story: Story, minutes: Any, choice: dict[str, Any], times: tuple[int, int]
) -> None:
    made = [
        outcome(story, one, minutes.get(one.record.campaign_id, []))
        for one in decisions(story).values()
        if story.chosen(one.record.campaign_id, **choice) and is_shown(story, one.record.changed_ms, times)
    ]
    made.sort(key=lambda row: row["alert_id"])
    made.sort(key=lambda row: row["decided_at"], reverse=True)
    found = board.show("alerts-decisions", *times, **choice)
    assert len(found) == len(made)
    for row, wanted in zip(found, made, strict=True):
        assert {name: (row[name], value) for name, value in wanted.items() if row[name] != value} == {}
    avoided = [row["spend_avoided_minor"] for row in made if row["spend_avoided_minor"] is not None]
    sums = board.show("alerts-decided", *times, **choice)
    assert len(sums) == bool(made)
    if made:
        assert sums[0] == {
            "decisions": len(made),
            "stops": sum(row["decision"] == "stop" for row in made),
            "optimisations": sum(row["decision"] == "optimise" for row in made),
            "continuations": sum(row["decision"] == "continue" for row in made),
            "settled": sum(row["ratio_after"] is not None or row["cost_after_minor"] is not None for row in made),
            "spend_avoided_minor": sum(avoided) if avoided else None,
        }


@pytest.mark.parametrize("choice", CHOICES)
def test_blocked_campaigns_name_the_fault(board: Board, story: Story, choice: dict[str, Any]) -> None:
    faults = {one.record.alert_id: one.note for one in story.changes if one.event == "blocked"}
    records = [one for one in story.every() if one.state == "blocked" and story.chosen(one.campaign_id, **choice)]
    records.sort(key=lambda one: (*by_risk(one)[:2], one.changed_ms, one.alert_id))
    assert board.show("alerts-blocked", *ALL, **choice) == [
        {
            "alert_id": one.alert_id,
            "campaign_id": one.campaign_id,
            "name": story.name_of(one.campaign_id),
            "owner": one.campaign.owner or "",
            "changed_at": text(one.changed_ms),
            "state_before": one.state_before,
            **{f"fault_{language}": in_language(faults[one.alert_id], language) for language in LANGUAGES},
            "money_at_risk_minor": one.evidence.money_at_risk_minor,
        }
        for one in records
    ]


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("times", [ALL, PART])
def test_deliveries_by_receiver(board: Board, story: Story, choice: dict[str, Any], times: tuple[int, int]) -> None:
    changed = {row.id: row.at_ms for row in story.rows if row.kind == "notification"}
    notices = [
        one
        for one in story.notifications.values()
        if story.chosen(one.campaign_id, **choice)
        and (one.state == "waiting" or is_shown(story, changed[one.notification_id], times))
    ]
    found = {row["receiver"]: row for row in board.show("alerts-deliveries", *times, **choice)}
    assert set(found) == {one.receiver for one in notices}
    for receiver, row in found.items():
        own = [one for one in notices if one.receiver == receiver]
        states = Counter(one.state for one in own)
        assert {name: row[name] for name in ("sent", "waiting", "suppressed", "dead")} == {
            name: states[name] for name in ("sent", "waiting", "suppressed", "dead")
        }
        sent = [one.sent_ms for one in own if one.sent_ms is not None]
        assert row["last_sent_at"] == (text(max(sent)) if sent else None)
        errors = [(changed[one.notification_id], one.last_error) for one in own if one.state == "dead"]
        assert row["last_error"] in ({error for at, error in errors if at == max(errors)[0]} if errors else {None})


def test_silences_in_force_are_shown_whatever_the_range(board: Board, story: Story) -> None:
    changed = {row.id: row.at_ms for row in story.rows if row.kind == "silence"}
    wanted = sorted(story.silences.values(), key=lambda one: (one.is_ended, -one.until_ms, one.silence_id))
    assert board.show("alerts-silences", *ALL) == [
        {
            "silence_id": one.silence_id,
            "campaign_id": one.campaign_id or "",
            "name": "" if one.campaign_id is None else story.name_of(one.campaign_id),
            "owner": one.owner or "",
            "state": "ended" if one.is_ended else "active",
            "until": text(one.until_ms),
            "by": one.by,
            "reason": one.reason,
            "changed_at": text(changed[one.silence_id]),
        }
        for one in wanted
    ]
    later = board.show("alerts-silences", END, END + HOUR)
    assert {row["state"] for row in later} == {"active"}
    assert [row["owner"] for row in board.show("alerts-silences", *ALL, owner=[HOSTILE]) if row["owner"]] == [HOSTILE]
    # one of a campaign, and one of everything that its owner has
    assert len(board.show("alerts-silences", *ALL, campaign=["c1"])) == 2


def test_what_came_after_the_newest_event_is_shown_while_the_range_reaches_it(board: Board, story: Story) -> None:
    newest = text(max(one.record.changed_ms for one in decisions(story).values()))
    assert board.show("alerts-decisions", T0, last_event(story))[0]["decided_at"] == newest
    assert board.show("alerts-decisions", T0, last_event(story) - 1)[0]["decided_at"] < newest


@pytest.mark.parametrize("panel", [name for name in PANELS if name.startswith("alerts-")])
def test_nobody_chosen_is_nothing_shown(board: Board, story: Story, panel: str) -> None:
    del story
    assert board.show(panel, *ALL, campaign=["x' OR 1=1 --"]) == []
    assert board.show(panel, *ALL, owner=["x' OR 1=1 --"]) == []
