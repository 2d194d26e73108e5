"""What boards Experiments and Backtest are held against: a counted experiment, analysed, and a kept backtest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from pipeline.alert_settings import AlertSettings
from pipeline.alerts.warehouse import read_warehouse
from pipeline.backtest.backtest import backtest
from pipeline.backtest.export import past_of_export
from pipeline.backtest.keeping import COLUMNS, kept_rows
from pipeline.backtest.past import Range
from pipeline.backtest.rules import rules_of_files
from pipeline.experiments.analysis import Design, analyse
from pipeline.experiments.asking import Asked
from pipeline.experiments.reading import Question, read_experiment
from pipeline.experiments.rows import day_rows, result_rows
from pipeline.experiments.storing import store
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.state.campaign_registry import default_rules
from schemas.instants import instant_text
from tests.alerts.facts_support import POLICY
from tests.experiments.bank import COUNTING, experiment, play
from tests.oracle.backtest import DAY_MS, HOUR_MS, Cost, Credit, Export
from tests.oracle.config import OracleConfig
from tests.oracle.facts import Facts
from tests.oracle.verdicts import judge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.backtest.results import Found
    from tests.oracle.building import Ledger

TRIAL: Final = "trial"
"""The run of the experiment."""
SHARES: Final = {"control": 1.0, "A": 2.0, "B": 1.0}
WINDOW_MS: Final = 7 * DAY_MS
LIMIT: Final = 2.0
KEPT: Final = "last year"


@cache
def trial_log() -> Ledger:
    """Return the experiment: variant A converts better, most windows are over, and some of its costs are events."""
    ledger = experiment(
        {"control": 0.2, "A": 0.75, "B": 0.2}, customers=420, weights=SHARES, twice=6, after=6, tiers=("gold", "mass")
    )
    ledger.cost("media-A", "2026-03-02 12:00", 30_000, variant="A")
    ledger.cost("media", "2026-03-03 12:00", 50_000)
    return ledger


@cache
def trial_facts() -> Facts:
    """Return what the oracle makes of it."""
    config = OracleConfig(run=TRIAL)
    return Facts(judge(trial_log().log, config), config)


@dataclass(frozen=True)
class Copy:
    """Where the same analysis is stored once more: under another run, campaign and name of variant B."""

    run: str
    campaign_id: str
    variant: str = "B"


def seed_trial(client: Any, copies: Iterable[Copy], end_ms: int) -> None:
    """Count the experiment and store its analysis; the days of copies end where ``end_ms`` is."""
    play(client, TRIAL, trial_log())
    port = ClickHouseLedger(client, "roi", TRIAL, "")
    facts = read_experiment(port, TRIAL, Question("spring", default_rules(COUNTING), WINDOW_MS))
    analysis = analyse(facts, Design("control", SHARES))
    results, days = result_rows(TRIAL, "spring", analysis), list(day_rows(TRIAL, "spring", analysis))
    store(client, "roi", Asked("spring", TRIAL), results, days)
    last = datetime.fromtimestamp(end_ms / 1000, UTC).date()
    later = last - max(date.fromisoformat(row["day"]) for row in days)
    for copy in copies:
        own = {"run": copy.run, "campaign_id": copy.campaign_id}
        both = [
            [row | own | {"variant": copy.variant if row["variant"] == "B" else row["variant"]} for row in rows]
            for rows in (results, [row | {"day": _moved(row["day"], later)} for row in days])
        ]
        store(client, "roi", Asked(copy.campaign_id, copy.run), *both)


def _moved(day: str, by: timedelta) -> str:
    return (date.fromisoformat(day) + by).isoformat()


@cache
def old_export() -> Export:
    """Return twelve campaigns of three weeks, every second of them bad."""
    random, export = Random(8), Export([], [], WINDOW_MS)
    begin = 1_767_225_600_000  # 2026-01-01
    for number in range(12):
        name, start = f"c{number:02}", begin + number * 6 * DAY_MS
        for hour in range(0, 21 * 24, 6):
            at = start + hour * HOUR_MS
            export.costs.append(Cost(name, at, 9_000))
            worth = 2_000 if number % 2 else 9_000
            for _ in range(2):
                touched, waits = at + random.randrange(3_600) * 1000, random.randrange(5 * DAY_MS)
                export.credits.append(Credit(name, touched, touched + waits, random.randrange(worth, 3 * worth)))
    return export


@cache
def old_backtest() -> Found:
    """Return the plain and the product's rule, and one that is hasty, tried on the export."""
    export = old_export()
    costs = [
        {"campaign_id": line.campaign, "product": "cards", "at": instant_text(line.at), "cost_minor": line.minor}
        for line in export.costs
    ]
    credited = [
        {
            "campaign_id": line.campaign,
            "customer": f"{line.campaign}-{number}",
            "touched_at": instant_text(line.touched),
            "converted_at": instant_text(line.converted),
            "return_minor": line.minor,
        }
        for number, line in enumerate(export.credits)
    ]
    with TemporaryDirectory() as place:
        files = [Path(place) / name for name in ("costs", "credits", "hasty.toml")]
        for file, rows in zip(files, (costs, credited), strict=False):
            file.write_text("\n".join(map(json.dumps, rows)))
        files[2].write_text(
            "confidence = 0.6\nhold_minutes = 0\nmin_cost_minor = 100000\nmin_expected_converters = 3\n"
        )
        past = past_of_export(read_warehouse(files[0], files[1], POLICY), Range(None, None, 6 * HOUR_MS), "an export")
        return backtest(past, rules_of_files(AlertSettings(min_return_ratio=LIMIT), files[2:]), workers=1)


def keep_backtests(client: Any, hostile: str) -> None:
    """Keep the backtest under two names, of which the hostile one is the older, and an older one of the same name."""
    for version, name in enumerate((KEPT, hostile, KEPT)):
        rows = kept_rows(old_backtest(), name, version + 1)
        if version == 0:  # replaced by the last as a whole
            rows = [[name, "gone", *row[2:]] for row in rows]
        kept_at = datetime(2026, 11, 1 + version, tzinfo=UTC)
        client.insert("roi.backtests", [[*row, kept_at] for row in rows], [*COLUMNS, "kept_at"])
