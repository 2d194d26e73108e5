"""A bank that boards are held against: a counted log, definitions, and alerts as the evaluator writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any, Final

from pipeline.alerts.lifecycle import Conduct, step
from pipeline.alerts.log import Addressing, rows_of
from pipeline.alerts.record import Evidence, Moment
from pipeline.alerts.sayings import always_english
from schemas.topics import TRANSACTIONS
from tests.alerts.building import AT_ONCE, look
from tests.dashboards.trials import Copy, keep_backtests, seed_trial
from tests.figures.expected_budgets import largest_watermark, watermarks
from tests.figures.test_figures_against_oracle import facts_of, policy
from tests.oracle.building import Ledger
from tests.oracle.config import MODELS
from tests.oracle.facts import Facts
from tests.oracle.generators import random_log
from tests.oracle.log import log_of
from tests.oracle.murmur2 import partition_of
from tests.oracle.story import Shape
from tests.support.core_player import CorePlayer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.log import LogRow
    from pipeline.alerts.record import AlertRecord
    from pipeline.alerts.verdict import Outcome
    from tests.oracle.config import Model
    from tests.oracle.log import Log

DAY_MS: Final = 86_400_000
HOSTILE: Final = "<img src=x onerror=alert(1)>' OR 1=1 -- \\" + "\u202eמבצע 🎉 " + "x" * 150
"""A name that would do harm where it is taken for anything but text."""
FREE: Final = "free"
"""A campaign that costs nothing."""
UNDEFINED: Final = "undefined"
"""A campaign that nobody has defined."""
HUGE_MINOR: Final = 10**15
SHAPE: Final = Shape(customers=10, campaigns=5, weights=(1, 8, 10, 3), bad_share=0.02)


@dataclass
class Bank:
    """What was written, for an independent count of it.

    Attributes:
        facts: of each run, judged by the oracle.
        definitions: as boards know them, by campaign.
        records: the newest alert of each campaign that has one.
        changes: (record after it, event, previous state, by, note), oldest first.
        clock_ms: how far each run's event time has come.
        transactions_ms: how far each run's transactions have come.
        end_ms: two days after the newest touch of the live run.
    """

    facts: dict[str, Facts] = field(default_factory=dict)
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    records: dict[str, AlertRecord] = field(default_factory=dict)
    changes: list[tuple[AlertRecord, str, str | None, str | None, str]] = field(default_factory=list)
    clock_ms: dict[str, int] = field(default_factory=dict)
    transactions_ms: dict[str, int] = field(default_factory=dict)
    end_ms: int = 0

    def under(self, run: str, model: Model) -> Facts:
        """Return a run's facts as another attribution model credits them."""
        facts = self.facts[run]
        return Facts(facts.judged, replace(facts.config, model=model))


def seed(client: Any) -> Bank:
    """Fill a ClickHouse that has nothing but its tables: runs live and `other`, five definitions, four alerts."""
    bank = Bank()
    for number, run in enumerate(("live", "other")):
        log = _log(40 + number)
        CorePlayer(client, "roi", run, replace(policy(), models=MODELS), log).play(Random(number), crashes=1)
        facts = bank.facts[run] = facts_of(log, run)
        bank.transactions_ms[run] = max(at for place, at in watermarks(log, facts).items() if place[0] == TRANSACTIONS)
        as_of = largest_watermark(log, bank.facts[run])
        assert as_of is not None
        bank.clock_ms[run] = round(as_of.timestamp() * 1000)
    instants = [touch.occurred_at for touch in bank.facts["live"].touches]
    bank.end_ms = max(instants) + 2 * DAY_MS
    _define(client, bank)
    _judge(client, bank)
    seed_trial(client, (Copy("live", min(bank.definitions), HOSTILE[:64]), Copy("live", "wide")), bank.end_ms)
    keep_backtests(client, HOSTILE)
    return bank


