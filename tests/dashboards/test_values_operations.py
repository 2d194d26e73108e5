"""Board Operations: positions, refusals, halts and deaths as they were written; expressions that Prometheus knows."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.boards.operations import OPERATIONS
from dashboards.definitions.macros import TimeRange
from dashboards.registry import PANELS
from pipeline.api.panel_data import PanelData
from pipeline.metrics.operational_metrics import ALERT_PROMETHEUS_METRICS, PROMETHEUS_METRICS
from tests.dashboards.conftest import Board
from tests.figures.expected_budgets import watermarks
from tests.figures.test_figures_against_oracle import facts_of, play
from tests.oracle.generators import random_log
from tests.oracle.story import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import Settings

RUN = "operations"
HOSTILE = "<img src=x onerror=alert(1)>' OR 1=1 -- \\ \U0001f600"
NOW = datetime.now(UTC).replace(microsecond=0)
CLICKHOUSE = [panel.id for panel in OPERATIONS.panels if panel.source == "clickhouse"]
PROMETHEUS = [panel for panel in OPERATIONS.panels if panel.source == "prometheus"]


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.000")


EVER = (0, ms(NOW) + 3_600_000)


@pytest.fixture(scope="module")
def played(clickhouse: Any) -> Iterator[tuple[Any, Any]]:
    """A run of a random log, with halts, faults and deaths of which nobody knew the names."""
    log = random_log(77, 500, shape=Shape(customers=8, bad_share=0.2, duplicate_share=0.2))
    play(clickhouse, RUN, log, 5)
    halts = [
        [RUN, "bank.touches.v1", "h1", "bad_share", HOSTILE, "roi resume", NOW - timedelta(hours=2), None, 0],
        [RUN, "bank.touches.v1", "h2", "bad_share", "later", "roi resume", NOW - timedelta(hours=1), None, 0],
        [RUN, "bank.costs.v1", "h3", "bad_share", "over", "roi resume", NOW - timedelta(hours=3), NOW, 0],
        ["another", "bank.costs.v1", "h4", "bad_share", "other run", "", NOW, None, 0],
    ]
    clickhouse.insert(
        "roi.halts", halts, ["run", "topic", "id", "kind", "cause", "remedy", "halted_at", "resumed_at", "version"]
    )
    deaths = [
        [RUN, "host-1", "17", HOSTILE, NOW - timedelta(hours=30)],
        [RUN, "host-2", "18", "MemoryError", NOW - timedelta(hours=2)],
        ["another", "host-3", "19", "other run", NOW],
    ]
    clickhouse.insert("roi.worker_deaths", deaths, ["run", "host", "owner", "cause", "at"])
    faults = [
        [RUN, "bank.costs.v1", 0, "cut_short", 100, 0, 60, NOW - timedelta(hours=5)],
        [RUN, "bank.costs.v1", 1, "cut_short", 10, 0, 9, NOW - timedelta(hours=4)],
        [RUN, "bank.costs.v1", 1, "records_lost", 10, 25, 90, NOW - timedelta(hours=4)],
    ]
    columns = ["run", "topic", "partition", "fault", "next_offset", "log_start", "log_end", "found_at"]
    clickhouse.insert("roi.log_faults", faults, columns)
    yield log, facts_of(log, RUN)
    for table in ("halts", "worker_deaths", "log_faults"):
        clickhouse.command(f"TRUNCATE TABLE roi.{table}")


def verdicts(played: tuple[Any, Any]) -> dict[str, dict[str, int]]:
    """Return how many of each topic's records came to what, by the oracle."""
    log, facts = played
    found: dict[str, dict[str, int]] = {}
    for topic, partition in log:
        counts = found.setdefault(topic, {"accepted": 0, "duplicate": 0, "dead_letter": 0})
        for record in log[topic, partition]:
            verdict = facts.judged.verdicts.get((topic, partition, record.offset))
            if verdict is not None:
                counts["accepted" if verdict.outcome == "pending" else verdict.outcome] += 1
    return found


def accepted_by_partition(played: tuple[Any, Any]) -> Counter[tuple[str, int]]:
    _, facts = played
    return Counter(
        (topic, partition)
        for (topic, partition, _), verdict in facts.judged.verdicts.items()
        if verdict.outcome in {"accepted", "pending"}
    )


def instant_text(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def test_topics_count_what_became_of_their_records(board: Board, played: tuple[Any, Any]) -> None:
    log, facts = played
    found = board.show("operations-topics", *EVER, run=RUN)
    wanted = verdicts(played)
    marks = watermarks(log, facts)
    newest = max(marks.values())
    assert {row["topic"] for row in found} >= {topic for topic, _ in marks}
    for row in found:
        own = [at for place, at in marks.items() if place[0] == row["topic"]]
        assert row["watermark"] == instant_text(max(own))
        assert row["behind_seconds"] == pytest.approx((newest - min(own)) / 1000)
        counts = wanted[row["topic"]]
        total = sum(counts.values())
        assert {"accepted": row["accepted"], "duplicate": row["duplicates"], "dead_letter": row["refused"]} == counts
        assert row["refused_share"] == pytest.approx(row["refused"] / total)
        assert row["duplicate_share"] == pytest.approx(row["duplicates"] / total)
        assert row["partitions"] == sum(topic == row["topic"] for topic, _ in log)
        assert row["state"] == ("halted" if row["topic"] == "bank.touches.v1" else "reading")
        assert row["newest_block_at"] == "1970-01-01 00:00:00.000", "the log was played at that instant"
        assert row["block_age_seconds"] == pytest.approx(datetime.now(UTC).timestamp(), abs=600)
    (headline,) = board.show("operations-headline", *EVER, run=RUN)
    for name in ("accepted", "duplicates", "refused"):
        assert headline[name] == sum(row[name] for row in found)
    assert (headline["halted"], headline["deaths"]) == (1, 1)
    assert headline["newest_block_at"] == max(row["newest_block_at"] for row in found)
    assert headline["block_age_seconds"] == pytest.approx(datetime.now(UTC).timestamp(), abs=600)


def test_partitions_say_how_far_they_are_behind(board: Board, played: tuple[Any, Any]) -> None:
    log, facts = played
    rows = board.show("operations-partitions", *EVER, run=RUN)
    marks, accepted = watermarks(log, facts), accepted_by_partition(played)
    for row in rows:
        place = row["topic"], row["partition"]
        assert row["watermark"] == (instant_text(marks[place]) if place in marks else None)
        assert row["accepted"] == accepted.get(place, 0)
    assert {(row["topic"], row["partition"]): row["next_offset"] for row in rows} == {
        place: len(records) for place, records in log.items() if any(row["topic"] == place[0] for row in rows)
    }
    newest = max(datetime.fromisoformat(row["watermark"]) for row in rows if row["watermark"])
    for row in rows:
        behind = (newest - datetime.fromisoformat(row["watermark"])).total_seconds() if row["watermark"] else None
        assert row["behind_seconds"] == (None if behind is None else pytest.approx(behind))
    known = [row["behind_seconds"] for row in rows if row["behind_seconds"] is not None]
    assert known == sorted(known, reverse=True)


@pytest.mark.parametrize("panel", ["operations-topics", "operations-partitions"])
def test_a_run_of_a_range_is_behind_the_newest_event_it_has_read(
    board: Board, migrated: Settings, played: tuple[Any, Any], clickhouse: Any, panel: str
) -> None:
    assert played
    rows = {row["topic"]: row["behind_seconds"] for row in board.show(panel, *EVER, run=RUN)}
    try:
        clickhouse.command(
            "INSERT INTO roi.replays (run, state, settings, to_ms, version) VALUES "
            f"('{RUN}', 'complete', '{{}}', 86400000, 1)"
        )
        again = Board(PanelData(migrated)).show(panel, *EVER, run=RUN)
        assert {row["topic"]: row["behind_seconds"] for row in again} == rows
    finally:
        clickhouse.command(f"DELETE FROM roi.replays WHERE run = '{RUN}'")


def test_dead_letters_by_reason(board: Board, played: tuple[Any, Any]) -> None:
    _, facts = played
    wanted: dict[tuple[str, str], int] = {}
    for (topic, _, _), verdict in facts.judged.verdicts.items():
        if verdict.outcome == "dead_letter":
            wanted[topic, verdict.reason] = wanted.get((topic, verdict.reason), 0) + 1
    rows = board.show("operations-refused", *EVER, run=RUN)
    events = {key: count for key, count in wanted.items() if key[0] not in {"bank.campaigns.v1", "bank.customers.v1"}}
    shown = {(row["topic"], row["reason"]): row["letters"] for row in rows}
    assert {key: shown.get(key) for key in events} == events
    # all were refused at one instant, that of the play: the newest is that of the greatest partition and offset
    newest: dict[tuple[str, str], tuple[int, int]] = {}
    for (topic, partition, offset), verdict in facts.judged.verdicts.items():
        if verdict.outcome == "dead_letter":
            newest[topic, verdict.reason] = max((partition, offset), newest.get((topic, verdict.reason), (0, 0)))
    for row in rows:
        assert row["newest_at"] == "1970-01-01 00:00:00.000"
        assert row["newest_place"] == "{}:{}".format(*newest[row["topic"], row["reason"]])
        assert row["newest_detail"]
    assert [row["letters"] for row in rows] == sorted((row["letters"] for row in rows), reverse=True)
    assert board.show("operations-refused", 10_000, 20_000, run=RUN) == []


def test_halts_in_force_have_their_first_cause(board: Board, played: tuple[Any, Any]) -> None:
    del played
    assert board.show("operations-halts", *EVER, run=RUN) == [
        {
            "topic": "bank.touches.v1",
            "kind": "bad_share",
            "cause": HOSTILE,
            "remedy": "roi resume",
            "halted_at": text(NOW - timedelta(hours=2)),
        }
    ]


def test_deaths_and_log_faults_of_the_range(board: Board, played: tuple[Any, Any]) -> None:
    del played
    deaths = board.show("operations-deaths", *EVER, run=RUN)
    assert deaths == [
        {"at": text(NOW - timedelta(hours=2)), "host": "host-2", "owner": "18", "cause": "MemoryError"},
        {"at": text(NOW - timedelta(hours=30)), "host": "host-1", "owner": "17", "cause": HOSTILE},
    ]
    recent = board.show("operations-deaths", ms(NOW - timedelta(hours=3)), ms(NOW), run=RUN)
    assert [row["at"] for row in recent] == [text(NOW - timedelta(hours=2))]
    common = {"topic": "bank.costs.v1", "newest_at": text(NOW - timedelta(hours=4))}
    assert board.show("operations-log-faults", *EVER, run=RUN) == [
        common | {"fault": "cut_short", "partitions": 2, "lost_by_broker": 41, "deleted_unread": 0},
        common | {"fault": "records_lost", "partitions": 1, "lost_by_broker": 0, "deleted_unread": 15},
    ]


@pytest.mark.usefixtures("played")
def test_the_evaluator_is_seen_by_its_newest_claim(board: Board, clickhouse: Any, migrated: Settings) -> None:
    clickhouse.command("TRUNCATE TABLE roi.alert_leases")
    assert board.show("operations-evaluator", *EVER) == []
    (headline,) = board.show("operations-headline", *EVER, run=RUN)
    assert headline["evaluator_age_seconds"] is None, "nobody has ever decided: no age"
    now = datetime.now(UTC)
    body = {"as_of": "2026-03-05T12:00:00.500Z", "campaigns": 12, "turn_seconds": 0.25, "turn_age_seconds": 0.9}
    leases = [
        [4, "old", 900, json.dumps({"ended": False}), now],
        [5, "new", 1, json.dumps({"reasons": ["wrong"]}), now - timedelta(seconds=70)],
        [5, "new", 2, json.dumps(body | {"reasons": [HOSTILE, "and more"]}), now - timedelta(seconds=60)],
    ]
    clickhouse.insert("roi.alert_leases", leases, ["epoch", "owner", "beat", "body", "at"])
    (found,) = Board(PanelData(migrated)).show("operations-evaluator", *EVER)
    assert 60 <= found.pop("evaluator_age_seconds") < 600
    assert found == {
        "state": "judging",
        "owner": "new",
        "epoch": "5",
        "as_of": "2026-03-05 12:00:00.500",
        "campaigns": 12,
        "turn_seconds": 0.25,
        "turn_age_seconds": 0.9,
        "reasons": f"{HOSTILE}; and more",
    }
    clickhouse.command("TRUNCATE TABLE roi.alert_leases")


def test_ages_grow_while_the_ledger_stands(migrated: Settings, played: tuple[Any, Any]) -> None:
    del played
    clock = iter([0.0] * 6 + [1_000.0] * 100)
    data = PanelData(migrated, lambda: next(clock))
    query, times = "SELECT now64(3) AS a, rand64() AS b WHERE ${run:singlequote} != ''", TimeRange(0, 1_000, 60)
    still = query.replace("now64(3)", "1")

    async def ask(text_: str) -> Any:
        return (await data.answer(text_, times, {"run": [RUN]})).rows

    first = asyncio.run(ask(query))
    kept = asyncio.run(ask(still))
    assert asyncio.run(ask(query)) != first
    assert asyncio.run(ask(still)) == kept


@pytest.mark.parametrize("panel", [name for name in CLICKHOUSE if name != "operations-evaluator"])
def test_nothing_is_shown_of_what_is_not_there(board: Board, played: tuple[Any, Any], panel: str) -> None:
    del played
    assert board.show(panel, *EVER, run=HOSTILE) == []


@pytest.mark.parametrize("panel", PROMETHEUS, ids=lambda panel: panel.id)
def test_an_expression_a_value_of_metrics_that_are_exported(panel: Any) -> None:
    expressions = panel.sql.splitlines()
    assert len(expressions) == sum(column.role == "value" for column in panel.columns)
    endings = ("_total", "_bucket", "_info", "")
    families = (*PROMETHEUS_METRICS, *ALERT_PROMETHEUS_METRICS)
    exported = {family.name + ending for family in families for ending in endings}
    labels = {column.name for column in panel.columns if column.role == "label"}
    for expression in expressions:
        used = set(re.findall(r"\b(?:roi|process)_\w+", expression))
        assert used
        assert used <= exported
        grouped = re.search(r"\bby \((?P<names>[\w, ]+)\)", expression)
        names = set() if grouped is None else set(grouped["names"].split(", ")) - {"le"}
        assert grouped is None or names == labels, "the legend names what the lines are told apart by"


@pytest.mark.process
def test_promtool_reads_every_expression(tmp_path: Any) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("PROMETHEUS EXPRESSIONS NOT CHECKED: there is no `promtool` (Debian: apt-get install prometheus)")
    expressions = [line for panel in PROMETHEUS for line in panel.sql.splitlines()]
    rules = [{"record": f"board:{number}", "expr": text_} for number, text_ in enumerate(expressions)]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "boards", "rules": rules}]}))
    checked = subprocess.run(["promtool", "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_panel_is_named_after_its_board() -> None:
    assert all(name.startswith("operations-") for name in CLICKHOUSE)
    assert set(CLICKHOUSE) | {panel.id for panel in PROMETHEUS} <= set(PANELS)