def _log(seed_number: int) -> Log:
    """Return a random log, and in its partitions' tails a campaign without cost and sums beyond 2**53."""
    log = random_log(seed_number, 360, shape=SHAPE)
    ledger = Ledger()
    ledger.touch("free-touch", "2026-06-20 09:00", campaign=FREE, customer_id="free-1")
    ledger.pay("free-pay", "2026-06-20 10:00", 5_000, customer_id="free-1", revenue_minor=777)
    for number in range(20):
        ledger.touch(f"huge-{number}", "2026-06-21 09:00", campaign="wide", customer_id="huge", cost_minor=HUGE_MINOR)
    records = [record for records in log.values() for record in records]
    offsets = {place: len(found) for place, found in log.items()}
    for record in ledger.records:
        place = record.topic, partition_of(record.key or b"", SHAPE.partitions)
        records.append(record._replace(partition=place[1], offset=offsets.get(place, 0)))
        offsets[place] = offsets.get(place, 0) + 1
    return log_of(records)


def _define(client: Any, bank: Bank) -> None:
    ids = sorted({touch.campaign_id for touch in bank.facts["live"].touches} - {UNDEFINED})
    for number, campaign_id in enumerate(ids):
        bank.definitions[campaign_id] = {
            "campaign_id": campaign_id,
            "name": HOSTILE if number == 0 else f"Name of {campaign_id}",
            "owner": (None, "lin", "wu")[number % 3],
            "starts_at": "2026-03-01T00:00:00+08:00",
            "ends_at": None if number % 2 else "2026-05-01T00:00:00+08:00",
            "budget_minor": (None, 0, 1_000_000)[number % 3],
            "min_return_ratio": 1.5 + number,
        }
    bank.definitions["quiet"] = {"campaign_id": "quiet", "name": "Planned", "starts_at": "2027-01-01T00:00:00Z"}
    rows = [
        json.dumps({"campaign_id": name, "definition": json.dumps(definition), "version": 1})
        for name, definition in bank.definitions.items()
    ]
    client.command(
        "INSERT INTO roi.campaign_log (campaign_id, definition, version) FORMAT JSONEachRow", data="\n".join(rows)
    )


_OUTCOMES: Final[tuple[tuple[Outcome, ...], ...]] = (
    ("undecided", "below"),
    ("below",),
    ("below", "above"),
    ("immature",),
)


def _judge(client: Any, bank: Bank) -> None:
    names = sorted({touch.campaign_id for touch in bank.facts["live"].touches} - {FREE})
    lines = []
    for number, campaign_id in enumerate(names[:4]):
        evidence = Evidence(
            (always_english(f"stays below, '{campaign_id}'", f"持续低于要求，'{campaign_id}'"), "no end date"),
            None if number == 1 else 480_000 + number,
            {"segment": "channel", "label": "sms", "ratio_without": 2.25} if number == 0 else None,
            {"first_touch": True, "last_touch": number == 0},
        )
        outcomes = _OUTCOMES[number]
        record = None
        for turn, outcome in enumerate(outcomes):
            as_of = bank.end_ms - (len(outcomes) - turn) * 10 * DAY_MS
            seen = look(outcome, as_of, held_hours=5.0, campaign_id=campaign_id, rule=AT_ONCE, evidence=evidence)
            for wait in range(4):
                moment = Moment(bank.end_ms + turn * 60_000 + wait * 10_000, float(turn * 60 + wait * 10))
                record, change = step(record, seen, moment, Conduct())
                if change is not None:
                    told = (change.record, change.event, change.previous_state, change.by, change.note)
                    bank.changes.append(told)
                    lines += rows_of(change, Addressing("http://board"), None)
        assert record is not None
        bank.records[campaign_id] = bank.changes[-1][0]
    write_alerts(client, lines)


def write_alerts(client: Any, lines: Sequence[LogRow]) -> None:
    """Write alerts and their histories, without messages and notices."""
    rows = [
        json.dumps(
            {
                "kind": row.kind,
                "id": row.id,
                "alert_id": row.alert_id,
                "campaign_id": row.campaign_id,
                "state": row.state,
                "at": row.at_ms / 1000,
                "body": row.body,
                "version": version,
            }
        )
        for version, row in enumerate(lines)
        if row.kind in {"alert", "change"}
    ]
    client.command("INSERT INTO roi.alert_log FORMAT JSONEachRow", data="\n".join(rows))
